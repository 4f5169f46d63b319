"""Commands to outstations: what is sent, and what becomes of the answers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, Iin
from gateway_dnp3.master.source import DnpMaster
from gateway_dnp3.master.testing import ScriptedOutstation, nothing

from gateway import CommandStatus, Operation
from gateway.testing import Collector, paused, running

F, S = FunctionCode, CommandStatus
HEAD = (
    "name,kind,scale,command.model,command.select,command.on_time,command.off_time,command.count,"
    "command.timeout,rtu.type,rtu.index,rtu.control_type,rtu.control_index,rtu.operate,"
    "rtu.trip_time,rtu.outstation\n"
)


def row(**cells: object) -> str:
    columns = [name.rpartition(".")[2] for name in HEAD.strip().split(",")]
    cells = {"name": "p", "kind": "status", "model": "latch", "timeout": "3s"} | cells
    assert set(cells) <= set(columns), cells
    return ",".join(str(cells.get(name, "")) for name in columns) + "\n"


LATCH = row(control_index=5)
SETPOINT = {"kind": "analog", "model": "setpoint", "control_index": 7}


def one(index: int) -> bytes:
    """Qualifier, count and index of one object: 0x17 with octets, 0x28 with two of each."""
    return bytes((0x17, 1, index)) if index < 256 else struct.pack("<BHH", 0x28, 1, index)


def crob(code: int, index: int = 5, count: int = 1, on: int = 0, off: int = 0) -> bytes:
    """A CROB by IEEE 1815 annex A.8."""
    return b"\x0c\x01" + one(index) + struct.pack("<BBIIB", code, count, on, off, 0)


def analog(variation: int, form: str, value: float, index: int = 7) -> bytes:
    """An analog output by IEEE 1815 annex A.22."""
    return bytes((41, variation)) + one(index) + struct.pack(f"<{form}B", value, 0)


Script = Callable[[Fragment], Sequence[Fragment]]
CONTROLS = (F.SELECT, F.OPERATE, F.DIRECT_OPERATE)


def echo(status: int = 0, iin: Iin = Iin.NONE, cut: bytes | None = None) -> Script:
    """Answer controls with their echo and this status, or with these objects."""

    def script(request: Fragment) -> Sequence[Fragment]:
        if request.function not in CONTROLS:
            return nothing(request)
        objects = request.objects[:-1] + bytes((status,)) if cut is None else cut
        return [Fragment.response(iin, objects, request.control.sequence)]

    return script


class bench:  # noqa: N801 - a block of a test
    """A gateway in front of an outstation, and a client who commands."""

    def __init__(
        self, data: Path, rows: str, script: Script, addresses: Sequence[int] = (10,), **more: Any
    ) -> None:
        self.device = ScriptedOutstation(script=script, addresses=addresses)
        self.client = Collector(name="scada", role="engineer")
        self._data, self._rows, self._more = data, rows, more

    async def __aenter__(self) -> bench:
        self._running = self.device.running()
        await self._running.__aenter__()
        settings = {
            "name": "rtu", "host": "127.0.0.1", "port": self.device.port, "outstation": 10,
            "event": "never", "keep_alive": "never", "retries": 0,
        }  # fmt: skip
        source = DnpMaster.model_validate(settings | self._more)
        self._gateway = running([source], [self.client], HEAD + self._rows, data=self._data)
        self.gw = await self._gateway.__aenter__()
        await self.device.until(lambda: F.READ in self.device.functions())
        await asyncio.sleep(0.5)
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self._gateway.__aexit__(*exc)
        await self._running.__aexit__(*exc)

    @property
    def controls(self) -> list[tuple[F, bytes]]:
        return [(r.function, r.objects) for r in self.device.requests if r.function in CONTROLS]


CARRIED_OUT = [
    (LATCH, 1, crob(0x03)),
    (LATCH, 0, crob(0x04)),
    (row(type="binary_output_status", index=9), 1, crob(0x03, 9)),
    (row(control_index=300, model="pulse", on_time="1500ms", off_time="200ms", count=3), 1,
     crob(0x01, 300, 3, 1500, 200)),
    (row(control_index=5, model="pulse", on_time="1s"), 0, crob(0x02, 5, 1, 1000)),
    (row(control_index=5, model="trip_close"), 1, crob(0x41, 5, 1, 100)),
    (row(control_index=5, model="trip_close", trip_time="2s"), 0, crob(0x81, 5, 1, 2000)),
    (row(**SETPOINT, control_type="int16", scale=0.1), 12.3, analog(2, "h", 123)),
    (row(**SETPOINT, control_type="int32"), -100_000, analog(1, "i", -100_000)),
    (row(**SETPOINT, control_type="float32"), 1.5, analog(3, "f", 1.5)),
    (row(**SETPOINT, control_type="float64"), 0.1, analog(4, "d", 0.1)),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "value", "objects"), CARRIED_OUT)
def test_carried_out(rows: str, value: float, objects: bytes, tmp_path: Path) -> None:
    """A command becomes this object, operated directly, once."""

    @paused
    async def test() -> None:
        async with bench(tmp_path, rows, echo()) as b:
            answer = await b.client.ask("p", value)
            assert answer.status is S.SUCCESS, answer
            assert b.controls == [(F.DIRECT_OPERATE, objects)]

    test()


# Control statuses by IEEE 1815 table 11-7.
STATUSES = [
    (1, S.SELECT_EXPIRED), (2, S.NO_SELECT), (3, S.FORMAT_ERROR), (4, S.NOT_SUPPORTED),
    (5, S.ALREADY_ACTIVE), (6, S.DEVICE_ERROR), (7, S.DEVICE_LOCAL), (9, S.NOT_AUTHORISED),
    (10, S.INTERLOCKED), (12, S.OUT_OF_RANGE), (15, S.BLOCKED), (17, S.SELECTED_BY_OTHER),
    (127, S.REFUSED), (99, S.REFUSED), (0x84, S.NOT_SUPPORTED),
]  # fmt: skip
IINS = [
    (Iin.NO_FUNC_CODE_SUPPORT, S.NOT_SUPPORTED),
    (Iin.OBJECT_UNKNOWN, S.UNKNOWN_POINT),
    (Iin.PARAMETER_ERROR, S.FORMAT_ERROR),
    (Iin.ALREADY_EXECUTING, S.ALREADY_ACTIVE),
    (Iin.LOCAL_CONTROL, S.DEVICE_LOCAL),
    (Iin.NONE, S.DEVICE_ERROR),
]
ECHOES = [
    crob(0x04),  # another code
    crob(0x03, 6),  # another index
    crob(0x03)[:-1],
    b"\x0c\x01\x28\x01\x00\x05\x00" + crob(0x03)[5:],  # another qualifier
]


@paused
async def test_answers(tmp_path: Path) -> None:
    """A status, an indication or a wrong echo ends the command; nothing is said twice."""
    async with bench(tmp_path, LATCH, echo()) as b:
        for status, expected in STATUSES:
            b.device.script = echo(status)
            answer = await b.client.ask("p", 1)
            assert answer.status is expected, (status, answer)
        for iin, expected in IINS:
            b.device.script = echo(iin=iin, cut=b"")
            answer = await b.client.ask("p", 1)
            assert answer.status is expected, (iin, answer)
        for other in ECHOES:
            b.device.script = echo(cut=other)
            answer = await b.client.ask("p", 1)
            assert answer.status is S.DEVICE_ERROR, (other, answer)
            assert "may have acted" in answer.detail
        assert len(b.controls) == len(STATUSES) + len(IINS) + len(ECHOES)


@paused
async def test_no_answer(tmp_path: Path) -> None:
    """Silence is a time-out, after the command's own time, and the command is not said again."""
    async with bench(tmp_path, LATCH, nothing) as b:
        loop = asyncio.get_running_loop()
        # The outstation answers the start, and then controls no more.
        b.device.script = lambda r: [] if r.function in CONTROLS else nothing(r)
        began = loop.time()
        answer = await b.client.ask("p", 1)
        assert answer.status is S.TIMEOUT
        assert loop.time() - began == pytest.approx(3, abs=0.5)
        await asyncio.sleep(30)
        assert len(b.controls) == 1
        assert b.gw.state("rtu") == "up"


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (row(**SETPOINT, control_type="int16"), 40_000),
        (row(**SETPOINT, control_type="int32"), 3e9),
        (row(**SETPOINT, control_type="float32"), 1e39),
    ],
)
def test_what_an_output_cannot_hold(rows: str, value: float, tmp_path: Path) -> None:
    """It is refused, and nothing is sent."""

    @paused
    async def test() -> None:
        async with bench(tmp_path, rows, echo()) as b:
            assert (await b.client.ask("p", value)).status is S.OUT_OF_RANGE
            assert b.controls == []

    test()


@paused
async def test_selected_by_the_client(tmp_path: Path) -> None:
    """A select that is forwarded is the device's; execute operates it, or selects it again."""
    rows = row(control_index=5, select="forward")
    async with bench(tmp_path, rows, echo(), event="10s") as b:
        for pause, functions in ((0, [F.SELECT, F.OPERATE]), (12, [F.SELECT, F.SELECT, F.OPERATE])):
            before = len(b.controls)
            assert await b.client.ask("p", 1, Operation.SELECT)
            await asyncio.sleep(pause)
            assert await b.client.ask("p", 1, Operation.EXECUTE)
            assert [function for function, _ in b.controls[before:]] == functions
            assert {objects for _, objects in b.controls[before:]} == {crob(0x03)}
        requests = [r for r in b.device.requests if r.function is not F.CONFIRM]
        for before_it, request in pairwise(requests):
            if request.function is F.OPERATE:
                assert before_it.function is F.SELECT
                assert request.control.sequence == (before_it.control.sequence + 1) % 16

        before = len(b.controls)
        assert await b.client.ask("p", 1, Operation.SELECT)
        answer = await b.client.ask("p", 1, Operation.CANCEL)
        assert answer.status in (S.SUCCESS, S.CANCELLED)
        assert [function for function, _ in b.controls[before:]] == [F.SELECT]


@paused
async def test_selected_at_the_gateway(tmp_path: Path) -> None:
    """A select that the gateway holds is not sent; where a device wants one it gets its own."""
    rows = row(control_index=5, select="local") + row(name="q", control_index=6, operate="select")
    async with bench(tmp_path, rows, echo()) as b:
        assert await b.client.ask("p", 1, Operation.SELECT)
        assert b.controls == []
        assert await b.client.ask("p", 1, Operation.EXECUTE)
        assert await b.client.ask("q", 0)
        assert b.controls == [
            (F.DIRECT_OPERATE, crob(0x03)),
            (F.SELECT, crob(0x04, 6)),
            (F.OPERATE, crob(0x04, 6)),
        ]


@paused
async def test_a_select_that_is_refused(tmp_path: Path) -> None:
    """The client hears why."""
    async with bench(tmp_path, row(control_index=5, select="forward"), echo(15)) as b:
        assert (await b.client.ask("p", 1, Operation.SELECT)).status is S.BLOCKED
        assert (await b.client.ask("p", 1, Operation.EXECUTE)).status is S.NO_SELECT


@paused
async def test_restart(tmp_path: Path) -> None:
    """A point of type cold_restart restarts the outstation, as any other command."""
    async with bench(tmp_path, row(control_type="cold_restart"), nothing) as b:
        assert await b.client.ask("p", 1)
        assert b.device.functions()[-1] is F.COLD_RESTART
        assert (await b.client.ask("p", 0)).status is S.OUT_OF_RANGE


@paused
async def test_one_of_two_is_silent(tmp_path: Path) -> None:
    """Nothing is sent to an outstation that does not answer; those to the other one go on."""
    rows = LATCH + row(name="q", control_index=5, outstation=11)
    async with bench(tmp_path, rows, echo(), (10, 11), event="1s", timeout="1s") as b:
        assert await b.client.ask("q", 1)
        b.device.mute.add(11)
        await b.gw.until(lambda: "silent_outstations" in b.gw.counters("rtu"), timeout=20)
        before = len(b.controls)
        assert (await b.client.ask("q", 1)).status is S.UNREACHABLE
        assert len(b.controls) == before
        assert await b.client.ask("p", 1)


@paused
async def test_a_link_layer_without_answers(tmp_path: Path) -> None:
    """Frames that nobody confirms are a time-out, and not said again at this layer."""
    async with bench(
        tmp_path, LATCH, echo(), link_confirm=True, link_timeout="200ms", link_retries=1
    ) as b:
        assert await b.client.ask("p", 1)

        async def deaf(frame: object) -> None:
            """A connection that stands, and nobody behind it."""

        b.device.peers[10].take = deaf  # type: ignore[method-assign]
        answer = await b.client.ask("p", 0)
        assert answer.status is S.TIMEOUT, answer
        assert len(b.controls) == 1
        await b.gw.until(lambda: b.gw.counters("rtu").get("unconfirmed", 0) >= 1)
