"""The plugin's folder keeps the contract of plugins."""

from __future__ import annotations

from pathlib import Path

from gateway.testing.contract import check_plugin


def test_the_folder_keeps_the_contract() -> None:
    """No rule of the contract is broken."""
    assert check_plugin(Path(__file__).parents[1]) == []
