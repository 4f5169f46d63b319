"""The zone that the civil times of ASDUs are meant in, which they do not say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gateway_iec60870.asdu import NO_TIME, SUMMER_TIME, TIME_INVALID, complete

QUARTER = 900_000
"""Milliseconds between moments at which a clock may be put forward or back."""
REMEMBERED = 4096
_EPOCH = datetime(1970, 1, 1)
_MS = timedelta(milliseconds=1)


class Zone:
    """A zone of the IANA's list; raises ValueError for a name that is not in it.

    Where the clock is put back an hour has its times twice: the summer time bit (SU, 101 clause
    7.2.6.18) tells the first ones; without it they are the second ones.
    """

    def __init__(self, name: str = "UTC") -> None:
        try:
            self._zone = ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            raise ValueError(
                f"{name!r} is no time zone; zones are UTC, Europe/Berlin, Asia/Kolkata"
            ) from None
        self.name = name
        self._of_civil: dict[int, tuple[int, int]] = {}
        self._of_utc: dict[int, tuple[int, int]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Zone) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def utc(self, time: NDArray[np.int64], clock: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return moments in ms since 1970 UTC of civil times; NO_TIME stays.

        time, clock: as `Columns` have them, of whole times (CP56).
        """
        if self.name == "UTC" or not len(time):
            return time
        quarters, row = np.unique(time // QUARTER, return_inverse=True)
        offsets = np.array([self._offsets(int(one)) for one in quarters], np.int64)
        summer = (clock & np.uint8(SUMMER_TIME) != 0).astype(np.intp)
        return np.where(time == NO_TIME, time, time - offsets[row, summer])

    def utc_of_hour(
        self, time: NDArray[np.int64], clock: NDArray[np.uint8], now: int
    ) -> NDArray[np.int64]:
        """Return moments in ms since 1970 UTC of times within the hour (CP24); NO_TIME stays.

        now: the moment of receipt in ms since 1970 UTC.
        """
        offset, _ = self._offset_at(now)
        whole = complete(time, clock, now + offset)
        return np.where(whole == NO_TIME, whole, whole - offset)

    def civil(self, utc: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the civil times of moments in ms since 1970 UTC, and their flags (SU).

        NO_TIME stays, and is marked as invalid.
        """
        none = utc == NO_TIME
        if self.name == "UTC" or not len(utc):
            return utc, np.where(none, TIME_INVALID, 0).astype(np.uint8)
        quarters, row = np.unique(utc // QUARTER, return_inverse=True)
        found = np.array([self._offset_at(int(one) * QUARTER) for one in quarters], np.int64)
        time = np.where(none, utc, utc + found[row, 0])
        return time, np.where(none, TIME_INVALID, found[row, 1]).astype(np.uint8)

    def civil_of(self, utc: int) -> tuple[int, int]:
        """Return the civil time of one moment, and its flags; see `civil`."""
        offset, flags = self._offset_at(utc)
        return utc + offset, flags

    def _offsets(self, quarter: int) -> tuple[int, int]:
        """Return how far the zone is ahead of UTC in a civil quarter of an hour, in ms: by the
        clock of the winter and by that of the summer."""
        if quarter not in self._of_civil:
            _forget(self._of_civil)
            when = _EPOCH + timedelta(milliseconds=quarter * QUARTER)
            both = [self._ahead(when.replace(tzinfo=self._zone, fold=fold)) for fold in (0, 1)]
            self._of_civil[quarter] = (min(both), max(both))
        return self._of_civil[quarter]

    def _offset_at(self, utc: int) -> tuple[int, int]:
        """Return how far the zone is ahead of UTC at a moment, in ms, and SUMMER_TIME or 0."""
        quarter = utc // QUARTER
        if quarter not in self._of_utc:
            _forget(self._of_utc)
            moment = _EPOCH.replace(tzinfo=UTC) + timedelta(milliseconds=quarter * QUARTER)
            when = moment.astimezone(self._zone)
            self._of_utc[quarter] = (self._ahead(when), SUMMER_TIME if when.dst() else 0)
        return self._of_utc[quarter]

    @staticmethod
    def _ahead(when: datetime) -> int:
        return (when.utcoffset() or timedelta()) // _MS


def _forget(found: dict[int, tuple[int, int]]) -> None:
    if len(found) >= REMEMBERED:
        found.clear()
