"""Octets of a connection, taken apart: data frames as rows, all others one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.c37118 import (
    Configuration,
    DataLayout,
    DataRows,
    Frame,
    FrameKind,
    KernelError,
    decode_frame,
    find_frame,
)

SYNC = 0xAA
LEAST = 16
STALL = 0.5
"""Seconds after which a frame whose end has not come is taken for none: its length is wrong."""
CAPACITY = 256
"""Rows that are unpacked together, at most."""
MOST = 1 << 18
"""Octets that are, at most, where frames are long."""


@dataclass(frozen=True, slots=True)
class Data:
    """Data frames in a run: their rows, which the next run overwrites, and their octets."""

    rows: DataRows
    octets: memoryview


@dataclass(frozen=True, slots=True)
class Unfit:
    """A data frame of another length than the configuration says."""

    size: int


class Stream:
    """Takes frames of one stream off octets; no I/O and no clock of its own.

    idcode: of the stream; frames of others are counted and left.
    whole:  frames come whole, as in datagrams, and are not looked for in the octets of a bad one.
    count:  told `bad_frames` (each stretch of octets that is no frame), `skipped_octets`,
            `other_streams`, `data_before_configuration`, `unfit_frames`.
    """

    def __init__(self, idcode: int, count: Callable[[str, int], None], *, whole: bool) -> None:
        self.layout: DataLayout | None = None
        self._idcode = idcode
        self._count = count
        self._whole = whole
        self._octets = b""
        self._since: float | None = None
        self._astray = False
        self._rows: DataRows | None = None

    def configure(self, configuration: Configuration) -> None:
        """Take data for what this configuration says, from the next frame on.

        Raises KernelError where its data frames cannot be (too long).
        """
        self.layout = DataLayout(configuration)
        self._rows = self.layout.rows(max(1, min(CAPACITY, MOST // self.layout.size)))

    def feed(self, arrived: Iterable[bytes], now: float) -> Iterator[Frame | Data | Unfit]:
        """Yield what is in these octets, behind those that waited for them; now in s, monotonic.

        A configuration that is set between two frames counts for the second one.
        """
        octets = b"".join((self._octets, *(self._sound(arrived) if self._whole else arrived)))
        self._octets = b""
        view, at = memoryview(octets), 0
        while at < len(octets):
            rest = view[at:]
            try:
                opened = decode_frame(rest)
            except KernelError:
                at += self._skip(rest)
                continue
            if opened is None:
                if not self._stalls(now):
                    self._octets = octets[at:]
                    return
                at += self._skip(rest)
                continue
            frame, size = opened
            self._since, self._astray = None, False
            if frame.kind is not FrameKind.DATA or frame.idcode != self._idcode:
                at += size
                if frame.idcode == self._idcode:
                    yield frame
                else:
                    self._count("other_streams", 1)
            elif self.layout is None or self._rows is None:
                at += size
                self._count("data_before_configuration", 1)
            elif size != self.layout.size:
                at += size
                self._count("unfit_frames", 1)
                yield Unfit(size)
            else:
                self._rows.count = 0
                _, used = self.layout.unpack(rest, self._rows)
                at += used
                yield Data(self._rows, rest[:used])

    def _stalls(self, now: float) -> bool:
        if self._since is None:
            self._since = now
        return now - self._since > STALL

    def _skip(self, rest: memoryview) -> int:
        self._since = None
        skipped = int.from_bytes(rest[2:4]) if self._whole else find_frame(rest)
        if not self._astray:
            self._count("bad_frames", 1)
        # Between two datagrams there is nothing that could be astray.
        self._astray = not self._whole
        self._count("skipped_octets", skipped)
        return skipped

    def _sound(self, datagrams: Iterable[bytes]) -> Iterator[bytes]:
        """Leave out datagrams that are not made of frames by their lengths."""
        for datagram in datagrams:
            at = 0
            while at < len(datagram) and datagram[at] == SYNC:
                size = int.from_bytes(datagram[at + 2 : at + 4])
                if size < LEAST:
                    break
                at += size
            if datagram and at == len(datagram):
                yield datagram
            else:
                self._count("bad_frames", 1)
                self._count("skipped_octets", len(datagram))
