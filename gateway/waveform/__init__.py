"""Waveforms: what a source hands over, and what the configuration has measured of it.

from gateway.waveform import Channel, Waveform, WaveformPoint, WaveformSource
"""

from gateway.model.waveform import Channel, Samples, Waveform
from gateway.waveform.estimator import Estimator, Missing
from gateway.waveform.result import parse_result
from gateway.waveform.settings import WaveformSettings
from gateway.waveform.source import WaveformPoint, WaveformSource, result_of

__all__ = [
    "Channel",
    "Estimator",
    "Missing",
    "Samples",
    "Waveform",
    "WaveformPoint",
    "WaveformSettings",
    "WaveformSource",
    "parse_result",
    "result_of",
]
