"""What a master commands: from its controls to requests, and from the answers to its words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gateway import (
    ANSWERS,
    Answer,
    Client,
    CommandStatus,
    ControlModel,
    LinkPoint,
    Operation,
    Pulse,
    Request,
    SinkContext,
)
from gateway_dnp3.objects import AnalogOutput, Crob, TripClose
from gateway_dnp3.objects import Operation as Code
from gateway_dnp3.outstation.application import ControlOperation, Controls
from gateway_dnp3.outstation.sink.point import ControlType, address_of

_S = CommandStatus
UNDER_WAY = 4
"""Requests with controls that may be carried out at once, late ones included."""

_OPERATIONS = {
    ControlOperation.SELECT: Operation.SELECT,
    ControlOperation.OPERATE: Operation.EXECUTE,
    ControlOperation.DIRECT: Operation.DIRECT,
}


class Unfit(Exception):  # noqa: N818 - an answer
    """A control that no request can be made of."""

    def __init__(self, status: CommandStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


# operation and relay of the control code: the value, for points that go to a state.
_STATES = {
    (Code.LATCH_ON, TripClose.NUL): 1.0,
    (Code.LATCH_OFF, TripClose.NUL): 0.0,
    (Code.LATCH_ON, TripClose.CLOSE): 1.0,
    (Code.LATCH_OFF, TripClose.TRIP): 0.0,
    (Code.LATCH_ON, TripClose.TRIP): 0.0,
    (Code.PULSE_ON, TripClose.CLOSE): 1.0,
    (Code.PULSE_ON, TripClose.TRIP): 0.0,
    (Code.NUL, TripClose.CLOSE): 1.0,
    (Code.NUL, TripClose.TRIP): 0.0,
}
_PULSES = {(Code.PULSE_ON, TripClose.NUL): 1.0, (Code.PULSE_OFF, TripClose.NUL): 0.0}


def wanted(point: LinkPoint, command: Crob | AnalogOutput) -> tuple[float, Pulse | None]:
    """Return the value that a control stands for in the point's unit, and its pulse.

    Raises Unfit.
    """
    control = point.command
    assert control is not None  # noqa: S101 - it has an output
    if isinstance(command, AnalogOutput):
        address = address_of(point)
        return command.value * address.scale + address.offset, None
    if command.clear or command.code & 0x10:
        raise Unfit(_S.NOT_SUPPORTED, f"control code {command.code:#04x}: no queue, no clear")
    if not command.count:
        raise Unfit(_S.FORMAT_ERROR, "count 0: nothing to carry out")
    key = command.operation, command.trip_close
    if control.model is ControlModel.PULSE:
        value = _PULSES.get(key)  # type: ignore[arg-type]
        if value is None:
            raise Unfit(_S.NOT_SUPPORTED, _not_fitting(command, "a pulse", "PULSE_ON, PULSE_OFF"))
        if not command.on_time:
            # The point's own pulse, as often as asked for.
            pulse = control.pulse
            assert pulse is not None  # noqa: S101 - its model needs one
            return value, Pulse(pulse.on_time, pulse.off_time, command.count)
        return value, Pulse(command.on_time / 1e3, command.off_time / 1e3, command.count)
    value = _STATES.get(key)  # type: ignore[arg-type]
    if value is None:
        raise Unfit(
            _S.NOT_SUPPORTED,
            _not_fitting(command, f"model {control.model}", "LATCH_ON, LATCH_OFF, CLOSE, TRIP"),
        )
    if command.count > 1:
        raise Unfit(_S.NOT_SUPPORTED, f"count {command.count}: model {control.model} takes 1")
    return value, None


def _not_fitting(command: Crob, what: str, allowed: str) -> str:
    return f"control code {command.code:#04x} does not fit {what}, allowed: {allowed}"


class Commands:
    """Carries out the controls of one master; `outputs` are the points that it may command."""

    def __init__(
        self,
        ctx: SinkContext,
        outputs: Mapping[tuple[ControlType, int], LinkPoint],
        timeout: float | None,
        done: Callable[[Controls, list[int]], None],
    ) -> None:
        self._ctx = ctx
        self._outputs = outputs
        self._timeout = timeout
        self._done = done
        self._client: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._selected: dict[Controls, list[Request]] = {}
        self._releasing: asyncio.Task[None] | None = None

    def speaks(self, client: Client | None) -> None:
        """Say who the master is from now on; None where it has left."""
        if self._client is not None and client != self._client:
            self._selected.clear()
            self._ctx.release(self._client)
        self._client = client

    def operate(self, controls: Controls) -> None:
        """Begin to carry out; the answers come with `done`."""
        client = self._client
        if client is None or len(self._tasks) >= UNDER_WAY:
            status = _S.RATE_LIMITED if client is not None else _S.FAILED
            if client is not None:
                self._ctx.refused(client, status, "too many requests are under way")
            count = len(controls.commands)
            asyncio.get_running_loop().call_soon(
                self._done, controls, [ANSWERS[status].dnp3] * count
            )
            return
        self._begin(self._carry_out(client, controls))

    def release(self, controls: Controls) -> None:
        """Give back what was selected by these."""
        requests = self._selected.pop(controls, [])
        if requests:
            self._releasing = self._begin(self._cancel(requests))

    def refused(self, controls: Controls, status: int, why: str) -> None:
        """Put on record what the session refused by itself."""
        if self._client is not None:
            word = (
                _S.NO_SELECT if controls.operation is ControlOperation.OPERATE else _S.FORMAT_ERROR
            )
            self._ctx.refused(
                self._client, word, why, controls=_text(controls.commands), answer=str(status)
            )

    async def close(self) -> None:
        """Leave what has not begun; what was forwarded goes on to its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _carry_out(self, client: Client, controls: Controls) -> None:
        """All are selected, or none; what is operated is begun in the order of the request."""
        statuses = [ANSWERS[_S.FAILED].dnp3] * len(controls.commands)
        try:
            if self._releasing is not None and not self._releasing.done():
                await asyncio.wait({self._releasing})
            operation = _OPERATIONS[controls.operation]
            requests = [self._request(client, operation, one) for one in controls.commands]
            answers = await asyncio.gather(*(self._ask(client, one) for one in requests))
            statuses = [ANSWERS[answer.status].dnp3 for answer in answers]
            if operation is Operation.SELECT:
                held = [
                    request
                    for request, answer in zip(requests, answers, strict=True)
                    if answer and isinstance(request, Request)
                ]
                if all(answers):
                    self._selected = {controls: held}
                else:
                    await self._cancel(held)
                    given_back = ANSWERS[_S.CANCELLED].dnp3
                    statuses = [status or given_back for status in statuses]
            else:
                self._selected.clear()
        except Exception:
            self._ctx.log.exception("controls were not carried out")
        self._done(controls, statuses)

    def _request(
        self, client: Client, operation: Operation, command: Crob | AnalogOutput
    ) -> Request | tuple[CommandStatus, str, str]:
        kind = ControlType.CROB if isinstance(command, Crob) else ControlType.ANALOG_OUTPUT
        point = self._outputs.get((kind, command.index))
        if point is None:
            return (
                _S.UNKNOWN_POINT,
                f"there is no {kind} {command.index}",
                f"{kind} {command.index}",
            )
        try:
            value, pulse = wanted(point, command)
        except Unfit as unfit:
            return unfit.status, str(unfit), point.name
        return Request(point.id, operation, value, client, timeout=self._timeout, pulse=pulse)

    async def _ask(
        self, client: Client, request: Request | tuple[CommandStatus, str, str]
    ) -> Answer:
        if isinstance(request, Request):
            return await self._ctx.command(request)
        status, why, point = request
        return self._ctx.refused(client, status, why, point=point)

    async def _cancel(self, requests: Sequence[Request]) -> None:
        for request in requests:
            cancel = Request(request.point, Operation.CANCEL, request.value, request.client)
            await self._ctx.command(cancel)


def _text(commands: Sequence[Crob | AnalogOutput]) -> str:
    return ", ".join(
        f"crob {one.index} code {one.code:#04x}"
        if isinstance(one, Crob)
        else f"analog_output {one.index} {one.value:g}"
        for one in commands[:8]
    )
