"""A cable for each test that asks for one."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Lets the modules of this folder find each other.
sys.path.insert(0, str(Path(__file__).parent))

from sv_cable import Cable, ip


@pytest.fixture
def cable() -> Iterator[Cable]:
    name = f"gw{secrets.token_hex(4)}"
    made = Cable(f"{name}a", f"{name}b")
    ip("link", "add", made.near, "type", "veth", "peer", "name", made.far)
    try:
        for end in (made.near, made.far):
            # Neighbours are not looked for: what is on the cable is what the test sends.
            made.set(end, "addrgenmode", "none", "up")
        made.ready()
        yield made
    finally:
        ip("link", "del", made.near)
