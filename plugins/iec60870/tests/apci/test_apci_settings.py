"""The parameters of a connection (IEC 60870-5-104:2006, 9.6)."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_iec60870.apci import ApciSettings


def test_the_standard_s_defaults() -> None:
    """Without a word, the defaults of 9.6 are in force."""
    one = ApciSettings()
    assert (one.k, one.w, one.t0, one.t1, one.t2, one.t3) == (12, 8, 30, 15, 10, 20)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"k": 0}, "found k 0, allowed: 1 to 32767"),
        ({"k": 32768}, "found k 32768, allowed: 1 to 32767"),
        ({"w": 0}, r"found w 0, allowed: 1 to 12 \(k\)"),
        ({"k": 4, "w": 5}, r"found w 5, allowed: 1 to 4 \(k\)"),
        ({"t0": 0}, "found t0 0 s, allowed: above 0"),
        ({"t1": -1}, "found t1 -1 s, allowed: above 0"),
        ({"t2": 0.0}, "found t2 0 s, allowed: above 0"),
        ({"t3": float("nan")}, "found t3 nan s, allowed: above 0"),
        ({"t2": 15}, r"found t2 15 s, allowed: below t1 \(15 s\)"),
    ],
)
def test_what_cannot_be(fields: dict[str, Any], sentence: str) -> None:
    """What stations could not agree on is refused with what is allowed."""
    with pytest.raises(ValueError, match=sentence):
        ApciSettings(**fields)


def test_the_largest_window() -> None:
    """k and w may be 2^15 - 1."""
    assert ApciSettings(k=32767, w=32767).w == 32767
