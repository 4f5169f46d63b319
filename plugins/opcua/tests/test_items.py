"""Sampling, filter and queue of monitored items, as OPC 10000-4 5.13 describes them."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_opcua.item import Item, Mode, Trigger
from gateway_opcua.items import Items
from gateway_opcua.notification import Changes, Stamps
from gateway_opcua.variable import DataType

OVERFLOW = 0x480  # InfoType DataValue (bits 10, 11 = 01) and Overflow (bit 7): OPC 10000-4 7.39.1


def item(point: int = 1, **more: object) -> Item:
    return Item(point=point, handle=point * 10, type=DataType.DOUBLE, **more)  # type: ignore[arg-type]


def offer(items: Items, *rows: tuple[int, float], now: int = 0, status: int = 0) -> None:
    points, values = zip(*rows, strict=True)
    n = len(rows)
    items.offer(
        np.array(points, np.int32),
        np.array(values, np.float64),
        np.full(n, status, np.uint32),
        np.arange(1, n + 1, dtype=np.int64),
        now,
    )


def rows(changes: Changes) -> list[tuple[int, float, int]]:
    return list(
        zip(changes.handle.tolist(), changes.value.tolist(), changes.status.tolist(), strict=True)
    )


def taken(items: Items, most: int = 1000, now: int = 0) -> list[tuple[int, float, int]]:
    return rows(items.take(most, now))


def test_each_change_of_an_item_is_queued_in_order() -> None:
    """A queue that is long enough loses nothing and keeps the order."""
    items = Items()
    items.add(item(queue=5))
    offer(items, (1, 1.0), (2, 9.0), (1, 2.0), (1, 3.0))
    assert taken(items) == [(10, 1.0, 0), (10, 2.0, 0), (10, 3.0, 0)]
    assert not items.ready(0)


def test_a_full_queue_discards_the_oldest_and_marks_the_next() -> None:
    """DiscardOldest: the oldest goes, and what is then the first has the Overflow bit."""
    items = Items()
    items.add(item(queue=3))
    offer(items, *[(1, float(n)) for n in range(5)])
    assert taken(items) == [(10, 2.0, OVERFLOW), (10, 3.0, 0), (10, 4.0, 0)]
    assert items.discarded == 2


def test_a_full_queue_replaces_the_newest_and_marks_the_new() -> None:
    """Not DiscardOldest: the last one in the queue is replaced, and the new one has the bit."""
    items = Items()
    items.add(item(queue=3, discard_oldest=False))
    offer(items, *[(1, float(n)) for n in range(5)])
    assert taken(items) == [(10, 0.0, 0), (10, 1.0, 0), (10, 4.0, OVERFLOW)]


def test_a_queue_of_one_holds_the_latest_without_a_mark() -> None:
    """With queue size one there is a buffer and no overflow, whatever the discard policy."""
    for oldest in (True, False):
        items = Items()
        items.add(item(discard_oldest=oldest))
        offer(items, (1, 1.0), (1, 2.0))
        offer(items, (1, 3.0))
        assert taken(items) == [(10, 3.0, 0)]
        assert items.discarded == 0


def test_what_waits_is_bounded() -> None:
    """A client that never publishes costs no more than its queues."""
    items = Items()
    items.add(item(queue=2))
    for n in range(20_000):
        offer(items, (1, float(n)))
    assert items._waiting <= 4_096
    assert taken(items) == [(10, 19_998.0, OVERFLOW), (10, 19_999.0, 0)]


def test_one_point_may_be_monitored_many_times() -> None:
    """Each item of a point has its own handle, queue and filter."""
    items = Items()
    items.add(item(queue=2))
    items.add(Item(point=1, handle=77, type=DataType.DOUBLE, queue=2, deadband=1.5))
    offer(items, (1, 1.0), (1, 2.0), (1, 3.0))
    found = taken(items)
    assert [row for row in found if row[0] == 10] == [(10, 2.0, OVERFLOW), (10, 3.0, 0)]
    assert [row for row in found if row[0] == 77] == [(77, 1.0, 0), (77, 3.0, 0)]


@pytest.mark.parametrize(
    ("values", "deadband", "reported"),
    [
        # an absolute deadband passes what differs from the last *reported* value by more than it
        ([10.0, 10.5, 11.0, 11.1, 10.2, 10.0], 1.0, [10.0, 11.1, 10.0]),
        ([1.0, 1.0, 2.0, 2.0], 0.0, [1.0, 2.0]),
        ([1.0, float("nan"), float("nan"), 1.0], 0.5, [1.0, float("nan"), 1.0]),
        ([float("inf"), float("inf"), 1.0], 0.5, [float("inf"), 1.0]),
    ],
)
def test_the_filter_compares_with_what_was_reported(
    values: list[float], deadband: float, reported: list[float]
) -> None:
    """A slow drift is reported once it has left the deadband."""
    items = Items()
    items.add(item(queue=10, deadband=deadband))
    for value in values:
        offer(items, (1, value))
    np.testing.assert_equal([value for _, value, _ in taken(items)], reported)


def test_the_trigger_says_what_a_change_is() -> None:
    """Status alone, status or value, status or value or time stamp."""
    for trigger, expected in (
        (Trigger.STATUS, [1.0, 3.0]),
        (Trigger.STATUS_VALUE, [1.0, 2.0, 3.0]),
        (Trigger.STATUS_VALUE_TIMESTAMP, [1.0, 2.0, 3.0, 3.0]),
    ):
        items = Items()
        items.add(item(queue=10, trigger=trigger))
        value = np.array([1.0, 2.0, 3.0, 3.0, 3.0])
        status = np.array([0, 0, 5, 5, 5], np.uint32)
        time = np.array([1, 1, 1, 2, 2])
        items.offer(np.ones(5, np.int32), value, status, time, 0)
        assert [row[1] for row in taken(items)] == expected


def test_an_item_is_sampled_once_in_its_interval() -> None:
    """Of the changes within a sampling interval the first and, at its end, the last are taken."""
    items = Items()
    items.add(item(queue=10, sampling=100))
    offer(items, (1, 1.0), now=1000)
    offer(items, (1, 2.0), now=1010)
    offer(items, (1, 3.0), now=1020)
    assert taken(items, now=1050) == [(10, 1.0, 0)]
    assert items.ready(1100)
    assert taken(items, now=1100) == [(10, 3.0, 0)]
    offer(items, (1, 4.0), now=1150)  # 3.0 was the sample of this interval
    assert taken(items, now=1199) == []
    assert taken(items, now=1200) == [(10, 4.0, 0)]


def test_an_item_that_samples_reports_later() -> None:
    """Sampling fills the queue, Reporting sends it, Disabled empties it."""
    items = Items()
    slot = items.add(item(queue=5, mode=Mode.SAMPLING))
    offer(items, (1, 1.0))
    assert not items.ready(0)
    assert taken(items) == []
    items.set_mode(slot, Mode.REPORTING)
    assert taken(items) == [(10, 1.0, 0)]
    offer(items, (1, 2.0))
    items.set_mode(slot, Mode.DISABLED)
    offer(items, (1, 3.0))
    items.set_mode(slot, Mode.REPORTING)
    assert taken(items) == []
    items.prime(slot, 3.0, 0, 1, 0)
    assert taken(items) == [(10, 3.0, 0)]


def test_a_removed_item_is_forgotten() -> None:
    """Its queue goes with it, its slot is used again, the others stay."""
    items = Items()
    first, second = items.add(item(1)), items.add(item(2))
    offer(items, (1, 1.0), (2, 2.0))
    items.remove([first])
    assert taken(items) == [(20, 2.0, 0)]
    assert items.add(item(3)) == first
    offer(items, (1, 5.0), (3, 3.0))
    assert taken(items) == [(30, 3.0, 0)]
    items.remove([first, second])
    assert items.used == 0


def test_a_publish_takes_no_more_than_it_may() -> None:
    """MaxNotificationsPerPublish: the rest waits, in order."""
    items = Items()
    for point in range(1, 6):
        items.add(item(point))
    offer(items, *[(point, 1.0) for point in range(1, 6)])
    assert [row[0] for row in taken(items, most=2)] == [10, 20]
    assert items.ready(0)
    assert [row[0] for row in taken(items, most=2)] == [30, 40]
    assert [row[0] for row in taken(items, most=2)] == [50]
    assert not items.ready(0)


def test_a_smaller_queue_takes_effect_at_once() -> None:
    """ModifyMonitoredItems cuts what waits already, and says so."""
    items = Items()
    slot = items.add(item(queue=4))
    offer(items, *[(1, float(n)) for n in range(4)])
    items.change(slot, item(queue=2))
    assert taken(items) == [(10, 2.0, OVERFLOW), (10, 3.0, 0)]


def test_many_items_grow_the_table() -> None:
    """A thousand items on a thousand points each get their own change."""
    items = Items()
    for point in range(1000):
        items.add(Item(point, point + 5, DataType.DOUBLE, Stamps.BOTH))
    offer(items, *[(point, point / 2) for point in range(999, -1, -1)])
    assert sorted(taken(items)) == [(point + 5, point / 2, 0) for point in range(1000)]
