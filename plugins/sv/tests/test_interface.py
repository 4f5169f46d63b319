"""Interfaces that are not there, not allowed, go down and come back."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from gateway_sv.disturbance import Sent
from gateway_sv.publisher import SampledValuesPublisher
from gateway_sv.sending import Counts, send_all
from gateway_sv.source import SampledValuesSource
from sv_cable import Cable
from sv_listener import Listener

from gateway import LinkError, SourceContext
from gateway.ethernet import Frames, Ring, Sender
from gateway.sampled_values import Publisher, SampledValues, Stream
from gateway.testing import running

RECONNECT = {"min": "100ms", "max": "100ms"}
ONE = {"profile": "F1000S1I4U4", "sv_id": "MU0101"}


async def test_an_interface_that_goes_down_and_comes_back(cable: Cable, tmp_path: Path) -> None:
    """Both links say so and are back; the samples go on in the second in which they are."""
    given = {"reconnect": RECONNECT, **ONE}
    unit = SampledValuesPublisher.model_validate({"name": "unit", "interface": cable.near} | given)
    mu = SampledValuesSource.model_validate({"name": "mu", "interface": cable.far} | given)
    ear = Listener(name="ear")
    async with running([mu, unit], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("mu") == "up")
        cable.set(cable.far, "down")
        await gateway.until(lambda: gateway.state("mu") == "down")
        error = gateway.status("mu").error
        cable.set(cable.near, "down")
        await gateway.until(lambda: gateway.state("unit") == "down")
        other = gateway.status("unit").error
        cable.set(cable.near, "up")
        cable.set(cable.far, "up")
        await gateway.until(lambda: gateway.state("mu") == gateway.state("unit") == "up")
        now = gateway.engine.clock.now
        await gateway.until(lambda: abs(ear.heard[-1].time() - now()) < 0.5e9)
    assert error == f"interface {cable.far}: Network is down"
    assert other == f"interface {cable.near} is down or gone"


async def test_an_interface_that_is_taken_away(cable: Cable, tmp_path: Path) -> None:
    """Then there is none of that name, and the sentence has those that there are."""
    mu = SampledValuesSource.model_validate(
        {"name": "mu", "interface": "nowhere0", "reconnect": RECONNECT}
    )
    async with running([mu], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("mu") == "down")
        error = gateway.status("mu").error
    assert error.startswith("found no interface 'nowhere0', allowed: ")
    assert {"lo", cable.near, cable.far} <= set(error.partition("allowed: ")[2].split(", "))


async def test_silence(cable: Cable, tmp_path: Path) -> None:
    """Without any frame the link never is up, and says what it waits for."""
    mu = SampledValuesSource.model_validate(
        {"name": "mu", "interface": cable.far, "appid": 0x4001, "timeout": "150ms"} | ONE
    )
    async with running([mu], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("mu") == "down")
        assert gateway.status("mu").error == (
            f"no samples from {cable.far} for 150ms: found no frames of sampled values at all, "
            "allowed: svID MU0101 APPID 0x4001 profile F1000S1I4U4"
        )


def test_without_the_right_to_it() -> None:
    """In a user's namespace, without CAP_NET_RAW, receiving and sending say what is needed."""
    program = """
from gateway import LinkError
from gateway.ethernet import Ring, Sender
for kind in Ring, Sender:
    try:
        kind("lo")
    except LinkError as error:
        print(error)
"""
    done = subprocess.run(
        ["unshare", "--user", sys.executable, "-c", program],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = (
        "lo: the process needs CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW in its unit; "
        "--user 0 --cap-add NET_RAW of its container)"
    )
    assert done.stdout.splitlines() == [
        f"no right to receive frames from {after}",
        f"no right to send frames from {after}",
    ]


class Traced(SampledValuesSource):
    """As `gateway run --trace` has it."""

    async def run(self, ctx: SourceContext) -> None:
        ctx.tracing = True  # type: ignore[misc]
        await super().run(ctx)


def test_that_right_is_enough(cable: Cable) -> None:
    """With CAP_NET_RAW and no other capability a frame is sent and received, at a promiscuous
    interface, too."""
    program = f"""
from gateway.ethernet import Frames, Ring, Sender
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")][0])
ring, sender = Ring("{cable.far}", promiscuous=True), Sender("{cable.near}")
sender.send(Frames.of([bytes(12) + b"\\x88\\xba" + bytes(46)], [0]))
print(len(ring.take(1000)))
"""
    done = subprocess.run(
        [
            "setpriv", "--bounding-set=-all,+net_raw", "--inh-caps=-all", "--ambient-caps=-all",
            sys.executable, "-c", program,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    net_raw = 1 << 13  # linux/capability.h
    assert done.stdout.split() == [f"{net_raw:016x}", "1"], done.stderr


def test_what_an_interface_is_asked_to_take(cable: Cable) -> None:
    """All groups, that of the stream, or all frames, as `ip` shows it, until the ring closes."""
    words = ["ip", "-d", "-j", "link", "show", cable.far]

    def asked() -> tuple[int, int, bool]:
        (link,) = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
        groups = subprocess.run(
            ["ip", "maddr", "show", cable.far], capture_output=True, text=True, check=True
        ).stdout
        return link["promiscuity"], link["allmulti"], "01:0c:cd:04:00:07" in groups

    assert asked() == (0, 0, False)
    for more, expected in (
        ({}, (0, 1, False)),
        ({"destination": bytes.fromhex("010ccd040007")}, (0, 0, True)),
        ({"destination": bytes.fromhex("010ccd040007"), "promiscuous": True}, (1, 0, True)),
        ({"destination": bytes.fromhex("020000000007")}, (0, 0, False)),
    ):
        ring = Ring(cable.far, **more)  # type: ignore[arg-type]
        try:
            assert asked() == expected
        finally:
            ring.close()
    assert asked() == (0, 0, False)


async def test_frames_are_traced(
    cable: Cable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No more than ten a second, each with what it says."""
    unit = SampledValuesPublisher.model_validate(
        {"name": "unit", "interface": cable.near, "seconds": "1s", **ONE}
    )
    mu = Traced.model_validate({"name": "mu", "interface": cable.far, **ONE})
    with caplog.at_level("INFO", "gateway_sv"):
        async with running([mu, unit], [], data=tmp_path) as gateway:
            await gateway.until(lambda: gateway.counters("mu").get("samples") == 1000)
    seen = [one.getMessage() for one in caplog.records if " rx " in one.getMessage()]
    assert 5 <= len(seen) <= 11
    for line in seen:
        assert line.startswith("mu rx 01 0c cd 04 00 01 02 00 00 00 00 01 88 ba 40 00 ")
        assert line.endswith(
            " svID MU0101, APPID 0x4000, confRev 1, 1 ASDU of 8 values, smpSynch global"
        )


def test_frames_whose_time_is_long_past(cable: Cable) -> None:
    """A merging unit that was held up leaves them out, and counts them; the rest is sent."""
    frame = bytes(12) + bytes.fromhex("88ba") + bytes(46)
    now = time.time_ns()
    batches = [[Sent(frame, now - 2 * 10**9)] * 3, [Sent(frame, now)] * 2]
    told: Counter[str] = Counter()
    counts = Counts()
    sender = Sender(cable.near)
    send_all(sender, iter(batches), None, counts, threading.Event())
    sender.close()
    counts.flush(lambda what, n: told.update({what: n}))
    assert told == {"skipped_frames": 3, "sent_frames": 2}


def test_a_ring_that_is_full(cable: Cable) -> None:
    """What it has no room for is dropped by the system and counted; the rest is there in order, and
    the subscriber sees the gap."""
    stream = Stream(1000, [1.0] * 8)
    publisher = Publisher(stream, "MU0101")
    rows = SampledValues(stream, "MU0101")
    # Blocks are handed over when they are full, long before their age is looked at.
    ring = Ring(cable.far, frames=4, octets=118, blocks=4, retire=200)
    sender = Sender(cable.near)
    try:
        frames = publisher.encode(5_000_000, np.zeros((40, 8), np.int32))
        assert sender.send(Frames.of(frames, [0] * 40)) == 40
        taken = ring.take(100)
        room = rows.rows(ring.most)
        made = rows.decode(taken, room)
        ring.release()
        counts = ring.counts()
        assert sender.send(Frames.of(frames[-1:], [0])) == 1
        assert ring.decode(rows, rows.rows(ring.most), 2000) == 1
    finally:
        ring.close()
        sender.close()
    assert counts.frames == 40
    assert made == 40 - counts.dropped == 16
    assert counts.frozen == 1
    assert rows.state().stream.lost == counts.dropped - 1


@pytest.mark.parametrize("tags", ["", "81000007", "88a8000781000008"])
def test_tags_of_every_kind(cable: Cable, tags: str) -> None:
    """Frames without a tag, with one, and with a provider's before it are taken."""
    stream = Stream(1000, [1.0] * 8)
    plain = Publisher(stream, "MU0101", vlan=None)
    sampled = SampledValues(stream, "MU0101")
    ring, sender = Ring(cable.far, appid=0x4000), Sender(cable.near)
    try:
        (frame,) = plain.encode(5_000_000, np.full((1, 8), 7, np.int32))
        sender.send(Frames.of([frame[:12] + bytes.fromhex(tags) + frame[12:]], [0]))
        rows = sampled.rows(ring.most)
        made = ring.decode(sampled, rows, 500)
        (run,) = rows
    finally:
        ring.close()
        sender.close()
    assert made == 1
    assert run.samples.tolist() == [[7] * 8]


def test_an_interface_that_is_down_from_the_start(cable: Cable) -> None:
    """It may be there and be down: who takes frames is told."""
    cable.set(cable.far, "down")
    ring = Ring(cable.far)
    with pytest.raises(LinkError, match=f"interface {cable.far}: Network is down"):
        ring.take(100)
    ring.close()
