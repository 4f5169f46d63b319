"""Filters over all points, against the same asked of one point after the other."""

from __future__ import annotations

import random

import numpy as np
import pytest
from gateway_console.page.columns import QUALITIES, SORTS, Columns, Wish

from gateway import Definition, Image, Point, Quality

SECOND = 10**9
NOW = 1_800_000_000 * SECOND
MARKS = (Quality.SUBSTITUTED, Quality.TEST, Quality.OPERATOR_BLOCKED)


def made(count: int = 400) -> tuple[list[Definition | None], Image]:
    """Return points of three sources, with holes among the ids, and an image of all qualities."""
    dice = random.Random(5)
    words = ("feeder", "bus", "Breaker", "energy", "Über")
    definitions: list[Definition | None] = []
    for n in range(count):
        source = dice.choice((None, "a", "b"))
        link = {source: Point()} if source else {}
        if dice.random() < 0.3:
            link["scada"] = Point()
        name = f"{dice.choice(words)}{n}.{dice.choice(words)}"
        description = dice.choice(words)
        whole = Definition(name, description=description, source=source, addresses=link)
        definitions.append(None if dice.random() < 0.1 else whole)
    quality = np.array([dice.choice((0, 0, 1, 2, 3)) for _ in range(count)], np.uint16)
    for n in range(0, count, 7):
        quality[n] |= int(dice.choice(MARKS))
    time = np.array([NOW - dice.randrange(200) * SECOND for _ in range(count)], np.int64)
    value = np.array([dice.uniform(-5, 5) for _ in range(count)])
    return definitions, Image(value, quality, time)


def fits(definition: Definition, quality: int, time: int, wish: Wish) -> bool:
    """Say of one point whether it is wished for, word for word as the fields are described."""
    text = f"{definition.name} {definition.description}".lower()
    validity = quality & 3
    marked = any(quality & mark for mark in MARKS)
    by_quality = {
        "any": True,
        "good": validity == 0,
        "not good": validity != 0,
        "questionable": validity == 3,
        "invalid": validity in (1, 2),
        "marked": marked,
    }
    return (
        all(word in text for word in wish.search.lower().split())
        and (not wish.link or wish.link in {definition.source, *definition.addresses})
        and by_quality[wish.quality]
        and (not wish.older or NOW - time > wish.older * SECOND)
    )


@pytest.mark.parametrize("search", ["", "FEEDER bus", "über", "no such"])
@pytest.mark.parametrize("link", ["", "a", "scada", "nobody"])
@pytest.mark.parametrize("older", [0.0, 60.0])
def test_a_filter_takes_what_fits_all_of_it(search: str, link: str, older: float) -> None:
    """Names, links, ages, each with every quality; and never what may not be seen."""
    definitions, image = made()
    columns = Columns(definitions, image)
    readable = np.arange(len(definitions)) % 5 != 0
    for quality in QUALITIES:
        wish = Wish(search, link, quality, older)
        wanted = {
            n
            for n, one in enumerate(definitions)
            if one is not None
            and readable[n]
            and fits(one, int(image.quality[n]), int(image.time[n]), wish)
        }
        assert set(columns.select(wish, NOW, readable).tolist()) == wanted


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_an_order_is_kept_from_first_to_last(sort: str, falling: bool) -> None:
    """Quality goes from good over questionable to invalid; age from young to old."""
    definitions, image = made()
    every = np.ones(len(definitions), np.bool_)
    ids = Columns(definitions, image).select(Wish(sort=sort, falling=falling), NOW, every)
    severity = {0: 0, 3: 1, 2: 2, 1: 3}
    keys = {
        "name": lambda n: definitions[n].name,  # type: ignore[union-attr]
        "value": lambda n: image.value[n],
        "quality": lambda n: severity[int(image.quality[n]) & 3],
        "age": lambda n: NOW - image.time[n],
    }
    found = [keys[sort](n) for n in ids.tolist()]
    assert found == sorted(found, reverse=falling)


def test_changes_are_counted_by_source() -> None:
    """A sample that is newer than at the last look counts once, for its source."""
    definitions = [Definition("x", source="a"), Definition("y", source="b"), None, Definition("z")]
    image = Image(np.zeros(4), np.zeros(4, np.uint16), np.zeros(4, np.int64))
    columns = Columns(definitions, image)
    assert columns.changes() == {"": 0, "a": 0, "b": 0}
    image.time[[0, 3]] = 5
    assert columns.changes() == {"": 1, "a": 1, "b": 0}
    assert columns.changes() == {"": 1, "a": 1, "b": 0}
    image.time[[0, 1]] = 6
    assert columns.changes() == {"": 1, "a": 2, "b": 1}
