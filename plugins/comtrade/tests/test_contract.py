"""The plugin as a vendor would hand it in."""

from __future__ import annotations

from pathlib import Path

from gateway.testing.contract import check_plugin


def test_contract() -> None:
    """The folder keeps every rule of a plugin."""
    assert check_plugin(Path(__file__).parent.parent) == []
