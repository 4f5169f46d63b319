"""Binary time against the calendar of the standard library, and at its edges."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    NO_TIME,
    AsduError,
    Columns,
    complete,
    decode,
    encode,
    parse,
)
from gateway_iec60870.asdu.civil import LAST, read_one, write_one

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def octets_of(moment: datetime) -> bytes:
    """CP56Time2a of a moment by 101 clause 7.2.6.18, with the calendar of the library."""
    return struct.pack(
        "<HBBBBB",
        moment.second * 1000 + moment.microsecond // 1000,
        moment.minute,
        moment.hour,
        moment.day | moment.isoweekday() << 5,
        moment.month,
        moment.year % 100,
    )


def ms_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def written(times: list[int], clock: int = 0, kind: int = 30) -> list[bytes]:
    """The octets of time tags, from ASDUs of one single point each."""
    columns = Columns.of(kind, np.arange(len(times)), 0, 0, times, clock)
    found = encode(columns, IEC104, cause=3, address=1)
    size = 4 + columns.time_size
    return [one.body[at + 4 : at + size] for one in found for at in range(0, len(one.body), size)]


def read(octets: str, kind: int = 30) -> tuple[int, int]:
    columns = decode(
        parse(bytes.fromhex(f"{kind:02X} 01 03 00 01 00 05 00 00 01 {octets}"), IEC104), IEC104
    )
    return int(columns.time[0]), int(columns.clock[0])


def test_every_day_of_a_hundred_years() -> None:
    """From 1970 to 2069, each at another time of the day, with its day of the week."""
    moments = [
        EPOCH + timedelta(days=day, milliseconds=day * 7919 * 1013 % 86_400_000)
        for day in range(36525)
    ]
    times = [ms_of(moment) for moment in moments]
    octets = written(times)
    assert octets == [octets_of(moment) for moment in moments]
    assert [read_one(one) for one in octets[::97]] == [(time, 0) for time in times[::97]]


@pytest.mark.parametrize(
    ("octets", "moment"),
    [
        ("00 00 00 00 01 01 46", datetime(1970, 1, 1, tzinfo=UTC)),
        ("5F EA 3B 17 1F 0C 63", datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        ("00 00 00 00 01 01 00", datetime(2000, 1, 1, tzinfo=UTC)),
        ("00 00 00 00 1D 02 00", datetime(2000, 2, 29, tzinfo=UTC)),
        ("00 00 00 00 1D 02 18", datetime(2024, 2, 29, tzinfo=UTC)),
        ("5F EA 3B 17 1F 0C 45", datetime(2069, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_years_of_two_digits(octets: str, moment: datetime) -> None:
    """70 to 99 are of the 20th century, 00 to 69 of the 21st; 2000 and 2024 leap."""
    assert read(octets) == (ms_of(moment), 0)


@pytest.mark.parametrize("weekday", range(8))
def test_the_day_of_the_week_is_not_believed(weekday: int) -> None:
    """0 says that it is not used, and a wrong one changes nothing."""
    assert read(f"9B 4E 0D 16 {14 | weekday << 5:02X} 0B 17") == (1_700_000_000_123, 0)


def test_reserved_bits_are_not_read() -> None:
    """Bits 6 and 7 of the hour, 5 to 8 of the month and 8 of the year."""
    assert read("9B 4E 0D 76 4E FB 97") == (1_700_000_000_123, 0)


WRONG = {
    "60000 ms": "60 EA 0D 16 4E 0B 17",
    "65535 ms": "FF FF 0D 16 4E 0B 17",
    "minute 60": "9B 4E 3C 16 4E 0B 17",
    "minute 63": "9B 4E 3F 16 4E 0B 17",
    "hour 24": "9B 4E 0D 18 4E 0B 17",
    "hour 31": "9B 4E 0D 1F 4E 0B 17",
    "day 0": "9B 4E 0D 16 40 0B 17",
    "31 November": "9B 4E 0D 16 1F 0B 17",
    "29 February 2023": "9B 4E 0D 16 1D 02 17",
    "30 February 2024": "9B 4E 0D 16 1E 02 18",
    "month 0": "9B 4E 0D 16 4E 00 17",
    "month 13": "9B 4E 0D 16 4E 0D 17",
    "month 15": "9B 4E 0D 16 4E 0F 17",
    "year 100": "9B 4E 0D 16 4E 0B 64",
    "year 127": "9B 4E 0D 16 4E 0B 7F",
    "a clock that was never set": "00 00 00 00 00 00 00",
}


@pytest.mark.parametrize("octets", WRONG.values(), ids=WRONG)
def test_what_is_no_time(octets: str) -> None:
    """No time, and invalid; the flags that stand there stay."""
    assert read(octets) == (NO_TIME, 0x80)
    flagged = bytearray.fromhex(octets)
    flagged[3] |= 0x80
    assert read(flagged.hex()) == (NO_TIME, 0xC0)


@pytest.mark.parametrize(
    ("octets", "time"), [("60 EA 00", -1), ("00 00 3C", -1), ("5F EA 3B", 3_599_999)]
)
def test_what_is_no_time_of_an_hour(octets: str, time: int) -> None:
    """CP24 has milliseconds and a minute."""
    assert read(octets, 2) == (time, 0x80 if time < 0 else 0)


def test_one_wrong_time_among_many() -> None:
    """The others keep theirs."""
    wrong = "01 60 EA 0D 16 4E 0B 17"
    right = "01 9B 4E 0D 16 4E 0B 17"
    text = f"1E 03 03 00 01 00 05 00 00 {right} 06 00 00 {wrong} 07 00 00 {right}"
    columns = decode(parse(bytes.fromhex(text), IEC104), IEC104)
    assert columns.time.tolist() == [1_700_000_000_123, NO_TIME, 1_700_000_000_123]
    assert columns.clock.tolist() == [0, 0x80, 0]


def test_flags_are_written() -> None:
    """IV and GEN above the minute, SU above the hour."""
    for clock, octets in [
        (0x80, "9B 4E 8D 16 4E 0B 17"), (0x40, "9B 4E 0D 96 4E 0B 17"),
        (0x20, "9B 4E 4D 16 4E 0B 17"), (0xE0, "9B 4E CD 96 4E 0B 17"),
        (0x1F, "9B 4E 0D 16 4E 0B 17"),
    ]:  # fmt: skip
        assert written([1_700_000_000_123], clock) == [bytes.fromhex(octets)]
    assert written([800_123], 0xE0, kind=2) == [bytes.fromhex("9B 4E CD")]


def test_what_two_digits_cannot_say() -> None:
    """It is the nearest moment that they can, marked invalid; its neighbours are not."""
    times = [1_700_000_000_123, NO_TIME, -5, LAST, LAST + 1, 1 << 60]
    first, last = "00 00 80 00 81 01 46", "5F EA BB 17 5F 0C 45"
    assert [one.hex(" ").upper() for one in written(times)] == [
        "9B 4E 0D 16 4E 0B 17", first, first, "5F EA 3B 17 5F 0C 45", last, last,
    ]  # fmt: skip
    assert read(first) == (NO_TIME, 0x80)
    assert read(last) == (LAST, 0x80)


def test_the_time_within_the_hour() -> None:
    """CP24 takes no date: any time is written as what it is past the hour."""
    times = [800_123, 3_600_000 + 800_123, 1_700_000_000_123, 1 << 60, NO_TIME]
    past = (1 << 60) % 3_600_000
    assert written(times, kind=2) == [
        *[bytes.fromhex("9B 4E 0D")] * 3,
        struct.pack("<HB", past % 60_000, past // 60_000),
        bytes.fromhex("00 00 80"),
    ]
    assert read("00 00 80", 2) == (NO_TIME, 0x80)
    assert read("00 00 00", 2) == (0, 0)


@pytest.mark.parametrize("time", [NO_TIME, -2, LAST + 1])
def test_a_single_time_is_refused(time: int) -> None:
    """A command or a synchronisation never carries another time than that given."""
    with pytest.raises(
        AsduError, match="allowed: 0 to 3155759999999 ms, in the years 1970 to 2069"
    ):
        write_one(time, 0)
    assert LAST == 3_155_759_999_999


NOW = ms_of(datetime(2024, 3, 1, 0, 10, tzinfo=UTC))
MINUTES = 60_000


@pytest.mark.parametrize(
    ("minute", "now", "ago"),
    [
        (10, NOW, 0),
        (9, NOW, 1),
        (0, NOW, 10),
        (59, NOW, 11),
        (15, NOW, -5),
        (16, NOW, 54),
        (2, NOW - 12 * MINUTES, -4),
        (3, NOW - 12 * MINUTES, -5),
        (4, NOW - 12 * MINUTES, 54),
    ],
)
def test_the_hour_of_a_time_without_one(minute: int, now: int, ago: int) -> None:
    """The last such minute that is at most five minutes ahead, also over midnight and February."""
    found = complete(np.array([minute * MINUTES]), np.zeros(1, np.uint8), now)
    assert found.tolist() == [now - ago * MINUTES]


def test_the_hour_of_no_time() -> None:
    """No time stays none, and an invalid one says nothing; a substituted one counts."""
    time = np.array([NO_TIME, 600_000, 600_000], np.int64)
    found = complete(time, np.array([0, 0x80, 0x20], np.uint8), NOW)
    assert found.tolist() == [NO_TIME, NO_TIME, NOW]
