"""Samples as spontaneous ASDUs: every type, times, quality, order."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.zone import Zone

from gateway import Quality

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import Bench, point, written

AT_NOON = "00 00 00 0c 81 01 1a"  # CP56: 2026-01-01 12:00, day 1, Thursday 4 << 5


@pytest.mark.parametrize(
    ("kind", "address", "value", "expected"),
    [
        # Types of 104 table 7, elements of 101 clause 7.2.6.
        ("status", {}, 1, "1e 01 03 00 01 00 05 00 00 01"),
        ("double", {}, 2, "1f 01 03 00 01 00 05 00 00 02"),
        ("status", {"type": "double"}, 1, "1f 01 03 00 01 00 05 00 00 02"),
        ("status", {"type": "double"}, 0, "1f 01 03 00 01 00 05 00 00 01"),
        ("double", {"type": "single"}, 2, "1e 01 03 00 01 00 05 00 00 01"),
        ("double", {"type": "single"}, 1, "1e 01 03 00 01 00 05 00 00 00"),
        ("analog", {"type": "step"}, -3, "20 01 03 00 01 00 05 00 00 7d 00"),
        ("analog", {"type": "step"}, 64, "20 01 03 00 01 00 05 00 00 3f 01"),
        ("analog", {"type": "bitstring"}, 0xDEADBEEF, "21 01 03 00 01 00 05 00 00 ef be ad de 00"),
        ("analog", {"type": "bitstring"}, -1, "21 01 03 00 01 00 05 00 00 00 00 00 00 01"),
        ("analog", {"type": "normalised"}, 0.5, "22 01 03 00 01 00 05 00 00 00 40 00"),
        ("analog", {"type": "normalised"}, 1, "22 01 03 00 01 00 05 00 00 ff 7f 00"),
        ("analog", {"type": "normalised"}, 1.5, "22 01 03 00 01 00 05 00 00 ff 7f 01"),
        ("analog", {"type": "normalised"}, -1, "22 01 03 00 01 00 05 00 00 00 80 00"),
        ("analog", {"type": "scaled"}, -7, "23 01 03 00 01 00 05 00 00 f9 ff 00"),
        ("analog", {"type": "scaled"}, 40000, "23 01 03 00 01 00 05 00 00 ff 7f 01"),
        ("analog", {}, 12.5, "24 01 03 00 01 00 05 00 00 00 00 48 41 00"),
        ("analog", {"scale": 0.1, "offset": 2}, 12, "24 01 03 00 01 00 05 00 00 00 00 c8 42 00"),
        ("analog", {}, 1e39, "24 01 03 00 01 00 05 00 00 ff ff 7f 7f 01"),
        ("counter", {}, 5, "25 01 03 00 01 00 05 00 00 05 00 00 00 00"),
        ("counter", {}, 2**31, "25 01 03 00 01 00 05 00 00 ff ff ff 7f 80"),
        ("counter", {"type": "float"}, 3, "24 01 03 00 01 00 05 00 00 00 00 40 40 00"),
    ],
)
async def test_types(kind: str, address: dict[str, Any], value: float, expected: str) -> None:
    """Each type has its element and its time; what it cannot say is the nearest with OV."""
    async with Bench.of(point(0, kind, ioa=5, **address)) as bench:
        bench.ctx.happen((0, value, 0))
        assert await bench.sent() == written(f"{expected} {AT_NOON}")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("none", "01 01 03 00 01 00 05 00 00 01"),
        # CP24: 500 ms, minute 34.
        ("cp24", "02 01 03 00 01 00 05 00 00 01 f4 01 22"),
        ("cp56", "1e 01 03 00 01 00 05 00 00 01 f4 01 22 0c 81 01 1a"),
    ],
)
async def test_time_tags(time: str, expected: str) -> None:
    """The time tag of the events is the point's own."""
    async with Bench.of(point(0, ioa=5, time=time)) as bench:
        bench.ctx.happen((0, 1, 34 * 60_000 + 500))
        assert await bench.sent() == written(expected)


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        # 2026-03-29, a Sunday (29 | 7 << 5), 00:59:59 and 01:00 UTC: 01:59:59 (59000 ms are
        # 0xe678, minute 0x3b), and then 03:00 with SU, 0x80 of the hour.
        (87 * 86_400_000 - 12 * 3_600_000 + 3_599_000, "78 e6 3b 01 fd 03 1a"),
        (87 * 86_400_000 - 12 * 3_600_000 + 3_600_000, "00 00 00 83 fd 03 1a"),
    ],
)
async def test_civil_time(ms: int, expected: str) -> None:
    """The octets say the time of the station's zone, and whether it is summer time there."""
    async with Bench.of(point(0, ioa=5), zone=Zone("Europe/Berlin")) as bench:
        bench.ctx.happen((0, 1, ms))
        assert await bench.sent() == written(f"1e 01 03 00 01 00 05 00 00 01 {expected}")


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (Quality.INVALID, "1e 01 03 00 01 00 05 00 00 81 00 00 00 0c 81 01 1a"),
        (Quality.SUBSTITUTED, "1e 01 03 00 01 00 05 00 00 21 00 00 00 0c 81 01 1a"),
        # The time is not to be trusted: IV of CP56, 0x80 of the minute.
        (Quality.CLOCK_NOT_SYNCHRONISED, "1e 01 03 00 01 00 05 00 00 01 00 00 80 0c 81 01 1a"),
        # Test is T of the cause, 0x80.
        (Quality.TEST, "1e 01 83 00 01 00 05 00 00 01 00 00 00 0c 81 01 1a"),
    ],
)
async def test_quality(quality: Quality, expected: str) -> None:
    """What is wrong with a value stands in its flags, in its time or in the cause."""
    async with Bench.of(point(0, ioa=5)) as bench:
        bench.ctx.happen((0, 1, 0), quality=int(quality))
        assert await bench.sent() == written(expected)


async def test_events_stand_in_their_order_and_share_asdus() -> None:
    """Neighbours of one type share an ASDU (SQ=0); another type or station begins a new one."""
    points = [
        point(0, ioa=1),
        point(1, "double", ioa=2),
        point(2, ioa=3, ca=2),
    ]
    async with Bench.of(*points) as bench:
        rows = [(0, 1, 0), (0, 0, 1), (1, 2, 2), (2, 1, 3), (0, 1, 4), (2, 0, 5)]
        bench.ctx.happen(*rows)
        t = [f"{ms:02x} 00 00 0c 81 01 1a" for ms in range(6)]
        assert await bench.sent() == written(
            f"1e 02 03 00 01 00 01 00 00 01 {t[0]} 01 00 00 00 {t[1]}",
            f"1f 01 03 00 01 00 02 00 00 02 {t[2]}",
            f"1e 01 03 00 02 00 03 00 00 01 {t[3]}",
            f"1e 01 03 00 01 00 01 00 00 01 {t[4]}",
            f"1e 01 03 00 02 00 03 00 00 00 {t[5]}",
        )


@pytest.mark.parametrize("seed", range(5))
async def test_any_mixture_keeps_its_order(seed: int) -> None:
    """Stations, types and tests at random: read one by one, the objects are the samples."""
    dice = random.Random(seed)
    stations = [dice.choice((1, 1, 2, 3)) for _ in range(20)]
    points = [
        point(n, dice.choice(("status", "double")), ioa=n + 1, ca=stations[n]) for n in range(20)
    ]
    async with Bench.of(*points) as bench:
        expected = []
        for start in range(0, 300, 100):
            test = dice.random() < 0.5
            rows = [(dice.randrange(20), dice.randrange(2), start + n) for n in range(100)]
            bench.ctx.happen(*rows, quality=int(Quality.TEST) if test else 0)
            expected += [(stations[n], test, n + 1, value, ms) for n, value, ms in rows]
        found = []
        # Each delivery is taken when the one before has left.
        sent = [asdu for _ in range(3) for asdu in await bench.sent()]
        for asdu in map(bytes.fromhex, sent):
            assert asdu[0] in (30, 31)
            assert len(asdu) == 6 + 11 * asdu[1]
            for at in range(6, len(asdu), 11):
                ioa, ms = asdu[at], int.from_bytes(asdu[at + 4 : at + 6], "little")
                found.append((asdu[4], asdu[2] == 0x83, ioa, asdu[at + 3] & 3, ms))
        assert found == expected


async def test_what_has_one_time_stands_by_type() -> None:
    """A scan of a device has no order in itself; each point keeps its own, and so do the times."""
    points = [point(0, ioa=1), point(1, "double", ioa=2), point(2, ioa=3)]
    async with Bench.of(*points) as bench:
        bench.ctx.happen((1, 2, 0), (0, 1, 7), (1, 1, 7), (2, 1, 7), (0, 0, 7), (1, 2, 8))
        seven = "07 00 00 0c 81 01 1a"
        assert await bench.sent() == written(
            "1f 01 03 00 01 00 02 00 00 02 00 00 00 0c 81 01 1a",
            f"1e 03 03 00 01 00 01 00 00 01 {seven} 03 00 00 01 {seven} 01 00 00 00 {seven}",
            f"1f 02 03 00 01 00 02 00 00 01 {seven} 02 00 00 02 08 00 00 0c 81 01 1a",
        )


async def test_no_sample_of_a_point_passes_another() -> None:
    """Of two samples of one time, one of which is a test (T of the cause), the first one leads."""
    async with Bench.of(point(0, ioa=1)) as bench:
        test = int(Quality.TEST)
        bench.ctx.happen((0, 1, 0), (0, 0, 0), (0, 1, 0), quality=[test, 0, test])
        assert await bench.sent() == written(
            f"1e 01 83 00 01 00 01 00 00 01 {AT_NOON}",
            f"1e 01 03 00 01 00 01 00 00 00 {AT_NOON}",
            f"1e 01 83 00 01 00 01 00 00 01 {AT_NOON}",
        )


async def test_an_asdu_has_as_many_as_fit() -> None:
    """249 octets (104 clause 5.1): 6 before the objects, 15 for each float with its time."""
    async with Bench.of(point(0, "analog", ioa=1)) as bench:
        bench.ctx.happen(*((0, n, n) for n in range(40)))
        sent = await bench.sent()
        assert [bytes.fromhex(one)[1] for one in sent] == [16, 16, 8]
        assert [len(bytes.fromhex(one)) for one in sent] == [246, 246, 126]


async def test_small_fields() -> None:
    """One octet of cause, one of common address, two of object address."""
    sizes = Sizes(1, 1, 2, 249)
    async with Bench.of(point(0, ioa=0x1234), ca=9, sizes=sizes) as bench:
        bench.ctx.happen((0, 1, 0))
        assert await bench.sent() == written(f"1e 01 03 09 34 12 01 {AT_NOON}")


async def test_what_is_no_event_is_shown_and_counted() -> None:
    """A cyclic point has no events, unless its row says so; the ledger has it as coalesced."""
    points = [
        point(0, "analog", ioa=1, cycle="10s"),
        point(1, "analog", ioa=2, cycle="10s", spontaneous=True),
        point(2, ioa=3, spontaneous=False),
    ]
    async with Bench.of(*points) as bench:
        bench.ctx.happen((0, 1, 0), (1, 1, 0), (2, 1, 0))
        assert await bench.sent() == written(f"24 01 03 00 01 00 02 00 00 00 00 80 3f 00 {AT_NOON}")
        bench.ctx.happen((0, 2, 0))
        assert await bench.sent() == []
        assert bench.ctx.acknowledged == [1, 2]
        assert bench.ctx.coalesced == 3


async def test_nothing_is_taken_while_nobody_is_there() -> None:
    """Samples wait in the gateway, where a later one may replace them; then they come in order."""
    async with Bench.of(point(0, ioa=1), start=False) as bench:
        bench.ctx.happen((0, 1, 0))
        bench.ctx.happen((0, 0, 1))
        assert await bench.sent() == []
        assert bench.ctx.acknowledged == []
        bench.controlled.started(bench.client)
        assert await bench.sent() == written(
            "46 01 04 00 01 00 00 00 00 00",
            f"1e 01 03 00 01 00 01 00 00 01 {AT_NOON}",
            "1e 01 03 00 01 00 01 00 00 00 01 00 00 0c 81 01 1a",
        )
        assert bench.ctx.acknowledged == [2]
