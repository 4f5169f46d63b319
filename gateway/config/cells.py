"""Cells of the point list that every point has: names, kinds, numbers."""

from __future__ import annotations

import math
import re

from gateway.config.problem import did_you_mean, excerpt
from gateway.model.point import Kind

MAX_NAME = 200
_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*(?:\.[A-Za-z0-9-][A-Za-z0-9_-]*)*")


def name_fault(name: str) -> str:
    """Return what is wrong with the name of a point; nothing where it is right."""
    if _NAME.fullmatch(name) is not None and len(name) <= MAX_NAME:
        return ""
    if len(name) > MAX_NAME:
        return f"found a name of {len(name)} characters, allowed: {MAX_NAME}"
    if any(part.startswith("_") for part in name.split(".")):
        return f"found the name {excerpt(name)}, but parts that begin with _ are the gateway's own"
    return (
        f"found the name {excerpt(name)}, allowed: parts of letters, digits, - and _ "
        "with dots between: feeder1.voltage_a"
    )


def kind(cell: str) -> Kind:
    """Return the kind of a point; raises ValueError with what is allowed."""
    try:
        return Kind(cell)
    except ValueError:
        words = [kind.value for kind in Kind]
        raise ValueError(
            f"found {excerpt(cell)}, allowed: {', '.join(words)}{did_you_mean(cell, words)}"
        ) from None


def number(cell: str) -> float:
    """Return a finite number; raises ValueError."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in cell:
        hint = "; write decimals with a point" if "," in cell else ""
        raise ValueError(f"found {excerpt(cell)}, allowed: a number{hint}")
    return value


def scale(cell: str) -> float:
    """Return a factor, which is not 0; raises ValueError."""
    value = number(cell)
    if value == 0:
        raise ValueError(f"found {excerpt(cell)}, allowed: a number other than 0")
    return value


def rate(cell: str) -> float:
    """Return a rate of change, which is above 0; raises ValueError."""
    value = number(cell)
    if value <= 0:
        raise ValueError(f"found {excerpt(cell)}, allowed: a number above 0 (unit per second)")
    return value
