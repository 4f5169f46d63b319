"""The layers import downwards only; the codec needs no gateway, a transport knows no ASDU."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gateway_iec60870"
APPLICATION = {"asdu", "quality", "zone"}
MAY_IMPORT = {
    "asdu": {"asdu"},
    "apci": {"apci"},
    "ft12": {"ft12"},
    "quality": {"asdu"},
    "zone": {"asdu"},
    "controlling": APPLICATION | {"controlling"},
    "controlled": APPLICATION | {"controlled"},
    "iec104": APPLICATION | {"apci", "controlling", "controlled", "iec104"},
    "iec101": APPLICATION | {"ft12", "controlling", "controlled", "iec101"},
    "__init__": {"iec104", "iec101"},
}
"""What each layer may import of this package: controlling and controlled station do not know each
other, nor what carries their ASDUs; neither do the two protocols."""

GATEWAY = {"asdu": set[str](), "zone": set[str](), "apci": {"channel"}, "ft12": {"channel"}}
"""What a layer may import of the gateway, where that is not all that is public."""

FILES = sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    """The folder below the package, or the module in it."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[tuple[str, str]]:
    """Package and part of each import from this package and from the gateway."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules: list[str] = []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "no relative imports"
            modules = [node.module or ""]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            package, _, rest = module.partition(".")
            if package in ("gateway", "gateway_iec60870"):
                found.add((package, rest.partition(".")[0]))
    return found


def test_every_layer_is_named() -> None:
    """A folder or module that is new says here what it may import."""
    assert {layer(path) for path in FILES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_downwards(path: Path) -> None:
    """No layer knows one above it or beside it, and the codecs know of `gateway` what they must."""
    here, found = layer(path), imported(path)
    assert {part for package, part in found if package == "gateway_iec60870"} <= MAY_IMPORT[here]
    outside = {part for package, part in found if package == "gateway"}
    assert here not in GATEWAY or outside <= GATEWAY[here]
