"""The wall clock, and whether it can be trusted. Intervals run on the event loop's time."""

from __future__ import annotations

import ctypes
import sys
import time

STA_UNSYNC = 0x0040
"""Linux `adjtimex(2)`: the kernel's clock is not synchronised."""
TIMEX_BYTES = 256
"""More than `struct timex` takes on any Linux."""
TIMEX_STATUS_OFFSET = 5 * ctypes.sizeof(ctypes.c_long)
"""`status` stands behind modes (padded), offset, freq, maxerror, esterror."""


class Clock:
    """Time of day in ns since the Unix epoch, UTC."""

    now = staticmethod(time.time_ns)

    def synchronised(self) -> bool:
        """Say whether the clock is disciplined (NTP, PTP); True where it cannot be told."""
        if not sys.platform.startswith("linux"):
            return True
        buffer = ctypes.create_string_buffer(TIMEX_BYTES)
        if ctypes.CDLL(None).adjtimex(buffer) < 0:
            return True
        status = ctypes.c_int.from_buffer(buffer, TIMEX_STATUS_OFFSET).value
        return not status & STA_UNSYNC
