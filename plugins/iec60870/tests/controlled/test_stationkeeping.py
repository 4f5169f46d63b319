"""What is not known; the clock, tests, restarts, the end of the initialisation."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import pytest
from gateway_iec60870.zone import Zone

from gateway import CommandStatus
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import Bench, point, written


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        # Unknown type, 44: one of nobody, a measurement, a parameter, a file.
        ("c8 01 06 00 01 00 00 00 00 01", "c8 01 6c 00 01 00 00 00 00 01"),
        ("01 01 06 00 01 00 05 00 00 01", "01 01 6c 00 01 00 05 00 00 01"),
        ("70 01 06 00 01 00 05 00 00 00 00 00 00 01", "70 01 6c 00 01 00 05 00 00 00 00 00 00 01"),
        ("7a 01 0d 00 01 00 00 00 00 01 00 00 00", "7a 01 6c 00 01 00 00 00 00 01 00 00 00"),
        # Unknown cause, 45.
        ("64 01 03 00 01 00 00 00 00 14", "64 01 6d 00 01 00 00 00 00 14"),
        ("2d 01 05 00 01 00 05 00 00 01", "2d 01 6d 00 01 00 05 00 00 01"),
        ("66 01 06 00 01 00 05 00 00", "66 01 6d 00 01 00 05 00 00"),
        # Unknown common address, 46; the broadcast is not for all types.
        ("64 01 06 00 02 00 00 00 00 14", "64 01 6e 00 02 00 00 00 00 14"),
        ("2d 01 06 00 ff ff 05 00 00 01", "2d 01 6e 00 ff ff 05 00 00 01"),
        ("66 01 05 00 ff ff 05 00 00", "66 01 6e 00 ff ff 05 00 00"),
        # Unknown object, 47: an interrogation has none.
        ("64 01 06 00 01 00 01 00 00 14", "64 01 6f 00 01 00 01 00 00 14"),
        # Two objects in one: a negative confirmation.
        ("64 02 06 00 01 00 00 00 00 14 00 00 00 14", "64 02 47 00 01 00 00 00 00 14 00 00 00 14"),
        # The originator and T are repeated.
        ("c8 01 86 17 01 00 00", "c8 01 ec 17 01 00 00"),
    ],
)
async def test_what_is_not_known(asked: str, answered: str) -> None:
    """It comes back with the cause that says what is not known, and negative."""
    async with Bench.of(point(0, ioa=5)) as bench:
        assert await bench.ask(asked) == written(answered)
        assert bench.ctx.requests == []


@pytest.mark.parametrize(
    ("asdu", "status"),
    [
        ("2d 01 05 00 01 00 05 00 00 01", CommandStatus.FORMAT_ERROR),
        ("2d 01 06 00 02 00 05 00 00 01", CommandStatus.UNKNOWN_POINT),
        ("2d 02 06 00 01 00 05 00 00 01", CommandStatus.FORMAT_ERROR),
    ],
)
async def test_a_command_that_cannot_be_read_is_on_record(asdu: str, status: CommandStatus) -> None:
    """A wrong cause, address or length of a command."""
    async with Bench.of(point(0, ioa=5)) as bench:
        await bench.ask(asdu)
        assert [one for one, _ in bench.ctx.refusals] == [status]


@pytest.mark.parametrize("asdu", ["64", "64 01 06 00 01 00 00 00 00", "64 01 06 00 01"])
async def test_octets_that_are_no_asdu(asdu: str) -> None:
    """They are counted; what could be answered is not there."""
    async with Bench.of(point(0, ioa=5)) as bench:
        assert await bench.ask(asdu) == []
        assert bench.ctx.counts["malformed"] == 1


@pytest.mark.parametrize("cause", ["6c", "6d", "2e", "47"])
async def test_an_answer_is_not_answered(cause: str) -> None:
    """Two stations that take each other for the other kind do not refuse each other for ever."""
    async with Bench.of(point(0, ioa=5)) as bench:
        assert await bench.ask(f"1e 01 {cause} 00 01 00 05 00 00 01 00 00 00 0c 81 01 1a") == []
        assert bench.ctx.counts["unexpected"] == 1


async def test_the_end_of_the_start_is_told_once() -> None:
    """M_EI_NA_1 of each station on the first connection, before anything else; then no more."""
    async with Bench.of(point(0, ioa=5, ca=3), point(1, ioa=5, ca=4), start=False) as bench:
        bench.ctx.happen((0, 1, 0))
        bench.controlled.started(bench.client)
        assert (await bench.sent())[:2] == written(
            "46 01 04 00 03 00 00 00 00 00", "46 01 04 00 04 00 00 00 00 00"
        )
        bench.controlled.stopped()
        bench.controlled.started(bench.client)
        assert await bench.sent() == []


@pytest.mark.parametrize(
    ("given", "warned"),
    [("00 00 00 0c 81 01 1a", ""), ("00 00 01 0c 81 01 1a", "59.750 s ahead")],
)
async def test_the_clock_is_compared(
    given: str, warned: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer has the gateway's time, which stays; a second off is worth a line."""
    with caplog.at_level(logging.WARNING):
        async with Bench.of(point(0, ioa=5)) as bench:
            bench.ctx.wall += 250
            assert await bench.ask(f"67 01 06 00 01 00 00 00 00 {given}") == written(
                "67 01 07 00 01 00 00 00 00 fa 00 00 0c 81 01 1a"
            )
    text = "".join(record.getMessage() for record in caplog.records)
    assert warned in text
    assert bool(warned) == bool(text)


async def test_the_clock_in_another_zone() -> None:
    """13:00 in Berlin is noon UTC; the answer says 13:00, too."""
    async with Bench.of(point(0, ioa=5), zone=Zone("Europe/Berlin")) as bench:
        asked = "67 01 06 00 01 00 00 00 00 00 00 00 0d 81 01 1a"
        assert await bench.ask(asked) == written(asked.replace("67 01 06", "67 01 07"))
        assert bench.ctx.counts["times_written"] == 1


async def test_a_clock_that_says_it_is_wrong() -> None:
    """IV: a negative confirmation."""
    async with Bench.of(point(0, ioa=5)) as bench:
        assert await bench.ask("67 01 06 00 01 00 00 00 00 00 00 80 0c 81 01 1a") == written(
            "67 01 47 00 01 00 00 00 00 00 00 80 0c 81 01 1a"
        )


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ("68 01 {} 00 01 00 00 00 00 aa 55", "07"),
        ("68 01 {} 00 01 00 00 00 00 aa 56", "47"),
        ("6b 01 {} 00 01 00 00 00 00 17 00 00 00 00 0c 81 01 1a", "07"),
        ("6a 01 {} 00 01 00 00 00 00 64 00", "07"),
    ],
)
async def test_tests_and_the_delay(asked: str, cause: str) -> None:
    """They come back as they came; a test pattern other than 0x55aa is a fault."""
    async with Bench.of(point(0, ioa=5)) as bench:
        assert await bench.ask(asked.format("06")) == written(asked.format(cause))


async def test_a_measured_delay_is_taken_note_of() -> None:
    """Cause 3 of C_CD_NA_1 needs no answer."""
    async with Bench.of(point(0, ioa=5)) as bench:
        assert await bench.ask("6a 01 03 00 01 00 00 00 00 64 00") == []


@pytest.mark.parametrize(
    ("allowed", "qualifier", "cause"), [(False, 1, "47"), (True, 2, "47"), (True, 1, "07")]
)
@paused
async def test_a_restart(allowed: bool, qualifier: int, cause: str) -> None:
    """It is confirmed and then done, where it is allowed; the events' buffer is not emptied."""
    async with Bench.of(point(0, ioa=5), restart=allowed) as bench:
        assert await bench.ask(f"69 01 06 00 01 00 00 00 00 0{qualifier}") == written(
            f"69 01 {cause} 00 01 00 00 00 00 0{qualifier}"
        )
        await asyncio.sleep(1)
        assert bench.ended == (cause == "07")
