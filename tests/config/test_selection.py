"""Which points a sink takes."""

from __future__ import annotations

import pytest

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
