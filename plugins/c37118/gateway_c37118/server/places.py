"""Which point goes where in the frames of a stream, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway import Kind, LinkPoint
from gateway_c37118.server.point import (
    SHORT,
    Align,
    C37ServerPoint,
    Part,
    Place,
    Quantity,
    What,
)
from gateway_c37118.server.settings import Numbers, PmuSettings

VOLTS = {"mV": 1e-3, "V": 1.0, "kV": 1e3, "MV": 1e6}
AMPERES = {"mA": 1e-3, "A": 1.0, "kA": 1e3}
DEGREES = ("", "deg", "°", "degree", "degrees")
UNITS = {
    What.FREQUENCY: {"": 1.0, "Hz": 1.0, "mHz": 1e-3},
    What.ROCOF: {"": 1.0, "Hz/s": 1.0, "mHz/s": 1e-3},
}
MOST_SCALE = 167.77215
"""V or A per count: PHUNIT has 24 bits of 1e-5 (table 9)."""
SLOW = (What.ANALOG, What.DIGITAL, What.TRIGGER, What.REASON)
"""What is held unless its point says otherwise."""
PAIRS = ({Part.MAGNITUDE, Part.ANGLE}, {Part.REAL, Part.IMAGINARY})

Problem = tuple[LinkPoint, str, str]
"""A point, the column at fault, and a sentence."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A point of the stream.

    pmu:    its index.
    factor: from the point's unit to V, A, Hz or Hz/s, and 1 for angles.
    """

    point: LinkPoint
    address: C37ServerPoint
    item: Place
    pmu: int
    factor: float
    current: bool

    @property
    def exact(self) -> bool:
        """Whether only the sample of the frame's own instant will do."""
        slow = self.item.what in SLOW
        return self.address.align is Align.EXACT or (self.address.align is None and not slow)


def places(points: Iterable[LinkPoint], pmus: Sequence[PmuSettings]) -> list[Placed]:
    """Return the places of points that have one, in the order of the point list."""
    known = {pmu.station: i for i, pmu in reversed(list(enumerate(pmus)))}
    known |= {str(pmu.idcode): i for i, pmu in enumerate(pmus)}
    found = []
    for point in points:
        address = point.address
        if not isinstance(address, C37ServerPoint):
            continue
        pmu = 0 if address.pmu is None else known.get(address.pmu, -1)
        item = Place.parse(address.item)
        factor, current = _unit(item, point.definition.unit, address.quantity)
        found.append(Placed(point, address, item, pmu, factor, current))
    return found


def _unit(item: Place, unit: str, quantity: Quantity | None) -> tuple[float, bool]:
    if item.what is What.PHASOR:
        current = quantity is Quantity.CURRENT if quantity else unit in AMPERES
        if item.part is Part.ANGLE:
            return 1.0, current
        return (AMPERES if current else VOLTS).get(unit, 1.0), current
    return UNITS.get(item.what, {}).get(unit, 1.0), False


def problems(placed: Sequence[Placed], pmus: Sequence[PmuSettings]) -> Iterator[Problem]:
    """Yield what speaks against the places: see `Link.check_points`."""
    first: dict[tuple[int, Place], Placed] = {}
    phasors: dict[tuple[int, str], list[Placed]] = {}
    for place in placed:
        if place.pmu < 0:
            allowed = ", ".join(f"{pmu.station} ({pmu.idcode})" for pmu in pmus)
            yield place.point, "pmu", f"found '{place.address.pmu}', allowed: {allowed}"
            continue
        other = first.setdefault((place.pmu, place.item), place)
        if other is not place:
            yield place.point, "item", f"{other.point.name} is this item already"
            continue
        yield from _kind(place)
        yield from _scale(place, pmus[place.pmu])
        if place.item.what is What.PHASOR:
            phasors.setdefault((place.pmu, place.item.name), []).append(place)
    for halves in phasors.values():
        yield from _halves(halves)


def _kind(place: Placed) -> Iterator[Problem]:
    point, what = place.point, place.item.what
    two = what in (What.DIGITAL, What.TRIGGER)
    allowed = (Kind.STATUS,) if two else (Kind.ANALOG, Kind.COUNTER)
    if point.kind not in allowed:
        words = " or ".join(allowed)
        yield point, "item", f"{what} is of a point of kind {words}, found {point.kind}"
    unit = point.definition.unit
    if place.item.part is Part.ANGLE:
        if unit not in (*DEGREES, "rad"):
            yield point, "item", f"found an angle in '{unit}', allowed: deg, rad"
    elif what is What.PHASOR:
        if unit not in (*VOLTS, *AMPERES) and place.address.quantity is None:
            units = ", ".join((*VOLTS, *AMPERES))
            yield (
                point,
                "quantity",
                f"found no quantity and the unit '{unit}', allowed: one of them says voltage or "
                f"current, as a unit {units}",
            )
    elif what in UNITS and unit not in UNITS[what]:
        units = ", ".join(one for one in UNITS[what] if one)
        yield point, "item", f"found {what} in '{unit}', allowed: {units}"


def label_of(place: Placed) -> str:
    """Return the name of a digital's bit: its label, or the end of its point's name."""
    if place.address.label is not None:
        return place.address.label
    return "".join(c for c in place.point.name.rsplit(".", 1)[-1] if c.isascii())[:SHORT]


def _scale(place: Placed, pmu: PmuSettings) -> Iterator[Problem]:
    scale, what = place.address.scale, place.item.what
    if scale is None:
        return
    if what is What.PHASOR and scale > MOST_SCALE:
        yield place.point, "scale", f"found {scale:g}, allowed: above 0 and up to {MOST_SCALE}"
    elif what is What.ANALOG and scale != round(scale):
        yield place.point, "scale", f"found {scale:g}, allowed: a whole number for an analog"
    elif what not in (What.PHASOR, What.ANALOG):
        yield place.point, "scale", f"found a scale, allowed: none for {what}"
    elif pmu.numbers is Numbers.FLOAT:
        yield place.point, "scale", f"found a scale, allowed: none, {pmu.station} sends floats"


def _halves(halves: Sequence[Placed]) -> Iterator[Problem]:
    parts = {place.item.part for place in halves}
    name = halves[0].item.name
    if parts not in PAIRS:
        found = ", ".join(sorted(str(part) for part in parts))
        yield (
            halves[0].point,
            "item",
            f"phasor {name} has {found}, allowed: magnitude and angle, or real and imaginary",
        )
        return
    units = {place.current for place in halves if place.item.part is not Part.ANGLE}
    if len(units) > 1:
        yield halves[-1].point, "item", f"phasor {name} has a part in V and one in A"
