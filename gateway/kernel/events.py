"""Events of the voltage: dips, swells, interruptions and rapid voltage changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.kernel._kernel import ffi, lib

_COLUMNS = (
    ("kind", "uint8_t[]", np.uint8),
    ("phase", "int8_t[]", np.int8),
    ("start", "int64_t[]", np.int64),
    ("end", "int64_t[]", np.int64),
    ("value", "double[]", np.float64),
    ("more", "double[]", np.float64),
    ("quality", "uint16_t[]", np.uint16),
)
_KINDS: dict[int, str] = {
    lib.GW_DIP: "dip",
    lib.GW_SWELL: "swell",
    lib.GW_INTERRUPTION: "interruption",
    lib.GW_CHANGE: "change",
}


class Event(NamedTuple):
    """An event that has begun, or has ended.

    kind:  "dip", "swell", "interruption", or "change" for a rapid voltage change.
    phase: 0, 1, 2, or None for the circuit: any phase of a dip or swell, all of an interruption.
    start, end: [ns since the Unix epoch, UTC]; end is None where it has only begun.
    value: [V] the lowest Urms(1/2) of a dip or interruption, the highest of a swell, the largest
           change of a rapid voltage change.
    more:  [V] the steady-state change of a rapid voltage change, else 0.
    quality: of the Urms(1/2) in it.
    """

    kind: str
    phase: int | None
    start: int
    end: int | None
    value: float
    more: float
    quality: int


class Events:
    """Room for `capacity` events, filled by `Meter.push` and emptied by `drain`.

    Owned by one thread at a time.
    """

    __slots__ = ("_c", "_columns", "capacity")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"events of capacity {capacity}; it must be at least 1")
        self.capacity = capacity
        self._c = ffi.new("gw_events *")
        self._c.capacity = capacity
        self._columns = {name: np.zeros(capacity, dtype) for name, _, dtype in _COLUMNS}
        for name, ctype, _ in _COLUMNS:
            column = ffi.from_buffer(ctype, self._columns[name], require_writable=True)
            setattr(self._c, name, column)

    @property
    def count(self) -> int:
        """Events waiting to be drained."""
        count: int = self._c.count
        return count

    @property
    def free(self) -> int:
        """Events that may still be appended."""
        return self.capacity - self.count

    def drain(self) -> list[Event]:
        """Return the waiting events in their order and forget them."""
        n = self.count
        if n == 0:
            return []
        self._c.count = 0
        columns = (self._columns[name][:n].tolist() for name, _, _ in _COLUMNS)
        return [
            Event(
                _KINDS[kind],
                phase if phase >= 0 else None,
                start,
                end or None,
                value,
                more,
                quality,
            )
            for kind, phase, start, end, value, more, quality in zip(*columns, strict=True)
        ]
