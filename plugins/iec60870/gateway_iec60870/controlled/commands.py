"""What the controlling station commands: from its ASDUs to requests, and back to its words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gateway import (
    ANSWERS,
    Answer,
    Client,
    CommandStatus,
    Operation,
    Request,
    SinkContext,
)
from gateway_iec60870.asdu import NO_TIME, TIME_INVALID, Asdu, AsduError, Cause, Command, command
from gateway_iec60870.controlled.layout import Layout, Output
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.type import COMMANDS
from gateway_iec60870.controlled.wanted import Unfit, wanted

_S = CommandStatus
UNDER_WAY = 64
"""Commands of one controlling station that are carried out at once, late ones included."""
LINGER = 60.0
"""Seconds for which a selection that has expired is remembered, so that its execute is refused."""


class _Refusal(NamedTuple):
    """What no request can be made of."""

    status: CommandStatus
    why: str
    point: str


class Commands:
    """Carries out commands; `send` takes answers for whoever asked, and is told who that was."""

    def __init__(
        self,
        ctx: SinkContext,
        manners: Manners,
        layout: Layout,
        send: Callable[[Asdu, Client], None],
    ) -> None:
        self._ctx = ctx
        self._manners = manners
        self._layout = layout
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        # By point, until when an execute belongs to the select.
        self._selected: dict[int, float] = {}

    def begin(self, asdu: Asdu, client: Client) -> None:
        """Carry out a command, whose answers are sent when it ends."""
        if len(self._tasks) >= UNDER_WAY:
            self._refuse(asdu, client, _S.RATE_LIMITED, "too many commands are under way")
            return
        # What is asked is settled in the order of the requests, whenever they end.
        request = self._request(asdu, client)
        if isinstance(request, _Refusal):
            self._refuse(asdu, client, request.status, request.why, request.point)
            return
        task = asyncio.create_task(self._carry_out(asdu, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def left(self) -> None:
        """Whoever commanded has left: what it had selected is free."""
        self._selected.clear()

    async def close(self) -> None:
        """Leave what has not begun; what was forwarded goes on to its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, asdu: Asdu, request: Request) -> None:
        status = _S.FAILED
        try:
            status = (await self._ctx.command(request)).status
        except Exception:
            self._ctx.log.exception("a command was not carried out")
        if request.operation is Operation.SELECT and status is not _S.SUCCESS:
            self._selected.pop(request.point, None)
        self._answer(asdu, request.client, request.operation, status)

    # What is asked for

    def _request(self, asdu: Asdu, client: Client) -> Request | _Refusal:
        try:
            said = command(asdu, self._manners.sizes)
        except AsduError as error:
            return _Refusal(_S.FORMAT_ERROR, str(error), "")
        name = f"object {said.object} of station {asdu.address}"
        output = self._layout.outputs.get((asdu.address, said.object))
        if output is None:
            known = (asdu.address, said.object) in self._layout.objects
            why = f"{name} is a measurement" if known else f"there is no {name}"
            return _Refusal(_S.UNKNOWN_POINT, why, name)
        point = output.point.name
        if output.type is not COMMANDS[asdu.type]:
            why = f"found a {COMMANDS[asdu.type]} command, allowed: {output.type}"
            return _Refusal(_S.NOT_SUPPORTED, why, point)
        late = self._late(said)
        if late:
            return _Refusal(_S.OUT_OF_RANGE, late, point)
        try:
            value, pulse = wanted(output.point, output.type, said)
        except Unfit as unfit:
            return _Refusal(unfit.status, str(unfit), point)
        return Request(
            output.point.id,
            self._operation(asdu, said, output),
            value,
            client,
            test=asdu.test,
            timeout=self._manners.command_timeout,
            pulse=pulse,
        )

    def _operation(self, asdu: Asdu, said: Command, output: Output) -> Operation:
        number, control = output.point.id, output.point.command
        assert control is not None  # noqa: S101 - it is an output
        if asdu.cause == Cause.DEACTIVATION:
            self._selected.pop(number, None)
            return Operation.CANCEL
        if said.select:
            self._selected[number] = self._loop.time() + control.select_timeout + LINGER
            return Operation.SELECT
        until = self._selected.pop(number, None)
        if control.select.needed or (until is not None and self._loop.time() < until):
            return Operation.EXECUTE
        return Operation.DIRECT

    def _late(self, said: Command) -> str:
        """Return what is wrong with the time of a command, if anything is."""
        if said.time == NO_TIME and not said.clock & TIME_INVALID:
            return ""
        window = self._manners.command_window
        if said.clock & TIME_INVALID:
            return f"found an invalid time, allowed: within {window:g} s of the gateway's"
        time, clock = np.array([said.time]), np.array([said.clock], np.uint8)
        sent = int(self._manners.zone.utc(time, clock)[0])
        age = self._ctx.now() / 1e9 - sent / 1e3
        if abs(age) <= window:
            return ""
        side = "old" if age > 0 else "ahead"
        return f"found a command {abs(age):.3f} s {side}, allowed: {window:g} s"

    # What is answered

    def _refuse(
        self, asdu: Asdu, client: Client, status: CommandStatus, why: str, point: str = ""
    ) -> None:
        answer: Answer = self._ctx.refused(client, status, why, point=point, type=str(asdu.type))
        cancel = asdu.cause == Cause.DEACTIVATION
        self._answer(asdu, client, Operation.CANCEL if cancel else None, answer.status)

    def _answer(
        self, asdu: Asdu, client: Client, operation: Operation | None, status: CommandStatus
    ) -> None:
        cause, negative = ANSWERS[status].iec104
        if cause < Cause.UNKNOWN_TYPE:
            if operation is Operation.CANCEL:
                failed = status not in (_S.SUCCESS, _S.CANCELLED)
                self._send(asdu.answer(Cause.DEACTIVATION_CON, failed), client)
                return
            if cause == Cause.ACTIVATION_TERM and operation is not Operation.SELECT:
                # The device took it, and failed at it.
                self._send(asdu.answer(Cause.ACTIVATION_CON), client)
            elif cause != Cause.ACTIVATION_CON:
                cause, negative = Cause.ACTIVATION_CON, True
        self._send(asdu.answer(cause, negative), client)
        done = status is _S.SUCCESS and cause == Cause.ACTIVATION_CON
        if done and operation in (Operation.EXECUTE, Operation.DIRECT):
            self._send(asdu.answer(Cause.ACTIVATION_TERM), client)
