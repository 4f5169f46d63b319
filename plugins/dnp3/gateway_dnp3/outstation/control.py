"""SELECT, OPERATE and DIRECT OPERATE: from objects to commands, and the echo of them back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway_dnp3.app import Fragment, FunctionCode, Iin, headers
from gateway_dnp3.objects import AnalogOutput, CommandStatus, Crob, Qualifier, commands
from gateway_dnp3.objects import encode_commands as encode
from gateway_dnp3.objects.error import Reason
from gateway_dnp3.outstation.application import Application, ControlOperation, Controls
from gateway_dnp3.outstation.settings import SessionSettings

_F = FunctionCode
_OPERATIONS = {
    _F.SELECT: ControlOperation.SELECT,
    _F.OPERATE: ControlOperation.OPERATE,
    _F.DIRECT_OPERATE: ControlOperation.DIRECT,
    _F.DIRECT_OPERATE_NR: ControlOperation.DIRECT,
}
PATTERN = 2
"""The variation of g12 that is a pattern control block, which is not supported."""


@dataclass(frozen=True, slots=True)
class _Header:
    qualifier: Qualifier
    commands: list[Crob | AnalogOutput]


@dataclass(frozen=True, slots=True)
class _Selection:
    """What was selected, and by which request."""

    sequence: int
    objects: bytes
    controls: Controls


class Outputs:
    """What one master has selected, and what it is being answered.

    An OPERATE follows its SELECT at once, with the next sequence number and the same objects
    (IEEE 1815 clause 4.4.3); whether it comes in time is for the application to say.
    """

    def __init__(self, settings: SessionSettings, application: Application) -> None:
        self._settings = settings
        self._application = application
        self._selection: _Selection | None = None
        self._asked: dict[Controls, tuple[Fragment, list[_Header]]] = {}

    def forget(self) -> None:
        """Give back what is selected: the master did something else."""
        selection, self._selection = self._selection, None
        if selection is not None:
            self._application.release(selection.controls)

    def take(self, request: Fragment) -> Controls | tuple[Iin, bytes]:
        """Return what is to be carried out, or the answer where nothing is.

        Raises ObjectError for objects that are no commands.
        """
        parts = self._parts(request)
        asked = tuple(command for part in parts for command in part.commands)
        controls = Controls(_OPERATIONS[request.function], asked)
        if not asked:
            return Iin.PARAMETER_ERROR, b""
        if len(asked) > self._settings.controls:
            self.forget()
            why = f"{len(asked)} controls in one request, allowed: {self._settings.controls}"
            return self._refuse(controls, parts, CommandStatus.TOO_MANY_OBJS, why)
        if request.function is _F.OPERATE:
            selection = self._selection
            if (
                selection is None
                or request.objects != selection.objects
                or request.control.sequence != (selection.sequence + 1) % 16
            ):
                self.forget()
                why = "not the request that follows its select, or with other objects"
                return self._refuse(controls, parts, CommandStatus.NO_SELECT, why)
            self._selection = None
        self._asked[controls] = request, parts
        return controls

    def _parts(self, request: Fragment) -> list[_Header]:
        parts = []
        for header in headers(request):
            if (header.group, header.variation) == (12, PATTERN):
                raise header.error(
                    "a pattern control block", "g12v1, g41v1 to g41v4", Reason.UNKNOWN
                )
            parts.append(_Header(header.qualifier, commands(header)))
        return parts

    def _refuse(
        self, controls: Controls, parts: list[_Header], status: CommandStatus, why: str
    ) -> tuple[Iin, bytes]:
        self._application.refused(controls, status, why)
        return Iin.NONE, _echo(parts, [status] * len(controls.commands))

    def done(self, controls: Controls, statuses: list[int], *, late: bool = False) -> bytes:
        """Return the objects of the answer: those of the request, each with its status.

        late: the master does not wait for it any more; what it has selected is given back.
        """
        request, parts = self._asked.pop(controls)
        if request.function is _F.SELECT and not any(statuses):
            if late:
                self._application.release(controls)
            else:
                self._selection = _Selection(request.control.sequence, request.objects, controls)
        return _echo(parts, statuses)


def _echo(parts: list[_Header], statuses: list[int]) -> bytes:
    left = iter(statuses)
    return b"".join(
        encode([replace(command, status=next(left)) for command in part.commands], part.qualifier)
        for part in parts
        if part.commands
    )
