"""Values off the wire, against what asyncua encoded and against any bytes at all."""

# mypy: disable-error-code="attr-defined,no-untyped-call,arg-type"

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from gateway_opcua.client.changes import decode
from gateway_opcua.client.message import published, republished, values
from gateway_opcua.client.source import Stamp
from hypothesis import given, settings
from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
VARIANTS = st.one_of(
    st.floats(allow_nan=False).map(lambda x: ua.Variant(x, ua.VariantType.Double)),
    st.floats(width=32, allow_nan=False).map(lambda x: ua.Variant(x, ua.VariantType.Float)),
    st.booleans().map(lambda x: ua.Variant(x, ua.VariantType.Boolean)),
    st.integers(-(2**53), 2**53).map(lambda x: ua.Variant(x, ua.VariantType.Int64)),
    st.integers(0, 2**32 - 1).map(lambda x: ua.Variant(x, ua.VariantType.UInt32)),
    st.integers(-128, 127).map(lambda x: ua.Variant(x, ua.VariantType.SByte)),
    st.integers(0, 65_535).map(lambda x: ua.Variant(x, ua.VariantType.UInt16)),
    st.text(max_size=5).map(lambda x: ua.Variant(x, ua.VariantType.String)),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=3).map(
        lambda x: ua.Variant(x, ua.VariantType.Double)
    ),
)
STATUS = st.sampled_from([None, 0, 0x480, 0x4093_0000, 0x8000_0000, 0x808C_0000])


@st.composite
def data_values(draw: st.DrawFn) -> ua.DataValue:
    status = draw(STATUS)
    return ua.DataValue(
        draw(VARIANTS),
        StatusCode=None if status is None else ua.StatusCode(status),
        SourceTimestamp=draw(st.none() | TIMES),
        ServerTimestamp=draw(st.none() | TIMES),
    )


def number(value: ua.DataValue) -> float:
    """The number that a value is, by what it was made of; NaN where it is none."""
    held = value.Value.Value
    if value.StatusCode is not None and value.StatusCode.value & 0x8000_0000:
        return math.nan
    if isinstance(held, list):
        held = held[0] if len(held) == 1 else None
    return math.nan if held is None or isinstance(held, str) else float(held)


def nanoseconds(value: ua.DataValue) -> int:
    time = value.SourceTimestamp or value.ServerTimestamp
    if time is None:
        return 0
    since = time - EPOCH
    return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1000


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(data_values(), min_size=1, max_size=3), max_size=8), st.integers(1, 20))
def test_columns_are_what_was_encoded(groups: list[list[Any]], times: int) -> None:
    """Runs of one layout and single records, numbers and other things, in their order."""
    given_values = [value for group in groups for value in group * times]
    body = struct_to_binary(
        ua.DataChangeNotification(
            MonitoredItems=[
                ua.MonitoredItemNotification(ClientHandle=handle, Value=value)
                for handle, value in enumerate(given_values)
            ]
        )
    )
    changes, _ = decode(body, Stamp.SOURCE)
    assert changes.handle.tolist() == list(range(len(given_values)))
    expected = [number(value) for value in given_values]
    assert np.array_equal(changes.value, np.array(expected), equal_nan=True)
    assert changes.time.tolist() == [nanoseconds(value) for value in given_values]
    for value, status in zip(given_values, changes.status.tolist(), strict=True):
        told = 0 if value.StatusCode is None else value.StatusCode.value
        assert status == told or (math.isnan(number(value)) and status == 0x8074_0000)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(-1, 2**31 - 1))
def test_any_bytes_are_values_or_an_error(data: bytes, count: int) -> None:
    """Whatever arrives, the decoder returns columns of one length or raises ValueError."""
    body = struct.pack("<i", count) + data
    for handles in (True, False):
        try:
            changes, end = decode(body, Stamp.SOURCE, handles=handles)
        except ValueError:
            continue
        assert len(changes.value) == len(changes.time) == len(changes.status) == len(changes)
        assert end <= len(body)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 60), st.integers(0, 255))
def test_a_broken_response_is_an_error(tail: bytes, at: int, octet: int) -> None:
    """Cut or changed anywhere, a response is read, or refused by ValueError or UaError."""
    items = [ua.MonitoredItemNotification(0, ua.DataValue(ua.Variant(1.5)))] * 3
    note = ua.NotificationMessage(1, NotificationData=[ua.DataChangeNotification(items)])
    whole = struct_to_binary(
        ua.PublishResponse(Parameters=ua.PublishResult(7, NotificationMessage=note))
    )
    broken = bytearray(whole)
    broken[min(at, len(broken) - 1)] = octet
    for data in (bytes(broken), whole[:at] + tail, tail):
        for read in (published, republished, values):
            try:
                read(data, Stamp.SOURCE)
            except (ValueError, ua.UaError):
                continue


def test_picoseconds_stand_behind_their_time_stamp() -> None:
    """Laid out by hand after OPC 10000-6, table "DataValue": value, status, source time stamp and
    its 10 ps, server time stamp and its 10 ps. 12.34 ns are 1234 times 10 ps.
    """
    ticks = 116_444_736_000_000_000 + 5
    record = struct.pack("<IBBdIqHqH", 9, 0x3F, 11, 2.5, 0x4093_0000, ticks, 1234, ticks + 70, 9999)
    changes, _ = decode(struct.pack("<i", 1) + record, Stamp.SOURCE)
    assert (changes.handle[0], changes.value[0], changes.status[0]) == (9, 2.5, 0x4093_0000)
    assert changes.time[0] == 512
    many, _ = decode(struct.pack("<i", 10) + record * 10, Stamp.SERVER)
    assert many.time.tolist() == [75 * 100 + 99] * 10


@pytest.mark.parametrize("stamp", list(Stamp))
def test_whose_time_is_taken(stamp: Stamp) -> None:
    """Source, else server; server alone; or none."""
    early = datetime(2026, 1, 1, tzinfo=UTC)
    late = datetime(2026, 1, 2, tzinfo=UTC)
    both = ua.DataValue(ua.Variant(1.0), SourceTimestamp=early, ServerTimestamp=late)
    server = ua.DataValue(ua.Variant(1.0), ServerTimestamp=late)
    items = [ua.MonitoredItemNotification(0, both), ua.MonitoredItemNotification(1, server)]
    body = struct_to_binary(ua.DataChangeNotification(MonitoredItems=items))
    times = [time // 10**9 for time in decode(body, stamp)[0].time.tolist()]
    first, second = 1_767_225_600, 1_767_312_000
    expected = {Stamp.SOURCE: [first, second], Stamp.SERVER: [second, second]}
    assert times == expected.get(stamp, [0, 0])


def test_a_time_before_1970_is_none() -> None:
    """Devices without a clock send 1601 or zero: then the time of receipt counts."""
    for ticks in (0, 5, -1, 2**63 - 1):
        record = struct.pack("<IBBdq", 0, 0x05, 11, 1.0, ticks)
        for count in (1, 10):
            changes, _ = decode(struct.pack("<i", count) + record * count, Stamp.SOURCE)
            assert set(changes.time.tolist()) == {0}
