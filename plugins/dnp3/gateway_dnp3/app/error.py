"""The one error of the application layer's own header."""

from __future__ import annotations


class FragmentError(ValueError):
    """A fragment whose header cannot be read. `offset` counts from its first byte."""

    def __init__(self, offset: int, found: str, allowed: str) -> None:
        super().__init__(f"byte {offset} of the fragment: {found}; {allowed}")
        self.offset = offset
        self.found = found
        self.allowed = allowed
