"""Where frames are kept as they pass: memory that the kernel writes, and others read."""

from __future__ import annotations

from collections.abc import Callable

from gateway.kernel._kernel import ffi, lib

_frame = lib.gw_trace_frame
_done = lib.gw_trace_done
_from_buffer = ffi.from_buffer

FRAME: int = lib.GW_TRACE_FRAME
"""Octets of a record before those of its frame; kernel.h says what it has."""
DONE: int = lib.GW_TRACE_DONE
WAS_DONE: int = lib.GW_TRACE_WAS_DONE
POINTS: int = lib.GW_TRACE_POINTS


class TraceMemory:
    """Writes records into the memory that it was turned to last.

    Frames pass here all the time, of link after link: what is not touched for a frame costs
    nothing, so there is as little of it as can be.
    """

    __slots__ = ("_c", "_memory", "_now")

    def __init__(self, longest: int, now: Callable[[], int]) -> None:
        """`longest` octets of a frame are kept; `now` gives the wall clock in ns."""
        self._c = ffi.new("gw_trace *")
        self._c.longest = longest
        self._now = now
        self._memory = None

    def turn(self, memory: bytearray) -> None:
        """Go on at the beginning of another memory, with room for a frame at least."""
        self._memory = _from_buffer("uint8_t[]", memory, require_writable=True)
        self._c.memory, self._c.size, self._c.at = self._memory, len(memory), 0

    def frame(self, direction: str, octets: bytes, text: int) -> int:
        """Keep a frame, and return its number, from 1; 0 where the memory is full."""
        number: int = _frame(self._c, self._now(), direction == "rx", text, octets, len(octets))
        return number

    def done(
        self, samples: int, taken: int, points: bytes, time: int, frame: int, lost: bool
    ) -> int:
        """Keep what came of a frame, 0 for the last; return 0 where the memory is full."""
        kept: int = _done(self._c, time, lost, samples, taken, frame, points, len(points))
        return kept

    @property
    def frames(self) -> int:
        """Frames so far."""
        frames: int = self._c.frames
        return frames

    @property
    def end(self) -> int:
        """Octets of the memory that are written."""
        end: int = self._c.at
        return end
