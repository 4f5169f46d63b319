"""The benchmark of a live stream as its user runs it, for a moment."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_run() -> None:
    """4800 frames of a second are taken; with windows of a cycle and a quarter to each side, 25 ms,
    the reports of the instants 40 ms to 960 ms come to the sink."""
    command = [sys.executable, "-m", "benchmarks.live", "--seconds", "1", "--rate", "50"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert not done.returncode, done.stderr
    assert re.match(r"4,800 samples, 0 lost; 47 reports, [\d,]+ results; ", done.stdout), (
        done.stdout
    )
