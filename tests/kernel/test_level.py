"""Levels can be named and forced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.kernel import force_level, level, levels


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    was = level()
    yield
    force_level(was)


def test_the_best_level_is_chosen() -> None:
    """Plain C runs everywhere and is the least that is chosen."""
    assert levels()[0] == "plain"
    assert level() == levels()[-1]


@pytest.mark.parametrize("name", levels())
def test_a_level_can_be_forced(name: str) -> None:
    """The name that was forced is the one in force."""
    force_level(name)
    assert level() == name


def test_an_unknown_level_names_the_known() -> None:
    """The sentence lists them."""
    with pytest.raises(ValueError, match="unknown level 'sse9'; known are plain, x86-64-v3"):
        force_level("sse9")
