"""Whatever comes, a session keeps its promises and a line goes on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from gateway_iec60870.ft12 import (
    BalancedSettings,
    Function,
    Line,
    PolledSettings,
    Primary,
    SecondarySettings,
    Turn,
)
from gateway_iec60870.ft12.control import COUNTED
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing import run_paused

sys.path.insert(0, str(Path(__file__).parent))
from ft12_dialogue import frame
from ft12_wire import Wire, lines

ANSWERS = "STATUS STATUS^ STATUS* ACK ACK^ ACK* E5 NACK NONE NONE^ GIVEx GIVE^*x DEAD UNKNOWN"
STEPS = st.lists(
    st.one_of(
        st.sampled_from(ANSWERS.split()),
        st.sampled_from(["send", "confirm", "refuse", "broadcast", "withdraw"]),
        st.floats(0.05, 10.0),
    ),
    max_size=80,
)


@settings(deadline=None, max_examples=400)
@given(STEPS)
def test_primary(steps: list[str | float]) -> None:
    """One question is out at a time; while custody is undecided, or refused, no frame with another
    FCB goes to that station; every ASDU handed over is acknowledged, lost, taken back or there."""
    line = Primary()
    how: dict[str, Any] = {"queue": 3, "retries": 1, "class_2": 0.5, "pause": 1.0}
    stations = [line.add(PolledSettings(address=n, **how), 0.0) for n in (1, 2)]
    time, out = 0.0, None
    handed, settled = {1: 0, 2: 0}, {1: 0, 2: 0}
    fcb: dict[int, bool | None] = {1: None, 2: None}  # of the data that is not in custody
    for step in ["STATUS", "ACK", *steps]:
        station = stations[len(str(step)) % 2]
        turn = Turn()
        if isinstance(step, float):
            time += step
            if line.deadline is not None and line.deadline <= time:
                turn = line.tick(time)
        elif step == "send":
            if station.room():
                handed[station.address] += 1
                turn = station.send([b"x"], time)
        elif step == "confirm":
            if station.unconfirmed:
                fcb[station.address] = None
            turn = station.confirm(station.unconfirmed, time)
        elif step == "refuse":
            turn = station.refuse(time)
        elif step == "withdraw":
            if station.up and station.room() < 3 and station.withdraw(2 - station.room()):
                settled[station.address] += 1
        elif step == "broadcast":
            if line._said is None and not line._broadcasts:
                turn = line.broadcast(b"all", time)
        else:
            asked = out.address if out is not None else 1
            turn = line.receive(frame(f"{step}@{asked}" if step != "E5" else step), time)
        turns = [turn]
        for one in turns:
            if one.station:
                settled[one.station] += one.acknowledged + one.lost
                if one.broken:
                    fcb[one.station] = None
                if one.received:
                    assert out is not None
                    assert out.control is not None
                    fcb[one.station] = out.control.fcb
            assert len(one.frames) <= 1
            for said in one.frames:
                control = said.control
                assert control is not None
                if control.function in COUNTED and fcb[said.address] is not None:
                    assert control.fcb == fcb[said.address]
                    assert control.function is not Function.USER_DATA
                if said.address != 255:
                    out = said
                line.leaves(said)
                turns.append(line.sent(said, time))
        for one in stations:
            there = 3 - one.room() if one.up else 0
            assert handed[one.address] == settled[one.address] + there


KINDS = {
    "polled": PolledSettings(address=1, timeout=0.2, retries=1, class_2=0.1),
    "secondary": SecondarySettings(address=1),
    "balanced": BalancedSettings(controlling=False, timeout=0.2, retries=1),
}
OCTETS = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.sampled_from(
            [
                bytes.fromhex(text)
                for text in (
                    "1040014116", "1049014A16", "107B017C16", "105A015B16", "E5", "1000010116",
                    "100B010C16", "10C001C116", "68030368730161D516",
                    "680303680801616A16", "68030368F301615516", "1068E516", "68FFFF68",
                )
            ]
        ),
        st.just(b""),
    ),
    max_size=40,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(KINDS)), OCTETS)
def test_line(kind: str, pieces: list[bytes]) -> None:
    """Any octets, in any pieces, with and without silence between them: the line goes on, no more
    waits than may, and whoever speaks properly after silence is understood."""

    async def test() -> None:
        a, b = Wire.pair(connection=False)
        line = Line(a)
        station = line.add(KINDS[kind])
        async with lines(line) as [running]:
            for piece in pieces:
                if piece:
                    await b.write([piece])
                else:
                    await asyncio.sleep(0.3)
                assert station.unconfirmed <= 16
                assert len(line._outgoing) < 64
            await asyncio.sleep(1.0)
            before = line.counts["frames_in"]
            await b.write([bytes.fromhex("10 0B 01 0C 16")])
            await asyncio.sleep(0.1)
            assert line.counts["frames_in"] == before + 1
            assert not running.done()

    run_paused(test())
