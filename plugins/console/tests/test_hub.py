"""The ring and its listeners, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gateway_console.hub import Event, Hub, Listener

from gateway import Batch, Image

SIZE = 6


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """What the context was asked to watch, the last time."""

    points: list[int] | None = None

    def __call__(self, points: Iterable[int]) -> None:
        self.points = list(points)


def made(rows: int = 1000, linger: float = 60.0) -> tuple[Hub, Clock, Watched]:
    image = Image(
        np.arange(SIZE, dtype=np.float64), np.zeros(SIZE, np.uint16), np.ones(SIZE, np.int64)
    )
    clock, watched = Clock(), Watched()
    hub = Hub(image, range(SIZE), watched, clock, run="ab", rows=rows, linger=linger)
    return hub, clock, watched


def mask(*points: int) -> Any:
    found = np.zeros(SIZE, np.bool_)
    found[list(points)] = True
    return found


def batch(points: Sequence[int], values: Sequence[float]) -> Batch:
    return Batch.of(points, values)


def taken(listener: Listener) -> list[tuple[str, list[tuple[int, float]]]]:
    """Return what waits, and take it."""
    events, listener.queue, listener.rows = list(listener.queue), type(listener.queue)(), 0
    return [_plain(one) for one in events]


def _plain(event: Event) -> tuple[str, list[tuple[int, float]]]:
    if not isinstance(event.body, Batch):
        return event.kind, []
    return event.kind, list(zip(event.body.point.tolist(), event.body.value.tolist(), strict=True))


def test_nothing_is_watched_until_somebody_listens() -> None:
    """Only the points that are listened to come here, and for a while after the last left."""
    hub, clock, watched = made(linger=60)
    assert watched.points is None
    first = hub.join(mask(1, 2), links=False)
    assert watched.points == [1, 2]
    second = hub.join(mask(2, 4), links=False)
    assert watched.points == [1, 2, 4]
    hub.leave(first)
    clock.now = 59
    hub.narrow()
    assert watched.points == [1, 2, 4]
    clock.now = 60
    hub.narrow()
    assert watched.points == [2, 4]
    hub.leave(second)
    clock.now = 120
    hub.narrow()
    assert watched.points == []


def test_a_stream_begins_with_an_image_of_its_points() -> None:
    """The last samples, and then what comes, of its own points only."""
    hub, _, _ = made()
    listener = hub.join(mask(1, 3), links=False)
    hub.publish(batch([0, 1, 2], [10, 11, 12]))
    hub.publish(batch([0], [20]))
    assert taken(listener) == [("image", [(1, 1.0), (3, 3.0)]), ("samples", [(1, 11.0)])]
    assert not listener.gap


def test_a_stream_goes_on_where_it_was() -> None:
    """What came while it was away comes, once, and no image."""
    hub, _, _ = made()
    first = hub.join(mask(1, 3), links=False)
    hub.publish(batch([1], [11]))
    number = hub.number
    hub.leave(first)
    hub.publish(batch([1, 3], [12, 13]))
    hub.publish(batch([2], [0]))
    again = hub.join(mask(1), links=False, last=("ab", number))
    hub.publish(batch([1], [14]))
    assert taken(again) == [("samples", [(1, 12.0)]), ("samples", [(1, 14.0)])]
    assert not again.gap


def test_what_is_not_known_any_more_is_a_gap() -> None:
    """Another run, an event that the ring lost, points that nobody watched: gap and image."""
    hub, clock, _ = made(rows=8, linger=60)
    first = hub.join(mask(1), links=False)
    hub.publish(batch([1], [11]))
    asked = [("other", 1), ("ab", hub.number + 1), ("", 0)]
    for last in asked:
        listener = hub.join(mask(1), links=False, last=last)
        assert (listener.gap, taken(listener)) == (True, [("image", [(1, 1.0)])])
        hub.listeners.discard(listener)
    # Point 3 was watched by nobody at event 1.
    assert hub.join(mask(1, 3), links=False, last=("ab", 1)).gap
    for value in range(8):
        hub.publish(batch([1], [value]))
    assert hub.join(mask(1), links=False, last=("ab", 1)).gap
    assert not hub.join(mask(1), links=False, last=("ab", hub.number)).gap
    for one in list(hub.listeners):
        hub.leave(one)
    number = hub.number
    clock.now = 60
    hub.narrow()
    assert hub.join(mask(1), links=False, last=("ab", number)).gap
    assert first.closed is False


def test_the_ring_is_bounded_in_samples() -> None:
    """However much comes, it keeps no more than it may."""
    hub, _, _ = made(rows=20)
    hub.join(mask(1), links=False)
    for value in range(1000):
        hub.publish(batch([1, 2, 3], [value] * 3))
    assert sum(one.rows for one in hub._ring) <= 20


def test_a_slow_stream_gets_the_latest_of_each_point() -> None:
    """Beyond the bound samples are coalesced by point, and counted; the latest is never lost."""
    hub, _, _ = made(rows=10)
    slow, quick = hub.join(mask(1, 2), links=True), hub.join(mask(1, 2), links=True)
    taken(slow)
    sent = 0
    for value in range(100):
        hub.publish(batch([1, 2, 5], [value, -value, 7]))
        if value == 50:
            hub.note("link")
        sent += 2
        assert slow.rows <= 10
        taken(quick)
    waiting = list(slow.queue)
    rows = [one for one in waiting if isinstance(one.body, Batch)]
    latest: dict[int, float] = {}
    for one in rows:
        latest |= dict(zip(one.body.point.tolist(), one.body.value.tolist(), strict=True))
    assert latest == {1: 99.0, 2: -99.0}
    assert slow.coalesced + sum(one.rows for one in rows) == sent
    assert sum(one.coalesced for one in rows) == slow.coalesced
    assert quick.coalesced == 0
    assert [one.number for one in waiting] == sorted(one.number for one in waiting)
    assert sum(one.kind == "link" for one in waiting) == 1


def test_streams_of_the_same_points_share_their_events() -> None:
    """Two streams of equal points get one event, which is written once; a third has its own."""
    hub, _, _ = made()
    both = [hub.join(mask(0, 1, 2), links=False) for _ in range(2)]
    other = hub.join(mask(0, 1), links=False)
    for listener in (*both, other):
        taken(listener)
    hub.publish(batch([1, 2], [7.0, 8.0]))

    (first,), (second,), (third,) = (list(one.queue) for one in (*both, other))
    assert first is second
    assert third.text is not first.text
    assert [taken(one) for one in (both[0], other)] == [
        [("samples", [(1, 7.0), (2, 8.0)])], [("samples", [(1, 7.0)])],
    ]  # fmt: skip
