"""What a fragment holds, decoded: measurements with their times resolved, and the small values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.app.error import FragmentError
from gateway_dnp3.app.fragment import Fragment
from gateway_dnp3.app.function import NAMING, FunctionCode
from gateway_dnp3.app.iin import Iin
from gateway_dnp3.objects.attribute import Attribute, attributes
from gateway_dnp3.objects.clock import Schedule, schedules, times
from gateway_dnp3.objects.columns import NO_TIME, Columns
from gateway_dnp3.objects.control import Command, commands
from gateway_dnp3.objects.decode import decode, decode_all
from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.file import File
from gateway_dnp3.objects.header import ObjectHeader, split
from gateway_dnp3.objects.layout import LAYOUTS, Time, Use, is_measurement, layout
from gateway_dnp3.objects.qualifier import Qualifier
from gateway_dnp3.objects.text import Strings, strings
from gateway_dnp3.objects.transfer import files

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
        carrying=_carrying(fragment),
    )


def _carrying(fragment: Fragment) -> frozenset[int]:
    """Return the groups that a request brings along although it only names the others."""
    return _SCHEDULED if fragment.function in _AT_TIME else frozenset()


def contents(fragment: Fragment) -> Iterator[tuple[ObjectHeader, Item]]:
    """Yield each header with what it holds, which is an empty list where it only names points.

    Relative times are added to the common time of occurrence before them; without one the rows
    have NO_TIME. What stands before an ObjectError has been yielded when it is raised.
    """
    common: int | None = None
    synchronised = True
    naming, carrying = fragment.function in NAMING, _carrying(fragment)
    for header in headers(fragment):
        if naming and header.qualifier is not Qualifier.FREE and header.group not in carrying:
            yield header, []
            continue
        known = layout(header.group, header.variation)
        use = known.use if known else Use.OPAQUE
        if use is Use.MEASUREMENT:
            columns = decode(header)
            yield header, _resolved(columns, common, synchronised) if columns.relative else columns
            continue
        item: Item = _READERS[use](header) if use in _READERS else []
        if header.group == _COMMON_TIME:
            common = next(reversed(times(header)), None)
            synchronised = header.variation == 1
        yield header, item


def gather(found: Iterable[ObjectHeader]) -> tuple[list[Columns], NDArray[np.intp]]:
    """Return the measurements among headers, one `Columns` for each kind, and their order.

    Row *i* of all the columns put one after the other is number `order[i]` on the wire, so
    `np.argsort(order)` is the order in which the outstation reported them. What is no measurement
    is passed over. Much cheaper than `contents` where kinds alternate.
    """
    kinds: dict[tuple[int, int, int, bool], list[tuple[int, int, ObjectHeader]]] = {}
    common, synchronised, total = NO_TIME, True, 0
    for header in found:
        if header.group == _COMMON_TIME:
            common = next(reversed(times(header)), NO_TIME)
            synchronised = header.variation == 1
        elif is_measurement(header.group):
            known = LAYOUTS.get((header.group, header.variation))
            relative = known is not None and known.time is Time.RELATIVE
            kind = (
                header.group,
                header.variation,
                header.qualifier,
                synchronised or not relative,
            )
            kinds.setdefault(kind, []).append((total, common, header))
            total += header.count
    columns, orders = [], [np.zeros(0, np.intp)]
    for (*_, clock), some in kinds.items():
        one = decode_all([header for _, _, header in some])
        counts = np.array([header.count for _, _, header in some])
        firsts = np.array([first for first, _, _ in some])
        orders.append(
            np.arange(len(one)) + np.repeat(firsts - (np.cumsum(counts) - counts), counts)
        )
        if one.relative:
            bases = np.repeat(np.array([base for _, base, _ in some], np.int64), counts)
            time = np.where(bases == NO_TIME, NO_TIME, bases + one.time)
            one = replace(one, time=time, relative=False, synchronised=clock)
        columns.append(one)
    return columns, np.concatenate(orders)


def indication(error: ObjectError | FragmentError) -> Iin:
    """Return what an outstation says of a request that could not be read."""
    if isinstance(error, FragmentError):
        return Iin.NO_FUNC_CODE_SUPPORT
    return Iin.OBJECT_UNKNOWN if error.reason is Reason.UNKNOWN else Iin.PARAMETER_ERROR


def _resolved(columns: Columns, common: int | None, synchronised: bool) -> Columns:
    time = np.full(len(columns), NO_TIME, np.int64) if common is None else columns.time + common
    return replace(columns, time=time, relative=False, synchronised=synchronised)
