"""Streams over a cable: all of it arrives, and what does not is counted."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from gateway_sv.publisher import SampledValuesPublisher
from gateway_sv.source import SampledValuesSource
from sv_cable import Cable
from sv_listener import Listener

from gateway.ethernet import Frames, Sender
from gateway.sampled_values import Publisher, Stream
from gateway.testing import running

RECONNECT = {"min": "100ms", "max": "100ms"}


def unit(cable: Cable, name: str, **more: object) -> SampledValuesPublisher:
    """A merging unit at the near end."""
    return SampledValuesPublisher.model_validate({"name": name, "interface": cable.near} | more)


def subscriber(cable: Cable, name: str, **more: object) -> SampledValuesSource:
    """A subscriber at the far end."""
    given = {"name": name, "interface": cable.far, "reconnect": RECONNECT}
    return SampledValuesSource.model_validate(given | more)


async def test_nothing_is_lost(cable: Cable, tmp_path: Path) -> None:
    """Two streams at 4800 samples/s, one of 4800 frames/s and one of 2400, arrive whole, side by
    side, each in a VLAN of its own; the rms and the frequency are those that were asked for."""
    both = {"F4800S1I4U4": 5, "F4800S2I4U4": 0}
    units = [
        unit(cable, f"unit{vlan}", sv_id=f"MU{vlan}", profile=word, vlan=vlan, seconds="2s")
        for word, vlan in both.items()
    ]
    subscribers = [
        subscriber(cable, f"mu{vlan}", sv_id=f"MU{vlan}", profile=word, vlan=vlan)
        for word, vlan in both.items()
    ]
    ears = [Listener(name=f"ear{vlan}", hears=f"mu{vlan}") for vlan in both.values()]
    async with running([*subscribers, *units], ears, data=tmp_path) as gateway:
        await gateway.until(
            lambda: all(gateway.counters(one.name).get("samples") == 9600 for one in subscribers)
        )
        for one, frames in zip(subscribers, (9600, 4800), strict=True):
            assert gateway.counters(one.name) == {"samples": 9600, "frames": frames}
    for ear in ears:
        index, ua = ear.index(), ear.samples()[:, 4] * 0.01
        assert len(index) == 9600
        assert (np.diff(index) == 1).all()
        assert index[0] % 4800 == 0
        assert abs(index[-1] / 4800 - time.time()) < 10
        assert not ear.quality().any()
        assert np.sqrt(np.mean(ua[:4800] ** 2)) == pytest.approx(63_508.5, abs=0.01)
        rising = np.flatnonzero((ua[:-1] < 0) & (ua[1:] >= 0))
        assert (np.diff(rising) == 96).all()


async def test_what_goes_wrong_is_counted(cable: Cable, tmp_path: Path) -> None:
    """1200 frames, of which every 500th and the two after it are lost, every 350th comes after the
    next, every 450th twice: 2 * 3 lost, 3 late, 2 twice."""
    disturbance = {
        "lose_every": "500ms",
        "lose": 3,
        "late_every": "350ms",
        "twice_every": "450ms",
    }
    sending = unit(cable, "unit", profile="F1000S1I4U4", seconds="1200ms", disturbance=disturbance)
    receiving = subscriber(cable, "mu", profile="F1000S1I4U4", sv_id="MU0101")
    async with running([receiving, sending], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.counters("mu").get("samples") == 1191)
        await gateway.until(lambda: gateway.counters("unit").get("sent_frames") == 1196)
        told = gateway.counters("mu")
        assert gateway.counters("unit") == {
            "sent_frames": 1196,
            "lost_frames": 6,
            "late_frames": 3,
            "duplicate_frames": 2,
        }
    assert told == {
        "frames": 1200 - 6 - 3,
        "samples": 1200 - 6 - 3,
        "losses": 2 + 3,
        "lost_samples": 6 + 3,
        "late_samples": 3,
        "duplicate_samples": 2,
    }


@pytest.mark.parametrize(("buffer", "loses"), [("2s", False), ("100ms", True)])
async def test_a_gateway_that_is_busy(
    buffer: str, loses: bool, cable: Cable, tmp_path: Path
) -> None:
    """While the event loop stands for 0.8 s, frames wait in the ring; what it has no room for the
    system drops, and the counter of that says just what smpCnt says."""
    word = "F4800S1I0U3"
    sending = unit(cable, "unit", profile=word, seconds="1200ms")
    receiving = subscriber(cable, "mu", profile=word, buffer=buffer)
    ear = Listener(name="ear")
    loop = asyncio.get_running_loop()
    async with running([receiving, sending], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: ear.heard)
        loop.call_soon(time.sleep, 0.8)
        await gateway.until(lambda: gateway.counters("unit").get("sent_frames") == 5760)
        await gateway.until(
            lambda: (
                gateway.counters("mu").get("samples", 0)
                + gateway.counters("mu").get("lost_samples", 0)
                == 5760
            )
        )
        told = gateway.counters("mu")
    index = ear.index()
    assert (np.diff(index) > 0).all()
    assert len(index) == told["samples"]
    if loses:
        assert told["dropped_frames"] == told["lost_samples"] > 1000
        assert told["ring_full"] >= 1
    else:
        assert told == {"frames": 5760, "samples": 5760}


async def test_only_the_stream_is_taken(cable: Cable, tmp_path: Path) -> None:
    """Of streams that differ in APPID, destination or tag none reaches the program; of one with
    another svID the frames are counted as foreign."""
    here = {"profile": "F1000S1I4U4", "appid": 0x4001, "sv_id": "MINE", "vlan": 7}
    others = [
        here | {"appid": 0x4002},
        here | {"destination": "01-0C-CD-04-00-02"},
        here | {"vlan": 8},
        here | {"vlan": None},
    ]
    units = [
        unit(cable, f"unit{number}", **(given | {"seconds": "300ms"}))
        for number, given in enumerate([here, here | {"sv_id": "OTHER"}, *others])
    ]
    receiving = subscriber(cable, "mu", destination="01:0c:cd:04:00:01", **here)
    async with running([receiving, *units], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.counters("mu").get("foreign_frames") == 300)
        await gateway.until(lambda: gateway.counters("mu").get("samples") == 300)
        told = gateway.counters("mu")
    assert told == {"samples": 300, "frames": 300, "foreign_frames": 300}


async def test_frames_that_cannot_be_read(cable: Cable, tmp_path: Path) -> None:
    """Malformed and unfit frames, and those with the simulation bit, are counted, and the link goes
    down with a sentence that says what was found."""
    stream = Stream(1000, [1.0] * 8)
    rows = np.zeros((1, 8), np.int32)
    good = Publisher(stream, "MU0101", revision=3).encode(5000, rows)[0]
    simulated = Publisher(stream, "MU0101", simulated=True).encode(5000, rows)[0]
    short = good[:-20]
    receiving = subscriber(
        cable, "mu", profile="F1000S1I4U4", sv_id="MU0101", revision=1, timeout="1100ms"
    )
    async with running([receiving], [], data=tmp_path) as gateway:
        sender = Sender(cable.near)
        frames = Frames.of([short] * 2 + [simulated] * 3 + [good] * 4, [0] * 9)
        await gateway.until(lambda: sender.send(frames) and gateway.counters("mu"))
        await gateway.until(lambda: gateway.state("mu") == "down")
        told, detail = gateway.counters("mu"), gateway.status("mu").error
        sender.close()
    assert told["malformed_frames"] * 3 == told["simulated_frames"] * 2
    assert told["unfit_frames"] == 2 * told["malformed_frames"]
    assert "found svID MU0101, APPID 0x4000, confRev 3, 1 ASDU of 8 values" in detail
    assert "allowed: svID MU0101 confRev 1 profile F1000S1I4U4" in detail


async def test_a_bus_that_is_full_of_others(cable: Cable, tmp_path: Path) -> None:
    """Between 40 times as many frames of another stream, and with the trailer of PRP behind each,
    all of its own come, and the thread is not woken for each block of the others."""
    stream = Stream(1000, [1.0] * 8)
    mine, other = Publisher(stream, "MU0101"), Publisher(stream, "OTHER")
    begin = time.time_ns() // 10**6 + 500
    rows = np.arange(1600, dtype=np.int32).reshape(200, 8)
    own = [frame + bytes.fromhex("0001a08888fb") for frame in mine.encode(begin, rows)]
    foreign = other.encode(begin, rows[:1])[0]
    frames, times = list[bytes](), list[int]()
    for number, frame in enumerate(own):
        frames += [frame, *[foreign] * 40]
        times += [(begin + number) * 10**6] * 41
    source = subscriber(cable, "mu", profile="F1000S1I4U4", sv_id="MU0101", gather="10ms")
    ear = Listener(name="ear")
    sender = Sender(cable.near)
    async with running([source], [ear], data=tmp_path) as gateway:
        await asyncio.to_thread(sender.send, Frames.of(frames, times))
        await gateway.until(lambda: gateway.counters("mu").get("foreign_frames") == 8000)
        assert gateway.counters("mu")["samples"] == 200
    sender.close()
    assert (ear.samples() == rows).all()
    # 200 ms in turns of 5 ms at the least, of which each is a waveform.
    assert len(ear.heard) <= 42
