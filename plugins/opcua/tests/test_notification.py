"""Data changes as bytes, read back by asyncua's decoder."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from gateway_opcua.notification import Changes, Stamps, encode
from gateway_opcua.variable import DataType
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_700_000_000_123_456_700
BAD = 0x808B0000

ROW = st.tuples(
    st.integers(0, 2**32 - 1),
    st.sampled_from([*DataType]),
    st.sampled_from([*Stamps]),
    st.integers(0, 2**31),
    st.sampled_from([0, 0x480, 0x40950000, BAD]),
    st.integers(0, 2**62),
)


def decode(body: bytes) -> list[Any]:
    decoded = struct_from_binary(ua.DataChangeNotification, Buffer(body))
    return list(decoded.MonitoredItems)


def when(time: int) -> datetime.datetime:
    """The instant to 1 µs, by Python's calendar."""
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return start + datetime.timedelta(microseconds=time // 1000)


@settings(deadline=None)
@given(st.lists(ROW, max_size=30))
def test_what_is_encoded_is_decoded(rows: list[tuple[int, int, int, int, int, int]]) -> None:
    """Every item comes back with its handle, type, value, status and the stamps it asked for."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    handle, kind, stamps, value, status, time = columns
    changes = Changes(
        np.array(handle, np.uint32),
        np.array(kind, np.uint8),
        np.array(stamps, np.uint8),
        np.array(value, np.float64),
        np.array(status, np.uint32),
        np.array(time, np.int64),
    )
    found = [
        (
            one.ClientHandle,
            one.Value.Value.Value,
            one.Value.Value.VariantType.name,
            one.Value.StatusCode.value,
            one.Value.SourceTimestamp,
            one.Value.ServerTimestamp,
        )
        for one in decode(encode(changes, NOW))
    ]
    names = {1: "Boolean", 7: "UInt32", 8: "Int64", 11: "Double"}
    expected = [
        (
            row[0],
            None if row[4] == BAD else {1: bool, 11: float}.get(row[1], int)(row[3]),
            "Null" if row[4] == BAD else names[row[1]],
            row[4],
            (when(row[5]) if row[5] else datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC))
            if row[2] in (0, 2)
            else None,
            when(NOW) if row[2] in (1, 2) else None,
        )
        for row in rows
    ]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_items_that_are_encoded_already_stand_behind() -> None:
    """Changes of nodes that are no points travel in the same notification."""
    other = ua.MonitoredItemNotification(ClientHandle=7, Value=ua.DataValue(ua.Variant("on")))
    changes = Changes(
        np.ones(1, np.uint32),
        np.ones(1, np.uint8),
        np.ones(1, np.uint8),
        np.ones(1),
        np.zeros(1, np.uint32),
        np.ones(1, np.int64),
    )
    found = decode(encode(changes, NOW, [struct_to_binary(other)]))
    assert [(one.ClientHandle, one.Value.Value.Value) for one in found] == [(1, True), (7, "on")]


def test_a_double_keeps_what_it_is() -> None:
    """NaN, infinities and the smallest number are not rounded on the way."""
    values = [math.nan, math.inf, -math.inf, 5e-324, -0.0]
    n = len(values)
    changes = Changes(
        np.arange(n, dtype=np.uint32),
        np.full(n, DataType.DOUBLE, np.uint8),
        np.full(n, Stamps.NEITHER, np.uint8),
        np.array(values),
        np.zeros(n, np.uint32),
        np.zeros(n, np.int64),
    )
    found = [one.Value.Value.Value for one in decode(encode(changes, NOW))]
    np.testing.assert_equal(found, values)
