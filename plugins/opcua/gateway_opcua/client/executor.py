"""Commands on their way to the server: written or called once, and what it said."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from asyncua import ua

from gateway import (
    FROM_OPCUA,
    Command,
    CommandStatus,
    ControlModel,
    LinkError,
    Operation,
    SourceContext,
)
from gateway_opcua.client.number import OutOfRange
from gateway_opcua.client.outputs import Method, Output
from gateway_opcua.client.session import FAILURES, Session, code_name, sentence

_S = CommandStatus
_LOST = (
    ua.StatusCodes.BadSessionIdInvalid,
    ua.StatusCodes.BadSessionClosed,
    ua.StatusCodes.BadSessionNotActivated,
    ua.StatusCodes.BadSecureChannelIdInvalid,
    ua.StatusCodes.BadSecureChannelClosed,
)
"""Faults of the session: the server did not even look at the request."""


class Failed(Exception):  # noqa: N818 - how a command ended
    """A request that did not succeed."""

    def __init__(self, status: CommandStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class SessionLost(Failed):
    """The session is no more: nothing was done, and the link must begin anew."""


class Executor:
    """Carries out the commands of one connection; `outputs` by the ids of points."""

    def __init__(
        self, ctx: SourceContext, session: Session, outputs: Mapping[int, Output | str]
    ) -> None:
        self._ctx = ctx
        self._session = session
        self.outputs = outputs

    async def run(self) -> None:
        """Carry out commands, those to different points side by side, until cancelled.

        The host has no two commands to one point under way, which bounds how many there are.
        """
        async with asyncio.TaskGroup() as tasks:
            async for command in self._ctx.commands():
                tasks.create_task(self._carry_out(command))

    async def _carry_out(self, command: Command) -> None:
        output = self.outputs.get(command.point)
        if not isinstance(output, Output):
            detail = output or "its row says nowhere to write it"
            self._ctx.answer(command, _S.NOT_SUPPORTED, detail)
            return
        attempt = _Attempt(self._session, command, output)
        try:
            await attempt.run()
        except OutOfRange as error:
            self._ctx.answer(command, _S.OUT_OF_RANGE, str(error))
        except SessionLost as error:
            self._ctx.answer(command, error.status, str(error))
            raise LinkError(str(error)) from error
        except Failed as error:
            self._ctx.answer(command, error.status, str(error))
        except asyncio.CancelledError:
            # What was sent, the host answers for: it may have acted.
            if not attempt.sent:
                detail = "nothing was sent: the link ended first"
                self._ctx.answer(command, _S.UNREACHABLE, detail)
            raise
        else:
            self._ctx.answer(command, _S.SUCCESS)


class _Attempt:
    """One command; nothing is ever sent a second time.

    sent: whether anything has been handed to the connection.
    """

    def __init__(self, session: Session, command: Command, output: Output) -> None:
        self.sent = False
        self._session = session
        self._command = command
        self._output = output
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Raises Failed, or OutOfRange where nothing was sent because of the value."""
        command, output = self._command, self._output
        if output.methods:
            method = output.methods.get(command.operation)
            if method is None:
                if command.operation is Operation.CANCEL:
                    return  # the server's own time-out ends the selection
                raise Failed(_S.NOT_SUPPORTED, f"its row has no method to {command.operation}")
            await self._call(method)
        elif command.model is ControlModel.PULSE and command.pulse is not None:
            await self._pulse()
        else:
            await self._write(output.writes(command))

    async def _pulse(self) -> None:
        """Drive the output on and off; where nobody knows whether it is on, it is put off."""
        pulse = self._command.pulse
        assert pulse is not None  # noqa: S101 - of this model
        on = self._output.writes(self._command, 1.0)
        off = self._output.writes(self._command, 0.0)
        for number in range(pulse.count):
            if number:
                await asyncio.sleep(pulse.off_time)
            try:
                await self._write(on)
            except Failed as error:
                if error.status is _S.TIMEOUT:
                    await self._put_off(off)
                raise
            await asyncio.sleep(pulse.on_time)
            await self._write(off)

    async def _put_off(self, off: ua.WriteValue) -> None:
        request = ua.WriteRequest()
        request.Parameters.NodesToWrite = [off]
        with contextlib.suppress(*FAILURES):
            await self._session.ask(request, ua.WriteResponse)

    async def _write(self, value: ua.WriteValue) -> None:
        request = ua.WriteRequest()
        request.Parameters.NodesToWrite = [value]
        answer = await self._send(request, ua.WriteResponse)
        self._check([int(one.value) for one in answer.Results or []])

    async def _call(self, method: Method) -> None:
        request = ua.CallRequest()
        request.Parameters.MethodsToCall = [
            method.call(self._output.number(self._command, method.argument))
        ]
        answer = await self._send(request, ua.CallResponse)
        self._check([int(one.StatusCode.value) for one in answer.Results or []])

    async def _send(self, request: Any, kind: type[Any]) -> Any:
        left = self._command.deadline - self._loop.time()
        if left <= 0:
            if self.sent:
                raise Failed(_S.TIMEOUT, "the time was over before all was written")
            raise Failed(_S.UNREACHABLE, "nothing was sent: the time was over")
        try:
            self._session.check()
            self.sent = True
            return await self._session.ask(request, kind, left)
        except ua.UaStatusCodeError as error:
            if error.code in _LOST:
                detail = f"{sentence(error)}: nothing was done"
                raise SessionLost(_S.UNREACHABLE, detail) from error
            raise _failed(error.code) from error
        except FAILURES as error:
            if not self.sent:
                detail = f"nothing was sent: {sentence(error)}"
                raise SessionLost(_S.UNREACHABLE, detail) from error
            raise Failed(_S.TIMEOUT, sentence(error)) from error

    def _check(self, codes: list[int]) -> None:
        if len(codes) != 1:
            raise Failed(_S.TIMEOUT, f"the server gave {len(codes)} results for one command")
        if codes[0] >> 30:
            raise _failed(codes[0])


def _failed(code: int) -> Failed:
    """Return what a StatusCode that is not good says of a command."""
    return Failed(FROM_OPCUA.get(code & 0xFFFF_0000, _S.REFUSED), code_name(code))
