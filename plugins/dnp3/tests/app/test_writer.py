"""Builders of requests and responses."""

from __future__ import annotations

import numpy as np
from gateway_dnp3.app import (
    INTEGRITY,
    Writer,
    assign_class,
    class_objects,
    clear_restart,
    name_all,
    name_range,
)
from gateway_dnp3.objects import Columns, Strings


def test_requests_of_a_master() -> None:
    """As opendnp3's master writes them (TestMaster, TestMasterAssignClass, TestAPDUWriting)."""
    assert class_objects(*INTEGRITY).hex() == "3c02063c03063c04063c0106"
    assert class_objects(1, 2, 3).hex() == "3c02063c03063c0406"
    assert class_objects(1, limit=2).hex() == "3c02080200"
    assert (class_objects(1) + name_all(3)).hex() == "3c02060300" + "06"
    assert assign_class(2, [(1, 2, 3)]).hex() == "3c0306" + "0100000203"
    assert name_range(30, 2, 5, 6).hex() == "1e02000506"
    assert name_range(30, 2, 5, 256).hex() == "1e020105000001"
    assert clear_restart().hex() == "50010007" + "0700"


def test_a_writer_takes_as_much_as_it_has_room_for() -> None:
    """Rows, strings and whole headers; what does not fit is told and can be written elsewhere."""
    writer = Writer(30)
    columns = Columns.of(30, 1, np.arange(10), np.arange(10))
    assert writer.add(columns) == 5
    assert writer.room == 0
    assert writer.add(columns[5:]) == 0
    assert not writer.put(b"\0")

    events = Writer(30)
    parts = [Columns.of(2, 1, [1, 2], [1, 0]), Columns.of(32, 2, [7], [5])]
    assert events.add_events(parts, np.array([0, 1, 0])) == 3
    assert events.objects().hex() == (
        "0201280100" "010081" "2002280100" "0700010500" "0201280100" "020001"
    )  # fmt: skip

    other = Writer(30)
    assert other.put(clear_restart())
    assert other.add(Strings(110, [0, 1, 2, 3], [b"12345678"] * 4)) == 2
    assert other.objects().hex().startswith("5001000707006e08000001")
    assert other.size == len(other.objects()) == 27
