"""Waveforms: what a source hands over, and what the configuration has measured of it.

from gateway.waveform import Channel, Waveform, WaveformPoint, WaveformSource
"""

from gateway.model.waveform import Channel, Samples, Waveform
from gateway.waveform.settings import WaveformSettings
from gateway.waveform.source import WaveformPoint, WaveformSource

__all__ = [
    "Channel",
    "Samples",
    "Waveform",
    "WaveformPoint",
    "WaveformSettings",
    "WaveformSource",
]
