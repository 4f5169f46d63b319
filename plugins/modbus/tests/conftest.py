"""Devices, ports and tools for the tests of the plugin."""

from __future__ import annotations

import shutil

import pytest

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
