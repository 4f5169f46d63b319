"""The kernel's own tests, in C: with sanitizers, optimised, and for their coverage."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).resolve().parents[2] / "csrc"
TOOLS = ("make", "cc", "gcov", "awk")


@pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}, and one is missing"
)
@pytest.mark.timeout(600)  # three builds, on a machine that may be busy
def test_c_tests_pass_and_reach_every_line(tmp_path: Path) -> None:
    """`make test coverage` finds no error, no undefined behaviour and no line left out."""
    run = subprocess.run(
        ["make", "-j2", "-C", CSRC, "test", "coverage", f"BUILD={tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr
    assert "coverage: 100 %" in run.stdout
