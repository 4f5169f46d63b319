"""Alarms begin, change, end and are acknowledged; a link that is down is one of them."""

from __future__ import annotations

import numpy as np
from gateway_console.page.alarms import MOST, Alarms

from gateway import Definition, Image, Quality

SECOND = 10**9
UP = [("bay", "up", -60 * SECOND, "")]
DOWN = [("bay", "down", 1, "it hung up")]


def made(count: int = 3) -> tuple[Alarms, Image]:
    definitions = [Definition(f"p{n}", source="bay") for n in range(count)]
    definitions.append(Definition("_health.bay.up"))
    size = len(definitions)
    image = Image(np.zeros(size), np.zeros(size, np.uint16), np.zeros(size, np.int64))
    return Alarms(definitions, image), image


def texts(alarms: Alarms) -> list[tuple[str, str, bool]]:
    return [(one.what, one.text, bool(one.ended)) for one in alarms.all(lambda point: True)]


def test_a_bad_quality_is_an_alarm_until_it_is_over_and_acknowledged() -> None:
    """It changes its words while it lasts, stays while nobody has seen it, and goes then."""
    alarms, image = made()
    alarms.look(1, UP)
    assert texts(alarms) == []
    image.quality[0] = Quality.QUESTIONABLE | Quality.OUT_OF_RANGE
    alarms.look(2, UP)
    assert texts(alarms) == [("p0", "questionable,outOfRange", False)]
    assert alarms.spoken == "Alarm: p0, questionable,outOfRange"
    image.quality[0] = Quality.INVALID | Quality.FAILURE
    alarms.look(3, UP)
    assert texts(alarms) == [("p0", "invalid,failure", False)]
    image.quality[0] = 0
    alarms.look(4, UP)
    (alarm,) = alarms.all(lambda point: True)
    assert (alarm.began, alarm.ended, alarms.unacknowledged) == (2, 4, 1)
    assert alarms.acknowledge(alarm.n, "anna", 5)
    assert texts(alarms) == []
    assert not alarms.acknowledge(alarm.n, "bert", 6)


def test_an_acknowledged_alarm_stays_until_it_is_over() -> None:
    """Who acknowledged it is shown; when it ends it is gone."""
    alarms, image = made()
    image.quality[1] = Quality.INVALID
    alarms.look(1, UP)
    (alarm,) = alarms.all(lambda point: True)
    assert alarms.acknowledge(alarm.n, "anna", 2)
    assert (alarm.by, alarms.unacknowledged) == ("anna", 0)
    image.quality[1] = 0
    alarms.look(3, UP)
    assert texts(alarms) == []


def test_a_link_that_is_down_is_one_alarm_and_not_one_for_each_point() -> None:
    """Its points are stale because of it; they have 10 s to come back with it."""
    alarms, image = made()
    image.quality[:3] = Quality.INVALID | Quality.OLD_DATA
    alarms.look(1, DOWN)
    assert texts(alarms) == [("bay", "it hung up", False)]
    back = [("bay", "up", 2, "")]
    alarms.look(2, back)
    assert texts(alarms) == [("bay", "it hung up", True)]
    image.quality[:2] = 0
    alarms.look(2 + 10 * SECOND, back)
    assert texts(alarms) == [("p2", "invalid,oldData", False), ("bay", "it hung up", True)]


def test_alarms_of_points_that_may_not_be_seen_are_left_out() -> None:
    """What the reader may see decides; links are everybody's."""
    alarms, image = made()
    image.quality[:2] = Quality.INVALID
    alarms.look(1, [*UP, ("scada", "down", 1, "")])
    found = [one.what for one in alarms.all(lambda point: point == 1)]
    assert found == ["p1", "scada"]


def test_alarms_are_bounded_and_what_was_too_much_is_counted() -> None:
    """No more than the bound is kept, whatever happens at once."""
    alarms, image = made(MOST + 50)
    image.quality[:-1] = Quality.INVALID
    alarms.look(1, UP)
    assert len(alarms.all(lambda point: True)) == MOST
    assert alarms.lost == 50
    image.quality[:-1] = 0
    alarms.look(2, UP)
    image.quality[:30] = Quality.INVALID
    alarms.look(3, UP)
    assert len(alarms.all(lambda point: True)) == MOST
    assert alarms.lost == 80
    assert sum(not one.ended for one in alarms.all(lambda point: True)) == 30
