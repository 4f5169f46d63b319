"""How often one may ask, with a clock that the test moves."""

from __future__ import annotations

import pytest
from gateway_console import rates
from gateway_console.rates import Rates


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_client_has_its_burst_and_then_its_rate() -> None:
    """Four at once, and then one every half second at two per second."""
    clock = Clock()
    bucket = Rates(2, 4, clock)
    assert [bucket.wait("a") for _ in range(4)] == [0, 0, 0, 0]
    assert bucket.wait("a") == pytest.approx(0.5)
    clock.now = 0.49
    assert bucket.wait("a") == pytest.approx(0.01)
    clock.now = 0.5
    assert bucket.wait("a") == 0
    assert bucket.wait("a") == pytest.approx(0.5)


def test_clients_do_not_share() -> None:
    """Who floods keeps nobody else out."""
    bucket = Rates(1, 1, Clock())
    assert bucket.wait("a") == 0
    assert bucket.wait("a") > 0
    assert bucket.wait("b") == 0


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client that was silent for longest is forgotten, not the one that floods."""
    monkeypatch.setattr(rates, "MOST", 2)
    bucket = Rates(1, 1, Clock())
    bucket.wait("flood")
    bucket.wait("b")
    assert bucket.wait("flood") > 0
    bucket.wait("c")
    assert bucket.wait("flood") > 0
    assert bucket.wait("b") == 0
