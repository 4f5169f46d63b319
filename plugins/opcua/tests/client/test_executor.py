"""Commands whose connection breaks, or whose server is silent, at the worst moment."""

# mypy: disable-error-code="attr-defined,no-untyped-call,arg-type"

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asyncua import ua
from gateway_opcua.client.executor import Executor
from gateway_opcua.client.outputs import Output, Target
from gateway_opcua.client.point import ClientPoint, ValueType

from gateway import (
    Client,
    Command,
    CommandStatus,
    ControlModel,
    Definition,
    Kind,
    LinkError,
    LinkPoint,
    Operation,
    Pulse,
)
from gateway.testing import paused

S = CommandStatus
POINT = LinkPoint(0, Definition("p", Kind.STATUS), ClientPoint(node="i=1"))
OUTPUT = Output(POINT, Target(ua.NodeId(1), ValueType.BOOLEAN))


class Server:
    """Says what a test wants, in order; remembers what was written."""

    def __init__(self, *says: Any, closed: bool = False) -> None:
        self.says = list(says)
        self.written: list[Any] = []
        self.closed = closed

    def check(self) -> None:
        if self.closed:
            raise ConnectionError("the connection is closed")

    async def ask(self, request: Any, kind: type[Any], timeout: float | None = None) -> Any:
        self.written.append(request.Parameters.NodesToWrite[0].Value.Value.Value)
        said = self.says.pop(0)
        if said is TimeoutError:
            await asyncio.sleep(timeout or 5)
            raise TimeoutError
        if isinstance(said, Exception):
            raise said
        return ua.WriteResponse(Results=[ua.StatusCode(code) for code in said])


class Context:
    """Has one command, and remembers the answer."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.answers: list[tuple[CommandStatus, str]] = []

    async def commands(self) -> AsyncIterator[Command]:
        yield self.command

    def answer(self, command: Command, status: CommandStatus, detail: str = "") -> None:
        assert command is self.command
        self.answers.append((status, detail))


async def carried_out(server: Server, pulse: Pulse | None = None, left: float = 10.0) -> Context:
    deadline = asyncio.get_running_loop().time() + left
    model = ControlModel.LATCH if pulse is None else ControlModel.PULSE
    command = Command("1", 0, Operation.DIRECT, 1.0, 1.0, model, deadline, Client("scada"), pulse)
    context = Context(command)
    await Executor(context, server, {0: OUTPUT}).run()
    return context


@paused
async def test_a_status_code_is_the_answer() -> None:
    """With its info bits masked; one that no table has is `refused`, a good one success."""
    for code, status in (
        (0, S.SUCCESS),
        (0x002E_0000, S.SUCCESS),
        (0x0096_0480, S.SUCCESS),
        (0x8034_0000, S.UNKNOWN_POINT),
        (0x803B_0480, S.NOT_SUPPORTED),
        (0x8074_0000, S.FORMAT_ERROR),
        (0x800A_0000, S.TIMEOUT),
        (0x8098_0000, S.REFUSED),
        (0x4000_0000, S.REFUSED),
    ):
        context = await carried_out(Server([code]))
        assert [one for one, _ in context.answers] == [status], hex(code)


@paused
async def test_silence_is_a_time_out_and_nothing_is_written_twice() -> None:
    """The server had until the command's deadline."""
    server = Server(TimeoutError)
    context = await carried_out(server, left=3.0)
    assert asyncio.get_running_loop().time() == pytest.approx(3.0)
    assert [one for one, _ in context.answers] == [S.TIMEOUT]
    assert server.written == [True]


@paused
async def test_a_connection_that_breaks_under_way_may_have_acted() -> None:
    """So the answer is not that nothing was done."""
    context = await carried_out(Server(ConnectionError("connection lost")))
    assert [one for one, _ in context.answers] == [S.TIMEOUT]


@paused
async def test_a_closed_connection_sends_nothing() -> None:
    """The client hears so, and the link begins anew."""
    server = Server(closed=True)
    command = Command("1", 0, Operation.DIRECT, 1.0, 1.0, ControlModel.LATCH, 10.0, Client("scada"))
    context = Context(command)
    with pytest.raises(ExceptionGroup) as error:
        await Executor(context, server, {0: OUTPUT}).run()
    assert error.group_contains(LinkError, match="nothing was sent")
    assert [one for one, _ in context.answers] == [S.UNREACHABLE]
    assert server.written == []


@paused
async def test_a_forgotten_session_did_nothing() -> None:
    """BadSessionIdInvalid: the server did not look at the request; it is not sent again."""
    server = Server(ua.UaStatusCodeError(ua.StatusCodes.BadSessionIdInvalid))
    command = Command("1", 0, Operation.DIRECT, 1.0, 1.0, ControlModel.LATCH, 10.0, Client("scada"))
    context = Context(command)
    with pytest.raises(ExceptionGroup) as error:
        await Executor(context, server, {0: OUTPUT}).run()
    assert error.group_contains(LinkError, match="BadSessionIdInvalid")
    assert [one for one, _ in context.answers] == [S.UNREACHABLE]
    assert server.written == [True]


@paused
async def test_a_pulse_that_may_be_on_is_put_off() -> None:
    """The answer stays time-out; the output is not left driven."""
    server = Server(TimeoutError, [0])
    context = await carried_out(server, Pulse(0.5))
    assert server.written == [True, False]
    assert [one for one, _ in context.answers] == [S.TIMEOUT]


@paused
async def test_a_train_of_pulses() -> None:
    """Three times on for 0.5 s, with 0.25 s between: 2 s in all."""
    server = Server(*[[0]] * 6)
    context = await carried_out(server, Pulse(0.5, 0.25, 3))
    assert server.written == [True, False] * 3
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)
    assert [one for one, _ in context.answers] == [S.SUCCESS]


@paused
async def test_a_refused_pulse_is_not_put_off() -> None:
    """It never was on."""
    server = Server([0x803B_0000])
    context = await carried_out(server, Pulse(0.5))
    assert server.written == [True]
    assert [one for one, _ in context.answers] == [S.NOT_SUPPORTED]


@paused
async def test_no_result_for_a_command_is_no_success() -> None:
    """A server that answers without a result said nothing of what it did."""
    context = await carried_out(Server([]))
    assert [one for one, _ in context.answers] == [S.TIMEOUT]
