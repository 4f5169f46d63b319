"""A recording as values: what CFG, DAT, HDR and INF say together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

MISSING = -(2**31)
"""In integer samples: there is none. In floating-point samples it is NaN."""
NO_STAMP = -1
"""In `stamps`: the row has none."""
FULL_FLOAT = 3.4028234663852886e38
"""The greatest number of FLOAT32; its negative marks missing data there."""

Analogs: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.float64]
States: TypeAlias = npt.NDArray[np.uint8]
Integers: TypeAlias = npt.NDArray[np.int64]


class Format(StrEnum):
    """How the DAT file has its rows; the last two since the revision of 2013."""

    ASCII = "ASCII"
    BINARY = "BINARY"
    BINARY32 = "BINARY32"
    FLOAT32 = "FLOAT32"


FORMATS = tuple(one.value for one in Format)


@dataclass(frozen=True, slots=True)
class AnalogChannel:
    """An analog channel: its value is a × count + b [unit], on the side that `side` names.

    number:  An, 1 and above.
    name, phase, circuit, unit: ch_id, ph, ccbm, uu.
    skew:    time of its samples behind that of the row [µs].
    low, high: range of the counts (min, max).
    primary, secondary: ratio of the instrument transformer.
    side:    P: values are primary ones; S: secondary ones.
    """

    number: int
    name: str
    phase: str = ""
    circuit: str = ""
    unit: str = ""
    a: float = 1.0
    b: float = 0.0
    skew: float = 0.0
    low: float = -32767.0
    high: float = 32767.0
    primary: float = 1.0
    secondary: float = 1.0
    side: Literal["P", "S"] = "P"


@dataclass(frozen=True, slots=True)
class StatusChannel:
    """A status channel; `normal` is its state (0 or 1) when nothing is wrong."""

    number: int
    name: str
    phase: str = ""
    circuit: str = ""
    normal: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A sampling rate [Hz], up to the row `last`, counted from 1."""

    hertz: float
    last: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a CFG file says.

    revision:   1991, 1999 or 2013; the 2001 of IEC 60255-24 is read as 1999.
    rates:      in order; empty where the stamps of the rows count (nrates = 0).
    rows:       how many rows the DAT file has.
    start, trigger: of the first row, and of the event [ns since 1970], in the clock of the file.
    resolution: 1 where DAT stamps count ns, 1000 where they count µs; times `timemult`.
    time_code:  seconds by which the clock of the file is ahead of UTC (2013); None: not said.
    local_code: the same of the local time at the place.
    quality:    TMQ_CODE of C37.118, 0 locked … 15 not reliable (2013); None: not said.
    leap:       0 none, 1 added, 2 deleted, 3 the clock cannot tell (2013).
    """

    station: str
    device: str
    revision: int
    analog: tuple[AnalogChannel, ...]
    status: tuple[StatusChannel, ...]
    frequency: float
    rates: tuple[Rate, ...]
    rows: int
    start: int
    trigger: int
    format: Format
    resolution: int = 1000
    timemult: float = 1.0
    time_code: int | None = None
    local_code: int | None = None
    quality: int | None = None
    leap: int = 3

    @property
    def start_utc(self) -> int:
        """The first row [ns since 1970 UTC]; a file that does not say its zone is taken for UTC."""
        return self.start - (self.time_code or 0) * 1_000_000_000

    @property
    def trigger_utc(self) -> int:
        return self.trigger - (self.time_code or 0) * 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recording: its header, and its rows as columns.

    numbers: int64 (rows,), as the DAT file counts them.
    stamps:  int64 (rows,), in units of `resolution` ns × `timemult`; NO_STAMP where a row has none.
    samples: (rows, analog channels): int32 counts with MISSING, or float64 with NaN.
    states:  uint8 (rows, status channels), 0 or 1.
    """

    header: Header
    numbers: Integers
    stamps: Integers
    samples: Analogs
    states: States
    hdr: str = ""
    inf: str = ""

    def __len__(self) -> int:
        return len(self.samples)

    def missing(self) -> npt.NDArray[np.bool_]:
        """Return (rows, analog channels): where there is no sample."""
        if self.samples.dtype == np.int32:
            counts: npt.NDArray[np.bool_] = self.samples == MISSING
            return counts
        return np.isnan(self.samples)

    def values(self) -> npt.NDArray[np.float64]:
        """Return (rows, analog channels) in the channels' units, a × count + b; NaN if missing, or
        too large for a number.
        """
        a = np.array([channel.a for channel in self.header.analog])
        b = np.array([channel.b for channel in self.header.analog])
        with np.errstate(over="ignore", invalid="ignore"):
            found: npt.NDArray[np.float64] = self.samples * a + b
        found[self.missing() | ~np.isfinite(found)] = np.nan
        return found

    def offsets(self) -> Integers:
        """Return the time of each row behind the first [ns], from the rates or from the stamps."""
        header = self.header
        if not header.rates:
            unit = header.timemult * header.resolution
            elapsed: Integers = np.rint((self.stamps - self.stamps[:1]) * unit).astype(np.int64)
            return elapsed
        seconds = np.empty(len(self), np.float64)
        first, base = 0, 0.0
        for rate in header.rates:
            # The first row stands at 0; the first one of a later rate follows at that rate.
            rows = np.arange(first, rate.last) - max(first - 1, 0)
            seconds[first : rate.last] = base + rows / rate.hertz
            base, first = float(seconds[rate.last - 1]), rate.last
        times: Integers = np.rint(seconds * 1e9).astype(np.int64)
        return times
