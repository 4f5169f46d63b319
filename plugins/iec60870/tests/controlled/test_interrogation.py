"""Interrogations of the station, of groups and of counters, and reading one object."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from gateway import Quality
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import Bench, point, written

CON, TERM = "64 01 07 00 01 00 00 00 00 14", "64 01 0a 00 01 00 00 00 00 14"
ASKED = "64 01 06 00 01 00 00 00 00 14"
COUNTERS = [
    point(0, "counter", ioa=1, counter_group=1),
    point(1, "counter", ioa=2, counter_group=2),
    point(2, "counter", ioa=3),
]


async def test_the_station() -> None:
    """Confirmation, all but the counters without times, neighbours packed, termination."""
    points = [
        *(point(n, ioa=1 + n) for n in range(3)),
        point(3, "double", ioa=9),
        point(4, "analog", ioa=20),
        point(5, "counter", ioa=30),
    ]
    async with Bench.of(*points) as bench:
        bench.ctx.happen((0, 1, 0), (1, 0, 0), (2, 1, 0), (3, 2, 0), (4, 2.5, 0), (5, 7, 0))
        await bench.sent()
        assert await bench.ask(ASKED) == written(
            CON,
            "01 83 14 00 01 00 01 00 00 01 00 01",
            "03 01 14 00 01 00 09 00 00 02",
            "0d 01 14 00 01 00 14 00 00 00 00 20 40 00",
            TERM,
        )


@paused
async def test_a_point_that_was_never_there() -> None:
    """Its value is 0, invalid and not topical."""
    async with Bench.of(point(0, ioa=1), point(1, "analog", ioa=2)) as bench:
        await asyncio.sleep(1)
        assert await bench.ask(ASKED) == written(
            CON,
            "01 01 14 00 01 00 01 00 00 c0",
            "0d 01 14 00 01 00 02 00 00 00 00 00 00 c0",
            TERM,
        )


async def test_a_point_in_test_has_an_asdu_of_its_own() -> None:
    """The bit T is of the whole ASDU."""
    async with Bench.of(point(0, ioa=1), point(1, ioa=3)) as bench:
        bench.ctx.happen((0, 1, 0), quality=int(Quality.TEST))
        bench.ctx.happen((1, 1, 0))
        await bench.sent()
        assert await bench.ask(ASKED) == written(
            CON, "01 01 14 00 01 00 03 00 00 01", "01 01 94 00 01 00 01 00 00 01", TERM
        )


async def test_a_group() -> None:
    """Group 3 is qualifier and cause 23; an empty group has nothing, and is confirmed."""
    async with Bench.of(point(0, ioa=1, group=3), point(1, ioa=2)) as bench:
        bench.ctx.happen((0, 1, 0), (1, 1, 0))
        await bench.sent()
        assert await bench.ask("64 01 06 00 01 00 00 00 00 17") == written(
            "64 01 07 00 01 00 00 00 00 17",
            "01 01 17 00 01 00 01 00 00 01",
            "64 01 0a 00 01 00 00 00 00 17",
        )
        assert await bench.ask("64 01 06 00 01 00 00 00 00 18") == written(
            "64 01 07 00 01 00 00 00 00 18", "64 01 0a 00 01 00 00 00 00 18"
        )


@pytest.mark.parametrize("qualifier", ["00", "13", "25", "ff"])
async def test_a_qualifier_that_is_none(qualifier: str) -> None:
    """Only 20 to 36 ask for something: a negative confirmation."""
    async with Bench.of(point(0, ioa=1)) as bench:
        assert await bench.ask(f"64 01 06 00 01 00 00 00 00 {qualifier}") == written(
            f"64 01 47 00 01 00 00 00 00 {qualifier}"
        )


async def test_all_stations() -> None:
    """The broadcast address asks each, and each answers with its own address and originator."""
    async with Bench.of(point(0, ioa=1, ca=3), point(1, ioa=1, ca=4)) as bench:
        bench.ctx.happen((0, 1, 0), (1, 0, 0))
        await bench.sent()
        assert sorted(await bench.ask("64 01 06 05 ff ff 00 00 00 14")) == sorted(
            written(
                "64 01 07 05 03 00 00 00 00 14",
                "64 01 07 05 04 00 00 00 00 14",
                "01 01 14 05 03 00 01 00 00 01",
                "64 01 0a 05 03 00 00 00 00 14",
                "01 01 14 05 04 00 01 00 00 00",
                "64 01 0a 05 04 00 00 00 00 14",
            )
        )


async def test_events_before_it_go_before_it() -> None:
    """What was ready when it came is sent first, and what comes afterwards behind it."""
    async with Bench.of(point(0, ioa=1)) as bench:
        bench.ctx.happen((0, 1, 0))
        await bench.sent()
        bench.ctx.happen((0, 0, 1))
        bench.ctx.happen((0, 1, 2))
        await bench.say(ASKED)
        await bench.turn()
        bench.ctx.happen((0, 0, 3))
        sent = await bench.sent()
        assert [(one[:2], one[6:8], one[30:32]) for one in sent] == [
            ("64", "07", ""),  # may pass
            ("1e", "03", "01"),
            ("1e", "03", "02"),
            ("01", "14", ""),
            ("64", "0a", ""),
            ("1e", "03", "03"),
        ]
        assert sent[3] == "01 01 14 00 01 00 01 00 00 01"


@paused
async def test_it_waits_for_history_but_not_for_ever() -> None:
    """A station that is behind by more than it can send is interrogated all the same, and it is
    counted: the image is newer than the events that follow."""
    async with Bench.of(point(0, ioa=1), interrogation_wait=5.0) as bench:
        for n in range(100):
            bench.ctx.happen((0, n % 2, n))
        await bench.turn()
        assert await bench.sent(1) == written("1e 01 03 00 01 00 01 00 00 00 00 00 00 0c 81 01 1a")
        await bench.say(ASKED)
        await asyncio.sleep(4.9)
        assert bench.controlled.outgoing.take(1) == [bytes.fromhex(CON)]
        assert not bench.ctx.counts["interrogations_early"]
        await asyncio.sleep(0.2)
        assert bench.ctx.counts["interrogations_early"] == 1
        sent = await bench.sent()
        assert "01 01 14 00 01 00 01 00 00 01" in sent
        assert sent.index("01 01 14 00 01 00 01 00 00 01") < 70


async def test_history_on_its_way_from_the_disk_goes_first() -> None:
    """While the gateway has older samples that are not ready yet, it is not served."""
    async with Bench.of(point(0, ioa=1)) as bench:
        bench.ctx.on_disk = 1
        bench.ctx.happen((0, 1, 0), historical=True)
        await bench.say(ASKED)
        assert [one[:2] for one in await bench.sent()] == ["64", "1e"]
        bench.ctx.on_disk = 0
        bench.ctx.happen((0, 0, 1), historical=True)
        assert [one[:2] for one in await bench.sent()] == ["1e", "01", "64"]


async def test_one_at_a_time() -> None:
    """The second of a kind is refused while the first is on its way; another group is not."""
    async with Bench.of(point(0, ioa=1, group=1)) as bench:
        bench.ctx.happen((0, 1, 0))
        await bench.sent()
        sent = await bench.ask(ASKED, ASKED, "64 01 06 00 01 00 00 00 00 15")
        assert sent[:3] == written(
            CON, "64 01 47 00 01 00 00 00 00 14", "64 01 07 00 01 00 00 00 00 15"
        )
        assert bench.ctx.counts["interrogations_refused"] == 1
        assert (await bench.ask(ASKED))[0] == CON


async def test_it_is_broken_off() -> None:
    """Cause 8: what has not left stays away, and is confirmed; without one it is refused."""
    points = [point(n, ioa=2 * n + 1) for n in range(200)]
    stop = "64 01 08 00 01 00 00 00 00 14"
    async with Bench.of(*points) as bench:
        bench.ctx.happen(*((n, 1, 0) for n in range(200)))
        await bench.sent()
        await bench.say(ASKED)
        assert [one[:2] for one in await bench.sent(2)] == ["64", "01"]
        assert await bench.ask(stop) == written("64 01 09 00 01 00 00 00 00 14")
        assert await bench.ask(stop) == written("64 01 49 00 01 00 00 00 00 14")
        assert (await bench.ask(ASKED))[-1] == TERM


async def test_it_is_broken_off_before_it_is_served() -> None:
    """Nothing of it is sent but its confirmations."""
    async with Bench.of(point(0, ioa=1)) as bench:
        bench.ctx.happen((0, 1, 0))
        await bench.sent()
        assert await bench.ask(ASKED, "64 01 08 00 01 00 00 00 00 14") == written(
            CON, "64 01 09 00 01 00 00 00 00 14"
        )


async def test_who_leaves_gets_nothing() -> None:
    """The next connection begins without what the last one asked for."""
    async with Bench.of(point(0, ioa=1)) as bench:
        bench.ctx.happen((0, 1, 0))
        await bench.sent()
        await bench.say(ASKED)
        await bench.turn()
        bench.controlled.stopped()
        bench.controlled.started(bench.client)
        assert await bench.sent() == []
        assert (await bench.ask(ASKED))[-1] == TERM


# Counters


def counters(request: str, cause: str = "06") -> str:
    return f"65 01 {cause} 00 01 00 00 00 00 {request}"


async def test_counters_are_read() -> None:
    """Request 5 is cause 37, all of them; request 2 is group 2, cause 39."""
    async with Bench.of(*COUNTERS) as bench:
        bench.ctx.happen((0, 10, 0), (1, 20, 0), (2, 30, 0))
        await bench.sent()
        assert await bench.ask(counters("05")) == written(
            counters("05", "07"),
            "0f 83 25 00 01 00 01 00 00 0a 00 00 00 00 14 00 00 00 00 1e 00 00 00 00",
            counters("05", "0a"),
        )
        assert await bench.ask(counters("02")) == written(
            counters("02", "07"),
            "0f 01 27 00 01 00 02 00 00 14 00 00 00 00",
            counters("02", "0a"),
        )
        assert await bench.ask(counters("00")) == written(counters("00", "47"))
        assert await bench.ask(counters("06")) == written(counters("06", "47"))


async def test_frozen_counters_are_a_copy() -> None:
    """FRZ 1 freezes group 1 and counts the freezes (101 clause 7.2.6.9); reading shows the copy."""
    async with Bench.of(*COUNTERS) as bench:
        bench.ctx.happen((0, 10, 0), (1, 20, 0))
        await bench.sent()
        assert await bench.ask(counters("41")) == written(
            counters("41", "07"), counters("41", "0a")
        )
        bench.ctx.happen((0, 11, 1), (1, 21, 1))
        await bench.sent()
        assert (await bench.ask(counters("01")))[1] == "0f 01 26 00 01 00 01 00 00 0a 00 00 00 01"
        assert (await bench.ask(counters("02")))[1] == "0f 01 27 00 01 00 02 00 00 15 00 00 00 00"


async def test_counters_begin_anew() -> None:
    """FRZ 2 freezes and resets, FRZ 3 resets: from then on they count from there, in events too."""
    async with Bench.of(*COUNTERS) as bench:
        bench.ctx.happen((0, 10, 0), (1, 20, 0))
        await bench.sent()
        await bench.ask(counters("81"), counters("c2"))
        bench.ctx.happen((0, 13, 1), (1, 24, 1))
        events = await bench.sent()
        assert events == written(
            "25 02 03 00 01 00"
            "01 00 00 03 00 00 00 01 01 00 00 0c 81 01 1a"
            "02 00 00 04 00 00 00 00 01 00 00 0c 81 01 1a"
        )
        assert (await bench.ask(counters("01")))[1] == "0f 01 26 00 01 00 01 00 00 0a 00 00 00 01"
        assert (await bench.ask(counters("02")))[1] == "0f 01 27 00 01 00 02 00 00 04 00 00 00 00"


# Reading


async def test_one_object_is_read() -> None:
    """Cause 5, without a time; an object that is not there is 47, negative."""
    async with Bench.of(point(0, "analog", ioa=9)) as bench:
        bench.ctx.happen((0, 2.5, 0))
        await bench.sent()
        assert await bench.ask("66 01 05 00 01 00 09 00 00") == written(
            "0d 01 05 00 01 00 09 00 00 00 00 20 40 00"
        )
        assert await bench.ask("66 01 05 00 01 00 08 00 00") == written(
            "66 01 6f 00 01 00 08 00 00"
        )


async def test_one_answer_to_two_reads() -> None:
    """Who reads an object again before it is there gets it once."""
    async with Bench.of(point(0, ioa=9)) as bench:
        bench.ctx.happen((0, 1, 0))
        await bench.sent()
        assert await bench.ask(*["66 01 05 00 01 00 09 00 00"] * 2) == written(
            "01 01 05 00 01 00 09 00 00 01"
        )
        assert len(await bench.ask("66 01 05 00 01 00 09 00 00")) == 1
