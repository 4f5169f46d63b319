"""One field of a raw block."""

from __future__ import annotations

from dataclasses import dataclass

WIDTHS: dict[str, int] = {
    "bit": 1,
    "bit16": 2,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "bcd16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "bcd32": 4,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
}
"""Bytes that a value of each type takes in a block."""
ORDERS: tuple[str, ...] = ("ABCD", "DCBA", "BADC", "CDAB")


@dataclass(frozen=True, slots=True)
class Field:
    """Where one point's value is in a raw block, and how it is written there.

    point:  id of the point.
    offset: of the first byte, from the start of the block.
    type:   one of `WIDTHS`:
            `bit` is bit 0..7 of the byte at the offset, 0 the least significant (a Modbus coil);
            `bit16` is bit 0..15 of the 16-bit register at the offset, which has an order;
            `bcd16` and `bcd32` are four and eight decimal digits, one in each half byte.
    order:  of the bytes on the wire, A the most significant of a 32-bit value: `ABCD` big-endian,
            `DCBA` little-endian, `BADC` bytes swapped in each 16-bit word, `CDAB` words reversed.
            A 16-bit value takes the order of one word (`ABCD` and `CDAB` big-endian, the others
            little-endian); a 64-bit value extends the pattern to four words.
    bit:    of `bit` and `bit16`; 0 for all other types.
    """

    point: int
    offset: int
    type: str
    order: str = "ABCD"
    bit: int = 0

    def fault(self, points: int) -> str | None:
        """Return what is wrong with this field for a table of so many points, or None."""
        if self.type not in WIDTHS:
            return f"unknown type {self.type!r}; known are {', '.join(WIDTHS)}"
        if self.order not in ORDERS:
            return f"unknown order {self.order!r}; known are {', '.join(ORDERS)}"
        if not 0 <= self.point < points:
            return f"point {self.point} lies outside the table of {points} points"
        if self.offset < 0:
            return f"offset {self.offset} lies before the block"
        bits = {"bit": 8, "bit16": 16}.get(self.type, 1)
        if not 0 <= self.bit < bits:
            return f"bit {self.bit} of a {self.type}; it must be 0 to {bits - 1}"
        return None
