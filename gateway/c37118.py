"""Synchrophasor frames of IEEE C37.118.2, packed and unpacked in batches by the kernel."""

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

__all__ = [
    "AnalogChannel",
    "Command",
    "Configuration",
    "DataLayout",
    "DataRows",
    "DigitalWord",
    "Frame",
    "FrameKind",
    "KernelError",
    "PhasorChannel",
    "PmuConfiguration",
    "decode_configuration",
    "decode_frame",
    "find_frame",
    "quality_of",
    "stat_of",
]
