"""Lets the modules of this folder find each other, and the small disk of the fault run."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "faults")]
