"""The source `iec104.client` and stations of c104, which nobody here wrote: their connections."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import CommandStatus, Quality
from gateway.testing import Collector, free_port, free_ports, running
from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import verdict
from tapped_line import TappedLine
from their_station import CA, LINK, Bench, bench, client, interrogated

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import C104Server, point, station

STARTDT, STARTED, TEST, TESTED = 0x07, 0x0B, 0x43, 0x83
STALE = Quality.INVALID | Quality.OLD_DATA
OUTPUTS = 30
ROWS = "name,kind,rtu.ioa,rtu.control_ioa,rtu.termination,command.model\nenergy,counter,1,,,\n"
ROWS += "".join(f"out{n},status,,{100 + n},false,latch\n" for n in range(OUTPUTS))
POINTS = [point(1, "M_IT_TB_1"), *(point(100 + n, "C_SC_NA_1") for n in range(OUTPUTS))]


class Windows(NamedTuple):
    """k and w of one side."""

    k: int
    w: int


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Windows(12, 8), Windows(12, 8)),
        (Windows(1, 1), Windows(1, 1)),
        (Windows(2, 1), Windows(3, 2)),
        (Windows(32767, 100), Windows(200, 10)),
        # What neither w nor any frame acknowledges, t2 does.
        (Windows(12, 8), Windows(3, 2)),
    ],
    ids=str,
)
async def test_flow_control(
    tmp_path: Path, trace: pytest.LogCaptureFixture, ours: Windows, theirs: Windows
) -> None:
    """With any k and w all passes, both ways and in order, and nobody exceeds its own k."""
    settings = {"t2": "100ms", **ours._asdict()}
    async with bench(tmp_path, ROWS, *POINTS, theirs=theirs._asdict(), **settings) as b:
        events = asyncio.create_task(
            b.station.ask("burst", ca=CA, ioas=[1], count=60, chunk=20, pause_ms=50)
        )
        answers = await asyncio.gather(*(b.collector.ask(f"out{n}", 1) for n in range(OUTPUTS)))
        assert {answer.status for answer in answers} == {CommandStatus.SUCCESS}
        assert (await events)["sent"] == 60
        await b.gw.until(lambda: len(b.rows("energy")) == 60, 20)
        assert [row[0] for row in b.rows("energy")] == list(range(60))
        assert len(b.station.named("command")) == OUTPUTS
        assert b.line.connections == 1
        assert b.line.most_unacknowledged(outward=True) <= ours.k
        assert b.line.most_unacknowledged(outward=False) <= theirs.k
        counters = b.gw.counters(LINK)
        assert not {"unexpected", "malformed"} & set(counters), counters
        assert theirs.k > ours.k or "window_exceeded" not in counters
    verdict(b.line, tmp_path, trace, LINK, controlling=True)


def told(line: TappedLine, connection: int) -> list[int]:
    """Return the counter readings that passed in a connection."""
    return [
        int.from_bytes(frame.asdu[9:13], "little")
        for frame in line.frames
        if frame.connection == connection and frame.numbered and frame.asdu[0] == 37
    ]


def acknowledged(line: TappedLine, connection: int) -> list[int]:
    """Return those of them that the gateway acknowledged."""
    frames = [
        frame
        for frame in line.frames
        if frame.connection == connection and frame.numbered and not frame.outward
    ]
    kept = frames[: line.acknowledged(connection, outward=False)]
    return [int.from_bytes(one.asdu[9:13], "little") for one in kept if one.asdu[0] == 37]


async def count_up(b: Bench, values: Iterable[int]) -> None:
    """Let their station say these readings, one after the other, whether anybody hears or not."""
    for value in values:
        await b.station.ask("transmit", ca=CA, ioa=1, value=value)


async def test_the_line_is_cut(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """What the gateway acknowledged it has, once and in order; after a cut it is told anew.

    c104 sends nothing again that was not acknowledged, and forgets what waited.
    """
    rows = ROWS + "breaker,status,2,,,\n"
    async with bench(tmp_path, rows, *POINTS, point(2, "M_SP_NA_1", value=0)) as b:
        for cuts in (1, 2, 3):
            counting = asyncio.create_task(count_up(b, range(cuts * 1000, cuts * 1000 + 60)))
            await b.gw.until(lambda n=cuts: len(told(b.line, n)) > 30)
            b.line.refuses = True
            b.line.cut()
            await b.gw.until(lambda: b.gw.state(LINK) != "up")
            await b.gw.until(lambda: b.gw.sample("breaker").quality & STALE == STALE)
            await counting
            # It is not sent: the interrogation has to bring it.
            await b.station.ask("set", ca=CA, ioa=2, value=cuts % 2)
            b.line.refuses = False
            await b.gw.until(lambda n=cuts: b.gw.sample("breaker")[1:3] == (n % 2, 0))
        connections = range(1, b.line.connections + 1)
        assert len(connections) == 4
        values = [row[0] for row in b.rows("energy") if row[1] & STALE != STALE]
        assert values == sorted(set(values))
        passed = {value for one in connections for value in told(b.line, one)}
        kept = {value for one in connections for value in acknowledged(b.line, one)}
        assert kept <= set(values) <= passed
        assert len(kept) > 3 * 12
    verdict(b.line, tmp_path, trace, LINK, controlling=True, cut=True)


async def test_the_gateway_crashes(tmp_path: Path) -> None:
    """What it has acknowledged is in its journal, and reaches the sinks after the next start."""
    async with bench(tmp_path, ROWS, *POINTS, acknowledges=False) as b:
        counting = asyncio.create_task(count_up(b, range(60)))
        await b.gw.until(lambda: len(acknowledged(b.line, 1)) > 20)
        await b.gw.crash()
        await counting
    kept = acknowledged(b.line, 1)
    again = Collector(name="scada", role="engineer")
    async with running([client(free_port())], [again], ROWS, data=tmp_path) as gw:

        def values() -> list[float]:
            # What the new link says of itself, that it has no connection, is none of it.
            return [row.value for row in again.rows("energy") if row.quality & STALE != STALE]

        await gw.until(lambda: len(values()) >= len(kept))
        assert values()[: len(kept)] == kept == sorted(set(kept))


async def test_a_silent_station(tmp_path: Path) -> None:
    """A station that says nothing within t1 is left, and its points are stale, until it speaks."""
    times = {"t1": "1s", "t2": "500ms", "t3": "500ms"}
    rows = "name,kind,rtu.ioa\nbreaker,status,1\n"
    async with bench(tmp_path, rows, point(1, "M_SP_TB_1", value=1), **times) as b:
        await b.gw.until(lambda: b.gw.sample("breaker").value)
        await b.gw.until(lambda: TESTED in b.line.functions())
        b.station.signal(signal.SIGSTOP)
        await b.gw.until(lambda: b.gw.state(LINK) != "up")
        assert "1 s" in b.gw.status(LINK).error
        await b.gw.until(lambda: b.gw.sample("breaker").quality & STALE == STALE)
        b.station.signal(signal.SIGCONT)
        await b.gw.until(lambda: b.gw.state(LINK) == "up")
        await b.gw.until(lambda: b.gw.sample("breaker")[1:3] == (1, Quality.DEVICE_TIME))


REDUNDANT = "name,kind,rtu.ioa,rtu.control_ioa,rtu.termination,command.model\n"
REDUNDANT += "energy,counter,1,,,\nbreaker,status,2,,,\nswitch,status,,3,false,latch\n"


def functions(line: TappedLine) -> set[int]:
    """Return what was said besides data in the latest connection."""
    return set(line.functions(line.connections))


async def test_redundant_stations(tmp_path: Path) -> None:
    """One connection is started, the other tested (t3); when its station dies the other takes over
    before the points are stale, is interrogated and commanded; whoever comes back stands by."""
    ports = free_ports(2)
    points = [point(1, "M_IT_TB_1"), point(2, "M_SP_NA_1"), point(3, "C_SC_NA_1")]
    collector = Collector(name="scada", role="engineer")

    def theirs(number: int) -> C104Server:
        return C104Server(port=ports[number], stations=[station(CA, *points)])

    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(TappedLine(at).listening()) for at in ports]
        stations = [await stack.enter_async_context(theirs(number)) for number in (0, 1)]
        hosts = [f"127.0.0.1:{line.port}" for line in lines]
        link = client(1, host=hosts, t3="300ms")
        gw = await stack.enter_async_context(running([link], [collector], REDUNDANT, data=tmp_path))
        await gw.until(lambda: any(interrogated(line) for line in lines), 20)
        value, active = 0, int(interrogated(lines[1]))
        turns, before = [0, 0], [0, 0]
        for _ in range(3):
            standby = 1 - active
            turns[active] += 1
            await gw.until(lambda n=active: interrogated(lines[n], turns[n]), 20)
            await gw.until(lambda: gw.state(LINK) == "up")
            assert STARTDT in functions(lines[active])
            # The other has come back, and its connection is tested and not started.
            await gw.until(lambda n=standby: lines[n].connections > before[n], 20)
            await gw.until(lambda n=standby: {TEST, TESTED} <= functions(lines[n]), 20)
            assert STARTDT not in functions(lines[standby])
            for _ in range(3):
                value += 1
                await stations[active].ask("transmit", ca=CA, ioa=1, value=value)
            await gw.until(lambda v=value: gw.sample("energy").value == v)
            assert (await collector.ask("switch", 1)).status is CommandStatus.SUCCESS
            await stations[active].event("command", ioa=3)
            before[active] = lines[active].connections
            await stations[active].kill()
            await gw.until(lambda n=standby: STARTED in functions(lines[n]))
            stations[active] = await stack.enter_async_context(theirs(active))
            active = standby
        values = [row.value for row in collector.rows("energy")]
        assert values == list(range(1, value + 1))
        assert not any(row.quality & STALE == STALE for row in collector.rows())
        assert gw.counters(LINK)["switchovers"] == 3


def authorities(folder: Path) -> None:
    """Write `ca.pem` with certificates of station and gateway, `others.pem` with a stranger's."""
    authority, others = Authority(folder), Authority(folder, "others")
    for name in ("station", "gateway"):
        authority.issue(name, "127.0.0.1")
    others.issue("stranger", "127.0.0.1")


def files(folder: Path, name: str, ca: str = "ca") -> dict[str, str]:
    """Return TLS settings with one's own certificate and whom one trusts."""
    found = {"certificate": f"{name}.pem", "key": f"{name}.key", "ca": f"{ca}.pem"}
    return {field: str(folder / file) for field, file in found.items()}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_tls(tmp_path: Path, version: str) -> None:
    """Both show certificates of one authority; values and a command pass."""
    authorities(tmp_path)
    port = free_port()
    theirs = files(tmp_path, "station") | {
        "version": version,
        "allowed": [str(tmp_path / "gateway.pem")],
    }
    collector = Collector(name="scada", role="engineer")
    link = client(port, tls=files(tmp_path, "gateway"))
    points = [point(1, "M_IT_TB_1"), point(2, "M_SP_NA_1", value=1), point(3, "C_SC_NA_1")]
    async with (
        C104Server(port=port, tls=theirs, stations=[station(CA, *points)]) as server,
        running([link], [collector], REDUNDANT, data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("breaker").value == 1)
        await server.ask("transmit", ca=CA, ioa=1, value=7)
        await gw.until(lambda: gw.sample("energy").value == 7)
        assert (await collector.ask("switch", 1)).status is CommandStatus.SUCCESS


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [("gateway", "stranger", "certificate is not good"), ("stranger", "station", LINK)],
    ids=["their certificate", "our certificate"],
)
async def test_tls_with_a_stranger(tmp_path: Path, ours: str, theirs: str, why: str) -> None:
    """A certificate of another authority is refused, by whichever side it is shown to."""
    authorities(tmp_path)
    port, tls = free_port(), files(tmp_path, theirs)
    link = client(port, tls=files(tmp_path, ours))
    stations = [station(CA, point(2, "M_SP_NA_1", value=1))]
    async with (
        C104Server(port=port, tls=tls, stations=stations) as server,
        running([link], [Collector(name="scada")], REDUNDANT, data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.counters(LINK).get("disconnects", 0) > 1)
        assert why in f"{LINK} {gw.status(LINK).error}"
        assert gw.state(LINK) != "up"
        assert (await server.ask("counts"))["active"] == 0
