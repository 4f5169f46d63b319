"""What carries octets to and from other stations, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence

CHUNK = 4096
"""Most octets of one `read`."""

SEND_TIMEOUT = 10.0
"""Seconds that octets may wait for the other side to take them, unless it is said otherwise."""


class ChannelClosed(Exception):  # noqa: N818 - it says what has happened
    """The channel carries nothing any more; the sentence says why."""


class Channel(ABC):
    """Octets in both directions; one task reads, one at a time writes.

    name:       the other end: `10.0.0.11:20000`, `/dev/ttyUSB0`.
    connection: whether it ends with the other side, so that silence is a reason to close it.
    gap:        seconds of silence after which a frame that is not complete never will be:
                0 where frames come whole, None where no octets get lost.
    counts:     octets and, where they can be dropped here, what was.
    """

    connection = False
    gap: float | None = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()

    @property
    def certificate(self) -> bytes | None:
        """The certificate that the other side has shown and that was verified, DER."""
        return None

    @abstractmethod
    async def read(self) -> bytes:
        """Return what has come, at least one octet; raises ChannelClosed."""

    @abstractmethod
    async def write(self, frames: Sequence[bytes]) -> None:
        """Send whole frames, in this order, without others between them.

        Returns when the next ones may follow. Raises ChannelClosed, also where the other side
        does not take them within the time-out: the channel is then closed.
        """

    @abstractmethod
    async def close(self, why: str = "closed") -> None:
        """End the channel, within a second; whoever reads or writes gets ChannelClosed."""
