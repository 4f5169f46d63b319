"""The kernel: decode, judge and select samples in C, on columns.

This folder is the only Python that touches cffi.
"""

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
    "KernelError",
    "Performance",
    "PhasorReports",
    "PhasorRows",
    "Phasors",
    "Plan",
    "Points",
    "Rows",
    "force_level",
    "level",
    "levels",
]
