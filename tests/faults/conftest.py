"""Lets the modules of this folder find each other, in the tests as in the gateway's process."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
