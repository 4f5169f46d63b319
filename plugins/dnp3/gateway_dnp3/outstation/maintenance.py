"""Requests that change how the outstation works: writes, freezes, classes, time, restarts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway_dnp3.app import Fragment, FunctionCode, Iin, contents, headers
from gateway_dnp3.objects import Columns, ObjectHeader, Qualifier, time_object
from gateway_dnp3.outstation.family import BY_STATIC, DEADBANDS, FAMILIES, PointType
from gateway_dnp3.outstation.reading import rows_of

if TYPE_CHECKING:
    from gateway_dnp3.outstation.session import Session

_F = FunctionCode
CLASSES = 60
RESTART_BIT = 7
LONGEST_DELAY = 0xFFFF
_COUNTER = FAMILIES[PointType.COUNTER]
_ANALOG = FAMILIES[PointType.ANALOG_INPUT]

Outcome = tuple[Iin, bytes]


class Maintenance:
    """Carries these requests out for a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._recorded: float | None = None

    def do(self, request: Fragment) -> Outcome:
        """Return the indications and the objects of the answer; raises ObjectError."""
        return _DO[request.function](self, request)

    # WRITE

    def _write(self, request: Fragment) -> Outcome:
        iin = Iin.NONE
        for header, item in contents(request):
            kind = header.group, header.variation
            if kind == (80, 1) and isinstance(item, Columns):
                iin |= self._write_indications(item)
            elif kind in ((50, 1), (50, 3)):
                iin |= self._write_time(header, item)
            elif header.group == DEADBANDS and isinstance(item, Columns):
                iin |= self._write_deadbands(item)
            else:
                iin |= Iin.OBJECT_UNKNOWN
        return iin, b""

    def _write_indications(self, columns: Columns) -> Iin:
        """Only IIN1.7 may be written, and only to clear it."""
        if columns.index.tolist() != [RESTART_BIT] or columns.value.any():
            return Iin.PARAMETER_ERROR
        self._session.restarted = False
        return Iin.NONE

    def _write_time(self, header: ObjectHeader, item: object) -> Iin:
        """g50v3 holds from the moment that RECORD_CURRENT_TIME noted (clause 10.3)."""
        if not isinstance(item, list) or len(item) != 1:
            return Iin.PARAMETER_ERROR
        session = self._session
        delay: float | None = None
        if header.variation == 3:
            if self._recorded is None:
                return Iin.PARAMETER_ERROR
            delay = session.clock() - self._recorded
            self._recorded = None
        session.application.time_written(int(item[0]), delay)
        if session.settings.need_time is not None:
            session.time_due = session.clock() + session.settings.need_time
        return Iin.NONE

    def _write_deadbands(self, columns: Columns) -> Iin:
        database = self._session.database
        table = database.tables.get(_ANALOG.code)
        iin = Iin.NONE
        for index, width in zip(columns.index.tolist(), columns.value.tolist(), strict=True):
            slot = None if table is None else table.slot_of(index)
            if slot is None or not 0 <= width < float("inf"):
                iin |= Iin.PARAMETER_ERROR
            else:
                database.set_deadband(slot, width)
        return iin

    # Counters, classes

    def _freeze(self, request: Fragment, *, clear: bool = False) -> Outcome:
        iin = Iin.NONE
        database = self._session.database
        table = database.tables.get(_COUNTER.code)
        for header in headers(request):
            if header.group != _COUNTER.static:
                iin |= Iin.OBJECT_UNKNOWN
            elif table is None:
                iin |= Iin.PARAMETER_ERROR
            else:
                rows, complete = rows_of(table, header)
                database.freeze(table, rows, clear=clear)
                iin |= Iin.NONE if complete else Iin.PARAMETER_ERROR
        return iin, b""

    def _freeze_clear(self, request: Fragment) -> Outcome:
        return self._freeze(request, clear=True)

    def _assign(self, request: Fragment) -> Outcome:
        """Each header of group 60 says the class of the points that follow (clause 4.4.10)."""
        iin = Iin.NONE
        wanted: int | None = None
        database = self._session.database
        for header in headers(request):
            family = BY_STATIC.get(header.group)
            if header.group == CLASSES and 1 <= header.variation <= 4:
                wanted = header.variation - 1
            elif family is None or wanted is None or not family.events:
                iin |= Iin.OBJECT_UNKNOWN if family is None else Iin.PARAMETER_ERROR
            elif (table := database.tables.get(family.code)) is None:
                iin |= Iin.PARAMETER_ERROR
            else:
                rows, complete = rows_of(table, header)
                database.event_class[table.slot[rows]] = wanted
                iin |= Iin.NONE if complete else Iin.PARAMETER_ERROR
        return iin, b""

    # Unsolicited

    def _classes(self, request: Fragment) -> tuple[Iin, int]:
        iin, mask = Iin.NONE, 0
        for header in headers(request):
            if header.group != CLASSES or header.qualifier is not Qualifier.ALL:
                iin |= Iin.OBJECT_UNKNOWN if header.group != CLASSES else Iin.PARAMETER_ERROR
            elif 2 <= header.variation <= 4:
                mask |= 1 << header.variation - 1
            else:
                iin |= Iin.PARAMETER_ERROR
        return iin, mask

    def _enable(self, request: Fragment) -> Outcome:
        if self._session.unsolicited.settings is None:
            return Iin.NO_FUNC_CODE_SUPPORT, b""
        iin, mask = self._classes(request)
        self._session.unsolicited.enable(mask)
        return iin, b""

    def _disable(self, request: Fragment) -> Outcome:
        if self._session.unsolicited.settings is None:
            return Iin.NO_FUNC_CODE_SUPPORT, b""
        iin, mask = self._classes(request)
        self._session.unsolicited.disable(mask)
        return iin, b""

    # Time, restarts

    def _delay(self, request: Fragment) -> Outcome:
        # Requests are answered in the moment in which they come: no delay of ours.
        return Iin.NONE, time_object(52, 2, 0)

    def _record(self, request: Fragment) -> Outcome:
        self._recorded = self._session.clock()
        return Iin.NONE, b""

    def _restart(self, request: Fragment) -> Outcome:
        cold = request.function is _F.COLD_RESTART
        delay = self._session.application.restart(cold=cold)
        if delay is None:
            return Iin.NO_FUNC_CODE_SUPPORT, b""
        return Iin.NONE, time_object(52, 2 if delay <= LONGEST_DELAY else 1, delay)


_DO: dict[FunctionCode, Callable[[Maintenance, Fragment], Outcome]] = {
    _F.WRITE: Maintenance._write,
    _F.IMMED_FREEZE: Maintenance._freeze,
    _F.IMMED_FREEZE_NR: Maintenance._freeze,
    _F.FREEZE_CLEAR: Maintenance._freeze_clear,
    _F.FREEZE_CLEAR_NR: Maintenance._freeze_clear,
    _F.ASSIGN_CLASS: Maintenance._assign,
    _F.ENABLE_UNSOLICITED: Maintenance._enable,
    _F.DISABLE_UNSOLICITED: Maintenance._disable,
    _F.DELAY_MEASURE: Maintenance._delay,
    _F.RECORD_CURRENT_TIME: Maintenance._record,
    _F.COLD_RESTART: Maintenance._restart,
    _F.WARM_RESTART: Maintenance._restart,
}
