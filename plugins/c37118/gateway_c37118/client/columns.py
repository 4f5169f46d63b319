"""Rows of a stream as columns of samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gateway import Batch, Quality
from gateway.c37118 import DataRows
from gateway_c37118.client.places import Place
from gateway_c37118.item import STAT_FIELDS, TIME_FIELDS, Group

Indexes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Reader: TypeAlias = Callable[[DataRows, Indexes], npt.NDArray[Any]]

_ABSENT = int(Quality.INVALID)
_NOT_WIRED = int(Quality.INVALID | Quality.BAD_REFERENCE)
_KEPT = 0xFFFF ^ int(Quality.VALIDITY)
_OF_TIME = int(Quality.DEVICE_TIME | Quality.CLOCK_NOT_SYNCHRONISED)


class Columns:
    """Takes the points of these places out of rows: one sample for each point and row.

    Values are in V, A, Hz, Hz/s, degrees (-180 < angle <= 180) and the analogs' own unit.
    The quality is that of STAT and of the time quality; what is absent is invalid.  Fields of STAT
    and of the time are good whatever they say, and have their time's quality.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._point = np.array([one.point for one in places], np.int32)
        self._pmu = _indexes([one.pmu for one in places])
        self._mask = np.array([_OF_TIME if _is_code(one) else 0xFFFF for one in places], np.uint16)
        self._unwired = _indexes([i for i, one in enumerate(places) if not one.valid])
        groups: dict[tuple[Group, str, bool], list[int]] = {}
        for i, one in enumerate(places):
            part = one.item.part if one.item.group is Group.PHASOR else ""
            groups.setdefault((one.item.group, part, one.polar), []).append(i)
        self._readers = [
            (_indexes(members), _reader(key, [places[i] for i in members]))
            for key, members in groups.items()
        ]

    def __len__(self) -> int:
        return len(self._point)

    def batch(self, rows: DataRows, order: Indexes) -> Batch:
        """Return the samples of these rows, row by row in this order."""
        n, m = len(order), len(self._point)
        down = order[:, None]
        value = np.empty((n, m))
        for to, read in self._readers:
            value[:, to] = read(rows, down)
        quality = rows.quality[down, self._pmu] & self._mask
        absent = ~np.isfinite(value)
        if absent.any():
            value[absent] = np.nan
            quality[absent] = quality[absent] & _KEPT | _ABSENT
        if len(self._unwired):
            quality[:, self._unwired] = quality[:, self._unwired] & _KEPT | _NOT_WIRED
        return Batch(
            np.tile(self._point, n),
            value.reshape(-1),
            quality.reshape(-1),
            np.repeat(rows.time[order], m),
        )


def _indexes(numbers: Sequence[int]) -> Indexes:
    return np.array(numbers, np.intp)


def _is_code(place: Place) -> bool:
    return place.item.group in (Group.STAT, Group.TIME)


def _reader(key: tuple[Group, str, bool], of: Sequence[Place]) -> Reader:
    """Return what reads the values of these places, all of one kind, as rows and columns."""
    group, part, polar = key
    pmu, index = _indexes([one.pmu for one in of]), _indexes([one.index for one in of])
    match group:
        case Group.FREQUENCY:
            return lambda rows, down: rows.frequency[down, pmu]
        case Group.ROCOF:
            return lambda rows, down: rows.rocof[down, pmu]
        case Group.PHASOR:
            read = _PHASOR[part, polar]
            return lambda rows, down: read(rows.phasor[down, index, 0], rows.phasor[down, index, 1])
        case Group.ANALOG:
            return lambda rows, down: rows.analog[down, index]
        case Group.DIGITAL:
            bit = np.array([one.bit for one in of], np.uint16)
            return lambda rows, down: rows.digital[down, index] >> bit & 1
    fields = STAT_FIELDS if group is Group.STAT else TIME_FIELDS
    shift, mask = np.array([fields[one.item.part] for one in of], np.uint16).T
    if group is Group.STAT:
        return lambda rows, down: rows.stat[down, pmu] >> shift & mask
    return lambda rows, down: rows.time_quality[down] >> shift & mask


def _degrees(radians: Floats) -> Floats:
    turned: Floats = np.degrees(radians)
    turned -= 360 * np.ceil((turned - 180) / 360)
    return turned


_PHASOR: Mapping[tuple[str, bool], Callable[[Floats, Floats], Floats]] = {
    ("magnitude", True): lambda magnitude, angle: magnitude,
    ("angle", True): lambda magnitude, angle: _degrees(angle),
    ("real", True): lambda magnitude, angle: magnitude * np.cos(angle),
    ("imaginary", True): lambda magnitude, angle: magnitude * np.sin(angle),
    ("magnitude", False): np.hypot,
    ("angle", False): lambda real, imaginary: _degrees(np.arctan2(imaginary, real)),
    ("real", False): lambda real, imaginary: real,
    ("imaginary", False): lambda real, imaginary: imaginary,
}
"""What two numbers say, by whether they are magnitude and angle."""
