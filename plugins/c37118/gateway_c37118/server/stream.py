"""A stream: its configuration, and the column of each point, in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.c37118 import (
    AnalogChannel,
    Configuration,
    DigitalWord,
    PhasorChannel,
    PmuConfiguration,
)
from gateway_c37118.server.places import Placed, label_of
from gateway_c37118.server.point import Part, What
from gateway_c37118.server.settings import Coordinates, Numbers, PmuSettings

Index = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

RMS = 1
"""Kind of an analog (ANUNIT, table 9)."""
BITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The points of a stream as columns.

    point: ids, shape (P,).   pmu: index of each one's PMU.
    exact: whether only the sample of the frame's own instant will do.
    group: of exact ones, what reports together: the points of a PMU from one source; else -1.
    group_pmu: the PMU of each group, shape (G,).
    """

    point: npt.NDArray[np.int32]
    pmu: Index
    exact: Flags
    group: Index
    group_pmu: Index
    pmus: int

    @classmethod
    def of(cls, placed: Sequence[Placed], pmus: int) -> Columns:
        """Make the columns of places, in their order."""
        groups: dict[tuple[int, str | None], int] = {}
        group = [
            groups.setdefault((place.pmu, place.point.definition.source), len(groups))
            if place.exact
            else -1
            for place in placed
        ]
        return cls(
            np.array([place.point.id for place in placed], np.int32),
            np.array([place.pmu for place in placed], np.intp),
            np.array([place.exact for place in placed], np.bool_),
            np.array(group, np.intp),
            np.array([pmu for pmu, _ in groups], np.intp),
            pmus,
        )

    def __len__(self) -> int:
        return len(self.point)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Where in a row of data each column goes; -1 for no column.

    phasor_*:  of each phasor, in the order of the stream: the columns of its halves, what turns
               them into V, A and rad, whether they are polar, and whether they are sent so.
    frequency, rocof, trigger, reason: of each PMU.
    analog:    of each analog.   word, bit, digital: of each digital that has a point.
    """

    phasor: Index
    phasor_factor: Values
    phasor_comes_polar: Flags
    phasor_goes_polar: Flags
    frequency: Index
    frequency_factor: Values
    rocof: Index
    rocof_factor: Values
    trigger: Index
    reason: Index
    analog: Index
    digital: Index
    word: Index
    bit: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What is sent: the configuration, and what fills its frames."""

    configuration: Configuration
    columns: Columns
    targets: Targets


class _Pmu:
    """The places of one PMU by what they are, in the order of the point list."""

    def __init__(self, settings: PmuSettings) -> None:
        self.settings = settings
        self.phasors: dict[str, dict[Part, int]] = {}
        self.analogs: dict[str, int] = {}
        self.bits: dict[tuple[int, int], int] = {}
        self.one: dict[What, int] = {}

    def add(self, column: int, place: Placed) -> None:
        item = place.item
        if item.what is What.PHASOR and item.part is not None:
            self.phasors.setdefault(item.name, {})[item.part] = column
        elif item.what is What.ANALOG:
            self.analogs[item.name] = column
        elif item.what is What.DIGITAL:
            self.bits[item.word, item.bit] = column
        else:
            self.one[item.what] = column

    def configuration(self, placed: Sequence[Placed], nominal: int) -> PmuConfiguration:
        settings = self.settings
        floats = settings.numbers is Numbers.FLOAT
        phasors = []
        for name, halves in self.phasors.items():
            place = placed[min(halves.values())]
            current = any(placed[column].current for column in halves.values())
            scales = [placed[column].address.scale for column in halves.values()]
            scale = settings.current_scale if current else settings.voltage_scale
            scale = next((one for one in scales if one is not None), scale)
            phasors.append(PhasorChannel(place.item.name or name, scale, current))
        words = []
        for word in range(1 + max((word for word, _ in self.bits), default=-1)):
            bits = {bit: column for (of, bit), column in self.bits.items() if of == word}
            names = (label_of(placed[bits[bit]]) if bit in bits else "" for bit in range(BITS))
            words.append(DigitalWord(tuple(names), 0, sum(1 << bit for bit in bits)))
        return PmuConfiguration(
            settings.station,
            settings.idcode,
            tuple(phasors),
            tuple(
                AnalogChannel(name, placed[column].address.scale or 1.0, kind=RMS)
                for name, column in self.analogs.items()
            ),
            tuple(words),
            polar=settings.phasors is Coordinates.POLAR,
            float_phasors=floats,
            float_analogs=floats,
            float_frequency=floats,
            nominal=nominal,
            service=settings.service.value,
            latitude=_or_nobody(settings.latitude),
            longitude=_or_nobody(settings.longitude),
            elevation=_or_nobody(settings.elevation),
        )


def _or_nobody(value: float | None) -> float:
    return math.inf if value is None else value


def stream_of(
    placed: Sequence[Placed], pmus: Sequence[PmuSettings], *, idcode: int, rate: int, nominal: int
) -> Stream:
    """Arrange places that have no problems; CFGCNT is 0."""
    sorted_out = [_Pmu(settings) for settings in pmus]
    for column, place in enumerate(placed):
        sorted_out[place.pmu].add(column, place)
    configuration = Configuration(
        idcode, tuple(pmu.configuration(placed, nominal) for pmu in sorted_out), rate
    )
    return Stream(configuration, Columns.of(placed, len(pmus)), _targets(placed, sorted_out))


def _targets(placed: Sequence[Placed], pmus: Sequence[_Pmu]) -> Targets:
    pairs, factors, comes, goes = [], [], [], []
    for pmu in pmus:
        for halves in pmu.phasors.values():
            polar = Part.MAGNITUDE in halves
            order = (Part.MAGNITUDE, Part.ANGLE) if polar else (Part.REAL, Part.IMAGINARY)
            pairs.append([halves[part] for part in order])
            factors.append([_factor(placed[halves[part]]) for part in order])
            comes.append(polar)
            goes.append(pmu.settings.phasors is Coordinates.POLAR)
    frequency = [pmu.one.get(What.FREQUENCY, -1) for pmu in pmus]
    rocof = [pmu.one.get(What.ROCOF, -1) for pmu in pmus]
    bits = []
    before = 0
    for pmu in pmus:
        bits += [(before + word, bit, column) for (word, bit), column in pmu.bits.items()]
        before += 1 + max((word for word, _ in pmu.bits), default=-1)
    digital = np.array(bits, np.intp).reshape(-1, 3)
    return Targets(
        np.array(pairs, np.intp).reshape(-1, 2),
        np.array(factors).reshape(-1, 2),
        np.array(comes, np.bool_),
        np.array(goes, np.bool_),
        np.array(frequency, np.intp),
        np.array([1.0 if column < 0 else placed[column].factor for column in frequency]),
        np.array(rocof, np.intp),
        np.array([1.0 if column < 0 else placed[column].factor for column in rocof]),
        np.array([pmu.one.get(What.TRIGGER, -1) for pmu in pmus], np.intp),
        np.array([pmu.one.get(What.REASON, -1) for pmu in pmus], np.intp),
        np.array([column for pmu in pmus for column in pmu.analogs.values()], np.intp),
        digital[:, 2],
        digital[:, 0],
        np.left_shift(1, digital[:, 1]).astype(np.uint16),
    )


def _factor(place: Placed) -> float:
    if place.item.part is Part.ANGLE:
        return 1.0 if place.point.definition.unit == "rad" else math.pi / 180.0
    return place.factor
