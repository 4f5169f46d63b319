"""The basic application functions of the interoperability sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import Keep, Kind, LinkPoint, seconds_text
from gateway_iec60870.asdu import SUMMER_TIME
from gateway_iec60870.controlled.point import address_of, type_of
from gateway_iec60870.controlled.sheet.markdown import Row, mark, table
from gateway_iec60870.controlled.sheet.uses import Output
from gateway_iec60870.controlled.type import SWITCHES, ControlType, Type
from gateway_iec60870.controlled.wanted import LONG, PERSISTENT, SHORT, UNSAID, qualifiers
from gateway_iec60870.zone import Zone

if TYPE_CHECKING:
    from gateway_iec60870.controlled.link import ControlledLink

_HEAD = ("function", "used", "in this station")
Points = Sequence[LinkPoint]


def functions(
    link: ControlledLink, points: Points, commanded: Sequence[Output], certified: bool
) -> Iterator[str]:
    """Yield title and table of each function, in the order of the standard.

    certified: whether the control centre shows a certificate.
    """
    for title, rows in (
        ("Station initialisation", _initialisation(link)),
        ("Cyclic data transmission", _cyclic(points)),
        ("Read procedure", [("Read procedure", "X", "what the object is now (cause 5)")]),
        ("Spontaneous transmission", _spontaneous(link, points)),
        ("Double transmission", [("of an object with cause spontaneous", "", "")]),
        ("Station interrogation", _interrogation(points)),
        ("Clock synchronisation", _clock(link)),
        ("Command transmission", [*_commands(link, commanded), _commanders(link, certified)]),
        ("Transmission of integrated totals", _totals(points)),
        ("Parameter loading", [(one, "", "") for one in _PARAMETERS]),
        ("Parameter activation", [("Act or deact of persistent cyclic transmission", "", "")]),
        (
            "Test procedure",
            [("Test procedure", "X", "mirrored, also while commands are under way")],
        ),
        ("File transfer", [(one, "", "") for one in _FILES]),
        ("Background scan", _background(link, points)),
        ("Acquisition of transmission delay", _DELAY),
    ):
        yield f"### {title}"
        yield table(_HEAD, rows)


_PARAMETERS = ("Threshold value", "Smoothing factor", "Low limit", "High limit")
_FILES = (
    "Monitor direction: transparent file",
    "Monitor direction: disturbance data of protection equipment",
    "Monitor direction: sequences of events",
    "Monitor direction: sequences of recorded analogue values",
    "Control direction: transparent file",
)
_DELAY = [
    (
        "Acquisition of transmission delay",
        "",
        "C_CD_NA_1 is confirmed, and of no use to a clock that is not set",
    )
]


def _initialisation(link: ControlledLink) -> Iterator[Row]:
    remote = "C_RP_NA_1 with QRP 1 restarts this link, not the gateway" if link.restart else ""
    yield "Remote initialisation", mark(link.restart), remote
    once = "M_EI_NA_1 of each common address, once after each start of the link, COI 0"
    yield "End of initialisation", "X", once


def _cyclic(points: Points) -> Iterator[Row]:
    periods = [address_of(point).cycle for point in points]
    found = sorted({one for one in periods if one is not None})
    words = ", ".join(f"every {seconds_text(one)}: {_objects(periods.count(one))}" for one in found)
    yield "Cyclic data transmission", mark(found), words


def _spontaneous(link: ControlledLink, points: Points) -> Iterator[Row]:
    eventful = [point for point in points if address_of(point).eventful]
    words = "in the order of occurrence; on disk until they are acknowledged"
    yield "Spontaneous transmission", mark(eventful), words if eventful else ""
    for keep, meaning in (
        (Keep.EVERY, "every change is reported"),
        (Keep.LATEST, "one change of a point waits at most, a later one takes its place"),
    ):
        kept = [p for p in eventful if (address_of(p).keep or link.keep.of(p.kind)) is keep]
        kinds = ", ".join(kind.value for kind in Kind if any(p.kind is kind for p in kept))
        yield f"of {_objects(len(kept))}: {meaning}", mark(kept), kinds


def _interrogation(points: Points) -> Iterator[Row]:
    plain = [point for point in points if type_of(point) is not Type.TOTALS]
    said = f"{_objects(len(plain))}, without time tags, behind the events that are older"
    yield "Global", "X", said
    groups = [address_of(point).group for point in plain]
    for number in range(1, 17):
        count = groups.count(number)
        yield f"Group {number}", mark(count), _objects(count) if count else ""


def _clock(link: ControlledLink) -> Iterator[Row]:
    yield (
        "Clock synchronisation",
        "",
        "C_CS_NA_1 is confirmed with the gateway's own time, which is not set by it",
    )
    yield "Day of week used", "X", ""
    yield "RES1, GEN (time tag substituted or not) used", "", ""
    yield "SU bit (summer time) used", mark(_summer(link.manners.zone)), ""
    zone = link.time_zone
    yield "Zone of the time tags", "", zone if zone == "UTC" else f"civil time of {zone}"
    yield "IV of a time tag", "X", "the clock that gave the time is not synchronised"


def _summer(zone: Zone) -> bool:
    """Return whether a zone has a summer time this year."""
    year = datetime.now(UTC).year
    months = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)]
    return any(zone.civil_of(int(one.timestamp() * 1000))[1] & SUMMER_TIME for one in months)


def _commands(link: ControlledLink, commanded: Sequence[Output]) -> Iterator[Row]:
    switches = [one for one in commanded if one.type in SWITCHES]
    numbers = [one for one in commanded if one.type not in SWITCHES]
    selected = [one for one in numbers if one.type is not ControlType.BITSTRING]
    taken = [qualifiers(one.point) for one in switches]
    for title, count in (
        ("Direct command transmission", _direct(switches)),
        ("Direct set point command transmission", _direct(numbers)),
        ("Select and execute command", len(switches)),
        ("Select and execute set point command", len(selected)),
        ("C_SE ACTTERM used", len(numbers)),
        ("No additional definition (QU 0)", sum(UNSAID in one for one in taken)),
        ("Short-pulse duration (QU 1)", sum(SHORT in one for one in taken)),
        ("Long-pulse duration (QU 2)", sum(LONG in one for one in taken)),
        ("Persistent output (QU 3)", sum(PERSISTENT in one for one in taken)),
    ):
        yield title, mark(count), f"of {_objects(count)}" if count else ""
    yield (
        "Supervision of maximum delay of commands and set point commands",
        mark(commanded),
        f"{seconds_text(link.command_window)}, of commands with a time tag" if commanded else "",
    )


def _direct(some: Iterable[Output]) -> int:
    return sum(not one.control.select.needed for one in some)


def _commanders(link: ControlledLink, certified: bool) -> Row:
    words = "nobody: there is no role, and no certificate is asked for"
    if certified:
        words = "who shows a certificate that `access` knows"
    if link.role is not None:
        anybody = f"anybody, with the role {link.role}"
        words = f"{words}; {anybody}" if certified else anybody
    return "Who may command", "", words


def _totals(points: Points) -> Iterator[Row]:
    totals = [point for point in points if type_of(point) is Type.TOTALS]
    eventful = [point for point in totals if address_of(point).eventful]
    own = "the totals and their freezing are the devices'; each new one is reported"
    yield "Mode A: local freeze with spontaneous transmission", mark(eventful), own * bool(eventful)
    read = "of those that C_CI_NA_1 has not frozen, the latest of the device"
    yield "Mode B: local freeze with counter interrogation", mark(totals), read * bool(totals)
    yield "Mode C: freeze and transmit by counter interrogation commands", mark(totals), ""
    yield "Mode D: freeze by command, frozen values reported spontaneously", "", ""
    yield "Counter read", mark(totals), ""
    yield "Counter freeze without reset", mark(totals), ""
    reset = "of what this control centre is shown; the counter of the device is not touched"
    yield "Counter freeze with reset", mark(totals), reset * bool(totals)
    yield "Counter reset", mark(totals), reset * bool(totals)
    yield "General request counter", mark(totals), _objects(len(totals)) if totals else ""
    groups = [address_of(point).counter_group for point in totals]
    for number in range(1, 5):
        count = groups.count(number)
        yield f"Request counter group {number}", mark(count), _objects(count) if count else ""


def _background(link: ControlledLink, points: Points) -> Iterator[Row]:
    period = link.manners.background
    count = sum(
        address_of(point).background and type_of(point) is not Type.TOTALS for point in points
    )
    used = period is not None and count
    words = "" if period is None else f"every {seconds_text(period)}: {_objects(count)}"
    yield "Background scan", mark(used), words


def _objects(count: int) -> str:
    return f"{count} object" + "s" * (count != 1)
