"""Sampled values of IEC 61850-9-2: frames to rows of samples, and a publisher's frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.measured import Measured
from gateway.kernel.samples import SampleRows
from gateway.kernel.stream import Stream, StreamState
from gateway.kernel.waveform import check_samples, room
from gateway.model.batch import TimeColumn
from gateway.model.waveform import Samples

Offsets: TypeAlias = npt.NDArray[np.int64]
Synch: TypeAlias = Literal["local", "global"]

_decode = lib.gw_sv_decode
_measure = lib.gw_sv_measure
_from_buffer = ffi.from_buffer
_INT64 = np.dtype(np.int64)
_ANY = -1
_SYNCH: dict[str, int] = {"local": 1, "global": 2}
_MODES: dict[str, int] = {"cycle": 0, "second": 1}


class Frames:
    """Ethernet frames, one after the other in `data`, each with the time that it came.

    offset, size: where each frame is in data, from its destination on and without its check.
    time:         ns since the Unix epoch, UTC, of the arrival, not of the reading.

    Raises ValueError where a column is not int64, or of another length than the others.
    """

    __slots__ = ("_alive", "_c", "data", "offset", "size", "time")

    def __init__(self, data: Any, offset: Offsets, size: Offsets, time: TimeColumn) -> None:
        n = len(offset)
        for column in (offset, size, time):
            if column.dtype != _INT64 or column.shape != (n,) or not column.flags.c_contiguous:
                raise ValueError(
                    f"offset, size and time must be int64, ({n},), C-contiguous; "
                    f"got {column.dtype}, {column.shape}"
                )
        self.data, self.offset, self.size, self.time = data, offset, size, time
        octets = _from_buffer("uint8_t[]", data)
        self._alive = [octets, *(_from_buffer("int64_t[]", c) for c in (offset, size, time))]
        self._c = ffi.new("gw_frames *")
        self._c.n, self._c.length = n, len(octets)
        self._c.data, self._c.offset, self._c.size, self._c.time = self._alive

    def __len__(self) -> int:
        return len(self.offset)

    @classmethod
    def of(cls, frames: Sequence[bytes], time: Sequence[int]) -> Frames:
        """Return these frames."""
        size = np.array([len(frame) for frame in frames], np.int64)
        return cls(b"".join(frames), np.cumsum(size) - size, size, np.array(time, np.int64))


def pcap_frames(data: Any, most: int = 4096) -> Iterator[Frames]:
    """Yield the frames of a file's octets as libpcap writes them, no more than `most` at a time.

    A frame at the end of which only a part is there is left.
    Raises KernelError where it is no such file, or not of Ethernet.
    """
    octets, at = _from_buffer("uint8_t[]", data), ffi.new("int64_t *")
    while True:
        columns = [np.zeros(most, np.int64) for _ in range(3)]
        memory = [_from_buffer("int64_t[]", c, require_writable=True) for c in columns]
        n: int = lib.gw_pcap_frames(octets, len(octets), at, most, *memory)
        if n < 0:
            raise KernelError(n, f"{len(octets)} octets")
        if n == 0:
            return
        yield Frames(data, *(column[:n] for column in columns))


class SampledState(NamedTuple):
    """Counters of a subscriber.

    stream:    the index expected; gaps and lost rows.
    frames:    that rows came of; rows: of them.
    late:      rows that came after they had been counted as lost.
    duplicate: other rows from before the one expected.
    foreign:   frames of something else; aside: left for their simulation bit.
    malformed: frames that break the rules of their encoding.
    unfit:     frames or ASDUs of the stream that do not fit: ASDUs, confRev, columns, rate.
    learned:   frames that were parsed because they were not as the one before.
    away:      when the last frame came less the time of its last row [ns].
    """

    stream: StreamState
    frames: int
    rows: int
    late: int
    duplicate: int
    foreign: int
    aside: int
    malformed: int
    unfit: int
    learned: int
    away: int


class SampledValues:
    """A subscriber to one stream.

    stream:    a column for each pair of value and quality; smpCnt counts to rate - 1.
    sv_id:     svID; None for any.
    asdus:     most ASDUs of a frame, 1..16: 1 for 9-2LE, 2 or 6 for IEC 61869-9.
    appid, revision: APPID and confRev; None for any.
    synch:     the least smpSynch at which rows have a clock that is synchronised.
    simulated: False leaves frames with the simulation bit; True takes them, as a test, and once
               there was one, leaves those without.
    watched:   columns whose quality counts for a row's; None for all.

    One thread at a time: the kernel takes no locks, and calls release the GIL.
    Raises KernelError for what cannot be.
    """

    __slots__ = ("_c", "_memory", "asdus", "stream")

    def __init__(
        self,
        stream: Stream,
        sv_id: str | None,
        *,
        asdus: int = 1,
        appid: int | None = None,
        revision: int | None = None,
        synch: Synch = "local",
        simulated: bool = False,
        watched: Sequence[int] | None = None,
    ) -> None:
        setup = ffi.new("gw_sv_setup *")
        name = b"" if sv_id is None else sv_id.encode()
        # These live until the kernel has copied them.
        _scale, c_id = stream._fill(setup.stream), ffi.new("uint8_t[]", name or b"\0")
        setup.asdus, setup.appid = asdus, _ANY if appid is None else appid
        setup.revision = _ANY if revision is None else revision
        setup.synch, setup.simulated = _SYNCH[synch], simulated
        setup.watched = sum(1 << c for c in (range(32) if watched is None else set(watched)))
        setup.id, setup.id_length = c_id, len(name)
        self._memory = room(lib.gw_sv_size())
        self._c = ffi.cast("gw_sv *", self._memory)
        code: int = lib.gw_sv_init(self._c, lib.gw_sv_size(), setup)
        if code < 0:
            raise KernelError(code, f"{stream}, svID {sv_id!r}, {asdus} ASDUs")
        self.stream, self.asdus = stream, asdus

    def rows(self, frames: int, *, each: bool = False) -> SampleRows:
        """Return rows for so many frames; each: with the quality of each value, too."""
        return SampleRows(frames * self.asdus, self.stream.columns, each=each)

    def decode(self, frames: Frames, rows: SampleRows) -> int:
        """Take frames, fill `rows` with those that are the stream's, and return how many.

        Frames that are not are counted, never refused.
        Raises KernelError, with nothing changed, where a frame lies outside its data or `rows` has
        not room for `asdus` rows of each frame.
        """
        made: int = _decode(self._c, frames._c, rows._c)
        if made < 0:
            raise self._refused(made, frames, rows)
        return made

    def measure(self, frames: Frames, rows: SampleRows, to: Measured) -> int:
        """Take frames and measure their rows, in one call; return the number of results.

        Raises as `decode` does, and as `Measured.take` does, which then goes on.
        """
        made: int = _measure(self._c, frames._c, rows._c, to._c)
        if made < 0:
            raise self._refused(made, frames, rows)
        return made

    def _refused(self, code: int, frames: Frames, rows: SampleRows) -> KernelError:
        return KernelError(
            code,
            f"{len(frames)} frames of up to {self.asdus} rows, {self.stream.columns} columns; "
            f"rows of {rows.columns} columns, {rows.capacity} of them",
        )

    def state(self) -> SampledState:
        """Return the counters."""
        s = ffi.new("gw_sv_state *")
        lib.gw_sv_look(self._c, s)
        at = StreamState(s.stream.next, s.stream.held, s.stream.gaps, s.stream.lost)
        return SampledState(at, *(getattr(s, name) for name in SampledState._fields[1:]))


@dataclass(frozen=True, slots=True)
class Publisher:
    """What makes frames of rows, for tests and for a merging unit that is made up.

    stream:      its scale is for whoever reads it.
    sv_id:       svID, up to 129 characters.
    asdus:       of each frame.
    data_set:    datSet; None for none.
    smp_mod:     smpRate per "cycle" or per "second", and smpMod; None for neither.
    vlan:        priority, DEI and id of the tag as one number; None for no tag.
    clock:       whether there is refrTm.
    """

    stream: Stream
    sv_id: str
    asdus: int = 1
    appid: int = 0x4000
    revision: int = 1
    data_set: str | None = None
    smp_mod: Literal["cycle", "second"] | None = None
    vlan: int | None = 0x8000
    clock: bool = False
    simulated: bool = False
    destination: bytes = b"\x01\x0c\xcd\x04\x00\x01"
    source: bytes = b"\x02\x00\x00\x00\x00\x01"

    def encode(
        self,
        index: int,
        samples: Samples,
        quality: npt.NDArray[np.uint16] | None = None,
        *,
        synch: int = 2,
    ) -> list[bytes]:
        """Return the frames of rows of samples, of which the first has this index.

        quality: of each value, uint16 of the shape (rows, columns); None for good.
        Raises KernelError where the rows are no multiple of `asdus`, or the publisher cannot be.
        """
        check_samples(samples, self.stream.columns)
        shape = (len(samples), self.stream.columns)
        marks = ffi.NULL
        if quality is not None:
            if quality.dtype != np.uint16 or quality.shape != shape:
                raise ValueError(
                    f"quality of {quality.dtype}, {quality.shape}; it must be uint16, {shape}"
                )
            marks = _from_buffer("uint16_t[]", quality)
        c, _alive = self._compiled()
        size: int = lib.gw_sv_frame_size(c)
        if size < 0:
            raise KernelError(size, f"{self}")
        out = bytearray(size * (len(samples) // self.asdus))
        block = _from_buffer("int32_t[]", samples)
        octets = _from_buffer("uint8_t[]", out, require_writable=True)
        made: int = lib.gw_sv_encode(
            c, index, block, len(samples), samples.shape[1], marks, synch, octets, len(out)
        )
        if made < 0:
            raise KernelError(made, f"index {index}, {len(samples)} rows, {self.asdus} ASDUs")
        return [bytes(out[at : at + size]) for at in range(0, made, size)]

    def _compiled(self) -> tuple[Any, Any]:
        """Return the kernel's struct, and what must live as long."""
        c = ffi.new("gw_sv_publisher *")
        name, data_set = self.sv_id.encode(), (self.data_set or "").encode()
        alive = [
            self.stream._fill(c.stream),
            ffi.new("uint8_t[]", name + b"\0"),
            ffi.new("uint8_t[]", data_set + b"\0"),
        ]
        c.destination, c.source = self.destination, self.source
        c.vlan = _ANY if self.vlan is None else self.vlan
        c.appid, c.asdus, c.revision = self.appid, self.asdus, self.revision
        c.mode = _ANY if self.smp_mod is None else _MODES[self.smp_mod]
        c.clock, c.simulated = self.clock, self.simulated
        c.id, c.id_length, c.set, c.set_length = alive[1], len(name), alive[2], len(data_set)
        return c, alive
