"""Civil times and moments: hours that are twice, that are not, and the hour of a CP24."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from gateway_iec60870.asdu import NO_TIME, SUMMER_TIME, TIME_INVALID
from gateway_iec60870.controlling import Zone


def civil(text: str) -> int:
    """Return a civil time as `Columns` have it: ms as if it were UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def moment(text: str) -> int:
    """Return a moment, with its offset, in ms since 1970 UTC."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


# Civil time, whether SU is set, and the moment, by the rules of the law in each zone.
TIMES = [
    ("UTC", "2025-07-01 12:00:00.123", False, "2025-07-01 12:00:00.123+00:00"),
    ("Europe/Berlin", "2025-07-01 12:00", False, "2025-07-01 12:00+02:00"),
    ("Europe/Berlin", "2025-07-01 12:00", True, "2025-07-01 12:00+02:00"),
    ("Europe/Berlin", "2025-01-01 00:30", False, "2025-01-01 00:30+01:00"),
    # 2025-10-26: at 3:00 the clock is put back to 2:00.
    ("Europe/Berlin", "2025-10-26 01:59:59.999", True, "2025-10-26 01:59:59.999+02:00"),
    ("Europe/Berlin", "2025-10-26 02:30", True, "2025-10-26 02:30+02:00"),
    ("Europe/Berlin", "2025-10-26 02:30", False, "2025-10-26 02:30+01:00"),
    ("Europe/Berlin", "2025-10-26 03:00", False, "2025-10-26 03:00+01:00"),
    # 2025-03-30: at 2:00 it is put forward to 3:00; a station may be late with it.
    ("Europe/Berlin", "2025-03-30 01:59:59.999", False, "2025-03-30 01:59:59.999+01:00"),
    ("Europe/Berlin", "2025-03-30 02:10", False, "2025-03-30 03:10+02:00"),
    ("Europe/Berlin", "2025-03-30 03:00", True, "2025-03-30 03:00+02:00"),
    ("Asia/Kolkata", "2025-07-01 12:00", False, "2025-07-01 12:00+05:30"),
    ("Asia/Kathmandu", "2025-07-01 12:00", False, "2025-07-01 12:00+05:45"),
    # Half an hour of summer time, which ends on 2025-04-06 at 2:00.
    ("Australia/Lord_Howe", "2025-04-06 01:45", True, "2025-04-06 01:45+11:00"),
    ("Australia/Lord_Howe", "2025-04-06 01:45", False, "2025-04-06 01:45+10:30"),
    ("America/New_York", "1970-01-01 00:00", False, "1970-01-01 00:00-05:00"),
    ("America/New_York", "2069-07-01 00:00", True, "2069-07-01 00:00-04:00"),
]


@pytest.mark.parametrize(("name", "said", "summer", "expected"), TIMES)
def test_moments(name: str, said: str, summer: bool, expected: str) -> None:
    """A civil time with its SU bit is one moment."""
    time = np.array([civil(said), NO_TIME])
    clock = np.array([SUMMER_TIME if summer else 0, TIME_INVALID], np.uint8)
    assert Zone(name).utc(time, clock).tolist() == [moment(expected), NO_TIME]


def test_a_year_of_moments() -> None:
    """What is civil at a moment is that moment: every quarter of an hour of a year, both ways."""
    zone = Zone("Europe/Berlin")
    utc = np.arange(moment("2025-01-01 00:00+00:00"), moment("2026-01-01 00:00+00:00"), 900_000)
    time, clock = zone.civil(utc)
    assert (zone.utc(time, clock) == utc).all()
    summer = (clock & SUMMER_TIME) != 0
    # From 2025-03-30 01:00 UTC to 2025-10-26 01:00 UTC: 210 days.
    assert summer.sum() == 210 * 96
    assert set((time - utc)[summer].tolist()) == {7_200_000}
    assert set((time - utc)[~summer].tolist()) == {3_600_000}


def test_civil_of_no_time() -> None:
    """NO_TIME stays, and is invalid."""
    for name in ("UTC", "Europe/Berlin"):
        time, clock = Zone(name).civil(np.array([NO_TIME, 0]))
        assert time[0] == NO_TIME
        assert clock.tolist() == [TIME_INVALID, 0]
        assert Zone(name).civil_of(0) == (int(time[1]), 0)


def test_the_hour_of_a_short_time() -> None:
    """CP24 has minutes of the station's clock, which in India are not those of UTC."""
    now = moment("2025-07-01 12:05:00+05:30")
    minutes = np.array([4, 6, 50, NO_TIME])
    time = np.where(minutes == NO_TIME, NO_TIME, minutes * 60_000)
    found = Zone("Asia/Kolkata").utc_of_hour(time, np.zeros(4, np.uint8), now)
    assert found.tolist() == [
        moment("2025-07-01 12:04+05:30"),
        moment("2025-07-01 12:06+05:30"),  # a clock that is a minute fast
        moment("2025-07-01 11:50+05:30"),
        NO_TIME,
    ]


def test_nothing() -> None:
    """No rows are no error."""
    none, flags = np.array([], np.int64), np.array([], np.uint8)
    for name in ("UTC", "Europe/Berlin"):
        assert len(Zone(name).utc(none, flags)) == 0
        assert len(Zone(name).civil(none)[0]) == 0


def test_many_different_times() -> None:
    """Thousands of days, more than are remembered: each as the standard library has it."""
    zone = Zone("Europe/Berlin")
    days = [datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(6000)]
    utc = np.array([int(day.timestamp() * 1000) for day in days])
    for _ in range(2):
        time, _ = zone.civil(utc)
    offsets = {3_600_000: timezone(timedelta(hours=1)), 7_200_000: timezone(timedelta(hours=2))}
    for at, local, day in zip(utc.tolist(), time.tolist(), days, strict=True):
        said = day.astimezone(offsets[local - at]).replace(tzinfo=UTC)
        assert int(said.timestamp() * 1000) == local


def test_names() -> None:
    """A zone is one of the IANA's; equal names are equal zones."""
    assert Zone("Europe/Berlin") == Zone("Europe/Berlin") != Zone()
    assert hash(Zone()) == hash(Zone("UTC"))
    for name in ("Berlin", "", "/etc/localtime", "../zoneinfo/UTC"):
        with pytest.raises(ValueError, match="is no time zone; zones are UTC"):
            Zone(name)
