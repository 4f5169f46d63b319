"""The controlling station above a line that is not 104's: sizes, stations that come and go."""

from __future__ import annotations

import asyncio
import random
import struct
import sys
from pathlib import Path

import pytest

from gateway import CommandStatus, Quality
from gateway.testing import Collector, paused

sys.path.insert(0, str(Path(__file__).parent))
from memory_line import line

Q, S = Quality, CommandStatus
STALE = Q.INVALID | Q.OLD_DATA
ROWS = (
    "name,kind,rtu.ioa,rtu.ca,command.model,command.timeout\n"
    "mine,analog,5,1,,\nother,analog,5,2,,\nbreaker,status,6,2,latch,3s\n"
)
GI = [(1, bytes.fromhex("64 01 06 01 00 00 14")), (2, bytes.fromhex("64 01 06 02 00 00 14"))]


def scaled(value: int, ca: int = 1, cause: int = 20) -> bytes:
    """M_ME_NB_1 with fields of one, one and two octets (101 clause 7.3.1.11)."""
    return struct.pack("<BBBBHhB", 11, 1, cause, ca, 5, value, 0)


@paused
async def test_short_fields(tmp_path: Path) -> None:
    """With one octet of cause no originator is sent, and objects have two octets of address."""
    collector = Collector(name="scada", role="engineer")
    async with line(tmp_path, ROWS, [collector]) as (one, gw):
        await gw.until(lambda: one.sent == GI[:1])
        await one.answer(7)
        assert await one.say(scaled(-3)) == [True]
        assert gw.sample("mine").value == -3
        assert len(one.sent) == 1
        await one.answer(10)
        # One after the other: `abreast` is 1.
        await gw.until(lambda: one.sent == GI)
        await one.answer(7, 10)
        asked = asyncio.create_task(collector.ask("breaker", 1))
        await gw.until(lambda: len(one.sent) == 3)
        assert one.sent[2] == (2, bytes.fromhex("2d 01 06 02 06 00 01"))
        await one.answer(7, 10)
        assert await asked


@paused
async def test_nothing_to_take(tmp_path: Path) -> None:
    """No ASDUs, and those with nothing to keep, are in custody at once."""
    async with line(tmp_path, ROWS) as (one, gw):
        await gw.until(lambda: bool(one.sent))
        assert await one.station.take([])
        assert (
            await one.say(b"", scaled(1, ca=9), bytes.fromhex("46 01 04 01 00 00 00")) == [True] * 3
        )


@paused
async def test_nobody_was_there_yet(tmp_path: Path) -> None:
    """Nothing is asked of a station with which there is no connection, nor commanded."""
    collector = Collector(name="scada", role="engineer")
    async with line(tmp_path, ROWS, [collector], begins=False) as (one, gw):
        await asyncio.sleep(100)
        assert one.sent == []
        one.station.begin([1])
        await gw.until(lambda: one.sent == GI[:1])
        await one.answer(7, 10)
        answer = await collector.ask("breaker", 1)
        assert (answer.status, answer.detail) == (S.UNREACHABLE, "station 2 does not answer")
        one.station.begin([2, 3])
        await gw.until(lambda: one.sent == GI)


@paused
async def test_a_station_is_lost(tmp_path: Path) -> None:
    """The line says it: its points become stale, it is left alone, and begins anew when it is
    there again."""
    async with line(tmp_path, ROWS, timeout="50s") as (one, gw):
        await gw.until(lambda: bool(one.sent))
        await one.answer(7)
        await one.say(scaled(3), scaled(4, ca=2))
        await one.answer(10)
        await gw.until(lambda: one.sent == GI)  # and is not answered
        await one.station.lost([2, 7])
        assert gw.sample("other").quality == STALE
        assert gw.sample("mine").quality == Q.GOOD
        await one.station.lost([2])
        await asyncio.sleep(1000)
        assert one.sent == GI
        one.station.begin([2])
        await gw.until(lambda: len(one.sent) == 3)
        await one.answer(7)
        await one.say(scaled(4, ca=2))
        assert gw.sample("other").quality == Q.GOOD
        assert gw.counters("rtu")["silent_stations"] == 1


@paused
async def test_what_is_not_delivered(tmp_path: Path) -> None:
    """A request that the line cannot deliver is like one that is not answered; a command is
    unreachable, and not sent later."""
    collector = Collector(name="scada", role="engineer")
    async with line(tmp_path, ROWS, [collector], interrogation="1min") as (one, gw):
        await gw.until(lambda: bool(one.sent))
        await one.answer(7, 10)
        await gw.until(lambda: len(one.sent) == 2)
        await one.answer(7, 10)
        one.dead.add(2)
        answer = await collector.ask("breaker", 1)
        assert (answer.status, answer.detail) == (
            S.UNREACHABLE,
            "station 2 is out of reach: not sent",
        )
        await gw.until(lambda: len(one.sent) == 3, timeout=100)
        await one.answer(7, 10)
        await gw.until(lambda: gw.counters("rtu").get("silent_stations"), timeout=100)
        one.dead.clear()
        await gw.until(lambda: one.sent[-1] == GI[1], timeout=100)
        await one.answer(7, 10)
        await asyncio.sleep(1)
        assert [address for address, octets in one.sent if octets[0] == 45] == []


@paused
async def test_a_busy_line(tmp_path: Path) -> None:
    """What cannot leave within its time does not leave; the clock is read when it leaves."""
    collector = Collector(name="scada", role="engineer")
    rows = "name,kind,rtu.ioa,command.model,command.timeout\nbreaker,status,6,latch,3s\n"
    async with line(tmp_path, rows, [collector], clock="start") as (one, gw):
        await gw.until(lambda: bool(one.sent))
        async with one.busy:
            await one.answer(7, 10)
            answer = await collector.ask("breaker", 1)
            assert answer.status is S.UNREACHABLE
            await asyncio.sleep(27)
        await gw.until(lambda: len(one.sent) == 2)
        ms = int.from_bytes(one.sent[1][1][6:8], "little")
        assert one.sent[1][1][0] == 103
        # 3 s for the command, and 27 s.
        assert 29_900 <= ms <= 31_500


@paused
async def test_a_test_without_time(tmp_path: Path) -> None:
    """101 has C_TS_NA_1, with its fixed pattern 0x55AA."""
    async with line(tmp_path, "name,kind,rtu.ioa\np,analog,5\n", test="10s") as (one, gw):
        await gw.until(lambda: bool(one.sent))
        await one.answer(7, 10)
        await gw.until(lambda: len(one.sent) == 2, timeout=20)
        assert one.sent[1] == (1, bytes.fromhex("68 01 06 01 00 00 aa 55"))
        await one.answer(7)
        await gw.until(lambda: len(one.sent) == 3, timeout=20)
        # It is not answered, and there is nobody else.
        await gw.until(lambda: gw.state("rtu") == "down", timeout=20)
        assert gw.status("rtu").error == "the line: station 1 does not answer"


@paused
async def test_a_clock_that_is_not_set_any_more(tmp_path: Path) -> None:
    """A station that used to answer something is asked whether it is there."""
    rows = "name,kind,rtu.ioa\np,analog,5\n"
    async with line(tmp_path, rows, clock="1min") as (one, gw):
        await gw.until(lambda: bool(one.sent))
        await one.answer(7, 10)
        await gw.until(lambda: len(one.sent) == 2)
        await one.answer(7)
        await gw.until(lambda: len(one.sent) == 3, timeout=100)
        assert one.sent[2][1][0] == 103
        await gw.until(lambda: len(one.sent) == 4, timeout=10)
        assert one.sent[3] == GI[0]
        await gw.until(lambda: gw.state("rtu") == "down", timeout=10)


@paused
async def test_a_clock_that_is_never_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A station that ignores C_CS_NA_1 is not taken for dead; it is said once."""
    rows = "name,kind,rtu.ioa\np,analog,5\n"
    async with line(tmp_path, rows, clock="1min") as (one, gw):
        await gw.until(lambda: bool(one.sent))
        await one.answer(7, 10)
        await asyncio.sleep(400)
        assert gw.state("rtu") == "up"
        assert [octets[0] for _, octets in one.sent] == [100] + [103] * 7
    said = [r.getMessage() for r in caplog.records if "clock" in r.message]
    assert said == ["the line: the clock synchronisation of station 1 failed: no answer within 5 s"]


@paused
async def test_any_octets(tmp_path: Path) -> None:
    """Whatever comes, `take` does not raise, and what comes after it is taken as before."""
    chance = random.Random(60870)
    async with line(tmp_path, ROWS) as (one, gw):
        await gw.until(lambda: bool(one.sent))
        await one.answer(7, 10)
        for number in range(3000):
            kind = chance.choice((chance.randrange(256), *range(1, 41), 45, 70, 100, 103))
            size = chance.choice((chance.randrange(60), 4, 7, 10, 12, 19))
            head = bytes((kind, chance.choice((1, 1, 2, 0x81, 0x85, 0)), chance.randrange(256)))
            octets = head + bytes((chance.choice((1, 2, 9)),)) + chance.randbytes(size)
            assert await one.station.take([octets, scaled(number & 0x7FFF, cause=3)])
            assert gw.sample("mine").value == number & 0x7FFF
        assert gw.counters("rtu")["malformed"] > 500
