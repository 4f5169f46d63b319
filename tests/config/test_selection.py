"""Which points a sink takes."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.selector import selector

NAMES = ["feeder1.voltage", "feeder1.breaker", "feeder10.voltage", "bus.voltage"]


@pytest.mark.parametrize(
    ("patterns", "taken"),
    [
        (("*",), NAMES),
        ((), NAMES),
        (("feeder1.*",), NAMES[:2]),
        (("feeder?.voltage",), NAMES[:1]),
        (("*.voltage", "!bus.*"), [NAMES[0], NAMES[2]]),
        (("!bus.*",), NAMES[:3]),
        (("*", "!*.voltage"), [NAMES[1]]),
        (("feeder1",), []),
        (("feeder1.v[a-z]ltage",), []),
    ],
)
def test_patterns(patterns: tuple[str, ...], taken: list[str]) -> None:
    """* and ? are all there is; a ! leaves out; a name must fit as a whole."""
    select = selector(patterns)

    assert [name for name in NAMES if select(name)] == taken


@given(st.lists(st.text("ab.*?", max_size=8), min_size=1, max_size=3), st.text("ab.", max_size=8))
def test_as_a_shell_would(patterns: list[str], name: str) -> None:
    """A pattern fits what the standard library's file patterns fit, brackets aside."""
    assert selector(tuple(patterns))(name) is any(fnmatchcase(name, one) for one in patterns)


def test_asterisks_do_not_multiply() -> None:
    """A pattern with many asterisks is decided at once: 200 ** 8 steps would never end."""
    assert not selector(("*a" * 8 + "*b",))("a" * 200)
