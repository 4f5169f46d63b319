"""The source `iec101.master` in a whole gateway, in front of stations made of octets."""

from __future__ import annotations

import asyncio
import logging
import struct
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.iec101.master import Iec101Master

from gateway import (
    FROM_IEC104,
    Batch,
    CommandStatus,
    CustodyRefused,
    Operation,
    Quality,
    SourceContext,
)
from gateway.testing import Collector, free_port, paused, running

sys.path.insert(0, str(Path(__file__).parent))
from line_bench import bench, interrogated, master
from octet_line import (
    E5,
    FCB,
    FCV,
    PRM,
    Line,
    Rtu,
    TerminalServer,
    asdu,
    at,
    cp56,
    fixed,
    kinds,
    mirrored,
    obedient,
    octets,
    variable,
)

Q = Quality
S = CommandStatus
STALE = Q.INVALID | Q.OLD_DATA
T = datetime(2025, 6, 1, tzinfo=UTC)
ONE = "name,kind,rtu.ioa\nbreaker,status,100\nvoltage,analog,200\n"
COMMAND = (
    "name,kind,command.model,command.select,command.timeout,rtu.ioa,rtu.control_type,"
    "rtu.termination\nbreaker,status,latch,{select},3s,100,,{termination}\n"
)


def events(count: int, first: int = 0, ca: int = 1) -> list[bytes]:
    """Single points with their time, one by one."""
    return [
        asdu(30, 3, at(100) + bytes((n & 1,)) + cp56(T + timedelta(milliseconds=n)), ca)
        for n in range(first, first + count)
    ]


def seen(collector: Collector, name: str = "breaker") -> list[int]:
    """Return the times of the events in ms since T."""
    begin = int(T.timestamp() * 1000)
    return [
        row.time // 10**6 - begin
        for row in collector.rows()
        if row.name == name and row.quality & Quality.DEVICE_TIME
    ]


@paused
async def test_the_octets_of_the_start(tmp_path: Path) -> None:
    """Status, reset, class 2, the interrogation by SEND/CONFIRM, class 1 as ACD demands."""
    async with Line.at(port := free_port()) as came, running([master(port)], [], ONE,
                                                             data=tmp_path) as gw:  # fmt: skip
        line = await came.get()
        for heard, answer in (
            ("10 49 01 4a 16", "10 0b 01 0c 16"),
            ("10 40 01 41 16", "e5"),
            ("10 7b 01 7c 16", "e5"),  # class 2, FCB 1: no data
            ("68 09 09 68 53 01 64 01 06 01 00 00 14 d4 16", "10 20 01 21 16"),
            # ACD is set: class 1, until it is not set any more.
            ("10 7a 01 7b 16", "68 09 09 68 28 01 64 01 07 01 00 00 14 aa 16"),
            ("10 5a 01 5b 16", "68 09 09 68 28 01 01 01 14 01 64 00 01 a5 16"),
            ("10 7a 01 7b 16", "68 09 09 68 08 01 64 01 0a 01 00 00 14 8d 16"),
        ):
            assert await line.reader.readexactly(len(octets(heard))) == octets(heard)
            line.say(octets(answer))
        await gw.until(lambda: gw.sample("breaker").value == 1)
        assert gw.state("rtu") == "up"
        # Class 2 again, a second after it was asked for last.
        began = asyncio.get_running_loop().time()
        assert await line.reader.readexactly(5) == octets("10 5b 01 5c 16")
        assert 0.9 < asyncio.get_running_loop().time() - began <= 1.0


@paused
async def test_samples(tmp_path: Path) -> None:
    """Values of both classes, with their quality and time; sizes as 101 has them."""
    rtu = Rtu(
        script=interrogated(
            asdu(1, 20, at(100) + b"\x01"),
            asdu(13, 20, at(200) + struct.pack("<fB", 230.5, 0)),
        )
    )
    collector = Collector(name="scada")
    async with bench(tmp_path, ONE, TerminalServer(rtu), collector) as gw:
        await gw.until(lambda: gw.sample("voltage").value == 230.5)
        rtu.class_1 += events(2)
        rtu.class_2.append(asdu(13, 1, at(200) + struct.pack("<fB", 231.5, 0x01)))
        await gw.until(lambda: gw.sample("voltage").value == 231.5)
        await gw.until(lambda: len(seen(collector)) == 2)
        assert gw.sample("voltage").quality == Q.QUESTIONABLE | Q.OVERFLOW
        assert seen(collector) == [0, 1]
        assert kinds(rtu.asdus) == [(100, 6)]
        assert rtu.released[-1][2] in (1, 3)


@pytest.mark.parametrize(
    ("more", "head"),
    [
        ({"cause_octets": 2, "ca_octets": 2, "ioa_octets": 3}, "64 01 06 00 01 00 00 00 00 14"),
        ({"cause_octets": 2, "originator": 9}, "64 01 06 09 01 00 00 14"),
        ({}, "64 01 06 01 00 00 14"),
    ],
)
def test_sizes(more: dict[str, Any], head: str, tmp_path: Path) -> None:
    """Cause, common and object address have the octets that the fields say; 1, 1, 2 without."""

    @paused
    async def test() -> None:
        rtu = Rtu(script=lambda request: [])
        line = TerminalServer(rtu)
        async with bench(tmp_path, ONE, line, **more):
            await line.until(lambda: rtu.asdus)
            assert rtu.asdus[0] == octets(head)

    test()


@paused
async def test_no_word_more_before_custody(tmp_path: Path) -> None:
    """While the gateway does not have what came, the FCB stays: only the status is asked for."""
    rtu = Rtu()
    line, collector = TerminalServer(rtu), Collector(name="scada")
    async with bench(tmp_path, ONE, line, collector, model=Stubborn, hold=True) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(3)
        before = len(rtu.released)
        rtu.class_1 += events(3)
        await gw.until(lambda: seen(collector) == [0])
        asked = len(rtu.functions)
        await asyncio.sleep(30)
        assert set(rtu.functions[asked:]) == {9}
        assert len(rtu.functions) > asked
        assert len(rtu.released) == before
        Custody.released.set()
        await gw.until(lambda: seen(collector) == [0, 1, 2])
        await line.until(lambda: len(rtu.released) == before + 3)
        assert rtu.said == len(rtu.released)


@paused
async def test_refused_custody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the gateway could not take is asked for with the same FCB, until it can; said once."""
    caplog.set_level(logging.INFO)
    rtu = Rtu()
    line, collector = TerminalServer(rtu), Collector(name="scada")
    async with bench(tmp_path, ONE, line, collector, model=Stubborn, refuse=2) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(3)
        before = len(rtu.released)
        rtu.class_1 += events(3)
        await gw.until(lambda: Custody.refused == 1)
        await asyncio.sleep(4)
        assert len(rtu.released) == before
        await gw.until(lambda: seen(collector) == [0, 1, 2], timeout=20)
        await line.until(lambda: not rtu.class_1)
        # Said three times, and counted once.
        assert rtu.said == len(rtu.released) + 2
        assert gw.counters("rtu")["refused_custody"] == 2
        assert gw.counters("rtu").get("disconnects", 0) == 0
    said = [r.getMessage() for r in caplog.records if r.name == "gateway_iec101.rtu"]
    assert len(said) == 2
    assert "the gateway cannot take what it sends, and asks for it again" in said[0]
    assert "what it sends is taken again" in said[1]


@paused
async def test_a_gateway_that_ends_before_custody(tmp_path: Path) -> None:
    """Stopped between taking and asking on, the station gives it again: nothing is lost."""
    rtu = Rtu()
    line = TerminalServer(rtu)
    async with bench(tmp_path, ONE, line, model=Stubborn, hold=True) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        rtu.class_1 += events(3)
        await gw.until(lambda: gw.sample("breaker").quality & Q.DEVICE_TIME)
    assert not [one for one in rtu.released if one[0] == 30]
    collector = Collector(name="scada")
    async with bench(tmp_path, ONE, line, collector) as gw:
        await gw.until(lambda: seen(collector) == [0, 1, 2])


@paused
async def test_a_cut_in_mid_stream(tmp_path: Path) -> None:
    """Again and again: each event arrives, in order, and the points are stale meanwhile."""
    rtu = Rtu(script=interrogated(asdu(13, 20, at(200) + struct.pack("<fB", 1.5, 0))))
    line, collector = TerminalServer(rtu), Collector(name="scada")
    async with bench(tmp_path, ONE, line, collector) as gw:
        await gw.until(lambda: gw.sample("voltage").quality == Q.GOOD)
        for n in range(20):
            rtu.class_1 += events(10, 10 * n)
            await line.until(lambda n=n: len(rtu.class_1) < 10 - n % 9)
            line.cut()
            await gw.until(lambda: gw.sample("voltage").quality == STALE)
            await gw.until(lambda: gw.sample("voltage").quality == Q.GOOD)
        await gw.until(lambda: not rtu.class_1)
        await gw.until(lambda: seen(collector)[-1] == 199)
        numbers = seen(collector)
        # At least once, for the acknowledgement may have been lost; in order all the same.
        assert sorted(set(numbers)) == list(range(200))
        assert numbers == sorted(numbers)
        assert len(numbers) <= 220
        assert line.connections == 21


@paused
async def test_other_sizes_than_the_stations(tmp_path: Path) -> None:
    """What cannot be read with the sizes of the link is left at the station, and it is said."""
    rtu = Rtu(script=lambda request: [])
    one = bytes((30, 1, 3, 0, 1, 0)) + b"\x64\x00\x00" + b"\x01" + cp56(T)  # as 104 has it
    rtu.class_1 += [one] * 3
    line = TerminalServer(rtu)
    async with bench(tmp_path, ONE, line, timeout="5s") as gw:
        await line.until(lambda: line.connections == 3)
        assert rtu.released == []
        assert (
            "what it sends cannot be read with cause_octets 1, ca_octets 1, ioa_octets 2"
            in gw.status("rtu").error
        )
        assert gw.state("rtu") == "down"
    large = {"cause_octets": 2, "ca_octets": 2, "ioa_octets": 3}
    async with bench(tmp_path, ONE, line, timeout="5s", **large) as gw:
        await gw.until(lambda: gw.sample("breaker").value == 1)
        await line.until(lambda: len(rtu.released) == 3)


MULTI = "name,kind,rtu.ioa,rtu.ca\n" + "".join(
    f"{name},{kind},{at},{ca}\n"
    for ca in (1, 2, 3)
    for name, kind, at in ((f"b{ca}", "status", 100), (f"v{ca}", "analog", 200))
)


def valued(ca: int) -> Any:
    """A script of a station that has a value."""
    return interrogated(asdu(13, 20, at(200) + struct.pack("<fB", ca, 0), ca))


@paused
async def test_one_of_three_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The others are read as if it were not there, within its part of the time; it comes back."""
    caplog.set_level(logging.INFO)
    rtus = [Rtu(ca, valued(ca)) for ca in (1, 2, 3)]
    rtus[1].mute = True
    line, collector = TerminalServer(*rtus), Collector(name="scada")
    more = {"ca": None, "link_timeout": "500ms", "class_2": "1s", "probe_share": 0.1}
    async with bench(tmp_path, MULTI, line, collector, **more) as gw:
        await gw.until(lambda: gw.sample("v1").value == 1 and gw.sample("v3").value == 3)
        began = asyncio.get_running_loop().time()
        for rtu in (rtus[0], rtus[2]):
            rtu.class_1 += events(200, ca=rtu.address)
        await line.until(lambda: not (rtus[0].class_1 or rtus[2].class_1))
        assert asyncio.get_running_loop().time() - began < 3
        assert seen(collector, "b1") == seen(collector, "b3") == list(range(200))
        await asyncio.sleep(300)
        asked = [when for when, frame in line.frames if frame.address == 2 and when > began]
        # Pauses double up to 60 s; each question takes half a second, a tenth of the time at most.
        assert 5 <= len(asked) <= 12
        for rtu in (rtus[0], rtus[2]):
            polls = [
                when
                for when, frame in line.frames
                if frame.address == rtu.address and frame.code == 11 and when > began + 20
            ]
            longest = max(later - one for one, later in pairwise(polls))
            assert longest < 1.6
        assert gw.state("rtu") == "up"
        assert gw.sample("v2").quality & Q.INVALID
        assert gw.sample("v1").quality == gw.sample("v3").quality == Q.GOOD
        assert gw.counters("rtu")["silent_stations"] == 1
        rtus[1].mute = False
        await gw.until(lambda: gw.sample("v2").value == 2, timeout=70)
        assert gw.sample("v2").quality == Q.GOOD
    said = [r.getMessage() for r in caplog.records if r.name == "gateway_iec101.rtu"]
    assert [one.partition(": ")[2] for one in said] == [
        "link address 2 does not answer",
        "link address 2 answers",
    ]


@paused
async def test_a_station_falls_silent(tmp_path: Path) -> None:
    """Its points become stale, and no others; commands to it are refused at once."""
    rows = (
        "name,kind,rtu.ioa,rtu.ca,command.model\nv1,analog,200,1,\nv2,analog,200,2,\n"
        "s2,status,300,2,latch\n"
    )
    rtus = [Rtu(ca, valued(ca)) for ca in (1, 2)]
    line, client = TerminalServer(*rtus), Collector(name="scada", role="engineer")
    async with bench(tmp_path, rows, line, client, ca=None) as gw:
        await gw.until(lambda: gw.sample("v1").value == 1 and gw.sample("v2").value == 2)
        rtus[1].mute = True
        await gw.until(lambda: gw.sample("v2").quality == STALE)
        assert gw.sample("v2").value == 2
        assert gw.sample("v1").quality == Q.GOOD
        answer = await client.ask("s2", 1)
        assert (answer.status, answer.detail) == (S.UNREACHABLE, "station 2 does not answer")
        rtus[1].mute = False
        await gw.until(lambda: gw.sample("v2").quality == Q.GOOD, timeout=70)
        assert (await client.ask("s2", 1)).status is S.SUCCESS


@paused
async def test_two_are_interrogated_at_once(tmp_path: Path) -> None:
    """The third waits for its turn, so that none takes too long on a slow line."""
    rtus = [Rtu(ca, lambda request: [mirrored(request, 7)]) for ca in (1, 2, 3)]
    line = TerminalServer(*rtus)
    async with bench(tmp_path, MULTI, line, ca=None) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(5)
        asked = [rtu for rtu in rtus if rtu.requests(100)]
        assert len(asked) == 2
        asked[0].class_1.append(mirrored(asked[0].asdus[0], 10))
        await line.until(lambda: all(rtu.requests(100) for rtu in rtus))


@paused
async def test_a_test_command(tmp_path: Path) -> None:
    """A station that is quiet is sent C_TS_NA_1, which 101 has without a time."""
    rtu = Rtu()
    line = TerminalServer(rtu)
    async with bench(tmp_path, ONE, line, test="10s"):
        await line.until(lambda: rtu.requests(104, 107))
        assert rtu.asdus[-1] == octets("68 01 06 01 00 00 aa 55")


@paused
async def test_nobody_answers(tmp_path: Path) -> None:
    """The link is down with a sentence, and the line is opened anew."""
    rtus = [Rtu(ca, valued(ca)) for ca in (1, 2, 3)]
    for rtu in rtus:
        rtu.mute = True
    line = TerminalServer(*rtus)
    async with bench(tmp_path, MULTI, line, ca=None, timeout="5s") as gw:
        await line.until(lambda: line.connections == 3)
        assert "none of the link addresses 1, 2, 3 answers" in gw.status("rtu").error
        for rtu in rtus:
            rtu.mute = False
        await gw.until(lambda: gw.sample("v2").value == 2)
        assert gw.state("rtu") == "up"
        for rtu in rtus:
            rtu.mute = True
        await gw.until(lambda: gw.state("rtu") == "down", timeout=60)


@paused
async def test_the_only_station_restarts(tmp_path: Path) -> None:
    """It has forgotten the link: that is reset, the station is interrogated, nothing is lost."""
    rtu = Rtu(script=interrogated(asdu(13, 20, at(200) + struct.pack("<fB", 1.5, 0))))
    line, collector = TerminalServer(rtu), Collector(name="scada")
    async with bench(tmp_path, ONE, line, collector) as gw:
        await gw.until(lambda: gw.sample("voltage").quality == Q.GOOD)
        rtu.class_1 += events(5)
        rtu.restart()
        await gw.until(lambda: gw.sample("voltage").quality == STALE)
        await gw.until(lambda: gw.sample("voltage").quality == Q.GOOD)
        await gw.until(lambda: seen(collector) == list(range(5)))
        assert line.connections == 1
        assert len(rtu.requests(100)) == 2
        assert gw.counters("rtu")["link_lives"] == 1


@paused
async def test_link_addresses_of_their_own(tmp_path: Path) -> None:
    """Two common addresses behind one link address of two octets; who has no rows is not asked."""
    rows = "name,kind,rtu.ioa,rtu.ca\nv1,analog,200,10\nv2,analog,200,11\nv3,analog,200,30\n"

    def script(request: bytes) -> Sequence[bytes]:
        value = asdu(13, 20, at(200) + struct.pack("<fB", request[3], 0), request[3])
        return [mirrored(request, 7), value, mirrored(request, 10)]

    rtus = [Rtu(0x1234, script), Rtu(2, script), Rtu(7, script)]
    stations = [{"link": 0x1234, "ca": [10, 11]}, {"link": 7, "ca": 30}, {"link": 2, "ca": 20}]
    line = TerminalServer(*rtus, octets=2)
    async with bench(tmp_path, rows, line, ca=None, link_octets=2, stations=stations) as gw:
        for name, value in (("v1", 10), ("v2", 11), ("v3", 30)):
            await gw.until(lambda name=name, value=value: gw.sample(name).value == value)
        assert {one[3] for one in rtus[0].asdus} == {10, 11}
        assert {one[3] for one in rtus[2].asdus} == {30}
        assert not rtus[1].functions


@paused
async def test_busy(tmp_path: Path) -> None:
    """A station that has no room (DFC) is asked for its status, and told later."""
    rtu = Rtu()
    rtu.busy = True
    line = TerminalServer(rtu)
    async with bench(tmp_path, ONE, line) as gw:
        await line.until(lambda: rtu.functions.count(3) == 2)
        assert rtu.functions[-2] == 9
        assert rtu.asdus == []
        rtu.busy = False
        await gw.until(lambda: gw.state("rtu") == "up")
        assert kinds(rtu.asdus) == [(100, 6)]


@paused
async def test_class_1_without_demand(tmp_path: Path) -> None:
    """`class_1` asks for it all the same, for stations that never set ACD."""

    class Mute(Rtu):
        _acd = 0  # type: ignore[assignment]

    rtu = Mute()
    line, collector = TerminalServer(rtu), Collector(name="scada")
    async with bench(tmp_path, ONE, line, collector, class_1="2s", class_2="10s") as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        rtu.class_1 += events(3)
        await gw.until(lambda: seen(collector) == [0, 1, 2])
        assert rtu.functions.count(10) > rtu.functions.count(11)


@paused
async def test_the_clock_as_it_leaves(tmp_path: Path) -> None:
    """C_CS_NA_1 has the time of sending, and that of the repetition when it is repeated."""
    lost = 0

    class Deaf(Rtu):
        def answer(self, frame: Any, octets: int) -> bytes:
            nonlocal lost
            if frame.asdu[:1] == b"\x67":
                heard.append(frame.asdu)
                if lost < 2:
                    lost += 1
                    return b""
            return super().answer(frame, octets)

    heard: list[bytes] = []
    rtu = Deaf()
    line = TerminalServer(rtu)
    async with bench(tmp_path, ONE, line, clock="1h", link_timeout="3s", time_zone="UTC"):
        await line.until(lambda: rtu.requests(103))
        assert len(heard) == 3
        assert rtu.requests(103) == heard[2:]
        ms = [struct.unpack("<H", one[6:8])[0] + 60000 * one[8] for one in heard]
        assert [later - one for one, later in pairwise(ms)] == [3000, 3000]
        assert heard[0][:6] == octets("67 01 06 01 00 00")
        # 2026-01-01 00:…, a Thursday: 4 in the upper bits of the day (101 clause 7.2.6.18).
        assert heard[0][9:] == octets("00 81 01 1a")


@paused
async def test_a_command(tmp_path: Path) -> None:
    """One SEND/CONFIRM, its confirmation and termination in class 1; the link repeats octets."""
    rtu = Rtu()
    line, client = TerminalServer(rtu), Collector(name="scada", role="engineer")
    rows = COMMAND.format(select="", termination="")
    async with bench(tmp_path, rows, line, client) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        assert (await client.ask("breaker", 1)).status is S.SUCCESS
        assert rtu.requests(45) == [octets("2d 01 06 01 64 00 01")]
        assert (await client.ask("breaker", 0)).status is S.SUCCESS
        assert rtu.requests(45)[1:] == [octets("2d 01 06 01 64 00 00")]


@paused
async def test_select_before_execute(tmp_path: Path) -> None:
    """Select, execute and cancel of the client's are the station's."""
    rtu = Rtu()
    line, client = TerminalServer(rtu), Collector(name="scada", role="engineer")
    rows = COMMAND.format(select="forward", termination="")
    async with bench(tmp_path, rows, line, client) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        for operation in (Operation.SELECT, Operation.EXECUTE, Operation.SELECT, Operation.CANCEL):
            assert (await client.ask("breaker", 1, operation)).status is S.SUCCESS
        assert rtu.requests(45) == [
            octets(f"2d 01 {cause} 01 64 00 {sco}")
            for cause, sco in (("06", "81"), ("06", "01"), ("06", "81"), ("08", "81"))
        ]


@pytest.mark.parametrize("cause", [0x47, 0x6C, 0x6D, 0x6E, 0x6F])
def test_a_command_is_refused(cause: int, tmp_path: Path) -> None:
    """A negative confirmation, and the causes 44 to 47, are the answer to the client."""

    @paused
    async def test() -> None:
        rtu = Rtu(script=lambda r: [mirrored(r, cause)] if r[0] == 45 else obedient(r))
        line, client = TerminalServer(rtu), Collector(name="scada", role="engineer")
        rows = COMMAND.format(select="", termination="")
        async with bench(tmp_path, rows, line, client) as gw:
            await gw.until(lambda: gw.state("rtu") == "up")
            answer = await client.ask("breaker", 1)
            assert answer.status is FROM_IEC104[cause & 0x3F, True]
            assert answer.status is not S.SUCCESS

    test()


@paused
async def test_a_command_without_an_answer(tmp_path: Path) -> None:
    """The link has it, the application says nothing: time-out, and it is not sent again."""
    rtu = Rtu(script=lambda r: [] if r[0] == 45 else obedient(r))
    line, client = TerminalServer(rtu), Collector(name="scada", role="engineer")
    rows = COMMAND.format(select="", termination="")
    async with bench(tmp_path, rows, line, client) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        answer = await client.ask("breaker", 1)
        assert (answer.status, answer.detail) == (S.TIMEOUT, "station 1 has not answered")
        await asyncio.sleep(60)
        assert len(rtu.requests(45)) == 1


@paused
async def test_a_command_that_the_link_may_have_lost(tmp_path: Path) -> None:
    """The frame is repeated with its FCB, which the station tells apart: it acts once. A life that
    ends before an acknowledgement leaves the client in doubt, and the command is not said again."""
    rtu = Rtu()
    line, client = TerminalServer(rtu), Collector(name="scada", role="engineer")
    rows = COMMAND.format(select="", termination="")
    async with bench(tmp_path, rows, line, client, link_timeout="500ms") as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        answers = iter([b"", b""])
        plain = rtu.answer

        def lossy(frame: Any, octets: int) -> bytes:
            answer = plain(frame, octets)
            return next(answers, answer) if frame.asdu[:1] == b"\x2d" else answer

        rtu.answer = lossy  # type: ignore[method-assign]
        assert (await client.ask("breaker", 1)).status is S.SUCCESS
        assert len(rtu.requests(45)) == 1
        answers = iter([b""] * 10)
        answer = await client.ask("breaker", 1)
        assert (answer.status, answer.detail) == (
            S.TIMEOUT, "station 1 is out of reach: it may have it",
        )  # fmt: skip
        await asyncio.sleep(60)
        assert len(rtu.requests(45)) == 2


class Stubborn(Iec101Master):
    """In a gateway that refuses so many batches of events, or holds all of them up."""

    refuse: int = 0
    hold: bool = False

    async def run(self, ctx: SourceContext) -> None:
        await super().run(Custody(ctx, self.refuse, self.hold))  # type: ignore[arg-type]


class Custody:
    refused = 0
    released: asyncio.Event

    def __init__(self, ctx: SourceContext, refuse: int, hold: bool) -> None:
        self._ctx, self._refuse, self._hold = ctx, refuse, hold
        Custody.released = asyncio.Event()
        Custody.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        if every and Custody.refused < self._refuse:
            Custody.refused += 1
            raise CustodyRefused("the disk is full")
        await self._ctx.emit(batch, every=every)
        if every and self._hold:
            await Custody.released.wait()


# Balanced


@paused
async def test_balanced_octets(tmp_path: Path) -> None:
    """Both directions are reset; data is acknowledged, DIR says who speaks (101 clause 6.2.2)."""
    rows = ONE + "clocked,status,300\n"
    link = {"mode": "balanced", "keep_alive": "7s"}
    async with Line.at(port := free_port()) as came, running([master(port, **link)], [], rows,
                                                             data=tmp_path) as gw:  # fmt: skip
        line = await came.get()
        # Ours: DIR 1, PRM 1. Status of link, DIR 0: 0B; reset; ACK.
        assert await line.ask(b"") == (0xC9, 1, b"")
        assert await line.ask(fixed(0x0B)) == (0xC0, 1, b"")
        heard = await line.ask(E5)
        assert heard == (0xF3, 1, octets("64 01 06 01 00 00 14"))
        # Theirs before they have reset our link: not functioning.
        line.say(fixed(0x00))
        assert await line.ask(variable(PRM | FCV | FCB | 3, events(1)[0])) == (0x8E, 1, b"")
        assert await line.ask(fixed(PRM | 9)) == (0x8B, 1, b"")
        assert await line.ask(fixed(PRM | 0)) == (-1, 0, b"")
        fcb = FCB
        for one in (mirrored(heard.asdu, 7), *events(3), mirrored(heard.asdu, 10)):
            assert await line.ask(variable(PRM | FCV | fcb | 3, one)) == (-1, 0, b"")
            fcb = 0 if fcb else FCB
        await gw.until(lambda: gw.sample("breaker").quality & Q.DEVICE_TIME)
        assert gw.state("rtu") == "up"
        # The last one once more: acknowledged, and not taken again.
        fcb = 0 if fcb else FCB
        assert await line.ask(variable(PRM | FCV | fcb | 3, mirrored(heard.asdu, 10))) == (
            -1,
            0,
            b"",
        )
        # After 7 s of silence the link is tested; FCB goes on.
        began = asyncio.get_running_loop().time()
        assert await line.hear() == (0xD2, 1, b"")
        assert 6.9 < asyncio.get_running_loop().time() - began <= 7.0
        line.say(E5)
        await asyncio.sleep(0.1)
        assert gw.counters("rtu").get("unexpected", 0) == 0


@paused
async def test_balanced_custody(tmp_path: Path) -> None:
    """No ACK before custody, however often it is repeated; refused data is taken when it comes
    again."""
    link = {"mode": "balanced", "model": Stubborn, "hold": True}
    collector = Collector(name="scada")
    async with Line.at(port := free_port()) as came, running(
        [master(port, **link)], [collector], ONE, data=tmp_path
    ):  # fmt: skip
        line = await came.get()
        await balanced_start(line)
        one, two = events(2)
        for _ in range(3):
            line.say(variable(PRM | FCV | FCB | 3, one))
            await line.quiet(1)
        assert seen(collector) == [0]
        Custody.released.set()
        assert await line.hear() == (-1, 0, b"")
        assert await line.ask(variable(PRM | FCV | 3, two)) == (-1, 0, b"")
        assert seen(collector) == [0, 1]


@paused
async def test_balanced_refused_custody(tmp_path: Path) -> None:
    """What is refused is not acknowledged, and taken as new when it is said again."""
    link = {"mode": "balanced", "model": Stubborn, "refuse": 1}
    collector = Collector(name="scada")
    async with Line.at(port := free_port()) as came, running(
        [master(port, **link)], [collector], ONE, data=tmp_path
    ) as gw:  # fmt: skip
        line = await came.get()
        await balanced_start(line)
        one, two = events(2)
        line.say(variable(PRM | FCV | FCB | 3, one))
        await line.quiet(1)
        assert seen(collector) == []
        assert await line.ask(variable(PRM | FCV | FCB | 3, one)) == (-1, 0, b"")
        assert await line.ask(variable(PRM | FCV | 3, two)) == (-1, 0, b"")
        assert seen(collector) == [0, 1]
        assert gw.counters("rtu")["refused_custody"] == 1


@paused
async def test_balanced_addresses(tmp_path: Path) -> None:
    """Each end has its own link address of two octets: frames name the secondary side's."""
    link = {"mode": "balanced", "link_octets": 2, "link": 300, "master_link": 500}
    async with Line.at(port := free_port(), 2) as came, running([master(port, **link)], [], ONE,
                                                                data=tmp_path):  # fmt: skip
        line = await came.get()
        assert await line.ask(b"") == (0xC9, 300, b"")
        assert await line.ask(fixed(PRM | 9, 500, 2)) == (0x8B, 500, b"")


@paused
async def test_balanced_without_addresses(tmp_path: Path) -> None:
    """A line of two needs none."""
    async with Line.at(port := free_port(), 0) as came, running(
        [master(port, mode="balanced", link_octets=0, ca=None)], [],
        "name,kind,rtu.ioa,rtu.ca\nbreaker,status,100,200\n", data=tmp_path,
    ):  # fmt: skip
        line = await came.get()
        assert await line.reader.readexactly(4) == octets("10 c9 c9 16")


async def balanced_start(line: Line) -> None:
    """Have both directions reset, the interrogation confirmed; the next FCB of ours is 1."""
    assert (await line.hear()).control == 0xC9
    assert (await line.ask(fixed(0x0B))).control == 0xC0
    assert (await line.ask(E5)).asdu[:1] == b"\x64"
    line.say(E5)
    assert (await line.ask(fixed(PRM | 9))).control == 0x8B
    assert (await line.ask(fixed(PRM | 0))).control == -1


@paused
async def test_a_station_dials_in(tmp_path: Path) -> None:
    """With `listen` the terminal server connects; one that comes again ends what was before."""
    port = free_port()
    async with running([master(None, listen=f"127.0.0.1:{port}")], [], ONE, data=tmp_path) as gw:
        async with Line.to(port) as line:
            assert await line.hear() == (0x49, 1, b"")
            async with Line.to(port) as other:
                await gw.until(lambda: gw.state("rtu") == "down")
                assert "takes the place of the connection before" in gw.status("rtu").error
                assert await line.reader.read() == b""
                assert await other.reader.read() == b""
        await asyncio.sleep(1.1)
        async with Line.to(port) as line:
            assert await line.hear() == (0x49, 1, b"")
