"""The one error of the codec."""

from __future__ import annotations


class AsduError(ValueError):
    """An ASDU, or a part of one, that cannot be read or written.

    `offset` counts octets from the type identification, which is octet 0.
    """

    def __init__(self, offset: int, found: str, allowed: str) -> None:
        super().__init__(f"octet {offset} of the ASDU: found {found}, allowed: {allowed}")
        self.offset = offset
        self.found = found
        self.allowed = allowed
