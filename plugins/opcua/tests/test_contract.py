"""The contract of every plugin folder."""

from __future__ import annotations

from pathlib import Path

from gateway.testing.contract import check_plugin


def test_contract() -> None:
    """The folder keeps every rule of the contract."""
    assert check_plugin(Path(__file__).parent.parent) == []
