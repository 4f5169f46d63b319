"""Samples as octets: what is written by columns is read back by a reader that shares nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from gateway_mqtt.sparkplug.datatype import DataType
from gateway_mqtt.sparkplug.octets import Payload, read
from gateway_mqtt.sparkplug.rows import Rows, framed, varints
from gateway_mqtt.sparkplug.tree import Device, Metric
from gateway_mqtt.sparkplug.wire import Payload as WirePayload
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway import Batch, Definition, Kind, LinkPoint

T = 1_700_000_000_123_456_789


def _device(*types: tuple[Kind, DataType], name: str = "d") -> Device:
    return Device(
        name,
        tuple(
            Metric(LinkPoint(i, Definition(f"p{i}", kind), None), f"p{i}", i + 1, datatype)
            for i, (kind, datatype) in enumerate(types)
        ),
    )


def _write(
    device: Device, batch: Batch, *, old: Any = False, shown: Any = False, most: int = 10**6
) -> list[Payload]:
    n = len(batch)
    parts = Rows([device]).write(
        batch, np.zeros(n, np.int64), np.full(n, old), np.full(n, shown), most
    )
    return [read(framed(part.octets, 7, T)) for part in parts]


# Sparkplug 3.0 clause 6.4.16: type, field, value at the point, value in the payload.
# A negative number stands in two's complement in as many bits as its type has.
VALUES = [
    (Kind.ANALOG, DataType.INT8, "int_value", -1.0, 0xFF),
    (Kind.ANALOG, DataType.INT8, "int_value", -128.0, 0x80),
    (Kind.ANALOG, DataType.INT8, "int_value", 127.4, 127),
    (Kind.ANALOG, DataType.INT16, "int_value", -2.0, 0xFFFE),
    (Kind.ANALOG, DataType.INT32, "int_value", -2147483648.0, 0x8000_0000),
    (Kind.ANALOG, DataType.INT64, "long_value", -1.0, 0xFFFF_FFFF_FFFF_FFFF),
    (Kind.ANALOG, DataType.INT64, "long_value", -9223372036854775808.0, 1 << 63),
    (Kind.COUNTER, DataType.UINT8, "int_value", 255.0, 255),
    (Kind.COUNTER, DataType.UINT16, "int_value", 65535.0, 65535),
    (Kind.COUNTER, DataType.UINT32, "int_value", 4294967295.0, 4294967295),
    (Kind.COUNTER, DataType.UINT64, "long_value", 2.0**63, 1 << 63),
    (Kind.ANALOG, DataType.FLOAT, "float_value", 230.5, 230.5),
    (Kind.ANALOG, DataType.FLOAT, "float_value", math.inf, math.inf),
    (Kind.ANALOG, DataType.DOUBLE, "double_value", 1e300, 1e300),
    (Kind.ANALOG, DataType.DOUBLE, "double_value", -0.1, -0.1),
    (Kind.STATUS, DataType.BOOLEAN, "boolean_value", 1.0, True),
    (Kind.STATUS, DataType.BOOLEAN, "boolean_value", 0.0, False),
    (Kind.STATUS, DataType.STRING, "string_value", 1.0, "on"),
    (Kind.DOUBLE, DataType.TEXT, "string_value", 3.0, "bad"),
    (Kind.DOUBLE, DataType.UINT8, "int_value", 2.0, 2),
    (Kind.ANALOG, DataType.STRING, "string_value", 0.1, "0.1"),
    # 2023-11-14T22:13:20.5Z
    (Kind.ANALOG, DataType.DATE_TIME, "long_value", 1_700_000_000.5, 1_700_000_000_500),
]


@pytest.mark.parametrize(("kind", "datatype", "field", "value", "expected"), VALUES)
def test_a_value_in_its_type(
    kind: Kind, datatype: DataType, field: str, value: float, expected: object
) -> None:
    """Each type has its field, and its numbers are those of the standard."""
    (payload,) = _write(_device((kind, datatype)), Batch.of([0], [value], 0, T))
    assert (payload.seq, payload.timestamp) == (7, T // 10**6)
    (metric,) = payload.metrics
    assert (metric.alias, metric.timestamp) == (1, 1_700_000_000_123)
    assert (metric.name, metric.datatype, metric.is_null) == (None, None, None)
    assert (metric.value_field, metric.raw) == (field, expected)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.INT8, 128.0),
        (DataType.INT8, -129.0),
        (DataType.UINT8, -1.0),
        (DataType.UINT32, 2.0**32),
        (DataType.INT64, 2.0**63),
        (DataType.UINT64, 2.0**64),
        (DataType.UINT64, math.inf),
        (DataType.FLOAT, 1e39),
        (DataType.DATE_TIME, 1e306),
        (DataType.DATE_TIME, -1.0),
    ],
)
def test_a_value_that_its_type_cannot_have(datatype: DataType, value: float) -> None:
    """It is null and bad, whatever its quality: never clamped, never wrapped."""
    device = _device((Kind.ANALOG, datatype))
    (payload,) = _write(device, Batch.of([0], [value], 0, T))
    (metric,) = payload.metrics
    assert (metric.is_null, metric.value_field) == (True, "")
    assert metric.properties["Quality"].value == 0


def test_no_value_is_null() -> None:
    """A sample without a value (NaN) says so."""
    device = _device((Kind.ANALOG, DataType.DOUBLE), (Kind.COUNTER, DataType.INT32))
    (payload,) = _write(device, Batch.of([0, 1], [math.nan, math.nan], 0, T))
    assert [(m.is_null, m.value_field) for m in payload.metrics] == [(True, "")] * 2


# IEC 61850-7-3 quality to the codes of clause 6.4.9.1, and our words.
QUALITIES = [
    (0x0000, 192, None),
    (0x4000, 192, None),
    (0x2000, 192, "good,clockNotSynchronised"),
    (0x0400, 192, "good,substituted"),
    (0x0800, 192, "good,test"),
    (0x0001, 0, "invalid"),
    (0x0041, 0, "invalid,failure"),
    (0x0081, 500, "invalid,oldData"),
    (0x0002, 0, "reserved"),
    (0x0003, 0, "questionable"),
    (0x000B, 0, "questionable,outOfRange"),
    (0x1083, 500, "questionable,oldData,operatorBlocked"),
]


@pytest.mark.parametrize(("flags", "code", "words"), QUALITIES)
def test_a_quality_in_properties(flags: int, code: int, words: str | None) -> None:
    """Good, bad or stale, and the words of IEC 61850-7-3 where there is more to say."""
    device = _device((Kind.ANALOG, DataType.DOUBLE))
    (payload,) = _write(device, Batch.of([0], [1.0], flags, T), shown=True)
    properties = payload.metrics[0].properties
    assert (properties["Quality"].type, properties["Quality"].value) == (3, code)
    detail = properties.get("qualityDetail")
    assert (detail and detail.value) == words
    assert detail is None or detail.type == 12


SEARCH = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: rows of this kind shrink for minutes."""
TYPES = [(Kind.ANALOG, datatype) for datatype in DataType if datatype is not DataType.BOOLEAN]
ROW = st.tuples(
    st.integers(0, len(TYPES)),
    st.one_of(st.floats(width=64), st.integers(-300, 300).map(float)),
    st.integers(0, 0xFFFF),
    st.integers(0, 2**62),
    st.booleans(),
    st.booleans(),
)


@settings(deadline=None, max_examples=150, phases=SEARCH)
@given(st.lists(ROW, min_size=1, max_size=30), st.sampled_from([1, 60, 100_000]))
def test_the_octets_are_those_of_the_protobuf_library(rows: list[Any], most: int) -> None:
    """Any rows, cut anywhere: the library writes what it reads the same way again."""
    device = _device(*TYPES, (Kind.STATUS, DataType.BOOLEAN))
    points, values, flags, times, old, shown = map(list, zip(*rows, strict=True))
    batch = Batch.of(points, values, flags, times)
    n = len(rows)
    parts = list(
        Rows([device]).write(batch, np.zeros(n, np.int64), np.array(old), np.array(shown), most)
    )
    assert sum(part.rows for part in parts) == n
    metrics = [m for part in parts for m in read(framed(part.octets, 255, T)).metrics]
    for part in parts:
        assert part.rows == 1 or len(part.octets) <= most
        octets = framed(part.octets, 255, T)
        assert WirePayload.FromString(octets).SerializeToString() == octets
    assert [m.alias for m in metrics] == [point + 1 for point in points]
    assert [m.timestamp for m in metrics] == [time // 10**6 for time in times]
    assert [bool(m.is_historical) for m in metrics] == old
    for metric, point, value in zip(metrics, points, values, strict=True):
        if point < len(TYPES) and TYPES[point][1] is DataType.DOUBLE and not math.isnan(value):
            assert metric.raw == value
        assert bool(metric.is_null) == (metric.value_field == "")


def test_devices_do_not_share_a_message() -> None:
    """A part ends where the next device begins."""
    points = [LinkPoint(i, Definition(f"p{i}"), None) for i in range(4)]
    metrics = [Metric(point, point.name, point.id + 1, DataType.DOUBLE) for point in points]
    rows = Rows([Device("", ()), Device("a", tuple(metrics[:2])), Device("b", tuple(metrics[2:]))])
    batch = Batch.of([0, 1, 2, 3], [1, 2, 3, 4], 0, T)
    nothing = np.zeros(4, np.bool_)
    parts = list(rows.write(batch, np.array([1, 1, 2, 2]), nothing, nothing, 10**6))
    assert [(part.device, part.rows) for part in parts] == [(1, 2), (2, 2)]
    aliases = [[m.alias for m in read(framed(part.octets, 0, T)).metrics] for part in parts]
    assert aliases == [[1, 2], [3, 4]]


# Protocol buffers, encoding of base 128 varints: 150 is the example there.
@pytest.mark.parametrize(
    ("number", "octets"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (150, b"\x96\x01"),
        (16384, b"\x80\x80\x01"),
        (2**64 - 1, b"\xff" * 9 + b"\x01"),
    ],
)
def test_a_varint(number: int, octets: bytes) -> None:
    """Seven bits to an octet, least first."""
    table, counts = varints(np.array([number, 1], np.uint64))
    assert table[0][counts[0]].tobytes() == octets
    assert table[1][counts[1]].tobytes() == b"\x01"
