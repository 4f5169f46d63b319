"""What a meter gives: a value of a kind, of an item, over a span of time."""

from __future__ import annotations

from typing import NamedTuple

from gateway.kernel._kernel import lib

SPANS: dict[str, int] = {
    "half": lib.GW_HALF_CYCLE,
    "cycles": lib.GW_CYCLES,
    "3s": lib.GW_3_SECONDS,
    "10min": lib.GW_10_MINUTES,
    "2h": lib.GW_2_HOURS,
    "10s": lib.GW_10_SECONDS,
    "total": lib.GW_FOREVER,
}
"""Urms(1/2), 10 or 12 cycles, 150 or 180 cycles, 10 minutes, 2 hours; frequency; energy."""

LANES = ("ua", "ub", "uc", "un", "ia", "ib", "ic", "in")
_PHASES = ("a", "b", "c", "all")
_REGISTERS = ("import", "export", "reactive_import", "reactive_export")

ITEMS: dict[str, tuple[str, ...]] = {
    "rms": LANES,
    "line": ("uab", "ubc", "uca"),
    "fundamental": LANES,
    "sequence": ("u1", "u2", "u0", "i1", "i2", "i0"),
    "unbalance": ("u2", "u0", "i2", "i0"),
    "active": _PHASES,
    "reactive": _PHASES,
    "apparent": _PHASES,
    "factor": _PHASES,
    "active_1": _PHASES,
    "apparent_1": _PHASES,
    "factor_1": _PHASES,
    "distortion": _PHASES,
    "positive": ("p", "q", "s"),
    "unbalanced": ("all",),
    "frequency": ("all",),
    "flag": ("all",),
    "thd": LANES,
    "harmonic": LANES,
    "interharmonic": LANES,
    "energy": tuple(f"{register}_{phase}" for register in _REGISTERS for phase in _PHASES),
}
"""Items of each kind, in the kernel's order; kernel.h says what each kind is and its unit."""

KINDS: dict[str, int] = {kind: getattr(lib, f"GW_{kind.upper()}") for kind in ITEMS}
ORDERED = ("harmonic", "interharmonic")
_ALONE = {"half": ("rms",), "10s": ("frequency",), "total": ("energy",)}


class Quantity(NamedTuple):
    """A quantity by name: `cycles/rms/ua`, `10min/harmonic/ub/5`, `total/energy/import_all`.

    span: a key of `SPANS`; kind: a key of `ITEMS`; item: one of its items;
    order: of a harmonic 1 and above, of an interharmonic that of the harmonic below it; else 0.
    """

    span: str
    kind: str
    item: str
    order: int = 0

    def __str__(self) -> str:
        name = f"{self.span}/{self.kind}/{self.item}"
        return f"{name}/{self.order}" if self.kind in ORDERED else name

    @classmethod
    def parse(cls, name: str) -> Quantity:
        """Return the quantity of a name; raises ValueError that says what is allowed."""
        span, *rest = name.split("/")
        if span not in SPANS:
            raise ValueError(f"{name}: unknown span {span!r}; known are {', '.join(SPANS)}")
        known = kinds(span)
        kind = rest[0] if rest else ""
        if kind not in known:
            raise ValueError(f"{name}: unknown kind {kind!r} of {span}; known are {known}")
        item = rest[1] if len(rest) > 1 else ""
        if item not in ITEMS[kind]:
            allowed = ", ".join(ITEMS[kind])
            raise ValueError(f"{name}: unknown item {item!r} of {kind}; known are {allowed}")
        order = rest[2:]
        if len(order) != (kind in ORDERED) or not all(part.isdecimal() for part in order):
            wanted = "an order after its item" if kind in ORDERED else "nothing after its item"
            raise ValueError(f"{name}: {kind} has {wanted}")
        return cls(span, kind, item, int(order[0]) if order else 0)


def kinds(span: str) -> tuple[str, ...]:
    """Return the kinds that a span has."""
    return _ALONE.get(span, tuple(kind for kind in ITEMS if kind != "energy"))
