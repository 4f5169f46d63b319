"""The codec's layers import downwards only, and need no gateway."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gateway_dnp3"
MAY_IMPORT = {
    "objects": {"objects"},
    "app": {"objects", "app"},
    "transport": {"transport"},
}
"""What each layer of the codec may import of this package."""

FILES = sorted(path for layer in MAY_IMPORT for path in (PACKAGE / layer).glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_layer_imports_downwards(path: Path) -> None:
    """No layer knows one above it, and none knows `gateway`."""
    modules = [
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    own = {module.split(".")[1] for module in modules if module.startswith("gateway_dnp3.")}
    assert own <= MAY_IMPORT[path.parent.name]
    assert not [module for module in modules if module.split(".")[0] == "gateway"]
