"""What a process used, as the system counts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of all threads since the start of the process, user and system together."""

    cpu: float
    resident: int
    """bytes"""
    peak: int
    """bytes, the most that was resident"""

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Read `/proc/<pid>`; raises FileNotFoundError where the process is gone."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        return cls(
            (int(fields[11]) + int(fields[12])) / TICKS,
            int(status["VmRSS"].split()[0]) * 1024,
            int(status["VmHWM"].split()[0]) * 1024,
        )


def busy(core: int) -> float:
    """Return the seconds that a core was not idle since the machine started."""
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            times = [int(field) / TICKS for field in fields[1:9]]
            return sum(times) - times[3] - times[4]
    raise ValueError(f"the system counts nothing of core {core}")
