"""The table of objects."""

from __future__ import annotations

import pytest
from gateway_dnp3.objects import LAYOUTS, Use, is_measurement, layout

# Octets of one object, from the tables of IEEE 1815 annex A
SIZES = {
    (1, 2): 1, (2, 1): 1, (2, 2): 7, (2, 3): 3, (3, 2): 1, (4, 1): 1, (4, 2): 7, (4, 3): 3,
    (10, 2): 1, (11, 1): 1, (11, 2): 7, (12, 1): 11, (12, 2): 11, (13, 1): 1, (13, 2): 7,
    (20, 1): 5, (20, 2): 3, (20, 5): 4, (20, 6): 2, (21, 1): 5, (21, 2): 3, (21, 5): 11,
    (21, 6): 9, (21, 9): 4, (21, 10): 2, (22, 1): 5, (22, 2): 3, (22, 5): 11, (22, 6): 9,
    (23, 1): 5, (23, 2): 3, (23, 5): 11, (23, 6): 9, (30, 1): 5, (30, 2): 3, (30, 3): 4,
    (30, 4): 2, (30, 5): 5, (30, 6): 9, (31, 1): 5, (31, 2): 3, (31, 3): 11, (31, 4): 9,
    (31, 5): 4, (31, 6): 2, (31, 7): 5, (31, 8): 9, (32, 1): 5, (32, 2): 3, (32, 3): 11,
    (32, 4): 9, (32, 5): 5, (32, 6): 9, (32, 7): 11, (32, 8): 15, (33, 1): 5, (33, 2): 3,
    (33, 3): 11, (33, 4): 9, (33, 5): 5, (33, 6): 9, (33, 7): 11, (33, 8): 15, (34, 1): 2,
    (34, 2): 4, (34, 3): 4, (40, 1): 5, (40, 2): 3, (40, 3): 5, (40, 4): 9, (41, 1): 5,
    (41, 2): 3, (41, 3): 5, (41, 4): 9, (42, 1): 5, (42, 2): 3, (42, 3): 11, (42, 4): 9,
    (42, 5): 5, (42, 6): 9, (42, 7): 11, (42, 8): 15, (43, 1): 5, (43, 2): 3, (43, 3): 11,
    (43, 4): 9, (43, 5): 5, (43, 6): 9, (43, 7): 11, (43, 8): 15, (50, 1): 6, (50, 2): 10,
    (50, 3): 6, (50, 4): 11, (51, 1): 6, (51, 2): 6, (52, 1): 2, (52, 2): 2, (60, 1): 0,
    (60, 2): 0, (60, 3): 0, (60, 4): 0, (102, 1): 1,
}  # fmt: skip


@pytest.mark.parametrize("key", SIZES)
def test_an_object_has_its_octets(key: tuple[int, int]) -> None:
    """Every size is the standard's."""
    assert LAYOUTS[key].size == SIZES[key]


def test_nothing_else_is_a_value() -> None:
    """What the table knows besides is packed, self-delimiting or withdrawn."""
    others = {key: one for key, one in LAYOUTS.items() if key not in SIZES}
    packed = {key for key, one in others.items() if one.bits}
    assert packed == {(1, 1), (3, 1), (10, 1), (12, 3), (80, 1)}
    assert all(
        one.use in (Use.OPAQUE, Use.FILE) for key, one in others.items() if key not in packed
    )


def test_groups_whose_variation_is_a_number() -> None:
    """Strings are as long as their variation, attributes say it themselves."""
    text, event, attribute = layout(110, 7), layout(111, 255), layout(0, 252)
    assert text is not None
    assert event is not None
    assert attribute is not None
    assert (text.size, text.event, event.size, event.event) == (7, False, 255, True)
    assert (attribute.size, attribute.use) == (None, Use.ATTRIBUTE)
    assert layout(110, 0) is None
    assert layout(200, 1) is None
    assert is_measurement(30)
    assert not is_measurement(110)
