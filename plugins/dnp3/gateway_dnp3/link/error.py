"""What the link layer refuses."""

from __future__ import annotations


class FrameError(ValueError):
    """Bytes that are no frame, or a frame that cannot be; it says what, where, what is allowed."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what} at octet {offset}")
        self.offset = offset
