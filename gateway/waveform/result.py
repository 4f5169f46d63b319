"""Results by name: what of a waveform becomes a point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from gateway.kernel import Quantity
from gateway.kernel.quantity import LANES, ORDERED, SPANS, kinds

SEQUENCES = ("u1", "u2", "u0", "i1", "i2", "i0")
PHASOR_ITEMS: dict[str, tuple[str, ...]] = {
    "frequency": (),
    "rocof": (),
    "magnitude": (*LANES, *SEQUENCES),
    "angle": (*LANES, *SEQUENCES),
}
EVENT_PARTS: dict[str, tuple[str, ...]] = {
    "dip": ("active", "voltage", "duration"),
    "swell": ("active", "voltage", "duration"),
    "interruption": ("active", "voltage", "duration"),
    "change": ("voltage", "steady", "duration"),
}
PHASES = ("a", "b", "c", "all")


class PhasorResult(NamedTuple):
    """`phasor/frequency` [Hz], `phasor/rocof` [Hz/s], `phasor/magnitude/ua`, `phasor/angle/u1`
    [degrees]; item is empty for the first two."""

    kind: str
    item: str

    def __str__(self) -> str:
        return "/".join(("phasor", self.kind, *([self.item] if self.item else [])))


class EventResult(NamedTuple):
    """`dip/active/all` (1 while it lasts), `dip/voltage/a` [V], `swell/duration/all` [s]."""

    event: str
    part: str
    phase: str

    def __str__(self) -> str:
        return "/".join(self)


Result: TypeAlias = Quantity | PhasorResult | EventResult


def parse_result(name: str) -> Result:
    """Return the result of a name; raises ValueError that says what is allowed."""
    first, *rest = name.split("/")
    if first == "phasor":
        return _phasor(rest)
    if first in EVENT_PARTS:
        return _event(first, rest)
    if first not in SPANS:
        raise ValueError(_sentence("", first, ("phasor", *SPANS, *EVENT_PARTS)))
    return Quantity.parse(name)


def _phasor(rest: list[str]) -> PhasorResult:
    kind = rest[0] if rest else ""
    if kind not in PHASOR_ITEMS:
        raise ValueError(_sentence("phasor/", kind, PHASOR_ITEMS))
    items = PHASOR_ITEMS[kind]
    item = rest[1] if len(rest) > 1 else ""
    if item not in (items or ("",)):
        raise ValueError(_sentence(f"phasor/{kind}/", item, items))
    _nothing_more(rest[1 + bool(items) :])
    return PhasorResult(kind, item)


def _event(event: str, rest: list[str]) -> EventResult:
    part = rest[0] if rest else ""
    if part not in EVENT_PARTS[event]:
        raise ValueError(_sentence(f"{event}/", part, EVENT_PARTS[event]))
    phase = rest[1] if len(rest) > 1 else ""
    if phase not in PHASES:
        raise ValueError(_sentence(f"{event}/{part}/", phase, PHASES))
    _nothing_more(rest[2:])
    return EventResult(event, part, phase)


def _nothing_more(rest: list[str]) -> None:
    if rest:
        raise ValueError(f"found '/{'/'.join(rest)}' at its end, allowed: nothing more")


def _sentence(before: str, found: str, allowed: Iterable[str]) -> str:
    after = f" after '{before}'" if before else ""
    words = ", ".join(allowed) or "nothing"
    return f"found '{found}'{after}, allowed: {words}"


__all__ = [
    "EVENT_PARTS",
    "LANES",
    "ORDERED",
    "PHASES",
    "PHASOR_ITEMS",
    "SEQUENCES",
    "EventResult",
    "PhasorResult",
    "Result",
    "kinds",
    "parse_result",
]
