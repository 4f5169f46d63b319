"""Blocks of a waveform, put together as a recording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import Quality
from gateway.waveform import Channel, Waveform
from gateway_comtrade.codec import (
    MISSING,
    AnalogChannel,
    Format,
    Header,
    Rate,
    Recording,
    StatusChannel,
)
from gateway_comtrade.recorder.captures import Capture
from gateway_comtrade.recorder.report import report
from gateway_comtrade.recorder.track import states_at

NANO = 1_000_000_000
FULL = {Format.BINARY: 32_767, Format.BINARY32: 2**31 - 1, Format.ASCII: 99_998}
FLOAT_LIMIT = 3.4028235e38
_PHASE = re.compile(r"[UIVuiv]([ABCNabcn])")


@dataclass(frozen=True, slots=True)
class Label:
    """What is on every recording of a recorder."""

    station: str
    device: str
    revision: int
    format: Format
    nominal: int


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a recording is made of; nothing in it changes any more.

    blocks: in order, of one rate, with the same channels; at least one.
    labels, base, edges: of the status channels, as `Track.snapshot` gives them.
    """

    capture: Capture
    blocks: Sequence[Waveform]
    labels: Sequence[str]
    base: Sequence[int]
    edges: Sequence[tuple[int, int, int]]


def assemble(material: Material, label: Label) -> Recording:
    """Return the recording: rows from the first to the last one that there is within its time,
    with missing data where there is none between them.
    """
    capture, blocks = material.capture, material.blocks
    rate = blocks[0].rate
    # A row belongs to it from its start to before its end.
    first = max(-(-capture.start * rate // NANO), blocks[0].index)
    last = min(-(-capture.end * rate // NANO), blocks[-1].index + len(blocks[-1]))
    rows = max(last - first, 0)
    samples = np.full((rows, len(blocks[0].channels)), MISSING, np.int32)
    quality = np.full(rows, Quality.INVALID, np.uint16)
    there = np.zeros(rows, np.bool_)
    for block in blocks:
        begin, end = max(block.index, first), min(block.index + len(block), last)
        if begin < end:
            to, of = (
                slice(begin - first, end - first),
                slice(begin - block.index, end - block.index),
            )
            samples[to] = np.maximum(block.samples[of], MISSING + 1)
            quality[to] = 0 if block.quality is None else block.quality[of]
            there[to] = True
    samples[~there] = MISSING
    indices = first + np.arange(rows)
    times = indices // rate * NANO + indices % rate * NANO // rate
    channels, stored = _stored(blocks[0].channels, samples, label)
    unsure = bool(np.any(quality[there] & Quality.CLOCK_NOT_SYNCHRONISED))
    new = label.revision >= 2013
    start = int(times[0]) if rows else capture.start
    trigger = max(capture.fired[0].time, start)
    header = Header(
        label.station,
        label.device,
        label.revision,
        channels,
        tuple(StatusChannel(n, name) for n, name in enumerate(material.labels, 1)),
        float(label.nominal),
        (Rate(float(rate), rows),),
        rows,
        start,
        trigger,
        label.format,
        # In 2013 times are in ns, and stamps in 1000 of them, which lasts for an hour.
        resolution=1 if new else 1000,
        timemult=1000.0 if new else 1.0,
        time_code=0 if new else None,
        local_code=0 if new else None,
        quality=(15 if unsure else 0) if new else None,
    )
    return Recording(
        header,
        np.arange(1, rows + 1),
        (times - start + 500) // 1000,
        stored,
        states_at(material.base, material.edges, times),
        report(header, capture, there, quality, times),
    )


def _stored(
    channels: Sequence[Channel], samples: npt.NDArray[np.int32], label: Label
) -> tuple[tuple[AnalogChannel, ...], npt.NDArray[np.int32] | npt.NDArray[np.float64]]:
    """Return channels and samples as the format has them: counts made coarser where they do not
    fit in, values in the channel's unit in FLOAT32.
    """
    missing = samples == MISSING
    scales = np.array([channel.scale for channel in channels])
    if label.format is Format.FLOAT32:
        values = np.where(missing, np.nan, samples * scales)
        limits = (-FLOAT_LIMIT, FLOAT_LIMIT)
        return _channels(channels, np.ones(len(channels)), limits), values
    full = FULL[label.format]
    if label.format is Format.ASCII and label.revision >= 2013:
        full = FULL[Format.BINARY32]
    most = np.abs(np.where(missing, 0, samples).astype(np.int64)).max(axis=0, initial=0)
    coarser = np.maximum(most / full, 1.0)
    counts = np.where(missing, MISSING, np.rint(samples / coarser)).astype(np.int32)
    return _channels(channels, scales * coarser, (-full, full)), counts


def _channels(
    channels: Sequence[Channel], a: npt.NDArray[np.float64], limits: tuple[float, float]
) -> tuple[AnalogChannel, ...]:
    return tuple(
        AnalogChannel(
            number,
            plain(channel.name),
            phase=match[1].upper() if (match := _PHASE.fullmatch(channel.name)) else "",
            unit=plain(channel.unit),
            a=scale,
            low=limits[0],
            high=limits[1],
        )
        for number, (channel, scale) in enumerate(zip(channels, a.tolist(), strict=True), 1)
    )


def plain(text: str) -> str:
    """Return a name that a CFG file can hold."""
    kept = "".join("_" if one == "," or not one.isprintable() else one for one in text)
    return kept[:64]
