"""Commands to devices that behave, and to devices that do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.attempt import Attempt
from gateway_modbus.source import Modbus
from gateway_modbus.testing import Act, ScriptedDevice, good, refused

from gateway import Answer, CommandStatus
from gateway.testing import Collector, Running, running

S = CommandStatus
WRITING = (5, 6, 15, 16, 22)
HEAD = (
    "name,kind,scale,offset,command.model,command.timeout,command.on_time,command.count,"
    "command.off_time,command.feedback,meter.table,meter.register,meter.type,meter.bit,meter.poll,"
    "meter.write_register,meter.write_function,meter.write_on,meter.trip_register,meter.trip_time\n"
)


def row(name: str, kind: str = "status", **columns: object) -> str:
    """A row of the point list, columns by the last part of their name."""
    cells = {"model": "latch" if kind == "status" else "setpoint"} | columns
    keys = [column.rpartition(".")[2] for column in HEAD.strip().split(",")]
    assert set(cells) <= set(keys), cells
    return ",".join([name, kind, *(str(cells.get(key, "")) for key in keys[2:])]) + "\n"


BREAKER = row("breaker", table="coil", register=2)
TARGET = row("target", "analog", register=7, scale=0.1, offset=5)


def meter(port: int, **more: Any) -> Modbus:
    settings: dict[str, Any] = {
        "name": "meter",
        "host": "127.0.0.1",
        "port": port,
        "poll": "50ms",
        "timeout": "300ms",
        "reconnect": {"min": "20ms", "max": "50ms"},
    }
    return Modbus.model_validate(settings | more)


def scada() -> Collector:
    return Collector(name="scada", role="engineer")


class Bench:
    """A device, a gateway in front of it, and a client who commands."""

    def __init__(self, device: ScriptedDevice, gw: Running, client: Collector) -> None:
        self.device = device
        self.gw = gw
        self.client = client

    async def ask(self, name: str, value: float, **more: Any) -> Answer:
        async with asyncio.timeout(20):
            return await self.client.ask(name, value, **more)


class bench:  # noqa: N801 - a block of a test
    """Run a bench for the length of the block."""

    def __init__(self, data: Path, rows: str, **more: Any) -> None:
        self._data = data
        self._rows = rows
        self._more = more

    async def __aenter__(self) -> Bench:
        device, client = ScriptedDevice(), scada()
        self._device = device.running()
        await self._device.__aenter__()
        source = meter(device.port, **self._more)
        self._gateway = running([source], [client], HEAD + self._rows, data=self._data)
        gw = await self._gateway.__aenter__()
        await gw.until(lambda: gw.state("meter") == "up")
        return Bench(device, gw, client)

    async def __aexit__(self, *exc: Any) -> None:
        await self._gateway.__aexit__(*exc)
        await self._device.__aexit__(*exc)


def on_write(act: Callable[[bytes], Act]) -> Callable[[bytes], Act]:
    """Behave so towards writes, and well towards reads."""
    return lambda request: act(request) if request[7] in WRITING else Act(good(request))


CARRIED_OUT = [
    (BREAKER, "breaker", 1, ["05 0002 FF00"]),
    (BREAKER, "breaker", 0, ["05 0002 0000"]),
    (row("b", table="discrete", register=2, write_register=9), "b", 1, ["05 0009 FF00"]),
    (row("b", table="coil", register=2, write_function="multiple"), "b", 1, ["0F 0002 0001 01 01"]),
    (row("b", register=2, type="bit", bit=3), "b", 1, ["16 0002 FFF7 0008"]),
    # 23.0 = raw x 0.1 + 5, so the device counts 180.
    (TARGET, "target", 23.0, ["06 0007 00B4"]),
    (row("t", "analog", register=7, type="float32"), "t", 12.5, ["10 0007 0002 04 41480000"]),
    (row("t", "analog", register=7, poll="never"), "t", 9, ["06 0007 0009"]),
    (row("b", register=2, write_on=170), "b", 1, ["06 0002 00AA"]),
    # Registers of this device hold their own address, so register 12 reads 0000 0000 0000 1100.
    (row("b", register=12, type="bit", bit=0, write_function="read-modify-write"), "b", 1,
     ["06 000C 000D"]),
    (row("b", register=12, type="bit", bit=2, write_function="read-modify-write"), "b", 0,
     ["06 000C 0008"]),
    (row("b", model="trip_close", table="coil", register=2, trip_register=3), "b", 1,
     ["05 0003 0000", "05 0002 FF00"]),
    (row("b", model="trip_close", table="coil", register=2, trip_register=3), "b", 0,
     ["05 0002 0000", "05 0003 FF00"]),
    (row("b", model="trip_close", table="coil", register=2, trip_register=3, trip_time="10ms"),
     "b", 0, ["05 0003 FF00", "05 0003 0000"]),
    (row("b", model="pulse", on_time="10ms", table="coil", register=2), "b", 1,
     ["05 0002 FF00", "05 0002 0000"]),
    (row("b", model="pulse", on_time="10ms", count=2, off_time="5ms", table="coil", register=2),
     "b", 1, ["05 0002 FF00", "05 0002 0000"] * 2),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "name", "value", "writes"), CARRIED_OUT)
async def test_carried_out(
    rows: str, name: str, value: float, writes: list[str], tmp_path: Path
) -> None:
    """A command becomes these requests, in this order and no others, and then succeeds."""
    async with bench(tmp_path, rows) as b:
        answer = await b.ask(name, value)

        assert answer.status is S.SUCCESS, answer
        assert b.device.writes == [bytes.fromhex(one).hex() for one in writes]
        assert b.gw.counters("meter")["writes"] == len(writes)


async def test_pulse_lasts(tmp_path: Path) -> None:
    """An output is on for its time and off for its time, and polls go on meanwhile."""
    rows = row("b", model="pulse", on_time="200ms", count=2, off_time="100ms", table="coil",
               register=2)  # fmt: skip
    async with bench(tmp_path, rows) as b:
        assert await b.ask("b", 1)

        times = [
            at for at, one in zip(b.device.times, b.device.requests, strict=True) if one[7] == 5
        ]
        lengths = [later - earlier for earlier, later in pairwise(times)]
        # Never shorter than asked, but for the resolution of clocks; later where the machine is.
        for length, asked in zip(lengths, (0.2, 0.1, 0.2), strict=True):
            assert asked - 0.005 < length < asked + 2
        reads = [at for at, one in zip(b.device.times, b.device.requests, strict=True)
                 if one[7] == 1 and times[0] < at < times[-1]]  # fmt: skip
        assert len(reads) >= 5


# V1.1b3 section 7, and what each says of a write.
EXCEPTIONS = [
    (1, S.NOT_SUPPORTED, "illegal function"),
    (2, S.UNKNOWN_POINT, "illegal data address"),
    (3, S.OUT_OF_RANGE, "illegal data value"),
    (4, S.DEVICE_ERROR, "server device failure"),
    (5, S.TIMEOUT, "acknowledge"),
    (6, S.ALREADY_ACTIVE, "busy"),
    (7, S.REFUSED, "not in the standard"),
    (8, S.DEVICE_ERROR, "memory parity"),
    (9, S.REFUSED, "not in the standard"),
    (10, S.UNREACHABLE, "gateway path"),
    (11, S.TIMEOUT, "gateway target"),
    (0x77, S.REFUSED, "0x77"),
]


@pytest.mark.parametrize(("code", "status", "sentence"), EXCEPTIONS)
async def test_exceptions(code: int, status: CommandStatus, sentence: str, tmp_path: Path) -> None:
    """A device's exception is the command's end, with a sentence, and it is not asked again."""
    async with bench(tmp_path, BREAKER) as b:
        b.device.behaviour = on_write(lambda request: Act(refused(request, code)))
        answer = await b.ask("breaker", 1)

        assert answer.status is status
        assert sentence in answer.detail
        assert len(b.device.writes) == 1
        assert b.gw.state("meter") == "up"
        assert b.device.connections == 1


def _altered(request: bytes, at: int) -> bytes:
    answer = bytearray(good(request))
    answer[at] ^= 0x01
    return bytes(answer)


ECHOES: dict[str, Callable[[bytes], bytes]] = {
    "another unit": lambda request: _altered(request, 6),
    "another function": lambda request: _altered(request, 7),
    "another address": lambda request: _altered(request, 9),
    "another value": lambda request: _altered(request, 11),
    "one byte more": lambda request: good(request)[:5] + b"\x07" + good(request)[6:] + b"\0",
    "one byte less": lambda request: good(request)[:5] + b"\x05" + good(request)[6:-1],
    "exception 0": lambda request: refused(request, 0),
    "an exception too long": lambda request: (
        refused(request, 4)[:5] + b"\x04" + refused(request, 4)[6:] + b"\0"
    ),
}


@pytest.mark.parametrize("name", ECHOES)
@pytest.mark.parametrize("rows", [BREAKER, row("breaker", register=2, type="bit", bit=3)])
async def test_wrong_echo(name: str, rows: str, tmp_path: Path) -> None:
    """An answer that does not repeat the write is no success, and the write is not repeated."""
    async with bench(tmp_path, rows) as b:
        if "bit" in rows and name in ("one byte more", "one byte less"):
            size = b"\x09" if name == "one byte more" else b"\x07"
            b.device.behaviour = on_write(
                lambda request: Act(
                    good(request)[:5] + size + (good(request)[6:] + b"\0")[: size[0]]
                )
            )
        else:
            b.device.behaviour = on_write(lambda request: Act(ECHOES[name](request)))
        answer = await b.ask("breaker", 1)

        assert answer.status is S.DEVICE_ERROR
        assert "does not repeat" in answer.detail
        assert "may have acted" in answer.detail
        assert len(b.device.writes) == 1


SILENCES: dict[str, Callable[[bytes], Act]] = {
    "no answer": lambda request: Act(),
    "three bytes": lambda request: Act(good(request)[:3]),
    "all but the last byte": lambda request: Act(good(request)[:-1]),
    "cut after the request": lambda request: Act(reset=True),
    "cut in the answer": lambda request: Act(good(request)[:9], reset=True),
    "garbage": lambda request: Act(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "another transaction": lambda request: Act(b"\x55\x55" + good(request)[2:]),
    "another protocol": lambda request: Act(good(request)[:3] + b"\x01" + good(request)[4:]),
    "too late": lambda request: Act(good(request), delay=0.4),
}


@pytest.mark.parametrize("name", SILENCES)
async def test_no_answer(name: str, tmp_path: Path) -> None:
    """Without a whole answer the device may have acted: time-out, one write, and never another,
    also not after the connection has been made again."""
    async with bench(tmp_path, BREAKER) as b:
        b.device.behaviour = on_write(SILENCES[name])
        answer = await b.ask("breaker", 1)

        assert answer.status is S.TIMEOUT, answer
        assert "may have acted" in answer.detail
        b.device.behaviour = lambda request: Act(good(request))
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked + 10)
        assert len(b.device.writes) == 1
        # And the link works as before.
        assert await b.ask("breaker", 0)
        assert len(b.device.writes) == 2


async def test_nobody_there(tmp_path: Path) -> None:
    """Without a connection nothing is sent, now or later."""
    async with bench(tmp_path, BREAKER) as b:
        port = b.device.port
    client = scada()
    async with running([meter(port)], [client], HEAD + BREAKER, data=tmp_path) as gw:
        await gw.until(lambda: gw.counters("meter").get("disconnects", 0) >= 1)
        answer = await client.ask("breaker", 1)
        assert answer.status is S.UNREACHABLE


NOT_SENT = [
    (TARGET, "target", 6600.0, S.OUT_OF_RANGE),
    (TARGET, "target", 4.9, S.OUT_OF_RANGE),
    (TARGET, "target", float("nan"), S.FORMAT_ERROR),
    (row("t", "analog", register=7, type="float32"), "t", 1e39, S.OUT_OF_RANGE),
    (row("t", "analog", register=7, type="int64"), "t", 2.0**63, S.OUT_OF_RANGE),
    (BREAKER, "breaker", 2, S.OUT_OF_RANGE),
]


@pytest.mark.parametrize(("rows", "name", "value", "status"), NOT_SENT)
async def test_not_sent(
    rows: str, name: str, value: float, status: CommandStatus, tmp_path: Path
) -> None:
    """What the register cannot hold is refused, and nothing is sent."""
    async with bench(tmp_path, rows) as b:
        answer = await b.ask(name, value)

        assert answer.status is status
        assert answer.detail
        assert b.device.writes == []


async def test_read_before_write_fails(tmp_path: Path) -> None:
    """Where a register cannot be read, its bit is not written."""
    rows = row("b", register=12, type="bit", bit=0, write_function="read-modify-write", poll="1h")
    async with bench(tmp_path, rows) as b:
        for behaviour, status in (
            (Act(), S.UNREACHABLE),
            (None, S.UNKNOWN_POINT),
        ):
            b.device.behaviour = lambda request, act=behaviour: act or Act(refused(request, 2))  # type: ignore[misc]
            answer = await b.ask("b", 1)
            assert answer.status is status
            assert "nothing was written" in answer.detail
        assert b.device.writes == []


PULSE = row("b", model="pulse", on_time="50ms", table="coil", register=2)


async def test_cannot_be_let_go(tmp_path: Path) -> None:
    """Where the output cannot be put off again, the command fails and says that it may be on."""
    async with bench(tmp_path, PULSE) as b:
        b.device.behaviour = on_write(
            lambda request: Act(good(request) if request[10] else refused(request, 4))
        )
        answer = await b.ask("b", 1)

        assert answer.status is S.DEVICE_ERROR
        assert "may still be on" in answer.detail
        assert b.device.writes == ["050002ff00", "0500020000"]
        assert b.gw.counters("meter")["stuck_outputs"] == 1


async def test_cut_in_the_pulse(tmp_path: Path) -> None:
    """Where the connection breaks in the pulse, the command fails and says that it may be on;
    nothing is written after the connection is back."""
    async with bench(tmp_path, PULSE, poll="20ms") as b:
        b.device.behaviour = lambda request: (
            Act(good(request)) if request[7] == 5 else Act(reset=bool(b.device.writes))
        )
        answer = await b.ask("b", 1)

        assert answer.status is S.DEVICE_ERROR
        assert "may still be on" in answer.detail
        b.device.behaviour = lambda request: Act(good(request))
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked + 10)
        assert b.device.writes == ["050002ff00"]


async def test_unanswered_pulse_is_let_go(tmp_path: Path) -> None:
    """Where the device does not answer the first write, the output is put off all the same."""
    async with bench(tmp_path, PULSE) as b:
        b.device.behaviour = on_write(lambda request: Act() if request[10] else Act(good(request)))
        answer = await b.ask("b", 1)

        assert answer.status is S.TIMEOUT
        assert b.device.writes == ["050002ff00", "0500020000"]


async def test_refused_pulse_is_over(tmp_path: Path) -> None:
    """Where the device refuses the first write, there is nothing to put off."""
    async with bench(tmp_path, PULSE) as b:
        b.device.behaviour = on_write(lambda request: Act(refused(request, 2)))
        answer = await b.ask("b", 1)

        assert answer.status is S.UNKNOWN_POINT
        assert b.device.writes == ["050002ff00"]


async def test_second_pulse_fails(tmp_path: Path) -> None:
    """Where a train breaks off, the command has failed, whatever the device said: it has acted."""
    rows = row("b", model="pulse", on_time="10ms", count=3, table="coil", register=2)
    async with bench(tmp_path, rows) as b:
        b.device.behaviour = on_write(
            lambda request: Act(refused(request, 6) if len(b.device.writes) == 3 else good(request))
        )
        answer = await b.ask("b", 1)

        assert answer.status is S.DEVICE_ERROR
        assert "pulse 2 of 3" in answer.detail
        assert b.device.writes == ["050002ff00", "0500020000", "050002ff00"]


async def test_cut_while_it_waits(tmp_path: Path) -> None:
    """A write that waits for the line when the connection breaks was not sent, and never is."""
    async with bench(tmp_path, BREAKER, timeout="2s") as b:
        b.device.behaviour = lambda request: Act(reset=True, delay=0.3)
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked)
        answer = await b.ask("breaker", 1)

        assert answer.status is S.UNREACHABLE, answer
        assert "not sent" in answer.detail or "nothing was sent" in answer.detail
        b.device.behaviour = lambda request: Act(good(request))
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked + 10)
        assert b.device.writes == []


async def test_stopped_in_the_pulse(tmp_path: Path) -> None:
    """A gateway that is stopped while an output is driven puts it off first."""
    rows = row("b", model="pulse", on_time="5s", table="coil", register=2)
    async with bench(tmp_path, rows) as b:
        asking = asyncio.create_task(b.ask("b", 1))
        await b.gw.until(lambda: b.device.writes)
        await b.gw.stop()
        await asyncio.gather(asking, return_exceptions=True)

        assert b.device.writes == ["050002ff00", "0500020000"]


async def test_stopped_in_the_pulse_and_in_a_read(tmp_path: Path) -> None:
    """The output is put off also where a read is on its way that the device never answers."""
    rows = row("b", model="pulse", on_time="5s", table="coil", register=2)
    async with bench(tmp_path, rows) as b:
        asking = asyncio.create_task(b.ask("b", 1))
        await b.gw.until(lambda: b.device.writes)
        b.device.behaviour = lambda request: Act(*[good(request)] * (request[7] == 5))
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked)
        await b.gw.stop()
        await asyncio.gather(asking, return_exceptions=True)

        assert b.device.writes == ["050002ff00", "0500020000"]
        assert "stuck_outputs" not in b.gw.counters("meter")


async def test_writes_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write waits for the answer that is due, and not for the reads that wait as well."""
    handed: list[int] = []
    run = Attempt.run

    async def noted(attempt: Attempt) -> None:
        handed.append(len(b.device.requests))
        await run(attempt)

    monkeypatch.setattr(Attempt, "run", noted)
    rows = BREAKER + "".join(
        row(f"p{n}", "analog", model="", register=1000 * n, poll=f"{50 + n}ms") for n in range(1, 9)
    )
    async with bench(tmp_path, rows) as b:
        b.device.behaviour = lambda request: Act(good(request), delay=0.02)
        await b.gw.until(lambda: len(b.device.requests) > 30)
        for value in (1, 0, 1, 0):
            assert await b.ask("breaker", value)
            functions = [one[7] for one in b.device.requests[handed[-1] :]]
            # Eight rates wait in turn; one read may be on the wire, and not yet at the device.
            assert functions.index(5) <= 1, functions


async def test_line_not_free_in_time(tmp_path: Path) -> None:
    """A write whose time is over before the line is free is never sent."""
    rows = row("breaker", table="coil", register=2, timeout="100ms")
    async with bench(tmp_path, rows, timeout="600ms", poll="20ms") as b:
        b.device.behaviour = lambda request: Act(good(request), delay=0.4)
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked)
        answer = await b.ask("breaker", 1)

        assert answer.status is S.TIMEOUT
        b.device.behaviour = lambda request: Act(good(request))
        asked = len(b.device.requests)
        await b.gw.until(lambda: len(b.device.requests) > asked + 5)
        assert b.device.writes == []
        assert b.gw.counters("meter")["late_answers"] == 1


async def test_seen_at_once(tmp_path: Path) -> None:
    """What was written is read again at once, and its indication until it has moved, although
    both are polled but once an hour."""
    # As it was when the link came up, with every bit set.
    state = {"coil": 1, "input": 1}

    def behaviour(request: bytes) -> Act:
        if request[7] == 5:
            state["coil"] = int(request[10] > 0)
            asyncio.get_running_loop().call_later(0.3, state.update, {"input": state["coil"]})
            return Act(good(request))
        bit = state["coil"] if request[7] == 1 else state["input"]
        return Act(good(request, bytes([bit])))

    rows = row("breaker", table="coil", register=2, feedback="position", poll="1h") + row(
        "position", model="", table="discrete", register=2, poll="1h"
    )
    async with bench(tmp_path, rows) as b:
        b.device.behaviour = behaviour
        for value in (0, 1, 0):
            loop = asyncio.get_running_loop()
            began = loop.time()
            answer = await b.ask("breaker", value)
            assert answer.status is S.SUCCESS
            assert loop.time() - began < 8.0
            assert b.gw.sample("position").value == value
            assert b.gw.sample("breaker").value == value


async def test_side_by_side(tmp_path: Path) -> None:
    """While one point is in its pulse, others are commanded."""
    rows = row("slow", model="pulse", on_time="1s", table="coil", register=2) + row(
        "fast", table="coil", register=3
    )
    async with bench(tmp_path, rows) as b:
        slow = asyncio.create_task(b.ask("slow", 1))
        await b.gw.until(lambda: b.device.writes)
        assert await b.ask("fast", 1)
        assert not slow.done()
        assert (await b.ask("slow", 1)).status is S.ALREADY_ACTIVE
        assert await slow
        assert b.device.writes == ["050002ff00", "050003ff00", "0500020000"]


async def test_after_read_close(tmp_path: Path) -> None:
    """Where each round has a connection of its own, a command has one, too."""
    async with bench(tmp_path, BREAKER, after_read="close") as b:
        for value in (1, 0, 1):
            assert await b.ask("breaker", value)
        assert b.device.writes == ["050002ff00", "0500020000", "050002ff00"]
