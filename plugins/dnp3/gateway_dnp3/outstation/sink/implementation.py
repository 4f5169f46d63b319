"""The implementation table of the device profile: objects, functions and qualifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gateway import LinkPoint
from gateway_dnp3.outstation.family import FAMILIES, Family, PointType
from gateway_dnp3.outstation.sink.point import ControlType, Type, output_of, type_of

if TYPE_CHECKING:
    from gateway_dnp3.outstation.sink.sink import DnpOutstation

_READ = "1 (read): 00, 01, 06, 07, 08, 17, 28"
_LIST = "129 (response), 130 (unsolicited): 17, 28"
_NAMED = "129 (response): 00, 01"


def implementation(link: DnpOutstation, points: Sequence[LinkPoint]) -> list[Sequence[object]]:
    """Return group, variation, object, requests and responses, in the order of the groups."""
    return sorted(_rows(link, points), key=_place)


def _rows(link: DnpOutstation, points: Sequence[LinkPoint]) -> Iterator[Sequence[object]]:
    used = _families(points)
    # The status of an output that no row shows has no events.
    eventful = {type_of(point) for point in points} - {Type.IIN}
    reporting = {FAMILIES[kind.shown].event for kind in eventful}
    for family in used:
        events = family.events if family.event in reporting else ()
        assign = ""
        if events:
            assign = "; 22 (assign class): 00, 01, 06, 17, 28"
        freeze = "; 7-10 (freeze): 00, 01, 06, 17, 28" if family.static == 20 else ""
        yield family.static, 0, f"{family.name}, any variation", _READ + assign + freeze, ""
        for variation in sorted(family.statics):
            default = " (default)" if variation == family.statics[0] else ""
            yield family.static, variation, family.name + default, _READ, _NAMED
        if events:
            yield family.event, 0, f"{family.name} event, any variation", "1 (read): 06, 07, 08", ""
        for variation in sorted(events):
            default = " (default)" if variation == family.events[0] else ""
            yield (
                family.event,
                variation,
                f"{family.name} event{default}",
                ("1 (read): 06, 07, 08"),
                _LIST,
            )
    outputs = {output[0] for output in map(output_of, points) if output is not None}
    control = "3, 4, 5, 6 (select, operate, direct, no answer): 17, 28"
    if ControlType.CROB in outputs:
        yield 12, 1, "Control Relay Output Block", control, "129: echo"
    if ControlType.ANALOG_OUTPUT in outputs:
        for variation, name in enumerate(("32-bit", "16-bit", "single", "double"), 1):
            yield 41, variation, f"Analog Output, {name}", control, "129: echo"
    if any(family.static == 30 for family in used):
        yield 34, 0, "Analog Input Deadband, any variation", _READ, ""
        for variation in (1, 2, 3):
            yield 34, variation, "Analog Input Deadband", f"{_READ}; 2 (write): 00, 01", _NAMED
    yield 0, "196-255", "Device Attributes", "1 (read): 00, 06", "129: 00"
    yield 50, 1, "Time and Date", "1 (read), 2 (write): 07", "129: 07"
    yield 50, 3, "Time and Date at the last recorded time", "2 (write): 07", ""
    yield 51, "1, 2", "Time and Date CTO", "", "129, 130: 07"
    yield 52, 2, "Time Delay, fine", "", "129: 07"
    yield 60, 1, "Class 0", "1 (read): 06; 22 (assign class): 06", ""
    more = "; 20, 21 (unsolicited on, off): 06" if link.unsolicited else ""
    for number in (1, 2, 3):
        yield 60, number + 1, f"Class {number}", f"1 (read): 06, 07, 08{more}; 22: 06", ""
    yield 80, 0, "Internal Indications, any variation", "1 (read): 00, 06", ""
    yield 80, 1, "Internal Indications", "1 (read): 00, 06; 2 (write, index 7): 00", "129: 00"
    yield "-", "-", "no object", "23, 24 (delay, record time)", "129"
    if link.restart:
        yield "-", "-", "no object", "13, 14 (cold and warm restart)", "129"


def _place(row: Sequence[object]) -> tuple[int, int]:
    """Group and variation, for sorting; requests without an object stand last."""
    group, variation = row[0], row[1]
    last = 1000
    return (
        group if isinstance(group, int) else last,
        variation if isinstance(variation, int) else last,
    )


def _families(points: Sequence[LinkPoint]) -> list[Family]:
    kinds = {type_of(point) for point in points} - {Type.IIN}
    shown = {kind.shown for kind in kinds}
    for output in map(output_of, points):
        if output is not None:
            crob = output[0] is ControlType.CROB
            shown.add(PointType.BINARY_OUTPUT if crob else PointType.ANALOG_OUTPUT)
    if PointType.COUNTER in shown:
        shown.add(PointType.FROZEN_COUNTER)
    return [family for kind, family in FAMILIES.items() if kind in shown]
