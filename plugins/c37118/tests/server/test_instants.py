"""The instants of frames, beside exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from gateway_c37118.server.instants import Instants
from hypothesis import given
from hypothesis import strategies as st

SECOND = 10**9
rates = st.sampled_from([1, 5, 10, 12, 25, 30, 50, 60, 100, 120, 240, -1, -2, -10, -3600])


def exact(rate: int, number: int) -> Fraction:
    """The time of an instant in ns: n / rate seconds, or n times so many seconds."""
    return Fraction(number * SECOND, rate) if rate > 0 else Fraction(number * -rate * SECOND)


@given(rates, st.integers(0, 2**32 - 1), st.integers(0, 239))
def test_an_instant_is_a_fraction_of_the_second(rate: int, second: int, k: int) -> None:
    """Instants are n / rate seconds after the epoch, to half a nanosecond, and found again."""
    instants = Instants(rate)
    number = second * max(rate, 1) // max(-rate, 1) + k
    time = instants.time(number)

    assert abs(time - exact(rate, number)) <= Fraction(1, 2)
    assert instants.number(time) == number
    assert instants.number(time + 1_000) == number


@given(rates, st.integers(0, 2**61))
def test_the_nearest_instant(rate: int, time: int) -> None:
    """No other instant is nearer, and the first one after is not before it."""
    instants = Instants(rate)
    number = instants.number(time)
    off = [abs(exact(rate, number + i) - time) for i in (-1, 0, 1)]
    assert off[1] == min(off)

    after = int(instants.after(np.array([time]))[0])
    assert exact(rate, after) >= time - 1_000_001
    assert exact(rate, after - 1) < time


def test_thirds_of_a_microsecond() -> None:
    """At 30 frames a second a FRACSEC of 33333 us of 1e6 is the first instant of the second."""
    instants = Instants(30)
    times = np.array([1_700_000_000 * SECOND + us * 1000 for us in (0, 33_333, 66_667, 966_667)])

    assert (instants.number(times) - 1_700_000_000 * 30).tolist() == [0, 1, 2, 29]


def test_no_rate_is_none() -> None:
    """A rate of 0 has no instants."""
    with pytest.raises(ValueError, match="found rate 0"):
        Instants(0)
