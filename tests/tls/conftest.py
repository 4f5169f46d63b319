"""Lets the tests of this folder find their partner, and gives them an authority."""

import sys
from pathlib import Path

import pytest

from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority with certificates for a server at 127.0.0.1 and for a client."""
    authority = Authority(tmp_path)
    authority.issue("server", "127.0.0.1", "device.example")
    authority.issue("client")
    return authority
