"""Fragments put together again from their segments (IEEE 1815-2012, 8.2)."""

from __future__ import annotations

from collections import Counter

from gateway_dnp3.transport.segment import FIN, FIR, SEQUENCE


class Reassembly:
    """Collects the segments of one fragment at a time; never holds more than `limit` octets.

    A segment with FIR begins anew, whatever came before; one without must follow the one before
    it, else everything up to the next FIR is left. A repetition of the segment before is left
    alone (8.2.3: a duplicate, octet for octet, changes nothing).

    counts: `fragments`, and segments left: `abandoned` (a new FIR came before the FIN), `no_first`,
            `sequence` (one is missing), `repeated`, `too_long` (the fragment passes the limit),
            `empty` (not even a header).
    """

    __slots__ = ("_before", "_length", "_parts", "counts", "limit")

    def __init__(self, limit: int = 2048) -> None:
        if limit < 1:
            raise ValueError(f"a limit of {limit} octets, not 1 or more")
        self.limit = limit
        self.counts: Counter[str] = Counter()
        self._parts: list[bytes] | None = None  # None: waiting for a FIR
        self._length = 0
        self._before = b""

    def feed(self, segment: bytes) -> bytes | None:
        """Take a segment and return the fragment that it completes, if it does."""
        if not segment:
            self.counts["empty"] += 1
            return None
        header = segment[0]
        parts = self._parts
        if header & FIR:
            if parts is not None:
                self.counts["abandoned"] += 1
            parts = self._parts = []
            self._length = 0
        elif parts is None:
            self.counts["no_first"] += 1
            return None
        elif segment == self._before:
            self.counts["repeated"] += 1
            return None
        elif (header ^ self._before[0] + 1) & SEQUENCE:
            self.counts["sequence"] += 1
            self._parts = None
            return None
        self._before = segment
        self._length += len(segment) - 1
        if self._length > self.limit:
            self.counts["too_long"] += 1
            self._parts = None
            return None
        parts.append(segment[1:])
        if not header & FIN:
            return None
        self._parts = None
        self.counts["fragments"] += 1
        return b"".join(parts)

    def reset(self) -> None:
        """Forget the fragment that has begun, because its connection has ended."""
        self._parts = None
