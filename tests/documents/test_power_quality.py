"""docs/power-quality.md names the spans and kinds that there are."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.kernel import Quantity
from gateway.kernel.quantity import ITEMS, SPANS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "power-quality.md").read_text(encoding="utf-8")


def names(heading: str) -> list[str]:
    """The names in the first column of the table that begins so."""
    body = TEXT[TEXT.index(heading) :].partition("\n\n")[0]
    return [
        name for row in body.splitlines()[2:] for name in re.findall("`(\\w+)`", row.split("|")[1])
    ]


def test_spans_and_kinds() -> None:
    """All of them, in the kernel's order, and none besides."""
    assert names("| span |") == list(SPANS)
    assert sorted(names("| kind |")) == sorted(ITEMS)


def test_the_quantities_of_the_text() -> None:
    """They are quantities."""
    found = re.findall(r"`(\w+/\w+/\w+(?:/\d+)?)`", TEXT)
    assert len(found) >= 3
    for name in found:
        assert str(Quantity.parse(name)) == name
