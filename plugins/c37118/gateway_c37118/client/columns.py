"""Rows of a stream as columns of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway import Batch, Quality
from gateway.c37118 import DataRows
from gateway_c37118.client.places import Place
from gateway_c37118.item import STAT_FIELDS, TIME_FIELDS, Group

Indexes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]

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
        plain = [not one.item.part or one.item.group is Group.PHASOR for one in places]
        self._mask = np.where(plain, 0xFFFF, _OF_TIME).astype(np.uint16)
        self._unwired = _indexes([i for i, one in enumerate(places) if not one.valid])

        def at(group: Group, part: str = "") -> tuple[Indexes, list[Place]]:
            some = [
                (i, one)
                for i, one in enumerate(places)
                if one.item.group is group and (not part or one.item.part == part)
            ]
            return _indexes([i for i, _ in some]), [one for _, one in some]

        self._frequency = at(Group.FREQUENCY)[0]
        self._rocof = at(Group.ROCOF)[0]
        self._phasors = []
        for part, reading in _READ.items():
            to, of = at(Group.PHASOR, part)
            if of:
                polar = np.array([one.polar for one in of])
                self._phasors.append((to, _indexes([one.index for one in of]), polar, reading))
        to, of = at(Group.ANALOG)
        self._analog = to, _indexes([one.index for one in of])
        to, of = at(Group.DIGITAL)
        bits = np.array([one.bit for one in of], np.uint16)
        self._digital = to, _indexes([one.index for one in of]), bits
        self._stat = _fields(*at(Group.STAT), STAT_FIELDS)
        self._time = _fields(*at(Group.TIME), TIME_FIELDS)

    def __len__(self) -> int:
        return len(self._point)

    def batch(self, rows: DataRows, order: Indexes) -> Batch:
        """Return the samples of these rows, row by row in this order."""
        n, m = len(order), len(self._point)
        value = np.empty((n, m))
        quality = rows.quality[order][:, self._pmu] & self._mask
        value[:, self._frequency] = rows.frequency[order][:, self._pmu[self._frequency]]
        value[:, self._rocof] = rows.rocof[order][:, self._pmu[self._rocof]]
        for to, index, polar, reading in self._phasors:
            pairs = rows.phasor[order][:, index]
            value[:, to] = reading(pairs[..., 0], pairs[..., 1], polar)
        to, index = self._analog
        value[:, to] = rows.analog[order][:, index]
        to, index, bit = self._digital
        value[:, to] = rows.digital[order][:, index] >> bit & 1
        to, shift, mask = self._stat
        value[:, to] = rows.stat[order][:, self._pmu[to]] >> shift & mask
        to, shift, mask = self._time
        value[:, to] = rows.time_quality[order][:, None] >> shift & mask

        absent = ~np.isfinite(value)
        if absent.any():
            value[absent] = np.nan
            quality[absent] = quality[absent] & _KEPT | _ABSENT
        quality[:, self._unwired] = quality[:, self._unwired] & _KEPT | _NOT_WIRED
        return Batch(
            np.tile(self._point, n),
            value.reshape(-1),
            quality.astype(np.uint16, copy=False).reshape(-1),
            np.repeat(rows.time[order], m),
        )


def _indexes(numbers: Sequence[int]) -> Indexes:
    return np.array(numbers, np.intp)


def _fields(to: Indexes, of: Sequence[Place], fields: Any) -> tuple[Indexes, Any, Any]:
    chosen = [fields[one.item.part] for one in of]
    shift = np.array([one[0] for one in chosen], np.uint16)
    return to, shift, np.array([one[1] for one in chosen], np.uint16)


def _degrees(radians: Floats) -> Floats:
    turned: Floats = np.degrees(radians)
    turned -= 360 * np.ceil((turned - 180) / 360)
    return turned


def _magnitude(a: Floats, b: Floats, polar: npt.NDArray[np.bool_]) -> Floats:
    return np.where(polar, a, np.hypot(a, b))


def _angle(a: Floats, b: Floats, polar: npt.NDArray[np.bool_]) -> Floats:
    return _degrees(np.where(polar, b, np.arctan2(b, a)))


def _real(a: Floats, b: Floats, polar: npt.NDArray[np.bool_]) -> Floats:
    return np.where(polar, a * np.cos(b), a)


def _imaginary(a: Floats, b: Floats, polar: npt.NDArray[np.bool_]) -> Floats:
    return np.where(polar, a * np.sin(b), b)


_READ = {"magnitude": _magnitude, "angle": _angle, "real": _real, "imaginary": _imaginary}
