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
from gateway.kernel.level import force_level, level, levels
from gateway.kernel.phasor import Performance, PhasorReports, PhasorRows, Phasors
from gateway.kernel.plan import Plan
from gateway.kernel.points import ABSOLUTE, HELD, INTEGRATED, MARKS, Points
from gateway.kernel.rows import Rows

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
    "Frame",
    "FrameKind",
    "KernelError",
    "Performance",
    "PhasorChannel",
    "PhasorReports",
    "PhasorRows",
    "Phasors",
    "Plan",
    "PmuConfiguration",
    "Points",
    "Rows",
    "decode_configuration",
    "decode_frame",
    "find_frame",
    "force_level",
    "level",
    "levels",
    "quality_of",
    "stat_of",
]
