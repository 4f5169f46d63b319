"""What a fragment holds, decoded: measurements with their times resolved, and the small values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gateway_dnp3.app.error import FragmentError
from gateway_dnp3.app.fragment import Fragment
from gateway_dnp3.app.function import NAMING, FunctionCode
from gateway_dnp3.app.iin import Iin
from gateway_dnp3.objects.attribute import Attribute, attributes
from gateway_dnp3.objects.clock import Schedule, schedules, times
from gateway_dnp3.objects.columns import NO_TIME, Columns
from gateway_dnp3.objects.control import Command, commands
from gateway_dnp3.objects.decode import decode
from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.file import File, files
from gateway_dnp3.objects.header import ObjectHeader, split
from gateway_dnp3.objects.layout import Use, layout
from gateway_dnp3.objects.text import Strings, strings

Item = Columns | Strings | list[Command] | list[int] | list[Schedule] | list[Attribute] | list[File]
"""What one header holds; an empty list where it holds nothing that is read."""

_READERS: dict[Use, Callable[[ObjectHeader], Any]] = {
    Use.COMMAND: commands,
    Use.TIME: times,
    Use.SCHEDULE: schedules,
    Use.STRING: strings,
    Use.ATTRIBUTE: attributes,
    Use.FILE: files,
}

_AT_TIME = frozenset({FunctionCode.FREEZE_AT_TIME, FunctionCode.FREEZE_AT_TIME_NR})
_SCHEDULED = frozenset({50})
_COMMON_TIME = 51


def headers(fragment: Fragment) -> Iterator[ObjectHeader]:
    """Yield the object headers of a fragment; raise ObjectError at the first that is not one."""
    return split(
        fragment.objects,
        naming=fragment.function in NAMING,
        carrying=_SCHEDULED if fragment.function in _AT_TIME else frozenset(),
    )


def contents(fragment: Fragment) -> Iterator[tuple[ObjectHeader, Item]]:
    """Yield each header of a response or a write with what it holds.

    Relative times are added to the common time of occurrence before them; without one the rows
    have NO_TIME. What stands before an ObjectError has been yielded when it is raised.
    """
    common: int | None = None
    synchronised = True
    for header in headers(fragment):
        known = layout(header.group, header.variation)
        use = known.use if known else Use.OPAQUE
        if use is Use.MEASUREMENT:
            columns = decode(header)
            yield header, _resolved(columns, common, synchronised) if columns.relative else columns
            continue
        item: Item = _READERS[use](header) if use in _READERS else []
        if header.group == _COMMON_TIME:
            (common,) = times(header)[-1:] or [None]
            synchronised = header.variation == 1
        yield header, item


def indication(error: ObjectError | FragmentError) -> Iin:
    """Return what an outstation says of a request that could not be read."""
    if isinstance(error, FragmentError):
        return Iin.NO_FUNC_CODE_SUPPORT
    return Iin.OBJECT_UNKNOWN if error.reason is Reason.UNKNOWN else Iin.PARAMETER_ERROR


def _resolved(columns: Columns, common: int | None, synchronised: bool) -> Columns:
    if common is None:
        time = np.full(len(columns), NO_TIME, np.int64)
    else:
        time = columns.time + common
    return replace(columns, time=time, relative=False, synchronised=synchronised)
