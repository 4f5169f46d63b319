"""Waveforms in closed form: what a stream of samples would be, and what it must measure as."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.kernel import Event, Events, Meter, Quantity, Rows, State
from gateway.model.waveform import Samples

# EN 50160:2010, table 1: what a supply may have besides its fundamental, in parts of it.
ALLOWED: Mapping[int, float] = {
    2: 0.02, 3: 0.05, 4: 0.01, 5: 0.06, 6: 0.005, 7: 0.05, 8: 0.005, 9: 0.015, 10: 0.005,
    11: 0.035, 13: 0.03, 15: 0.005, 17: 0.02, 19: 0.015, 21: 0.005, 23: 0.015, 25: 0.015,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tone:
    """A sine of an rms value, a frequency [Hz], and the phase of its cosine at row 0 [degrees]."""

    rms: float
    hertz: float
    degrees: float = 0.0


def wave(tones: Sequence[Tone], rate: int, n: int, start: float = 0.0) -> npt.NDArray[np.float64]:
    """Return n samples of a sum of tones, from row `start` on."""
    rows = start + np.arange(n)
    made = np.zeros(n)
    for tone in tones:
        turns = tone.hertz * rows / rate + tone.degrees / 360.0
        made += tone.rms * math.sqrt(2.0) * np.cos(2.0 * np.pi * (turns - np.floor(turns)))
    return made


def rms(tones: Sequence[Tone]) -> float:
    """Return the rms of tones of different frequencies."""
    return math.sqrt(sum(tone.rms**2 for tone in tones))


def three(
    rms: float,
    hertz: float,
    rate: int,
    harmonics: Mapping[int, float] = ALLOWED,
    degrees: float = 0.0,
) -> list[list[Tone]]:
    """Return three phases with harmonics below half of the rate, each turned as its order is."""
    return [
        [
            Tone(rms * part, order * hertz, order * (degrees - 120.0 * phase) + 77.0 * (order - 1))
            for order, part in {1: 1.0, **harmonics}.items()
            if order * hertz < rate / 2
        ]
        for phase in range(3)
    ]


def counts(waves: Sequence[npt.NDArray[np.float64]], scale: float) -> npt.NDArray[np.int32]:
    """Return rows of int32, a column for each wave, `scale` units per count."""
    columns = np.rint(np.stack(waves, axis=1) / scale)
    return np.ascontiguousarray(columns.astype(np.int32))


@dataclass(frozen=True, slots=True)
class Measured:
    """What a meter gave, in its order.

    values, qualities, times: by quantity.
    """

    values: dict[Quantity, npt.NDArray[np.float64]]
    qualities: dict[Quantity, npt.NDArray[np.uint16]]
    times: dict[Quantity, npt.NDArray[np.int64]]
    events: list[Event]
    state: State

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        """The values of a quantity by its name."""
        return self.values[Quantity.parse(name)]


def measure(
    meter: Meter,
    blocks: Iterable[tuple[int, Samples]],
) -> Measured:
    """Push blocks of rows, each with the index of its first row, and collect what comes out.

    The meter's points must be numbered as its quantities are, which they are by default.
    """
    batches, events = [], []
    rows, room = Rows(1), Events(1)
    for index, block in blocks:
        needed = meter.room(len(block))
        if needed[0] > rows.capacity:
            rows = Rows(needed[0])
        if needed[1] > room.capacity:
            room = Events(needed[1])
        meter.push(index, block, rows, room)
        batches.append(rows.drain())
        events += room.drain()
    made = [batch for batch in batches if batch is not None]
    columns = [
        np.concatenate([getattr(batch, name) for batch in made] or [np.zeros(0)])
        for name in ("point", "value", "quality", "time")
    ]
    order = np.argsort(columns[0], kind="stable")
    point, value, quality, time = (column[order] for column in columns)
    ends = np.searchsorted(point, np.arange(len(meter.quantities) + 1))
    parts = {q: slice(ends[i], ends[i + 1]) for i, q in enumerate(meter.quantities)}
    return Measured(
        {q: value[part] for q, part in parts.items()},
        {q: quality[part] for q, part in parts.items()},
        {q: time[part] for q, part in parts.items()},
        events,
        meter.state(),
    )


def in_blocks(index: int, samples: Samples, length: int) -> Iterator[tuple[int, Samples]]:
    """Cut rows of samples into blocks, each with the index of its first row."""
    for first in range(0, len(samples), length):
        yield index + first, samples[first : first + length]
