"""The thread that sits in the kernel and comes back with rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.ethernet import Ring, RingCounts
from gateway.sampled_values import SampledState, SampledValues
from gateway.waveform import Channel, Waveform
from gateway_sv.frame import FrameText, describe
from gateway_sv.handover import Handover
from gateway_sv.rows import waveforms

WAIT = 50
"""ms that a call waits for frames at most, so that the thread ends soon when it is asked to."""
PATIENCE = 2.0
"""Seconds within which the thread ends."""
TALLY = 1.0
"""Seconds from one look at the counters to the next."""
TRACED = 0.1
"""Seconds from one frame that is shown to the next."""


@dataclass(slots=True)
class Piece:
    """What a thread hands over.

    waveforms: rows that came; none where there was nothing for WAIT ms.
    text:      what the frames say of themselves, while nobody knows yet.
    frame:     one of the frames, for who traces the link.
    state, counts: once a second.
    error:     why the thread has ended.
    """

    waveforms: list[Waveform] = field(default_factory=list)
    text: FrameText | None = None
    frame: bytes = b""
    state: SampledState | None = None
    counts: RingCounts | None = None
    error: Exception | None = None


class Reader:
    """Reads a ring, which it closes when it ends."""

    def __init__(
        self,
        ring: Ring,
        sampled: SampledValues,
        channels: tuple[Channel, ...],
        to: Handover[Piece],
        tracing: Callable[[], bool],
        gather: float,
    ) -> None:
        self._ring, self._sampled, self._channels = ring, sampled, channels
        self._to, self._tracing = to, tracing
        self._rows = sampled.rows(ring.most)
        self._told = self._traced = self._began = time.monotonic()
        self._least = gather / 2
        """Seconds of a turn: where frames of others fill block after block, they do not cost one
        each."""
        self._known = False
        """Whether rows come: until then frames are looked at."""
        self._thread = threading.Thread(target=self._run, name=f"sv {ring.interface}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, which comes soon after the hand-over is closed."""
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            while not self._to.closed:
                self._turn()
            self._to.put(self._told_now(Piece()))
        except Exception as error:
            self._to.put(self._told_now(Piece(error=error)))
        finally:
            self._ring.close()

    def _turn(self) -> None:
        piece = Piece()
        if (early := self._began + self._least - time.monotonic()) > 0:
            time.sleep(early)
        now = self._began = time.monotonic()
        traces = now - self._traced >= TRACED and self._tracing()
        if self._known and not traces:
            made = self._ring.decode(self._sampled, self._rows, WAIT)
        else:
            made = self._look(piece, traces)
        if made:
            rate = self._sampled.stream.rate
            piece.waveforms = waveforms(self._rows, rate, self._channels)
        self._known = made > 0
        if time.monotonic() - self._told >= TALLY:
            self._told_now(piece)
        self._to.put(piece)

    def _look(self, piece: Piece, traces: bool) -> int:
        """Decode frames in three steps, and keep one of them."""
        frames = self._ring.take(WAIT)
        made = self._sampled.decode(frames, self._rows)
        if len(frames):
            start = int(frames.offset[-1])
            frame = bytes(frames.data[start : start + int(frames.size[-1])])
            piece.text = describe(frame)
            if traces:
                self._traced = time.monotonic()
                piece.frame = frame
        self._ring.release()
        return made

    def _told_now(self, piece: Piece) -> Piece:
        self._told = time.monotonic()
        piece.state, piece.counts = self._sampled.state(), self._ring.counts()
        return piece
