"""Link addresses: none, one or two octets, lower one first (101 clauses 6.2.1.3, 6.2.2.3)."""

from __future__ import annotations

LONGEST_LENGTH = 255  # what L can say: control field, address and ASDU


def longest(octets: int) -> int:
    """Return the octets of the longest ASDU beside a link address of so many octets."""
    return LONGEST_LENGTH - 1 - octets


def broadcast(octets: int) -> int | None:
    """Return the address of all stations, 255 or 65535; None without an address."""
    return (1 << 8 * octets) - 1 if octets else None


def check_octets(octets: int, least: int) -> None:
    """Raise ValueError where a link address cannot have so many octets."""
    if not least <= octets <= 2:
        raise ValueError(f"a link address of {octets} octets, not {least}..2")


def check_address(name: str, address: int, octets: int) -> None:
    """Raise ValueError where no single station can have this address."""
    highest = max(0, (1 << 8 * octets) - 2)
    if not 0 <= address <= highest:
        raise ValueError(f"{name} {address}, not 0..{highest}")
