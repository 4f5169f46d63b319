"""CODEC.md: its samples do what they show, and it names everything that the codec has."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from types import ModuleType

import pytest
from gateway_iec60870 import apci, asdu, ft12

PAGE = (Path(__file__).parents[1] / "CODEC.md").read_text()
SAMPLES = re.findall(r"^```pycon\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_samples_run() -> None:
    """One after the other, as a reader types them, they print what stands below them."""
    # A blank line ends what an example prints.
    text = "\n".join(SAMPLES)
    found = doctest.DocTestParser().get_doctest(text, {}, "CODEC.md", "CODEC.md", 0)
    assert len(found.examples) > 50
    printed: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed, _ = runner.run(found, out=printed.append)
    assert not failed, "".join(printed)


@pytest.mark.parametrize("module", [asdu, apci, ft12], ids=lambda one: str(one.__name__))
def test_every_public_name_is_there(module: ModuleType) -> None:
    """What a module exports is on the page."""
    names = set(re.findall(r"\b[A-Za-z_][A-Za-z_0-9]*\b", PAGE))
    assert [name for name in module.__all__ if name not in names] == []
