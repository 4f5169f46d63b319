"""Measurements out of a fragment, as far as it can be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_dnp3.app import Fragment, contents
from gateway_dnp3.objects import Columns, ObjectError
from gateway_dnp3.objects.layout import EVENTS

_TIMES = frozenset({50, 51, 52})


@dataclass(slots=True)
class Reading:
    """What stands in a fragment.

    left:  objects that are no measurements: strings, attributes.
    fault: why it could not be read to its end; empty where it could.
    """

    columns: list[Columns] = field(default_factory=list)
    left: int = 0
    fault: str = ""

    @property
    def events(self) -> bool:
        return any(one.group in EVENTS for one in self.columns)


def measurements(fragment: Fragment) -> Reading:
    """Return what can be read.

    Of a fragment that cannot be read to its end, and so will not be confirmed, only the static
    part counts: its events will be sent again.
    """
    reading = Reading()
    try:
        for header, item in contents(fragment):
            if not isinstance(item, Columns):
                reading.left += header.count if header.group not in _TIMES else 0
            elif len(item):
                reading.columns.append(item)
    except ObjectError as error:
        reading.fault = str(error)
        if fragment.control.con:
            reading.columns = [one for one in reading.columns if one.group not in EVENTS]
    return reading
