"""Commands to stations: what is sent, and what becomes of the answers."""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import CommandStatus, Operation
from gateway.testing import Collector, paused, running

sys.path.insert(0, str(Path(__file__).parent))
from client_bench import client
from octet_station import Script, Station, asdu, at, mirrored, obedient

S = CommandStatus
HEAD = (
    "name,kind,scale,command.model,command.select,command.on_time,command.timeout,rtu.ioa,rtu.ca,"
    "rtu.control_ioa,rtu.control_type,rtu.qualifier,rtu.time_tag,rtu.termination,rtu.operate\n"
)
COMMANDS = range(45, 65)


def row(name: str = "p", **cells: object) -> str:
    columns = [column.rpartition(".")[2] for column in HEAD.strip().split(",")]
    cells = {"name": name, "kind": "status", "model": "latch", "timeout": "3s", "ioa": 5} | cells
    assert set(cells) <= set(columns), cells
    return ",".join(str(cells.get(column, "")) for column in columns) + "\n"


SINGLE = row()
SETPOINT = {"kind": "analog", "model": "setpoint"}


def sco(octet: int, kind: int = 45, cause: int = 6, where: int = 5) -> bytes:
    """SCO, DCO, RCO: the state, QU in bits 2 to 6, S/E in bit 7 (101 clauses 7.2.6.15 to .17)."""
    return asdu(kind, cause, at(where) + bytes((octet,)))


class bench:  # noqa: N801 - a block of a test
    """A gateway in front of a station, and a client who commands."""

    def __init__(self, data: Path, rows: str, script: Script = obedient, **more: Any) -> None:
        self.device = Station(script)
        self.client = Collector(name="scada", role="engineer")
        self._data, self._rows, self._more = data, rows, more

    async def __aenter__(self) -> bench:
        self._running = self.device.running()
        await self._running.__aenter__()
        source = client(self.device.port, **self._more)
        self._gateway = running([source], [self.client], HEAD + self._rows, data=self._data)
        self.gw = await self._gateway.__aenter__()
        await self.gw.until(lambda: self.gw.state("rtu") == "up")
        await asyncio.sleep(0.5)
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self._gateway.__aexit__(*exc)
        await self._running.__aexit__(*exc)

    @property
    def commands(self) -> list[bytes]:
        return self.device.requests(*COMMANDS)


CARRIED_OUT = [
    (SINGLE, 1, sco(0x01)),
    (SINGLE, 0, sco(0x00)),
    (row(control_ioa=300, qualifier=3), 1, sco(0x0D, where=300)),
    (row(model="pulse", on_time="1s"), 1, sco(0x05)),  # QU 1, short pulse
    (row(model="pulse", on_time="1s", qualifier=2), 0, sco(0x08)),
    (row(model="trip_close", kind="double"), 1, sco(0x02, 46)),
    (row(model="trip_close", kind="double"), 0, sco(0x01, 46)),
    (row(model="trip_close"), 0, sco(0x00)),
    (row(control_type="double", qualifier=31), 0, sco(0x7D, 46)),
    (row(control_type="step"), 1, sco(0x02, 47)),  # higher
    (row(control_type="step"), 0, sco(0x01, 47)),  # lower
    (row(**SETPOINT, control_type="normalised", scale=200), -50,
     asdu(48, 6, at(5) + struct.pack("<hB", -8192, 0))),
    (row(**SETPOINT, control_type="scaled", scale=0.1, qualifier=5), 12.3,
     asdu(49, 6, at(5) + struct.pack("<hB", 123, 5))),
    (row(**SETPOINT, control_type="float"), 1.5, asdu(50, 6, at(5) + struct.pack("<fB", 1.5, 0))),
    (row(**SETPOINT, control_type="bitstring"), 2**32 - 2,
     asdu(51, 6, at(5) + bytes.fromhex("fe ff ff ff"))),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "value", "octets"), CARRIED_OUT)
def test_carried_out(rows: str, value: float, octets: bytes, tmp_path: Path) -> None:
    """A command becomes this ASDU, executed directly, once."""

    @paused
    async def test() -> None:
        async with bench(tmp_path, rows) as b:
            answer = await b.client.ask("p", value)
            assert answer.status is S.SUCCESS, answer
            assert b.commands == [octets]

    test()


TAGGED = {
    "single": 58, "double": 59, "step": 60, "normalised": 61, "scaled": 62, "float": 63,
    "bitstring": 64,
}  # fmt: skip


@pytest.mark.parametrize("control_type", TAGGED)
def test_time_tag(control_type: str, tmp_path: Path) -> None:
    """Commands with CP56 (types 58 to 64) say when they left, in the zone of the link."""

    @paused
    async def test() -> None:
        setpoint = control_type in ("normalised", "scaled", "float", "bitstring")
        rows = row(control_type=control_type, time_tag="true", **(SETPOINT if setpoint else {}))
        more = {"time_zone": "Asia/Kolkata", "originator": 9}
        async with bench(tmp_path, rows, **more) as b:
            assert (await b.client.ask("p", 1)).status is S.SUCCESS
            (command,) = b.commands
            assert command[:6] == bytes((TAGGED[control_type], 1, 6, 9, 1, 0))
            ms, minute, hour, day, month, year = struct.unpack("<HBBBBB", command[-7:])
            when = datetime(2000 + year, month, day & 31, hour, minute) + timedelta(milliseconds=ms)
            # The paused clock begins 2026-01-01 00:00 UTC, where it is 5:30 in India.
            late = when - datetime(2026, 1, 1, 5, 30)
            assert timedelta() <= late < timedelta(seconds=2)

    test()


def replies(*answers: bytes) -> Callable[[bytes], Sequence[bytes]]:
    """Answer commands with these."""
    return lambda request: list(answers) if request[0] in COMMANDS else obedient(request)


# Cause of transmission, 0x40 for P/N (101 clause 7.2.3).
CAUSES = [
    (0x47, S.REFUSED), (0x2C | 0x40, S.NOT_SUPPORTED), (0x2D | 0x40, S.NOT_SUPPORTED),
    (0x2E | 0x40, S.UNKNOWN_POINT), (0x2F | 0x40, S.UNKNOWN_POINT),
    (0x2F, S.UNKNOWN_POINT),  # without P/N, as some do
]  # fmt: skip
OTHERS = [
    sco(0x00, cause=7),  # another state
    sco(0x81, cause=7),  # a select
    sco(0x05, cause=7),  # another qualifier
    sco(0x00, cause=10),
]


@paused
async def test_answers(tmp_path: Path) -> None:
    """A cause, or an answer that does not repeat the command, ends it; nothing is said twice."""
    async with bench(tmp_path, SINGLE) as b:
        for cause, expected in CAUSES:
            b.device.script = replies(sco(1, cause=cause))
            answer = await b.client.ask("p", 1)
            assert answer.status is expected, (cause, answer)
        b.device.script = replies(sco(1, cause=7), sco(1, cause=0x4A))
        answer = await b.client.ask("p", 1)
        assert answer.status is S.DEVICE_ERROR
        assert "may have acted" in answer.detail
        for other in OTHERS:
            b.device.script = replies(other)
            answer = await b.client.ask("p", 1)
            assert answer.status is S.DEVICE_ERROR, (other, answer)
            assert "may have acted" in answer.detail
        assert len(b.commands) == len(CAUSES) + 1 + len(OTHERS)


@paused
async def test_answers_to_others(tmp_path: Path) -> None:
    """Answers to another type, object, station or controlling station are not for this one."""
    async with bench(tmp_path, SINGLE, originator=4) as b:
        mine = asdu(45, 7, at(5) + b"\x01", origin=4)
        b.device.script = replies(
            sco(0x02, 46, cause=0x47),
            asdu(45, 0x47, at(6) + b"\x01", origin=4),
            asdu(45, 0x47, at(5) + b"\x01", ca=2, origin=4),
            asdu(45, 0x47, at(5) + b"\x01", origin=3),
            mine,
            mirrored(mine, 10),
        )
        assert (await b.client.ask("p", 1)).status is S.SUCCESS
        assert b.gw.counters("rtu")["others"] == 1
        assert b.gw.counters("rtu")["unexpected"] == 3


@paused
async def test_the_end_is_waited_for(tmp_path: Path) -> None:
    """Success comes with ACT-TERM, and with ACT-CON where the row says that it is never told."""
    rows = SINGLE + row("quick", ioa=6, termination="false")
    async with bench(tmp_path, rows, replies()) as b:
        asked = asyncio.create_task(b.client.ask("p", 1))
        await b.device.until(lambda: b.commands)
        b.device.link.say(sco(1, cause=7))
        await asyncio.sleep(1)
        assert not asked.done()
        b.device.link.say(sco(0x81, cause=10))  # some repeat the S/E of the select before
        assert (await asked).status is S.SUCCESS
        b.device.script = replies(sco(1, cause=7, where=6))
        assert (await b.client.ask("quick", 1)).status is S.SUCCESS
        b.device.link.say(sco(1, cause=10, where=6))
        await asyncio.sleep(1)
        assert "unexpected" not in b.gw.counters("rtu")


@paused
async def test_no_answer(tmp_path: Path) -> None:
    """Silence is a time-out after the command's own time; the command is not said again."""
    async with bench(tmp_path, SINGLE, replies()) as b:
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await b.client.ask("p", 1)
        assert (answer.status, answer.detail) == (S.TIMEOUT, "station 1 has not answered")
        assert loop.time() - began == pytest.approx(3, abs=0.1)
        b.device.script = replies(sco(1, cause=7))
        answer = await b.client.ask("p", 1)
        assert answer.status is S.TIMEOUT
        assert "confirmed it and has not said that it ended" in answer.detail
        await asyncio.sleep(30)
        assert len(b.commands) == 2
        assert b.gw.state("rtu") == "up"


@paused
async def test_a_late_answer(tmp_path: Path) -> None:
    """The answer to a command whose time is over is none to the next one."""
    async with bench(tmp_path, SINGLE, replies()) as b:
        assert (await b.client.ask("p", 0)).status is S.TIMEOUT
        asked = asyncio.create_task(b.client.ask("p", 1))
        await b.device.until(lambda: len(b.commands) == 2)
        b.device.link.say(sco(0, cause=7), sco(0, cause=10))
        await asyncio.sleep(0.5)
        assert not asked.done()
        b.device.link.say(sco(1, cause=7), sco(1, cause=10))
        assert (await asked).status is S.SUCCESS


@paused
async def test_a_late_end(tmp_path: Path) -> None:
    """The end of a command that was refused, which some say all the same and late, is not that of
    the same command when it is given again: it is not carried out before its own end."""
    async with bench(tmp_path, row(operate="select"), replies()) as b:
        for status in (S.REFUSED, S.SUCCESS):
            asked = asyncio.create_task(b.client.ask("p", 1))
            commands = len(b.commands)
            await b.device.until(lambda n=commands: len(b.commands) == n + 1)
            if status is S.SUCCESS:
                b.device.link.say(sco(0x81, cause=10))
                await asyncio.sleep(0.5)
                assert b.commands[-1] == sco(0x81)
            b.device.link.say(sco(0x81, cause=7))
            await b.device.until(lambda n=commands: len(b.commands) == n + 2)
            assert b.commands[-1] == sco(0x01)
            b.device.link.say(sco(0x01, cause=0x47 if status is S.REFUSED else 7))
            await asyncio.sleep(0.5)
            assert asked.done() is (status is S.REFUSED)
            if status is S.SUCCESS:
                b.device.link.say(sco(0x01, cause=10))
            assert (await asked).status is status


@paused
async def test_an_end_before_its_confirmation(tmp_path: Path) -> None:
    """Some say them in this order: the confirmation decides, then; without it nothing is sure."""
    async with bench(tmp_path, SINGLE, replies()) as b:
        for end, confirmation, status in (
            (10, 7, S.SUCCESS),
            (0x4A, 7, S.DEVICE_ERROR),
            (10, 0x47, S.REFUSED),
            (10, None, S.TIMEOUT),
        ):
            asked = asyncio.create_task(b.client.ask("p", 1))
            commands = len(b.commands)
            await b.device.until(lambda n=commands: len(b.commands) == n + 1)
            b.device.link.say(sco(1, cause=end))
            await asyncio.sleep(0.5)
            assert not asked.done()
            if confirmation is not None:
                b.device.link.say(sco(1, cause=confirmation))
            answer = await asked
            assert answer.status is status, (end, confirmation, answer)
        assert answer.detail == "station 1 said that it ended and has not confirmed it"


FORWARD = row(select="forward")


@paused
async def test_select_and_execute(tmp_path: Path) -> None:
    """With select forward the station is asked to select (S/E 1), then to execute (S/E 0)."""
    async with bench(tmp_path, FORWARD) as b:
        me = (await b.client.context()).client("me")
        for operation in (Operation.SELECT, Operation.EXECUTE):
            answer = await b.client.ask("p", 1, operation, me)
            assert answer.status is S.SUCCESS, answer
        assert b.commands == [sco(0x81), sco(0x01)]


@paused
async def test_cancel(tmp_path: Path) -> None:
    """A cancel is a deactivation (cause 8) of the select; only cause 9 confirms it."""
    async with bench(tmp_path, FORWARD) as b:
        me = (await b.client.context()).client("me")
        for answer, expected in ((9, S.SUCCESS), (0x49, S.REFUSED), (7, S.REFUSED)):
            b.device.script = obedient
            assert (await b.client.ask("p", 1, Operation.SELECT, me)).status is S.SUCCESS
            b.device.script = replies(sco(0x81, cause=answer))
            assert (await b.client.ask("p", 1, Operation.CANCEL, me)).status is expected
        assert b.commands == [sco(0x81), sco(0x81, cause=8)] * 3


@paused
async def test_a_refused_select(tmp_path: Path) -> None:
    """The client hears it, and cannot execute."""
    async with bench(tmp_path, FORWARD, replies(sco(0x81, cause=0x47))) as b:
        me = (await b.client.context()).client("me")
        assert (await b.client.ask("p", 1, Operation.SELECT, me)).status is S.REFUSED
        assert (await b.client.ask("p", 1, Operation.EXECUTE, me)).status is S.NO_SELECT
        assert b.commands == [sco(0x81)]


@pytest.mark.parametrize("select", ["none", "local"])
def test_the_gateway_selects(select: str, tmp_path: Path) -> None:
    """`operate: select` is for devices that take nothing else; a refused select ends it."""

    @paused
    async def test() -> None:
        async with bench(tmp_path, row(select=select, operate="select")) as b:
            me = (await b.client.context()).client("me")
            if select == "local":
                await b.client.ask("p", 1, Operation.SELECT, me)
            operation = Operation.EXECUTE if select == "local" else Operation.DIRECT
            assert (await b.client.ask("p", 1, operation, me)).status is S.SUCCESS
            assert b.commands == [sco(0x81), sco(0x01)]
            b.device.script = replies(sco(0x80, cause=0x47))
            if select == "local":
                await b.client.ask("p", 0, Operation.SELECT, me)
            assert (await b.client.ask("p", 0, operation, me)).status is S.REFUSED
            assert b.commands[2:] == [sco(0x80)]

    test()


@pytest.mark.parametrize(
    ("control_type", "value", "detail"),
    [
        ("normalised", 1.5, "found value 1.5, allowed: -1 to 1"),
        ("scaled", 40_000, "found value 40000, allowed: -32768 to 32767"),
        ("float", 1e39, "found value 1e+39, allowed: a finite number of 32 bits"),
        ("bitstring", -1, "found value -1, allowed: a whole number, 0 to 4294967295"),
    ],
)
def test_what_a_command_cannot_say(
    control_type: str, value: float, detail: str, tmp_path: Path
) -> None:
    """A number that the type cannot hold is refused, and nothing is sent."""

    @paused
    async def test() -> None:
        async with bench(tmp_path, row(**SETPOINT, control_type=control_type)) as b:
            answer = await b.client.ask("p", value)
            assert (answer.status, answer.detail) == (S.OUT_OF_RANGE, detail)
            assert b.commands == []

    test()


@paused
async def test_one_at_a_time_for_each_object(tmp_path: Path) -> None:
    """Two points with one output take turns, those with different ones go side by side."""
    rows = row() + row("same", ioa=7, control_ioa=5) + row("other", ioa=6)
    async with bench(tmp_path, rows, replies()) as b:
        asked = asyncio.create_task(b.client.ask("p", 1))
        await b.device.until(lambda: b.commands)
        assert (await b.client.ask("same", 1)).status is S.ALREADY_ACTIVE
        b.device.script = obedient
        assert (await b.client.ask("other", 1)).status is S.SUCCESS
        assert not asked.done()
        b.device.link.say(sco(1, cause=7), sco(1, cause=10))
        assert (await asked).status is S.SUCCESS
        assert (await b.client.ask("same", 1)).status is S.SUCCESS


@paused
async def test_a_silent_station(tmp_path: Path) -> None:
    """A command to a station that does not answer, while others do, is not sent."""
    rows = SINGLE + row("away", ca=2)
    async with bench(tmp_path, rows, interrogation="1min", timeout="5s") as b:
        b.device.mute.add(2)
        await b.gw.until(lambda: b.gw.counters("rtu").get("silent_stations"), timeout=100)
        answer = await b.client.ask("away", 1)
        assert answer.status is S.UNREACHABLE
        assert (await b.client.ask("p", 1)).status is S.SUCCESS
        assert len(b.commands) == 1


@paused
async def test_no_room(tmp_path: Path) -> None:
    """Where the station acknowledges nothing (k), what waits is not sent behind its time."""
    rows = "".join(row(f"p{one}", ioa=one) for one in range(1, 4))
    async with bench(tmp_path, rows, k=2, w=1, t1="100s") as b:
        b.device.acknowledges = False
        asked = [asyncio.create_task(b.client.ask(f"p{one}", 1)) for one in range(1, 4)]
        statuses = sorted(one.status for one in await asyncio.gather(*asked))
        assert statuses == [S.TIMEOUT, S.TIMEOUT, S.UNREACHABLE]
        b.device.acknowledges = True
        b.device.link.acknowledge()
        await asyncio.sleep(20)
        assert len(b.commands) == 2


@paused
async def test_the_connection_breaks(tmp_path: Path) -> None:
    """What was sent is a time-out at once, and is not sent again by the next connection."""
    async with bench(tmp_path, SINGLE, replies()) as b:
        asked = asyncio.create_task(b.client.ask("p", 1))
        await b.device.until(lambda: b.commands)
        b.device.link.hang_up()
        assert (await asked).status is S.TIMEOUT
        await b.gw.until(lambda: len(b.device.links) == 2 and b.gw.state("rtu") == "up")
        b.device.link.say(sco(1, cause=7), sco(1, cause=10))
        await asyncio.sleep(5)
        assert len(b.commands) == 1
        assert b.gw.counters("rtu")["unexpected"] == 2
