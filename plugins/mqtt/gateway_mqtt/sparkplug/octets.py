"""Sparkplug B as its readers see it, for tests: a payload, octet by octet.

Written from the encoding of protocol buffers (varints, lengths, fixed numbers) and the field
numbers of Sparkplug 3.0 clause 6.4.1; shares nothing with what the sink writes and reads, so that
both can be held against each other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

VALUE_FIELDS = {
    10: "int_value",
    11: "long_value",
    12: "float_value",
    13: "double_value",
    14: "boolean_value",
    15: "string_value",
    16: "bytes_value",
    17: "dataset_value",
    18: "template_value",
}
_PROPERTY_FIELDS = {
    3: "int_value",
    4: "long_value",
    5: "float_value",
    6: "double_value",
    7: "boolean_value",
    8: "string_value",
}
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}


@dataclass(frozen=True)
class Property:
    """A property: its type's code, the field that has the value, the value."""

    type: int | None
    field: str
    value: Any


@dataclass(frozen=True)
class Metric:
    """A metric as it stands in the payload; what is not there is None."""

    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    datatype: int | None = None
    is_historical: bool | None = None
    is_null: bool | None = None
    properties: dict[str, Property] = field(default_factory=dict)
    keys: int = 0
    values: int = 0
    value_field: str = ""
    raw: Any = None

    def value(self, datatype: int | None = None) -> Any:
        """Return the value, negative numbers of the signed types included."""
        bits = _SIGNED.get(self.datatype or datatype or 0)
        if bits and isinstance(self.raw, int) and self.raw >> (bits - 1) & 1:
            return self.raw - (1 << bits)
        return self.raw


@dataclass(frozen=True)
class Payload:
    """A payload as it stands; what is not there is None."""

    timestamp: int | None = None
    seq: int | None = None
    metrics: tuple[Metric, ...] = ()

    def named(self, name: str) -> Metric:
        found = [metric for metric in self.metrics if metric.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} metrics of the name {name}")
        return found[0]


def read(octets: bytes) -> Payload:
    """Take a payload apart; raises ValueError where it is none."""
    fields = list(_fields(octets))
    return Payload(
        _one(fields, 1), _one(fields, 3), tuple(_metric(each) for n, each in fields if n == 2)
    )


def _metric(octets: bytes) -> Metric:
    fields = list(_fields(octets))
    numbers = [number for number, _ in fields if number in VALUE_FIELDS]
    if len(numbers) > 1:
        raise ValueError(f"a metric with {len(numbers)} values")
    properties: dict[str, Property] = {}
    keys: list[str] = []
    values: list[Property] = []
    own = _one(fields, 9)
    if own is not None:
        keys = [each.decode() for number, each in _fields(own) if number == 1]
        values = [_property(each) for number, each in _fields(own) if number == 2]
        properties = dict(zip(keys, values, strict=False))
    kind = VALUE_FIELDS[numbers[0]] if numbers else ""
    name = _one(fields, 1)
    return Metric(
        None if name is None else name.decode(),
        _one(fields, 2),
        _one(fields, 3),
        _one(fields, 4),
        _flag(fields, 5),
        _flag(fields, 7),
        properties,
        len(keys),
        len(values),
        kind,
        _value(kind, _one(fields, numbers[0])) if numbers else None,
    )


def _property(octets: bytes) -> Property:
    fields = list(_fields(octets))
    numbers = [number for number, _ in fields if number in _PROPERTY_FIELDS]
    kind = _PROPERTY_FIELDS[numbers[0]] if numbers else ""
    value = _value(kind, _one(fields, numbers[0])) if numbers else None
    return Property(_one(fields, 1), kind, value)


def _value(kind: str, raw: Any) -> Any:
    if kind == "float_value":
        return struct.unpack("<f", raw)[0]
    if kind == "double_value":
        return struct.unpack("<d", raw)[0]
    if kind == "boolean_value":
        return bool(raw)
    return raw.decode() if kind == "string_value" else raw


def _one(fields: list[tuple[int, Any]], number: int) -> Any:
    found = [value for each, value in fields if each == number]
    if len(found) > 1:
        raise ValueError(f"field {number} stands there {len(found)} times")
    return found[0] if found else None


def _flag(fields: list[tuple[int, Any]], number: int) -> bool | None:
    value = _one(fields, number)
    return None if value is None else bool(value)


def _fields(octets: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(octets):
        tag, at = _varint(octets, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(octets, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire, 0)
        if wire == 2:
            length, at = _varint(octets, at)
        elif not length:
            raise ValueError(f"wire type {wire} of field {number}")
        if at + length > len(octets):
            raise ValueError(f"field {number} is longer than what is there")
        yield number, octets[at : at + length]
        at += length


def _varint(octets: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(octets) or shift > 63:
            raise ValueError("a varint that does not end")
        number |= (octets[at] & 0x7F) << shift
        at += 1
        if octets[at - 1] < 0x80:
            return number, at
        shift += 7


def write(*metrics: dict[str, Any], timestamp: int | None = None, seq: int | None = None) -> bytes:
    """Put a payload of commands together.

    A metric has `name`, `alias`, `timestamp`, `datatype`, `is_null`, and the field of its value.
    """
    parts = [] if timestamp is None else [_number(1, timestamp)]
    for metric in metrics:
        own = b"".join(_written(name, value) for name, value in metric.items())
        parts.append(_octets(2, own))
    if seq is not None:
        parts.append(_number(3, seq))
    return b"".join(parts)


_NUMBERS = {"name": 1, "alias": 2, "timestamp": 3, "datatype": 4, "is_null": 7} | {
    name: number for number, name in VALUE_FIELDS.items()
}


def _written(name: str, value: Any) -> bytes:
    number = _NUMBERS[name]
    if name in ("name", "string_value"):
        return _octets(number, value.encode())
    if name == "float_value":
        return _base128(number << 3 | 5) + struct.pack("<f", value)
    if name == "double_value":
        return _base128(number << 3 | 1) + struct.pack("<d", value)
    return _number(number, int(value))


def _number(field: int, value: int) -> bytes:
    return _base128(field << 3) + _base128(value)


def _octets(field: int, octets: bytes) -> bytes:
    return _base128(field << 3 | 2) + _base128(len(octets)) + octets


def _base128(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])
