"""Sampled values beside a decoder that shares nothing with the kernel, and beside tshark."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.kernel import (
    Events,
    Frames,
    KernelError,
    Measured,
    Meter,
    PhasorRows,
    Phasors,
    Publisher,
    Quantity,
    Rows,
    SampledValues,
    SampleRows,
    Setup,
    Stream,
    levels,
    pcap_frames,
)
from gateway.model.quality import Quality
from tests.kernel.sampled_oracle import Decoder

SECOND = 1_700_000_000
LE = Stream(4000, [0.001] * 4 + [0.01] * 4)
ID = "MU0101"

# 9-2LE at 80 and 256 samples per cycle, 50 and 60 Hz; IEC 61869-9 at 4800 and 14400 Hz.
PROFILES = [
    Publisher(LE, ID),
    Publisher(Stream(12800, LE.scale), ID, data_set="MU0101/LLN0$PhsMeas1", smp_mod="cycle"),
    Publisher(Stream(4800, LE.scale, 60), ID, vlan=None, clock=True),
    Publisher(Stream(15360, LE.scale, 60), ID),
    Publisher(Stream(4800, LE.scale), ID, 2, smp_mod="second"),
    Publisher(Stream(14400, LE.scale), ID, 6, vlan=None, clock=True),
    Publisher(Stream(4800, [1.0] * 24), ID, 2),
]


def noise(rows: int, columns: int, seed: int = 1) -> np.ndarray:
    """All of int32."""
    rng = np.random.default_rng(seed)
    return rng.integers(-(2**31), 2**31 - 1, (rows, columns), np.int32, endpoint=True)


def sent(publisher: Publisher, index: int, samples: np.ndarray, **more: Any) -> Frames:
    """Frames as they would come, half a millisecond late."""
    frames = publisher.encode(index, samples, **more)
    rate = publisher.stream.rate
    rows = index + np.arange(len(frames)) * publisher.asdus
    return Frames.of(frames, [int(r) * 10**9 // rate + 500_000 for r in rows])


def subscriber(publisher: Publisher, **more: Any) -> SampledValues:
    options = {"asdus": publisher.asdus, "appid": 0x4000, "revision": 1, **more}
    return SampledValues(publisher.stream, ID, **options)


@pytest.mark.parametrize("publisher", PROFILES, ids=lambda p: f"{p.stream.rate}x{p.asdus}")
@pytest.mark.parametrize("name", levels())
def test_rows_are_those_sent(publisher: Publisher, name: str, running_on: Any) -> None:
    """A tenth of a second across the turn of one, with a quality for each value."""
    rate, columns = publisher.stream.rate, publisher.stream.columns
    samples = noise(rate // 10, columns)
    quality = np.random.default_rng(2).integers(0, 2**13, samples.shape).astype(np.uint16)
    quality[: rate // 20] = 0
    index = SECOND * rate - rate // 20
    frames = sent(publisher, index, samples, quality=quality)
    values = subscriber(publisher)
    rows = values.rows(len(frames), each=True)
    with running_on(name):
        assert values.decode(frames, rows) == rows.count == len(samples)

    (run,) = rows
    assert run.first == index
    assert np.array_equal(run.samples, samples)
    assert run.each is not None
    assert np.array_equal(run.each, quality)
    assert (run.quality[: rate // 20] == 0).all()
    assert np.array_equal(run.quality & 0x1FFC, np.bitwise_or.reduce(quality, axis=1) & 0x1FFC)
    state = values.state()
    assert (state.frames, state.rows, state.learned) == (len(frames), len(samples), 1)
    assert state.stream == (index + len(samples), 0, 0, 0)


def test_a_lost_frame_parts_the_rows() -> None:
    """Runs have the index of their first row, and the state says what was lost."""
    publisher = PROFILES[4]
    frames = publisher.encode(SECOND * 4800, noise(200, 8))
    del frames[30:32]
    frames.insert(50, frames[10])
    values = subscriber(publisher)
    rows = values.rows(len(frames))
    values.decode(Frames.of(frames, [SECOND * 10**9] * len(frames)), rows)
    assert [(run.first, len(run.samples)) for run in rows] == [
        (SECOND * 4800, 60),
        (SECOND * 4800 + 64, 136),
    ]
    state = values.state()
    assert (state.stream.gaps, state.stream.lost, state.duplicate) == (1, 4, 2)
    assert next(iter(rows)).each is None


def test_simulated_and_unsynchronised_rows_say_so() -> None:
    """The simulation bit is a test; smpSynch 1 is no global clock."""
    publisher = Publisher(LE, ID, simulated=True)
    for synch, expected in ((1, Quality.TEST | Quality.CLOCK_NOT_SYNCHRONISED), (2, Quality.TEST)):
        values = subscriber(publisher, simulated=True, synch="global")
        rows = values.rows(4)
        values.decode(sent(publisher, SECOND * 4000, noise(4, 8), synch=synch), rows)
        assert next(iter(rows)).quality.tolist() == [expected] * 4
    values = subscriber(publisher)
    assert values.decode(sent(publisher, SECOND * 4000, noise(4, 8)), values.rows(4)) == 0
    assert values.state().aside == 4


def test_unwatched_columns_do_not_count() -> None:
    """A neutral that is nobody's may be as bad as it likes."""
    quality = np.zeros((4, 8), np.uint16)
    quality[:, 7] = Quality.INVALID
    quality[2, 0] = Quality.QUESTIONABLE
    values = subscriber(PROFILES[0], watched=range(7))
    rows = values.rows(4)
    values.decode(sent(PROFILES[0], SECOND * 4000, noise(4, 8), quality=quality), rows)
    assert next(iter(rows)).quality.tolist() == [0, 0, Quality.QUESTIONABLE, 0]


LIKELY = [0x00, 0x01, 0x02, 0x08, 0x30, 0x60, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x87, 0xA2, 0xFF]


def mutated(rng: np.random.Generator, frame: bytes) -> bytes:
    """A frame with octets changed, taken out or put in, most of them near its lengths."""
    octets = bytearray(frame)
    for _ in range(rng.integers(0, 4)):
        at = int(rng.integers(0, len(octets) if rng.random() < 0.3 else min(96, len(octets))))
        octets[at] = rng.choice(LIKELY) if rng.random() < 0.5 else rng.integers(0, 256)
    chance = rng.random()
    if chance < 0.1:
        del octets[int(rng.integers(0, len(octets))) :]
    elif chance < 0.2:
        octets += rng.bytes(int(rng.integers(1, 12)))
    elif chance < 0.25:
        at = int(rng.integers(0, len(octets)))
        octets[at:at] = rng.bytes(int(rng.integers(1, 4)))
    return bytes(octets)


@pytest.mark.parametrize("seed", range(12))
def test_a_slow_decoder_agrees(seed: int) -> None:
    """Whatever is done to frames: the same rows, the same counts, in one call or in many."""
    rng = np.random.default_rng(seed)
    publisher = PROFILES[seed % 6]
    rate, nominal = publisher.stream.rate, publisher.stream.nominal
    frames: list[bytes] = []
    times: list[int] = []
    index = SECOND * rate - rate // 100
    for _ in range(400):
        chance = rng.random()
        if chance < 0.1:
            index += int(rng.integers(-20, 30))
        elif chance < 0.12:
            index += int(rng.integers(0, 5 * rate))
        quality = rng.integers(0, 2**15, (publisher.asdus, 8)).astype(np.uint16)
        quality *= rng.random((publisher.asdus, 1)) < 0.3
        samples = noise(publisher.asdus, 8, int(rng.integers(0, 2**32)))
        synch = int(rng.choice([0, 1, 2, 3, 7, 255]))
        (frame,) = publisher.encode(index, samples, quality, synch=synch)
        frames.append(mutated(rng, frame) if rng.random() < 0.7 else frame)
        late = int(rng.integers(0, 2 * 10**8))
        times.append(index * 10**9 // rate + late)
        index += publisher.asdus

    slow = Decoder(rate, nominal, 8, publisher.asdus, 0x4000, ID.encode(), 1)
    values = subscriber(publisher)
    found: list[tuple[int, list[int], int]] = []
    at = 0
    while at < len(frames):
        n = int(rng.choice([1, 7, 48]))
        rows = values.rows(n)
        values.decode(Frames.of(frames[at : at + n], times[at : at + n]), rows)
        for first, samples, quality, _ in rows:
            found += zip(
                range(first, first + len(samples)), samples.tolist(), quality.tolist(), strict=True
            )
        at += n
    for frame, time in zip(frames, times, strict=True):
        slow.take(frame, time)

    assert found == slow.rows
    assert len(found) > 50
    state = values.state()
    assert state.foreign + state.malformed + state.unfit == slow.refused > 50
    assert (state.stream.lost, state.late, state.duplicate) == (
        slow.lost,
        slow.late,
        slow.duplicate,
    )
    assert state.aside == slow.aside


def pcap(frames: list[bytes], times: list[int], *, order: str = "<", fine: bool = False) -> bytes:
    """A file as libpcap writes it."""
    magic, unit = (0xA1B23C4D, 1) if fine else (0xA1B2C3D4, 1000)
    made = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for frame, time in zip(frames, times, strict=True):
        head = (time // 10**9, time % 10**9 // unit, len(frame), len(frame))
        made += struct.pack(order + "IIII", *head) + frame
    return made


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("fine", [False, True])
def test_files_of_frames(order: str, fine: bool) -> None:
    """Of either order of octets and either resolution; a frame that is not whole is left."""
    frames = PROFILES[0].encode(SECOND * 4000, noise(100, 8))
    times = [SECOND * 10**9 + i * 250_000 for i in range(100)]
    file = pcap(frames, times, order=order, fine=fine)
    values = subscriber(PROFILES[0])
    rows = values.rows(64)
    made = [values.decode(part, rows) for part in pcap_frames(file[:-1], 64)]
    assert made == [64, 35]
    again = [t for part in pcap_frames(file) for t in part.time.tolist()]
    assert again == times
    with pytest.raises(KernelError, match="no file of Ethernet frames as libpcap writes them"):
        next(pcap_frames(b"\x0a\x0d\x0d\x0a" + file[4:]))


@pytest.mark.parametrize("publisher", PROFILES, ids=lambda p: f"{p.stream.rate}x{p.asdus}")
def test_tshark_reads_our_frames(
    publisher: Publisher, tmp_path: Path, tool: Callable[[str], str]
) -> None:
    """Every field as it was sent, and no frame with a mark."""
    asdus, columns = publisher.asdus, publisher.stream.columns
    samples = noise(5 * asdus, columns)
    quality = np.random.default_rng(2).integers(0, 2**13, samples.shape).astype(np.uint16)
    rate = publisher.stream.rate
    frames = publisher.encode(SECOND * rate + 77, samples, quality, synch=1)
    (tmp_path / "out.pcap").write_bytes(pcap(frames, [SECOND * 10**9] * len(frames)))
    fields = [
        "sv.appid", "sv.length", "sv.noASDU", "sv.svID", "sv.smpCnt", "sv.confRev", "sv.smpSynch",
        "sv.smpRate", "sv.smpMod", "sv.meas_value", "sv.meas_quality", "_ws.malformed",
        "_ws.expert.message",
    ]  # fmt: skip
    made = subprocess.run(
        [
            tool("tshark"), "-r", str(tmp_path / "out.pcap"), "-o",
            "sv.decode_data_as_phsmeas:TRUE", "-T", "fields", "-E", "separator=|",
            *[part for name in fields for part in ("-e", name)],
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split("|") for line in made.stdout.splitlines()]

    assert len(lines) == 5
    smp_rate = {None: "", "cycle": str(rate // publisher.stream.nominal), "second": str(rate)}
    mode = {None: "", "cycle": "0", "second": "1"}[publisher.smp_mod]
    for i, line in enumerate(lines):
        found = dict(zip(fields, line, strict=True))
        head = 14 if publisher.vlan is None else 18
        assert int(found["sv.appid"], 16) == 0x4000
        assert int(found["sv.length"]) == len(frames[i]) - head
        assert found["sv.noASDU"] == str(asdus)
        assert found["sv.svID"].split(",") == [ID] * asdus
        assert found["sv.smpCnt"].split(",") == [str(77 + i * asdus + a) for a in range(asdus)]
        assert found["sv.confRev"].split(",") == ["1"] * asdus
        assert found["sv.smpSynch"].split(",") == ["1"] * asdus
        assert set(found["sv.smpRate"].split(",")) == {smp_rate[publisher.smp_mod]}
        assert set(found["sv.smpMod"].split(",")) == {mode}
        rows = slice(i * asdus, (i + 1) * asdus)
        assert [int(v) for v in found["sv.meas_value"].split(",")] == samples[rows].ravel().tolist()
        marks = [int(v, 16) for v in found["sv.meas_quality"].split(",")]
        assert marks == quality[rows].ravel().tolist()
        assert found["_ws.malformed"] == ""
        assert found["_ws.expert.message"] == ""


def test_measured_in_one_call() -> None:
    """Frames become the same reports and values as their samples."""
    publisher = PROFILES[4]
    stream = publisher.stream
    turns = 50.3 * np.arange(4800)[:, None] / 4800 - np.arange(8) % 4 / 3
    samples = np.rint(30_000 * np.cos(2 * np.pi * turns)).astype(np.int32)
    setup = Setup(stream, {"ia": 0, "ib": 1, "ic": 2, "ua": 4, "ub": 5, "uc": 6}, 230.0)
    wanted = {Quantity("cycles", "rms", "ua"): 3, Quantity("cycles", "active", "all"): 4}

    def parts() -> tuple[Phasors, PhasorRows, Meter, Rows, Events]:
        phasors = Phasors(stream, reporting=50, performance="P", sets=((4, 5, 6), (0, 1, 2)))
        meter = Meter(setup, wanted)
        rows, events = meter.room(4800)
        return phasors, phasors.rows(100), meter, Rows(rows), Events(events)

    phasors, reports, meter, out, events = parts()
    phasors.push(SECOND * 4800, samples, reports)
    meter.push(SECOND * 4800, samples, out, events)
    expected, batch = reports.drain(), out.drain()
    assert expected is not None
    assert batch is not None

    phasors, reports, meter, out, events = parts()
    to = Measured((phasors, reports), (meter, out, events))
    values = subscriber(publisher)
    rows = values.rows(48)
    for at in range(0, 4800, 96):
        frames = sent(publisher, SECOND * 4800 + at, samples[at : at + 96])
        values.measure(frames, rows, to)
    found, made = reports.drain(), out.drain()
    assert found is not None
    assert made is not None
    assert np.array_equal(found.time, expected.time)
    assert np.array_equal(found.angle, expected.angle, equal_nan=True)
    assert np.array_equal(found.frequency, expected.frequency, equal_nan=True)
    assert made.point.tolist() == batch.point.tolist() == [3, 4] * 4
    assert np.array_equal(made.value, batch.value)
    assert made.value[0] == pytest.approx(300 / 2**0.5, rel=1e-3)
    assert to.columns == 8
    assert to.take(rows) == 0


def test_missing_room_is_no_loss() -> None:
    """What was refused for want of room is taken once there is some."""
    phasors = Phasors(LE, reporting=100, performance="P", sets=((0,),))
    reports = phasors.rows(1)
    to = Measured((phasors, reports))
    values = subscriber(PROFILES[0])
    rows = values.rows(400)
    frames = sent(PROFILES[0], SECOND * 4000, noise(400, 8))
    with pytest.raises(KernelError, match="fewer free rows"):
        values.measure(frames, rows, to)
    with pytest.raises(KernelError, match=r"fewer free rows .* 400 rows of 8 columns, 8 needed"):
        to.take(rows)
    assert values.state().rows == 400
    roomy = Measured((phasors, phasors.rows(20)))
    assert roomy.take(rows) == 9
    with pytest.raises(
        ValueError, match="rows of 8 columns and 2 sets for an estimator of 8 and 1"
    ):
        Measured((phasors, PhasorRows(4, 8, 2)))


def test_what_cannot_be_is_refused() -> None:
    """With the numbers that explain it."""
    with pytest.raises(KernelError, match=r"outside what can be: .* 17 ASDUs"):
        SampledValues(LE, ID, asdus=17)
    with pytest.raises(KernelError, match="a stream has no such rate"):
        SampledValues(Stream(50, [1.0]), None)
    with pytest.raises(KernelError, match="outside what can be: Publisher"):
        Publisher(LE, "").encode(0, noise(1, 8))
    with pytest.raises(KernelError, match="3 rows, 2 ASDUs"):
        Publisher(LE, ID, 2).encode(0, noise(3, 8))
    with pytest.raises(ValueError, match=r"it must be uint16, \(1, 8\)"):
        Publisher(LE, ID).encode(0, noise(1, 8), np.zeros(8, np.uint16))
    with pytest.raises(ValueError, match="capacity 0"):
        SampleRows(0, 8)
    with pytest.raises(ValueError, match="must be int64"):
        Frames(b"", np.zeros(1, np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64))  # type: ignore[arg-type]
    values = SampledValues(LE, None)
    frames = sent(PROFILES[0], 0, noise(2, 8))
    assert len(frames) == 2
    with pytest.raises(KernelError, match="2 frames of up to 1 rows, 8 columns; rows of 8 columns"):
        values.decode(frames, values.rows(1))
    with pytest.raises(KernelError, match="rows of 7 columns"):
        values.decode(frames, SampleRows(2, 7))
    bad = Frames(b"1234", *(np.array([x], np.int64) for x in (3, 2, 0)))
    with pytest.raises(KernelError, match="1 frames"):
        values.measure(bad, values.rows(1), Measured())
