"""What of a recording is played: rows of int32 at one whole rate, and the edges of its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gateway import LinkError, Quality
from gateway.waveform import Channel, Samples
from gateway_comtrade.codec import MISSING as STORED_MISSING
from gateway_comtrade.codec import AnalogChannel, Header, Recording

LEAST_RATE, MOST_RATE, MOST_CHANNELS = 1000, 32_768, 32
FULL = 2.0**30
"""Greatest count of values that had to be made counts anew."""
MISSING = np.uint16(Quality.INVALID)
MADE = np.uint16(Quality.QUESTIONABLE | Quality.INACCURATE)
"""Of rows between the recorded ones, where the rate changes."""

Reals = npt.NDArray[np.float64]


class Side(StrEnum):
    """Which side of the instrument transformers values are given on."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    AS_STORED = "as_stored"


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A recording on its way to the estimators.

    rate, channels, samples, quality: as a `Waveform` has them, from the first row to the last.
    edges: int64 (n, 3): row, column of `recording.states`, state; in order of the rows. Those of
           row 0 are the states at the beginning.
    """

    header: Header
    rate: int
    channels: tuple[Channel, ...]
    samples: Samples
    quality: npt.NDArray[np.uint16]
    edges: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.samples)


def played(recording: Recording, side: Side, names: Sequence[str] = ()) -> Played:
    """Return what is played; `names` says which analog channels, none: all.

    Counts stay as they are stored; where a channel has an offset, floating-point numbers or
    several rates, counts are made anew.
    Raises LinkError where the estimators could not measure it.
    """
    header = recording.header
    columns = _columns(header, names)
    rate, rows = _rate(recording)
    values = recording.values() if rows is not None or not _plain(recording, columns) else None
    parts = [_part(recording, column, side, values, rows) for column in columns]
    block = np.stack([counts for _, counts, _ in parts], axis=1)
    missing = np.stack([nothing for _, _, nothing in parts], axis=1)
    quality = np.zeros(len(block), np.uint16)
    if rows is not None:
        quality[rows != np.rint(rows)] = MADE
    quality[missing.any(axis=1)] = MISSING
    block[missing] = 0
    labels = _labels(header.analog)
    channels = tuple(
        Channel(labels[column], scale, header.analog[column].unit)
        for (scale, _, _), column in zip(parts, columns, strict=True)
    )
    whole = np.ascontiguousarray(block, np.int32)
    return Played(header, rate, channels, whole, quality, _edges(recording, rate))


def _part(
    recording: Recording, column: int, side: Side, values: Reals | None, rows: Reals | None
) -> tuple[float, Samples, npt.NDArray[np.bool_]]:
    """Return scale and counts of a channel, and where there are none.

    values: of all channels, where counts are made anew; rows: places of the new rows among them.
    """
    channel = recording.header.analog[column]
    factor = _factor(channel, side)
    if values is None:
        counts = np.asarray(recording.samples[:, column], np.int32)
        scale = channel.a * factor
        if not 1e-300 < abs(scale) < 1e300:
            raise LinkError(
                f"channel {channel.number} {channel.name}: found a multiplier of {scale:g}, "
                "allowed: 1e-300 to 1e+300"
            )
        missing = counts == STORED_MISSING
        return abs(scale), np.where(missing, 0, counts if scale > 0 else -counts), missing
    real = values[:, column] if rows is None else _between(rows, values[:, column])
    with np.errstate(over="ignore"):
        real = real * factor
    scale, counts = _quantised(real)
    return scale, counts, ~np.isfinite(real)


def stream_of(
    header: Header, side: Side, names: Sequence[str] = ()
) -> tuple[int, tuple[Channel, ...]] | None:
    """Return rate and channels as far as a header says them; None where it takes the rows.

    Raises LinkError as `played` does.
    """
    columns = _columns(header, names)
    if len(header.rates) != 1 or header.rates[0].hertz != int(header.rates[0].hertz):
        return None
    labels, chosen = _labels(header.analog), [header.analog[column] for column in columns]
    channels = tuple(
        Channel(label, abs(one.a * _factor(one, side)) or 1.0, one.unit)
        for label, one in zip((labels[column] for column in columns), chosen, strict=True)
    )
    return int(header.rates[0].hertz), channels


def _plain(recording: Recording, columns: Sequence[int]) -> bool:
    """Return whether the stored counts of these channels are counts of a waveform."""
    chosen = [recording.header.analog[column] for column in columns]
    whole = recording.samples.dtype == np.int32
    return whole and all(channel.b == 0.0 and channel.a != 0.0 for channel in chosen)


def _columns(header: Header, names: Sequence[str]) -> list[int]:
    labels = _labels(header.analog)
    known = ", ".join(labels) or "none"
    for name in names:
        if name not in labels:
            raise LinkError(f"channels: found '{name}', allowed: {known}")
    columns = [labels.index(name) for name in names] or list(range(len(labels)))
    if not 1 <= len(columns) <= MOST_CHANNELS:
        raise LinkError(
            f"found {len(columns)} analog channels, allowed: 1 to {MOST_CHANNELS}; "
            f"`channels` says which of {known[:400]}"
        )
    return columns


def _labels(channels: Sequence[AnalogChannel]) -> list[str]:
    """Return names that are different: a name that comes again has the channel's number behind."""
    labels: list[str] = []
    for channel in channels:
        label = channel.name or str(channel.number)
        labels.append(label if label not in labels else f"{label}#{channel.number}")
    return labels


def _rate(recording: Recording) -> tuple[int, Reals | None]:
    """Return the rate, and, where the rows have others, the place of each new row among them."""
    header = recording.header
    allowed = f"whole numbers from {LEAST_RATE} to {MOST_RATE}"
    offsets = recording.offsets()
    if header.rates:
        hertz = max(rate.hertz for rate in header.rates)
    else:
        span = float(offsets[-1])
        hertz = float(np.rint((len(offsets) - 1) * 1e9 / span)) if span > 0 else 0.0
        steady = np.arange(len(offsets)) * (1e9 / hertz) if hertz else offsets + 1.0
        unit = header.timemult * header.resolution
        if np.any(np.abs(offsets - steady) > 2 * unit + 1e7 / max(hertz, 1.0)):
            raise LinkError(
                "found stamps that are not evenly spaced (nrates is 0), allowed: a steady rate, "
                f"{allowed} Hz"
            )
    if hertz != int(hertz) or not LEAST_RATE <= hertz <= MOST_RATE:
        raise LinkError(f"found a rate of {hertz:g} Hz, allowed: {allowed}")
    rate = int(hertz)
    if len({one.hertz for one in header.rates}) <= 1:
        return rate, None
    times = np.arange(int(offsets[-1]) * rate // 1_000_000_000 + 1) * (1e9 / rate)
    places = np.interp(times, offsets, np.arange(len(offsets)))
    close = np.abs(places - np.rint(places)) < 1e-6
    return rate, np.where(close, np.rint(places), places)


def _between(rows: Reals, column: Reals) -> Reals:
    """Return values at places between rows, linearly; NaN where one beside it is missing."""
    before = np.floor(rows).astype(np.intp)
    after = np.ceil(rows).astype(np.intp)
    part = rows - before
    found: Reals = column[before] * (1.0 - part) + column[after] * part
    return found


def _factor(channel: AnalogChannel, side: Side) -> float:
    """Return what stored values are multiplied by to be on the side that is asked for."""
    stored = Side.PRIMARY if channel.side == "P" else Side.SECONDARY
    if side in (Side.AS_STORED, stored):
        return 1.0
    if channel.primary <= 0 or channel.secondary <= 0:
        raise LinkError(
            f"channel {channel.number} {channel.name}: found a ratio of {channel.primary:g} to "
            f"{channel.secondary:g}, allowed: numbers above 0, or side: as_stored"
        )
    ratio = channel.primary / channel.secondary
    return ratio if side is Side.PRIMARY else 1.0 / ratio


def _quantised(values: Reals) -> tuple[float, Samples]:
    """Return a scale, a power of 2, and counts up to 2**30 of it; 0 where a value is missing."""
    real = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    most = float(np.abs(real).max(initial=0.0))
    scale = 2.0 ** np.ceil(np.log2(most / FULL)) if most > 2.0**-900 else 1.0
    counts: Samples = np.rint(real / scale).astype(np.int32)
    return float(scale), counts


def _edges(recording: Recording, rate: int) -> npt.NDArray[np.int64]:
    states = recording.states.astype(np.int64)
    if not states.shape[1]:
        return np.zeros((0, 3), np.int64)
    changes = np.diff(states, axis=0, prepend=1 - states[:1])
    rows, columns = np.nonzero(changes)
    places = np.rint(recording.offsets()[rows] * (rate / 1e9)).astype(np.int64)
    return np.stack([places, columns, states[rows, columns]], axis=1)
