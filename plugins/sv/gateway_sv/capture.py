"""Files of frames as libpcap writes them (pcap-savefile(5)), with times in ns."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO

from gateway_sv.disturbance import Sent

_HEAD = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
_SECOND = 1_000_000_000


def write_head(file: BinaryIO) -> None:
    """Begin a file of Ethernet frames."""
    file.write(_HEAD)


def write_frames(file: BinaryIO, frames: Iterable[Sent]) -> None:
    """Append frames."""
    for frame, time in frames:
        second, rest = divmod(time, _SECOND)
        file.write(struct.pack("<4I", second, rest, len(frame), len(frame)) + frame)
