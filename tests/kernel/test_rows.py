"""Rows are appended, counted and drained."""

from __future__ import annotations

import pytest

from gateway.kernel import Points, Rows
from gateway.model.batch import Batch


def test_rows_wait_until_they_are_drained() -> None:
    """Several calls append to one batch; a drained batch is a copy of its own."""
    points, rows = Points(3), Rows(5)
    assert (rows.capacity, rows.count, rows.free) == (5, 0, 5)
    assert rows.drain() is None
    points.judge(Batch.of([2, 0], [1.5, 2.5], 0x0800, [7, 8]), True, rows)
    points.judge(Batch.of([1], [3.5], 0, 9), True, rows)
    assert (rows.count, rows.free) == (3, 2)
    batch = rows.drain()
    assert (rows.count, rows.free) == (0, 5)
    points.judge(Batch.of([0], [-1.0], 0, 10), True, rows)
    assert batch is not None
    assert batch.point.tolist() == [2, 0, 1]
    assert batch.value.tolist() == [1.5, 2.5, 3.5]
    assert batch.quality.tolist() == [0x0800, 0x0800, 0]
    assert batch.time.tolist() == [7, 8, 9]


def test_rows_can_be_forgotten() -> None:
    """Then there is room again."""
    points, rows = Points(1), Rows(1)
    points.judge(Batch.of([0], [1.0], 0, 1), True, rows)
    rows.clear()
    assert (rows.count, rows.free, rows.drain()) == (0, 1, None)


def test_rows_need_room() -> None:
    """At least one."""
    with pytest.raises(ValueError, match="capacity 0"):
        Rows(0)
