"""Imports go one way: plugins → gateway (public names); cli → engine → config → model."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gateway.testing.contract import foreign_imports

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "model": {"model"},
    "hookspecs": {"model"},
    "__init__": {"model", "hookspecs"},
    "checksum": {"kernel"},
    "c37118": {"kernel"},
    "ethernet": {"kernel"},
    "sampled_values": {"kernel"},
    "waveform": {"model", "kernel", "waveform"},
    "channel": {"model", "channel"},
    "kernel": {"model", "kernel"},
    "journal": {"model", "journal"},
    "tls": {"model", "tls"},
    "trace": {"model", "kernel", "trace"},
    "interlock": {"model", "interlock"},
    "audit": {"model", "audit"},
    "access": {"model", "access"},
    "telemetry": {"model", "telemetry"},
    "command": {"model", "interlock", "audit", "access", "command"},
    "host": {"model", "hookspecs", "host", "__init__"},
    "config": {"model", "hookspecs", "interlock", "access", "host", "config", "__init__"},
    "engine": {
        "model", "kernel", "journal", "tls", "interlock", "audit", "access", "command", "host",
        "waveform", "config", "trace", "telemetry", "engine", "__init__",
    },
    "cli": {
        "model", "kernel", "journal", "tls", "interlock", "audit", "access", "command", "host",
        "config", "trace", "engine", "cli", "__init__",
    },
    "testing": {
        "model", "hookspecs", "kernel", "journal", "tls", "interlock", "audit", "access",
        "command", "host", "waveform", "config", "engine", "testing", "__init__",
    },
}  # fmt: skip
"""What each layer of the core may import; the design's arrow, written out."""

CORE = sorted((ROOT / "gateway").rglob("*.py"))
PLUGINS = sorted(
    path
    for path in (ROOT / "plugins").glob("*/**/*.py")
    if not {"build", "node_modules"} & set(path.parts)
)


def layer(parts: tuple[str, ...]) -> str:
    """The layer of a module of the core, by the part after `gateway`."""
    return parts[1] if len(parts) > 1 else "__init__"


def imported(path: Path) -> list[tuple[int, str]]:
    """Line and layer of each import of the core in a file."""
    package = path.relative_to(ROOT).parent.parts
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module or "").split(".")) if node.module else base
            if module == ("gateway",):
                names = [
                    ("gateway", alias.name)
                    if (ROOT / "gateway" / alias.name).is_dir()
                    or (ROOT / "gateway" / f"{alias.name}.py").is_file()
                    else ("gateway",)
                    for alias in node.names
                ]
            else:
                names = [module]
        else:
            continue
        found += [(node.lineno, layer(parts)) for parts in names if parts[0] == "gateway"]
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_in_one_direction(path: Path) -> None:
    """A module of the core imports only the layers below its own."""
    own = path.relative_to(ROOT).with_suffix("").parts
    allowed = MAY_IMPORT[layer(own)]
    wrong = [f"line {line}: {name}" for line, name in imported(path) if name not in allowed]
    assert wrong == [], f"{layer(own)} may import {sorted(allowed)}"


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_import_public_names_only(path: Path) -> None:
    """A plugin imports only public names of `gateway`, and in tests `gateway.testing`."""
    inside = path.relative_to(ROOT / "plugins")
    assert list(foreign_imports(path, str(inside), testing=inside.parts[1] == "tests")) == []
