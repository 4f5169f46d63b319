"""Configuration 3 that comes in several frames (CONT_IDX, IEEE C37.118.2-2011 table 10)."""

from __future__ import annotations

from dataclasses import replace

from gateway.c37118 import Frame

LAST = 0xFFFF
MOST = 65535 - 18
"""Octets of a configuration that the kernel reads: one frame's, without CONT_IDX."""


class Fragments:
    """Puts the frames of a configuration 3 together, in their order."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._octets = 0

    def add(self, frame: Frame) -> Frame | None:
        """Return the whole configuration as one frame, or None while more is to come.

        Raises ValueError for a frame out of its turn and for what gets too long; it begins anew.
        """
        index, body = int.from_bytes(frame.body[:2]), frame.body[2:]
        if index == 0:
            self._clear()
            return frame
        expected = len(self._bodies) + 1
        if index == 1:
            self._clear()
        elif index not in (expected, LAST) or not self._bodies:
            self._clear()
            allowed = f"{expected}, {LAST}" if expected > 1 else "0, 1"
            raise ValueError(f"found CONT_IDX {index}, allowed: {allowed}")
        self._bodies.append(body)
        self._octets += len(body)
        if self._octets > MOST:
            octets = self._octets
            self._clear()
            raise ValueError(f"found {octets} octets in the frames of one, allowed: {MOST}")
        if index != LAST:
            return None
        whole = replace(frame, body=bytes(2) + b"".join(self._bodies))
        self._clear()
        return whole

    def _clear(self) -> None:
        self._bodies = []
        self._octets = 0
