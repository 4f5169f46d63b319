"""What the tests of this folder share."""

from __future__ import annotations

import sys
from pathlib import Path

# Lets the modules of this folder find each other.
sys.path.insert(0, str(Path(__file__).parent))
