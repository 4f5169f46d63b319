"""Measurements become samples: many ASDUs at once are what they are one by one."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from gateway_iec60870.asdu import IEC104, Asdu, parse
from gateway_iec60870.controlling import Iec60870Point, Zone
from gateway_iec60870.controlling.samples import MOST_PARTS, Samples

from gateway import Batch, Definition, Kind, LinkPoint, Quality

NOW = 1_750_000_000_000_000_000
CP56 = bytes.fromhex("e8 03 1e 0c 01 06 19")  # 2025-06-01 12:30:01.000
CP56_NS = int(datetime(2025, 6, 1, 12, 30, 1, tzinfo=UTC).timestamp()) * 10**9
CP24 = bytes.fromhex("e8 03 1e")
KINDS = (Kind.STATUS, Kind.DOUBLE, Kind.ANALOG)


def points() -> list[LinkPoint]:
    """Objects 1 to 30 of the stations 1 and 2 in turns of kinds, and bits 0 to 3 of 31 to 34."""
    found: list[tuple[Kind, Iec60870Point]] = []
    for ca in (1, 2):
        found += [(KINDS[at % 3], Iec60870Point(ca=ca, ioa=at)) for at in range(1, 31)]
        found += [
            (Kind.STATUS, Iec60870Point(ca=ca, ioa=at, bit=bit))
            for at in range(31, 35)
            for bit in range(4)
        ]
    return [
        LinkPoint(number, Definition(f"p{number}", kind=kind), address)
        for number, (kind, address) in enumerate(found)
    ]


def asdus(chance: random.Random, count: int) -> Iterable[bytes]:
    """Yield ASDUs of several types, some packed, causes, objects that are nobody's."""
    for _ in range(count):
        kind = chance.choice((1, 30, 3, 31, 11, 13, 36, 7, 2, 20))
        many = chance.randint(1, 5)
        packed = kind in (1, 3, 11, 13, 7, 20) and chance.random() < 0.4
        cause = chance.choice((3, 3, 3, 20, 1, 0x83))
        first = chance.randint(1, 34)
        body = b""
        for one in range(many):
            address = (first + one).to_bytes(3, "little")
            body += b"" if packed and one else address
            body += {
                1: lambda: bytes((chance.randrange(2),)),
                30: lambda: bytes((chance.randrange(2) | 0x80,)) + CP56,
                2: lambda: bytes((chance.randrange(2),)) + CP24,
                3: lambda: bytes((chance.randrange(4),)),
                31: lambda: bytes((chance.randrange(4),)) + CP56,
                11: lambda: struct.pack("<hB", chance.randrange(-99, 99), 0),
                13: lambda: struct.pack("<fB", chance.randrange(99), 0),
                36: lambda: struct.pack("<fB", chance.randrange(99), 0) + CP56,
                7: lambda: struct.pack("<IB", chance.randrange(16), 0),
                20: lambda: struct.pack("<HHB", chance.randrange(16), 0, 0),
            }[kind]()
        ca = chance.choice((1, 2, 2, 3))
        yield struct.pack("<BBBBH", kind, many | packed << 7, cause, 0, ca) + body


def rows(parts: Iterable[tuple[Batch, bool]]) -> list[tuple[object, ...]]:
    return [
        (point, value, quality, time, event)
        for batch, event in parts
        for point, value, quality, time in zip(
            batch.point.tolist(),
            batch.value.tolist(),
            batch.quality.tolist(),
            batch.time.tolist(),
            strict=True,
        )
    ]


def test_many_are_what_each_is() -> None:
    """Rows, qualities, times and their order do not depend on how many ASDUs come at once."""
    chance = random.Random(5)
    counted = [0, 0]

    def stranger(which: int, count: int) -> None:
        counted[which] += count

    together = Samples(points(), None, IEC104, Zone(), lambda count, *_: stranger(0, count))
    alone = Samples(points(), None, IEC104, Zone(), lambda count, *_: stranger(1, count))
    for size in (1, 2, 3, 7, 40, 200):
        for _ in range(20):
            batch = [parse(one, IEC104) for one in asdus(chance, size)]
            parts = together.of(batch, NOW)
            single = [row for one in batch for row in rows(alone.of([one], NOW))]
            found = rows(parts)
            if len(parts) == 1 and len({row[4] for row in single}) == 2:
                # Too many turns between events and others: all of them are events.
                turns = sum(a[4] != b[4] for a, b in pairwise(single))
                assert turns >= MOST_PARTS
                single = [(*row[:4], True) for row in single]
            assert found == single
    assert counted[0] == counted[1] > 1000


def sample(octets: str) -> list[tuple[object, ...]]:
    asdu: Asdu = parse(bytes.fromhex(octets), IEC104)
    return rows(Samples(points(), None, IEC104, Zone()).of([asdu], NOW))


def test_times() -> None:
    """CP56 is the moment; CP24 the last such moment; both say whether the clock is set."""
    device, unsure = int(Quality.DEVICE_TIME), int(Quality.CLOCK_NOT_SYNCHRONISED)
    invalid = int(Quality.INVALID)
    # Object 3 is of kind status; the point of object n is n - 1.
    assert sample("1e 01 03 00 01 00 03 00 00 01 e8 03 1e 0c 01 06 19") == [
        (2, 1.0, device, CP56_NS, True)
    ]
    assert sample("1e 01 03 00 01 00 03 00 00 81 e8 03 9e 0c 01 06 19") == [
        (2, 1.0, device | unsure | invalid, CP56_NS, True)
    ]
    # NOW is 2025-06-15 15:06:40: 30:01 was last at 14:30:01.
    last = int(datetime(2025, 6, 15, 14, 30, 1, tzinfo=UTC).timestamp()) * 10**9
    assert sample("02 01 03 00 01 00 03 00 00 01 e8 03 1e") == [(2, 1.0, device, last, True)]
    # The 30th of February is no time: that of receipt counts.
    assert sample("1e 01 03 00 01 00 03 00 00 01 e8 03 1e 0c 1e 02 19") == [(2, 1.0, 0, NOW, True)]


def test_bits_have_not_all_happened() -> None:
    """A bitstring is sent for one of its bits: the others are not events."""
    # Object 31 is point 30 and following, one for each bit; nobody has it as a number.
    assert sample("07 01 03 00 01 00 1f 00 00 05 00 00 00 00") == [
        (30, 1.0, 0, NOW, False),
        (31, 0.0, 0, NOW, False),
        (32, 1.0, 0, NOW, False),
        (33, 0.0, 0, NOW, False),
    ]


def test_protection() -> None:
    """SEP is a double point; start events and output circuits are read bit by bit."""
    # M_EP_TD_1: object 1 is of kind double; ES 2 (on), elapsed time invalid.
    assert sample("26 01 03 00 01 00 01 00 00 0a 10 00 e8 03 1e 0c 01 06 19") == [
        (0, 2.0, int(Quality.DEVICE_TIME), CP56_NS, True)
    ]
    # M_EP_TE_1: SPE 0x09, general start and start of L3 (101 clause 7.2.6.11).
    found = sample("27 01 03 00 01 00 1f 00 00 09 00 10 00 e8 03 1e 0c 01 06 19")
    assert [row[:2] for row in found] == [(30, 1.0), (31, 0.0), (32, 0.0), (33, 1.0)]


def test_no_rows() -> None:
    """Nothing known, or nothing in it, is no batch."""
    assert sample("01 01 03 00 03 00 03 00 00 01") == []
    assert sample("01 00 03 00 01 00") == []
    assert np.array_equal(Samples([], 1, IEC104, Zone()).of([], NOW), [])
