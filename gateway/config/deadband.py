"""The deadband column: `0.5`, `1%`, `5s`, `always`."""

from __future__ import annotations

import math

from gateway.model.point import Deadband, DeadbandKind

ALWAYS = Deadband(-1.0)
ALLOWED = "0.5 (in the unit), 1% (of high - low), 5s (unit x seconds) or always"


def parse(text: str, low: float, high: float) -> Deadband:
    """Return the deadband that a cell means; `low` and `high` are the limits of the point.

    Raises ValueError with what was found and what is allowed.
    """
    if not text:
        return Deadband()
    if text == "always":
        return ALWAYS
    kind = text[-1] if text[-1] in "%s" else ""
    try:
        width = float(text[:-1] if kind else text)
    except ValueError:
        width = math.nan
    if not (math.isfinite(width) and width >= 0):
        raise ValueError(f"found {text!r}, allowed: {ALLOWED}")
    if kind == "s":
        return Deadband(width, DeadbandKind.INTEGRATED)
    if kind != "%":
        return Deadband(width)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"found {text!r} without a range, allowed: percent beside low and high")
    if width > 100:
        raise ValueError(f"found {text!r}, allowed: 0% to 100% of the range")
    return Deadband((high - low) * width / 100.0)
