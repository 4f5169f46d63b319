"""Sampled values of IEC 61850-9-2LE and IEC 61869-9: frames to rows of samples, and back."""

from gateway.kernel.error import KernelError
from gateway.kernel.sampled import Frames, Publisher, SampledState, SampledValues, pcap_frames
from gateway.kernel.samples import Run, SampleRows
from gateway.kernel.stream import Stream, StreamState

__all__ = [
    "Frames",
    "KernelError",
    "Publisher",
    "Run",
    "SampleRows",
    "SampledState",
    "SampledValues",
    "Stream",
    "StreamState",
    "pcap_frames",
]
