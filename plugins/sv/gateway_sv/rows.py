"""From rows of the kernel to waveforms."""

from __future__ import annotations

from gateway.sampled_values import SampleRows
from gateway.waveform import Channel, Waveform


def waveforms(
    rows: SampleRows, rate: int, channels: tuple[Channel, ...], ahead: int = 0
) -> list[Waveform]:
    """Return each run of rows as a waveform of its own memory, its index moved by `ahead`."""
    return [
        Waveform(
            rate,
            channels,
            run.first + ahead,
            run.samples.copy(),
            run.quality.copy() if run.quality.any() else None,
        )
        for run in rows
    ]
