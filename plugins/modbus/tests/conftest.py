"""Devices, ports and tools for the tests of the plugin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.testing.authority import Authority

PACKAGE = {"socat": "socat", "mbpoll": "mbpoll", "tshark": "tshark", "text2pcap": "tshark"}


@pytest.fixture
def tool() -> object:
    """Where a program of the system is; a missing one fails the test with the way to get it."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.fail(f"{name} is missing: apt-get install {PACKAGE[name]}")
        return path

    return find


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with certificates: of an authority, a device and a gateway it signed, a stranger."""
    authority = Authority(tmp_path)
    for name in ("device", "gateway"):
        authority.issue(name, "127.0.0.1")
    Authority(tmp_path, "others").issue("stranger", "127.0.0.1")
    return tmp_path
