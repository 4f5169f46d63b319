"""Commands on their way to an outstation: from the gateway's to controls, and back to answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway import (
    FROM_DNP3,
    Command,
    CommandStatus,
    ControlModel,
    LinkPoint,
    Operation,
    Pulse,
    SourceContext,
)
from gateway_dnp3.app import FunctionCode, Iin
from gateway_dnp3.master.association import Association
from gateway_dnp3.master.master import Master
from gateway_dnp3.master.moves import Ended, Job
from gateway_dnp3.master.point import (
    RESTARTS,
    VARIATIONS,
    ControlType,
    Operate,
    address_of,
    output_of,
)
from gateway_dnp3.master.script import Script, Verdict, restart
from gateway_dnp3.objects import (
    AnalogOutput,
    Crob,
    ObjectError,
    TripClose,
    control_code,
    encode_commands,
)
from gateway_dnp3.objects import Operation as Code

_S = CommandStatus
_REFUSALS = (
    (Iin.ALREADY_EXECUTING, _S.ALREADY_ACTIVE),
    (Iin.NO_FUNC_CODE_SUPPORT, _S.NOT_SUPPORTED),
    (Iin.OBJECT_UNKNOWN, _S.UNKNOWN_POINT),
    (Iin.PARAMETER_ERROR, _S.FORMAT_ERROR),
)
_FUNCTIONS = {
    ControlType.COLD_RESTART: FunctionCode.COLD_RESTART,
    ControlType.WARM_RESTART: FunctionCode.WARM_RESTART,
}


@dataclass(frozen=True, slots=True)
class Output:
    """Where a point is commanded.

    selects: the device is asked to select what is executed: by the client, or each time.
    """

    outstation: int
    type: ControlType
    index: int
    forwarded: bool = False
    operate: Operate = Operate.DIRECT
    trip_time: float = 0.1

    def objects(self, command: Command) -> bytes:
        """Return the control object; raises ObjectError where it cannot hold the value."""
        if self.type in VARIATIONS:
            value = AnalogOutput(self.index, VARIATIONS[self.type], command.raw)
            return encode_commands([value])
        return encode_commands([self._crob(command)])

    def _crob(self, command: Command) -> Crob:
        on = command.raw != 0
        match command.model:
            case ControlModel.PULSE:
                pulse = command.pulse or Pulse(self.trip_time)
                code = control_code(Code.PULSE_ON if on else Code.PULSE_OFF)
            case ControlModel.TRIP_CLOSE:
                pulse = Pulse(self.trip_time)
                code = control_code(Code.PULSE_ON, TripClose.CLOSE if on else TripClose.TRIP)
            case _:
                return Crob(self.index, control_code(Code.LATCH_ON if on else Code.LATCH_OFF))
        return Crob(
            self.index, code, pulse.count, round(pulse.on_time * 1e3), round(pulse.off_time * 1e3)
        )


def outputs(points: Iterable[LinkPoint], outstation: int | None) -> dict[int, Output]:
    """Return where the points are commanded that are."""
    found: dict[int, Output] = {}
    for point in points:
        output, address = output_of(point), address_of(point)
        where = outstation if address.outstation is None else address.outstation
        if output is not None and where is not None and point.command is not None:
            forwarded = point.command.select.forwarded
            found[point.id] = Output(where, *output, forwarded, address.operate, address.trip_time)
    return found


class Orders:
    """Carries out the commands of one connection."""

    def __init__(self, ctx: SourceContext, outputs: Mapping[int, Output], master: Master) -> None:
        self._ctx = ctx
        self._outputs = outputs
        self._master = master

    async def run(self) -> None:
        """Hand commands to the sessions until cancelled; each of them waits for its own answer."""
        async for command in self._ctx.commands():
            output = self._outputs.get(command.point)
            if output is None:
                self._ctx.answer(command, _S.NOT_SUPPORTED, "its row names no output")
                continue
            self._carry_out(command, output)

    def _carry_out(self, command: Command, output: Output) -> None:
        association = self._master.partners[output.outstation].association
        if command.operation is Operation.CANCEL:
            association.deselect()
            self._ctx.answer(command, _S.SUCCESS, "what was selected will not be operated")
            return
        if output.type in RESTARTS:
            if command.raw == 0:
                self._ctx.answer(command, _S.OUT_OF_RANGE, "only 1 restarts the outstation")
                return
            begin = partial(restart, _FUNCTIONS[output.type])
        else:
            try:
                objects = output.objects(command)
            except ObjectError as error:
                self._ctx.answer(command, _S.OUT_OF_RANGE, f"{error.found}; {error.allowed}")
                return
            begin = partial(_script, association, command.operation, output, objects)
        job = Job(
            command.operation.value,
            begin,
            expires=command.deadline,
            done=partial(self._ended, command, output.outstation),
        )
        if association.silent:
            self._ctx.answer(command, _S.UNREACHABLE, f"outstation {output.outstation} is silent")
        elif not association.submit(job):
            self._ctx.answer(command, _S.RATE_LIMITED, "too many commands wait")
        else:
            self._master.wake()

    def _ended(self, command: Command, outstation: int, ended: Ended, value: Any) -> None:
        self._ctx.answer(command, *answer(outstation, ended, value))


def _script(
    association: Association, operation: Operation, output: Output, objects: bytes
) -> Script:
    if operation is Operation.SELECT:
        return association.select(objects)
    selected = operation is Operation.EXECUTE and output.forwarded
    if selected or output.operate is Operate.SELECT:
        return association.operate(objects)
    return association.direct(objects)


def answer(outstation: int, ended: Ended, verdict: Verdict | None) -> tuple[CommandStatus, str]:
    """Return the gateway's words for how a command ended."""
    if ended is Ended.UNSENT:
        return _S.UNREACHABLE, f"outstation {outstation} is silent, or the time was over: not sent"
    if ended is Ended.SILENT:
        return _S.TIMEOUT, f"outstation {outstation} has not answered"
    if verdict is None:
        return _S.DEVICE_ERROR, f"the answer of outstation {outstation} cannot be used"
    if verdict.status is not None:
        status = FROM_DNP3.get(verdict.status, _S.REFUSED)
        return status, "" if status is _S.SUCCESS else f"control status {verdict.status}"
    for bit, status in _REFUSALS:
        if verdict.iin & bit:
            return status, f"the outstation indicates {(bit.name or '').lower()}"
    if verdict.iin & Iin.LOCAL_CONTROL:
        return _S.DEVICE_LOCAL, "the outstation indicates local_control"
    return _S.DEVICE_ERROR, f"{verdict.why}: it may have acted"
