"""The one error of the object layer."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """What an outstation answers with: IIN2.1 or IIN2.2 (IEEE 1815 clause 4.2.2.6)."""

    UNKNOWN = "unknown"
    MALFORMED = "malformed"


class ObjectError(ValueError):
    """Objects that cannot be read or written.

    `offset` counts bytes from the first object header of the fragment.
    """

    def __init__(
        self, offset: int, found: str, allowed: str, reason: Reason = Reason.MALFORMED
    ) -> None:
        super().__init__(f"byte {offset} of the objects: {found}; {allowed}")
        self.offset = offset
        self.found = found
        self.allowed = allowed
        self.reason = reason
