"""Quantities have names, and the kernel has a number for each."""

from __future__ import annotations

import pytest

from gateway.kernel import Quantity, Setup, Stream
from gateway.kernel.quantity import ITEMS, KINDS, SPANS, kinds

EVERY = Setup(
    stream=Stream(4800, [0.01] * 8),
    columns={lane: i for i, lane in enumerate(ITEMS["rms"])},
    declared=230.0,
    orders=40,
)


def test_names_come_back() -> None:
    """A quantity is its name, and the name the quantity."""
    for quantity in EVERY.quantities():
        assert Quantity.parse(str(quantity)) == quantity
    assert str(Quantity("cycles", "harmonic", "ub", 5)) == "cycles/harmonic/ub/5"
    assert Quantity.parse("10min/rms/ua") == Quantity("10min", "rms", "ua")


def test_a_meter_gives_what_its_lanes_allow() -> None:
    """One phase has no line voltage and no sequence; without orders there is no THD."""
    whole = [str(q) for q in EVERY.quantities()]
    single = Setup(Stream(4800, [1.0, 1.0]), {"ua": 0, "ia": 1}, 230.0)
    names = [str(q) for q in single.quantities()]

    assert len(set(whole)) == len(whole) == 8 + 4 * (29 + 8 * 4 + 6 + 8 + 2 * 8 * 40) + 17
    assert "cycles/active/all" in names
    assert "cycles/apparent/a" in names
    assert "total/energy/import_all" in names
    assert "10s/frequency/all" in names
    assert not any("/uab" in n or "sequence" in n or "thd" in n or "/ub" in n for n in names)
    assert not any("positive" in n or "/b" in n for n in names)
    volts = Setup(Stream(4800, [1.0] * 3), {"ua": 0, "ub": 1, "uc": 2}, 230.0)
    names = [str(q) for q in volts.quantities()]
    assert "cycles/unbalance/u2" in names
    assert "cycles/line/uca" in names
    assert not any("active" in n or "positive" in n or "/i" in n for n in names)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("hour/rms/ua", r"hour/rms/ua: unknown span 'hour'; known are half, cycles, 3s"),
        ("cycles", r"cycles: unknown kind '' of cycles; known are"),
        ("half/thd/ua", r"half/thd/ua: unknown kind 'thd' of half; known are \('rms',\)"),
        ("cycles/rms/ux", r"unknown item 'ux' of rms; known are ua, ub"),
        ("cycles/rms", r"unknown item '' of rms"),
        ("cycles/rms/ua/1", r"rms has nothing after its item"),
        ("cycles/harmonic/ua", r"harmonic has an order after its item"),
        ("cycles/harmonic/ua/x", r"harmonic has an order after its item"),
    ],
)
def test_other_names_are_refused(name: str, sentence: str) -> None:
    """The sentence says what is allowed."""
    with pytest.raises(ValueError, match=sentence):
        Quantity.parse(name)


def test_spans_have_kinds() -> None:
    """All of them, but for the three that have one each."""
    assert kinds("half") == ("rms",)
    assert kinds("10s") == ("frequency",)
    assert kinds("total") == ("energy",)
    for span in ("cycles", "3s", "10min", "2h"):
        assert set(kinds(span)) == set(KINDS) - {"energy"}
    assert len(SPANS) == 7
