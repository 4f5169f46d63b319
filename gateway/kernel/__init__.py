"""The kernel: decode, judge and select samples in C, on columns.

This folder is the only Python that touches cffi.
"""

from gateway.kernel.c37_config import (
    AnalogChannel,
    Configuration,
    DigitalWord,
    PhasorChannel,
    PmuConfiguration,
    decode_configuration,
)
from gateway.kernel.c37_data import DataLayout, DataRows, quality_of, stat_of
from gateway.kernel.c37_frame import Command, Frame, FrameKind, decode_frame, find_frame
from gateway.kernel.error import KernelError
from gateway.kernel.events import Event, Events
from gateway.kernel.level import force_level, level, levels
from gateway.kernel.measured import Measured
from gateway.kernel.meter import Meter, Setup, State
from gateway.kernel.phasor import Performance, PhasorReports, PhasorRows, Phasors
from gateway.kernel.plan import Plan
from gateway.kernel.points import ABSOLUTE, HELD, INTEGRATED, MARKS, Points
from gateway.kernel.quantity import Quantity
from gateway.kernel.rows import Rows
from gateway.kernel.sampled import Frames, Publisher, SampledState, SampledValues, pcap_frames
from gateway.kernel.samples import Run, SampleRows
from gateway.kernel.spectrum import Spectrum
from gateway.kernel.stream import Stream, StreamState

__all__ = [
    "ABSOLUTE",
    "HELD",
    "INTEGRATED",
    "MARKS",
    "AnalogChannel",
    "Command",
    "Configuration",
    "DataLayout",
    "DataRows",
    "DigitalWord",
    "Event",
    "Events",
    "Frame",
    "FrameKind",
    "Frames",
    "KernelError",
    "Measured",
    "Meter",
    "Performance",
    "PhasorChannel",
    "PhasorReports",
    "PhasorRows",
    "Phasors",
    "Plan",
    "PmuConfiguration",
    "Points",
    "Publisher",
    "Quantity",
    "Rows",
    "Run",
    "SampleRows",
    "SampledState",
    "SampledValues",
    "Setup",
    "Spectrum",
    "State",
    "Stream",
    "StreamState",
    "decode_configuration",
    "decode_frame",
    "find_frame",
    "force_level",
    "level",
    "levels",
    "pcap_frames",
    "quality_of",
    "stat_of",
]
