"""The sequence of events, rates, and the words for values."""

from __future__ import annotations

import math

import pytest
from gateway_console.page.login import local
from gateway_console.page.memory import EVENTS, Memory
from gateway_console.page.rates import Rates
from gateway_console.page.wording import age_text, quality_words, stamp_text, value_text

from gateway import Batch, Definition, Kind, Quality

DEFINITIONS = [
    Definition("breaker", Kind.STATUS),
    Definition("voltage"),
    Definition("isolator", Kind.DOUBLE),
    Definition("_health.bay.up", Kind.STATUS),
    None,
]


def test_changes_of_statuses_are_events_in_their_order() -> None:
    """Analogs, health points, and what says the same again are none; the first image neither."""
    memory = Memory(DEFINITIONS)
    memory.begin(Batch.of([0, 2, 3], [1.0, 2.0, 1.0]))
    memory.take(Batch.of([0, 1, 2, 3], [1.0, 230.0, 1.0, 0.0], 0, [10, 11, 12, 13]), 100)
    memory.take(Batch.of([0, 0], [0.0, 1.0], [0, Quality.INVALID], [20, 21]), 200)
    found = [(one.n, one.point, one.value, one.time, one.received) for one in memory.events]
    assert found == [(1, 2, 1.0, 12, 100), (2, 0, 0.0, 20, 200), (3, 0, 1.0, 21, 200)]


def test_events_are_bounded_and_all_are_counted() -> None:
    """The newest are kept."""
    memory = Memory(DEFINITIONS)
    values = [float(n % 2) for n in range(EVENTS + 100)]
    memory.take(Batch.of([0] * len(values), values), 1)
    assert (len(memory.events), memory.seen) == (EVENTS, EVENTS + 100)
    assert memory.events[-1].n == EVENTS + 100


def test_a_rate_is_taken_over_the_last_ten_seconds() -> None:
    """30 in the 10 s to now, whatever was before; nothing is known from one look."""
    rates = Rates()
    rates.take(0.0, {"a": 1000})
    assert math.isnan(rates.of("a"))
    for second in range(1, 41):
        rates.take(float(second), {"a": 1000 + 3 * second + (500 if second > 20 else 0)})
    assert rates.of("a") == 3.0
    assert math.isnan(rates.of("b"))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.STATUS, 1.0, "on"),
        (Kind.STATUS, 0.0, "off"),
        (Kind.DOUBLE, 0.0, "between"),
        (Kind.DOUBLE, 3.0, "bad"),
        (Kind.COUNTER, 1234567.0, "1,234,567"),
        (Kind.ANALOG, 230.456, "230.46"),
        (Kind.ANALOG, -0.00012, "-0.00012"),
        (Kind.ANALOG, 0.0, "0.000"),
        (Kind.ANALOG, math.nan, "–"),
    ],
)
def test_values_are_words_and_digits(kind: Kind, value: float, text: str) -> None:
    """A double-point status is IEC 61850-7-3 DPC: intermediate, off, on, bad."""
    assert value_text(kind, value) == text


def test_qualities_have_a_sign_beside_their_words() -> None:
    """Good, questionable, invalid and marked are told apart without colour."""
    signs = [
        quality_words(int(flags))[0]
        for flags in (
            Quality.GOOD,
            Quality.QUESTIONABLE | Quality.OUT_OF_RANGE,
            Quality.INVALID,
            Quality.SUBSTITUTED,
        )
    ]
    assert len(set(signs)) == 4
    assert "oldData" in quality_words(int(Quality.INVALID | Quality.OLD_DATA))
    own_clock = int(Quality.CLOCK_NOT_SYNCHRONISED)
    assert quality_words(own_clock) == quality_words(0)
    assert quality_words(own_clock | int(Quality.DEVICE_TIME)) != quality_words(0)


def test_times_and_ages_are_short() -> None:
    """The day is said where it is not today's; 2026-03-01 06:00 UTC is 1772344800 s."""
    moment = 1_772_344_800 * 10**9 + 250_000_000
    assert stamp_text(moment, moment + 10**9) == "06:00:00.250"
    assert stamp_text(moment, moment + 86_400 * 10**9) == "2026-03-01 06:00:00.250"
    ages = (3.24e9, 45e9, 150e9, 3 * 3600e9, 50 * 86400e9)
    assert [age_text(ns) for ns in ages] == ["3.2 s", "45 s", "2 min", "3 h", "50 d"]


@pytest.mark.parametrize(
    ("target", "led"),
    [
        ("/points", "/points"),
        ("/point/e01.breaker", "/point/e01.breaker"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/login", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_log_in_leads_to_pages_of_ours_only(target: str, led: str) -> None:
    """Whatever the address says."""
    assert local(target) == led
