"""Where the items of points stand in a stream, found in its configuration by name or number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway import LinkPoint
from gateway.c37118 import Configuration, PmuConfiguration
from gateway_c37118.client.point import C37Point
from gateway_c37118.item import Group, Item, digital_place

MOST_NAMES = 12
"""Names that a sentence lists."""


class Missing(Exception):  # noqa: N818 - it says what is so
    """The configuration has no such thing; the sentence says what it has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point stands in the rows of a stream.

    point:  its id.
    pmu:    index of the PMU.
    index:  of the phasor, analog or digital word, among those of the whole stream.
    bit:    of a digital.
    valid:  False for a digital input that the PMU says it does not have (DIGUNIT, table 9).
    polar:  whether the phasor comes as magnitude and angle.
    """

    point: int
    item: Item
    pmu: int
    index: int = 0
    bit: int = 0
    valid: bool = True
    polar: bool = False


def find_places(
    points: Sequence[LinkPoint], configuration: Configuration
) -> tuple[list[Place], list[tuple[LinkPoint, str]]]:
    """Return where the points stand, and those that the stream has not, each with the reason."""
    stream = _Stream(configuration)
    found: list[Place] = []
    missing: list[tuple[LinkPoint, str]] = []
    for point in points:
        if isinstance(point.address, C37Point):
            try:
                found.append(stream.place(point.id, point.address))
            except Missing as why:
                missing.append((point, str(why)))
    return found, missing


class _Stream:
    """What a configuration has, and where."""

    def __init__(self, configuration: Configuration) -> None:
        self._pmus = configuration.pmus
        self._first: list[tuple[int, int, int]] = []
        phasors = analogs = words = 0
        for pmu in self._pmus:
            self._first.append((phasors, analogs, words))
            phasors += len(pmu.phasors)
            analogs += len(pmu.analogs)
            words += len(pmu.digitals)

    def place(self, point: int, address: C37Point) -> Place:
        item = address.parsed()
        number = self._pmu(address.pmu)
        pmu = self._pmus[number]
        phasors, analogs, words = self._first[number]
        of = f"PMU {pmu.idcode} '{pmu.name}'"
        match item.group:
            case Group.PHASOR:
                k = _channel("phasor", item.name, [one.name for one in pmu.phasors], of)
                return Place(point, item, number, phasors + k, polar=pmu.polar)
            case Group.ANALOG:
                k = _channel("analog", item.name, [one.name for one in pmu.analogs], of)
                return Place(point, item, number, analogs + k)
            case Group.DIGITAL:
                word, bit = _digital(pmu, item.name, of)
                valid = pmu.digitals[word].valid
                # A mask without any input says nothing: many PMUs leave it so.
                return Place(
                    point, item, number, words + word, bit, not valid or bool(valid >> bit & 1)
                )
        return Place(point, item, number)

    def _pmu(self, wanted: str | None) -> int:
        if wanted is None:
            if len(self._pmus) == 1:
                return 0
            raise Missing(f"it names no pmu, and the stream has {self._names()}")
        found = [i for i, pmu in enumerate(self._pmus) if pmu.name == wanted]
        if not found and wanted.isdecimal():
            found = [i for i, pmu in enumerate(self._pmus) if pmu.idcode == int(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Missing(f"{len(found)} PMUs are '{wanted}', the stream has {self._names()}")
        raise Missing(f"no PMU is '{wanted}', the stream has {self._names()}")

    def _names(self) -> str:
        return _list(f"{pmu.idcode} '{pmu.name}'" for pmu in self._pmus)


def _channel(what: str, wanted: str, names: Sequence[str], of: str) -> int:
    found = [i for i, name in enumerate(names) if name == wanted]
    if not found and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        found = [int(wanted) - 1]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = _list(str(i + 1) for i in found)
        raise Missing(f"{len(found)} {what}s of {of} are '{wanted}', give the number: {numbers}")
    has = _list(f"'{name}'" for name in names)
    raise Missing(f"{of} has no {what} '{wanted}', it has {len(names)}: {has}")


def _digital(pmu: PmuConfiguration, wanted: str, of: str) -> tuple[int, int]:
    labels = [
        (word, bit)
        for word, one in enumerate(pmu.digitals)
        for bit, label in enumerate(one.names)
        if label == wanted
    ]
    if len(labels) == 1:
        return labels[0]
    if labels:
        places = _list(f"{word + 1}/{bit}" for word, bit in labels)
        raise Missing(f"{len(labels)} digitals of {of} are '{wanted}', give the place: {places}")
    place = digital_place(wanted)
    if place is not None and place[0] < len(pmu.digitals):
        return place
    has = _list(f"'{label}'" for one in pmu.digitals for label in one.names if label)
    raise Missing(f"{of} has no digital '{wanted}', it has {len(pmu.digitals)} words: {has}")


def _list(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"… ({len(every)})"] if len(every) > MOST_NAMES else []
    return ", ".join(every[:MOST_NAMES] + more) or "none"
