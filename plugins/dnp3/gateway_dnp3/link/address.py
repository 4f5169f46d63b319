"""Addresses of stations (IEEE 1815-2012, 9.2.4.1.4)."""

from __future__ import annotations

from enum import IntEnum

HIGHEST = 0xFFEF
"""The highest address of a station; above are the reserved ones and these."""

SELF = 0xFFFC
"""Whoever hears it, where there is one outstation only; it answers with its own address."""


class Broadcast(IntEnum):
    """All outstations; how the answer that shows the broadcast IIN leaves that state."""

    NO_CONFIRM = 0xFFFD
    CONFIRM = 0xFFFE
    OPTIONAL_CONFIRM = 0xFFFF


def broadcast(address: int) -> Broadcast | None:
    """Return which broadcast an address is, or None."""
    return Broadcast(address) if address >= Broadcast.NO_CONFIRM else None
