"""What triggers, when, and how far a recording goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from comtrade_bench import NANO, RATE, SECOND, START, bench
from gateway_comtrade.codec import read

from gateway import Quality
from gateway.testing import paused


@paused(start=START)
async def test_triggers_make_a_recording_longer_up_to_its_longest(tmp_path: Path) -> None:
    """Triggers at 0.5, 1.0 and 1.5 s, each recorded for 0.7 s behind: 0.3 s to 1.7 s, which is the
    longest, and a second file from there to 2.2 s."""
    async with bench(tmp_path, after="700ms", longest="1400ms") as one:
        await one.feed(0.5)
        for at in (0.5, 1.0, 1.5):
            await one.tell("relay.trip", 1, at)
            await one.feed(0.25)
            await one.tell("relay.trip", 0, at + 0.25)
            await one.feed(0.25)
        await one.feed(3.0)
        await one.gateway.until(lambda: one.counted("recordings") == 2)
        first, second = (read(path) for path in one.files())
        assert one.counted("triggers") == 3
    begin = SECOND * NANO
    assert (first.header.start - begin, len(first)) == (300_000_000, round(1.4 * RATE))
    assert (second.header.start - begin, len(second)) == (1_700_000_000, round(0.5 * RATE))
    assert first.hdr.count("Trigger: ") == 3
    assert "It continues the recording before it." in second.hdr


@paused(start=START)
async def test_a_condition_that_says_nothing_hides_no_other(tmp_path: Path) -> None:
    """`frequency < 49.5 or breaker = open` fires by the breaker while the frequency is invalid."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.frequency", 49.0, 0.4, int(Quality.INVALID))
        await one.feed(0.5)
        assert one.counted("triggers") == 0
        await one.tell("relay.breaker", 1, 0.9)
        await one.feed(3.0)
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        assert one.files()[0].stem.endswith(",low")


@paused(start=START)
async def test_what_holds_at_the_start_is_no_trigger(tmp_path: Path) -> None:
    """Nor does a sample that repeats it; its end and another beginning is one."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.4)
        await one.feed(3.0)
        await one.tell("relay.trip", 1, 3.0)
        await one.feed(0.1)
        assert one.counted("triggers") == 1
        await one.tell("relay.trip", 0, 3.1)
        await one.tell("relay.trip", 1, 3.2)
        await one.gateway.until(lambda: one.counted("triggers") == 2)


@paused(start=START)
async def test_a_trigger_without_samples_is_counted(tmp_path: Path) -> None:
    """A minute late, its samples are gone."""
    async with bench(tmp_path) as one:
        await one.feed(8.0)
        await one.tell("relay.trip", 1, 1.0)
        await one.gateway.until(lambda: one.counted("triggers_late") == 1)
        assert one.files() == []


@paused(start=START)
async def test_every_sample_is_accounted_for(tmp_path: Path) -> None:
    """What was evaluated is delivered: nothing waits for this sink."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.5)
        await one.gateway.until(lambda: one.counted("triggers") == 1)
        await one.gateway.until(lambda: one.gateway.held("rec") == 0)


@paused(start=START)
async def test_a_link_that_comes_back_triggers_nothing(tmp_path: Path) -> None:
    """A trip that stays over a break fires once; one that came meanwhile fires."""
    async with bench(tmp_path) as one:
        await one.feed(0.2)
        await one.tell("relay.trip", 1, 0.1)
        await one.gateway.until(lambda: one.counted("triggers") == 1)
        one.relay.lose()
        await one.gateway.until(lambda: one.gateway.state("relay") == "down")
        await one.gateway.until(lambda: one.gateway.state("relay") == "up")
        await one.tell("relay.trip", 1, 2.0)
        await one.tell("relay.breaker", 1, 2.0)
        await one.gateway.until(lambda: one.counted("triggers") == 2)
        assert one.gateway.sample("relay.trip").quality == Quality.GOOD


@pytest.mark.parametrize(
    ("at", "quality"),
    [(3600.0, 0), (-3600.0, int(Quality.DEVICE_TIME | Quality.CLOCK_NOT_SYNCHRONISED))],
)
@paused(start=START)
async def test_a_clock_that_is_not_to_be_trusted(tmp_path: Path, at: float, quality: int) -> None:
    """A relay whose clock is an hour off is recorded when its trip is received: at 0.5 s."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, at, quality)
        await one.feed(3.0)
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        assert one.counted("triggers_unsure") == 1
        found = read(one.files()[0])
    assert abs(found.header.trigger - SECOND * NANO - 500_000_000) < 20_000_000
    assert "its own clock is not to be trusted" in found.hdr


@paused(start=START)
async def test_a_questionable_sample_counts(tmp_path: Path) -> None:
    """A frequency that is questionable and low."""
    async with bench(tmp_path) as one:
        await one.feed(0.2)
        await one.tell("relay.frequency", 49.0, 0.1, int(Quality.QUESTIONABLE))
        await one.gateway.until(lambda: one.counted("triggers") == 1)
