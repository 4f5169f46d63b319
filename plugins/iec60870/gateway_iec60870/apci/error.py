"""What this layer refuses, and how a connection ends."""

from __future__ import annotations

from gateway.channel import ChannelClosed


class ApciError(ValueError):
    """Octets that are no APDU; it says what was found, what is allowed, and where.

    offset: of the octet in the stream or, from `decode`, in the octets that were given.
    octets: what was there, from the start of the frame, at most 255 octets.
    """

    def __init__(self, what: str, offset: int, octets: bytes = b"") -> None:
        super().__init__(f"{what} at octet {offset}")
        self.offset = offset
        self.octets = octets


class LinkBroken(ChannelClosed):
    """This side has closed the connection: the other one is silent, or broke a rule of clause 5."""


class NotStarted(Exception):  # noqa: N818 - it says what is the matter
    """Data transfer is not started (STARTDT), or was stopped meanwhile; nothing more was sent."""
