"""The link layer knows nothing of what it carries, and only its lines know a gateway."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "gateway_iec60870" / "ft12"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_imports(path: Path) -> None:
    """No file imports other parts of the package; the lines import the channels, nothing else."""
    tree = ast.walk(ast.parse(path.read_text()))
    modules = [node.module or "" for node in tree if isinstance(node, ast.ImportFrom)]
    own = {name.split(".")[1] for name in modules if name.startswith("gateway_iec60870.")}
    core = {name for name in modules if name.split(".")[0] == "gateway"}
    assert own <= {"ft12"}
    assert core == ({"gateway.channel"} if path.name in ("line.py", "station.py") else set())
