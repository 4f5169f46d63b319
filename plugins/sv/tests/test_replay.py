"""Captures played again: at their pace, again and again, or once as they were recorded."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from gateway_sv.publisher import START, SampledValuesPublisher
from gateway_sv.source import SampledValuesSource
from sv_listener import Listener

from gateway.sampled_values import Frames, Publisher, Stream
from gateway.testing import Collector, paused, running

SAMPLE = Path(__file__).parents[1] / "sample.pcap"
STREAM = {"name": "mu", "sv_id": "MU0101", "profile": "F4800S2I4U4", "file": SAMPLE}


def played(**more: object) -> SampledValuesSource:
    return SampledValuesSource.model_validate(STREAM | more)


@paused
async def test_a_capture_goes_on_and_on(tmp_path: Path) -> None:
    """Its 480 rows follow each other without a gap, as if they were taken while they are played;
    each turn has the values of the one before."""
    ear = Listener(name="ear")
    async with running([played()], [ear], data=tmp_path) as gateway:
        begin = gateway.engine.clock.now()
        await gateway.until(lambda: sum(map(len, ear.heard)) >= 9600)
        passed = gateway.engine.clock.now() - begin
        told = gateway.counters("mu")
        detail = gateway.status("mu").detail
    index, samples = ear.index(), ear.samples()
    assert (np.diff(index) == 1).all()
    assert (samples[480:] == np.resize(samples[:480], samples[480:].shape)).all()
    # The paused clock begins at 2026-01-01, and the file with the first sample of a second;
    # 9600 rows are 2 s, handed over every 10 ms.
    assert index[0] == START * 4800
    assert passed == pytest.approx(2e9, abs=30e6)
    assert set(told) == {"frames", "samples"}
    assert detail == (
        "sample.pcap: svID MU0101, APPID 0x4000, confRev 1, 2 ASDUs of 8 values, smpSynch global"
    )


@paused
async def test_a_capture_as_it_was_recorded(tmp_path: Path) -> None:
    """Twice as fast, with its own times; then the points are old."""
    collector = Collector(name="sink")
    source = played(
        time="recorded", repeat="once", speed=2,
        waveform={"nominal": 50, "phasors": {"class": "P", "rate": 100}},
    )  # fmt: skip
    points = "name,mu.result\nf,phasor/frequency\n"
    async with running([source], [collector], points, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.counters("mu").get("samples") == 480)
        await gateway.until(lambda: gateway.sample("f").quality & 0x80)
        rows = [row for row in collector.rows("f") if not row.quality & 0x80]
        assert gateway.state("mu") == "up"
    # Windows of 2 cycles in a capture of 5 that begins at START: the last report is at 80 ms.
    assert [row.time - START * 10**9 for row in rows][-5:] == [t * 10**7 for t in range(4, 9)]
    assert [row.value for row in rows][-5:] == pytest.approx([50.0] * 5, abs=1e-4)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"sv_id": "OTHER"}, "no samples in {}: found svID MU0101, APPID 0x4000, confRev 1, "
         "2 ASDUs of 8 values, smpSynch global, allowed: svID OTHER profile F4800S2I4U4"),
        ({"revision": 2}, "allowed: svID MU0101 confRev 2 profile F4800S2I4U4"),
        ({"file": "/nowhere/x.pcap"}, "/nowhere/x.pcap: No such file or directory"),
        ({"file": Path(__file__)}, "test_replay.py: this is no file of Ethernet frames"),
    ],
)  # fmt: skip
@paused
async def test_what_cannot_be_played(
    more: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    """The link is down, and says what was found and what is allowed."""
    async with running([played(**more)], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("mu") == "down")
        assert sentence.format(SAMPLE) in gateway.status("mu").error


@paused
async def test_a_capture_of_other_frames_is_counted(tmp_path: Path) -> None:
    """Frames that somebody else laid out: no datSet, smpSynch 0, an address of its own, values cut
    to whole counts; between them frames of another protocol. All samples are there, and none of a
    clock that is synchronised."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    body = b""
    for count in range(400):
        values = [round(1000 * np.sin(2 * np.pi * count / 80)), 0, 0, 0, *[-5700] * 4]
        frame = (
            bytes.fromhex("010ccd010001c4b512000001 88ba 4000 006a 0000 0000 6060 800101 a25b 3059")
            + b"\x80\x08svID0000"
            + b"\x82\x02" + struct.pack(">H", count)
            + bytes.fromhex("830400000001 850100 8740")
            + b"".join(struct.pack(">iI", value, 0) for value in values)
        )  # fmt: skip
        arp = bytes.fromhex("ffffffffffff020000000001 0806") + bytes(46)
        for one in (frame, arp):
            body += struct.pack("<4I", 1, count * 250 + 1, len(one), len(one)) + one
    (tmp_path / "other.pcap").write_bytes(head + body)
    ear = Listener(name="ear")
    source = played(
        file=tmp_path / "other.pcap", sv_id="svID0000", profile="9-2LE-80", time="recorded",
        repeat="once",
    )  # fmt: skip
    async with running([source], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: sum(map(len, ear.heard)) == 400)
        await gateway.until(lambda: gateway.counters("mu").get("samples") == 400)
        assert gateway.counters("mu") == {"frames": 400, "samples": 400, "foreign_frames": 400}
    assert ear.index().tolist() == list(range(4000, 4400))
    assert ear.samples()[20].tolist() == [1000, 0, 0, 0, -5700, -5700, -5700, -5700]
    assert (ear.quality() == 0x2000).all()


def test_the_publisher_writes_as_long_as_it_is_told(tmp_path: Path) -> None:
    """0.5 s of 9-2LE at 60 Hz are 2400 frames, with faults fewer."""
    given = {"name": "u", "to_file": tmp_path / "x.pcap", "seconds": "500ms", "nominal": 60}
    made = SampledValuesPublisher.model_validate(given)
    assert made.write(tmp_path / "x.pcap") == 2400


@pytest.mark.parametrize(("watched", "quality"), [(True, 0x0041), (False, 0)])
def test_a_value_that_nobody_watches(watched: bool, quality: int) -> None:
    """A neutral that is not wired is invalid, failure; where it is not watched, the row is good."""
    source = SampledValuesSource.model_validate(
        {
            "name": "mu", "interface": "eth1", "profile": "F1000S1I0U4",
            "channels": ["ua", "ub", "uc", {"name": "un", "watched": watched}],
        }
    )  # fmt: skip
    publisher = Publisher(Stream(1000, [1.0] * 4), "MU")
    marks = np.array([[0, 0, 0, 0x0041]], np.uint16)
    frames = publisher.encode(5_000_000, np.zeros((1, 4), np.int32), marks)
    sampled = source.subscriber()
    rows = sampled.rows(1)
    assert sampled.decode(Frames.of(frames, [5 * 10**12]), rows) == 1
    (run,) = rows
    assert run.quality.tolist() == [quality]


@pytest.mark.parametrize(("synch", "quality"), [("local", 0), ("global", 0x2000)])
def test_a_clock_that_is_good_enough(synch: str, quality: int) -> None:
    """smpSynch 1 is a local clock; where a global one is demanded it is not synchronised."""
    source = SampledValuesSource.model_validate(
        {"name": "mu", "interface": "eth1", "profile": "F1000S1I0U3", "synch": synch}
    )
    publisher = Publisher(Stream(1000, [1.0] * 3), "MU")
    frames = publisher.encode(5_000_000, np.zeros((1, 3), np.int32), synch=1)
    sampled = source.subscriber()
    rows = sampled.rows(1)
    assert sampled.decode(Frames.of(frames, [5 * 10**12]), rows) == 1
    (run,) = rows
    assert run.quality.tolist() == [quality]


@pytest.fixture
def pcapng(tmp_path: Path) -> Path:
    """The sample as Wireshark saves it."""
    path = tmp_path / "x.pcapng"
    command = ["editcap", "-F", "pcapng", str(SAMPLE), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@paused
async def test_a_capture_in_the_other_format(pcapng: Path, tmp_path: Path) -> None:
    """It is told how to convert it."""
    async with running([played(file=pcapng)], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("mu") == "down")
        assert gateway.status("mu").error == (
            f"{pcapng}: found pcapng, allowed: pcap; `editcap -F pcap` makes one of it"
        )
