"""Samples as metrics of data messages: whole columns written to octets at once.

An object per sample, as the protobuf library has it, costs four times as much in a full batch.
What is written is the same: each row is field 2 of a payload, in the order of field numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway import Batch
from gateway_mqtt.sparkplug import quality
from gateway_mqtt.sparkplug.datatype import TEXTS, DataType, Floats, Mask, column
from gateway_mqtt.sparkplug.tree import Device, Metric

Numbers = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]
Table = tuple[Octets, Mask]
"""A row of octets for each sample, and which of them count."""

# Field number and wire type: 0 varint, 1 eight octets, 2 a length and its octets, 5 four octets.
_METRIC, _ALIAS, _TIMESTAMP, _PROPERTIES = b"\x12", 0x10, b"\x18", b"\x4a"
_HISTORICAL, _NULL = b"\x28\x01", b"\x38\x01"
_VALUE = {
    "int_value": 0x50,
    "long_value": 0x58,
    "float_value": 0x65,
    "double_value": 0x69,
    "boolean_value": 0x70,
    "string_value": 0x7A,
}
_MS = 1_000_000


class Part(NamedTuple):
    """Metrics of one data message, how many, and the number of the device that has them."""

    device: int
    octets: bytes
    rows: int


def framed(metrics: bytes, seq: int, now: int) -> bytes:
    """Return the payload that has these metrics: a time of sending, ns, before, `seq` behind."""
    return b"\x08" + _varint(now // _MS) + metrics + b"\x18" + _varint(seq)


def varints(numbers: npt.NDArray[np.uint64]) -> Table:
    """Write a column of numbers in base 128, least group first."""
    width = max(1, (int(numbers.max(initial=0)).bit_length() + 6) // 7)
    groups = numbers[:, None] >> (7 * np.arange(width, dtype=np.uint64))
    counts = groups != 0
    counts[:, 0] = True
    octets = (groups & np.uint64(0x7F)).astype(np.uint8)
    octets[:, :-1] |= counts[:, 1:].view(np.uint8) << 7
    return octets, counts


def _texts(texts: Sequence[bytes]) -> Table:
    width = max(map(len, texts), default=0)
    octets = np.zeros((len(texts), width), np.uint8)
    for row, text in enumerate(texts):
        octets[row, : len(text)] = np.frombuffer(text, np.uint8)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return octets, np.arange(width) < lengths[:, None]


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _sized(text: bytes) -> bytes:
    return _varint(len(text)) + text


class _Sheet:
    """A row of octets for each sample, filled from left to right; what does not count is cut."""

    def __init__(self, rows: int, width: int) -> None:
        self.octets = np.zeros((rows, width), np.uint8)
        self.counts = np.zeros((rows, width), np.bool_)
        self._at = 0

    def skip(self, width: int) -> int:
        """Leave columns to be filled later, and return where they begin."""
        begin, self._at = self._at, self._at + width
        return begin

    def put(self, octets: bytes | Octets, counts: Mask | bool = True) -> None:
        """Write the same octets to all rows, or a row of a table to each."""
        if isinstance(octets, bytes):
            octets = np.frombuffer(octets, np.uint8)
        columns = slice(self._at, self._at + octets.shape[-1])
        self._at = columns.stop
        self.octets[:, columns] = octets
        self.counts[:, columns] = counts


class Rows:
    """Writes samples of one node; of one connection."""

    def __init__(self, devices: Sequence[Device]) -> None:
        metrics = [metric for device in devices for metric in device.metrics]
        size = max((metric.point.id for metric in metrics), default=-1) + 1
        self._group = np.zeros(size, np.int16)
        self._groups: list[Metric] = []
        aliases = [b""] * size
        numbers: dict[tuple[Any, DataType], int] = {}
        for metric in metrics:
            number = numbers.setdefault((metric.point.kind, metric.type), len(numbers))
            if number == len(self._groups):
                self._groups.append(metric)
            aliases[metric.point.id] = bytes((_ALIAS,)) + _varint(metric.alias)
            self._group[metric.point.id] = number
        self._alias, self._alias_counts = _texts(aliases)
        self.misfits = 0
        """Values so far that their type cannot have; they are sent as null and bad."""

    def write(
        self, batch: Batch, device: Numbers, historical: Mask, shown: Mask, most: int
    ) -> Iterator[Part]:
        """Yield the rows of a batch, device by device, in parts of at most `most` octets.

        device: numbers, in ascending order.
        shown:  which rows say their quality.
        """
        if not len(batch):
            return
        value, value_counts, there = self._values(batch)
        misfit = ~there & ~np.isnan(batch.value)
        self.misfits += int(np.count_nonzero(misfit))
        times, time_counts = _times(batch.time)
        properties = self._properties(batch, shown | misfit, misfit)
        width = self._alias.shape[1] + 1 + times.shape[-1] + 4 + value.shape[1]
        if properties is not None:
            width += properties[0].shape[1]
        head = len(_varint(width))
        sheet = _Sheet(len(batch), 1 + head + width)
        sheet.put(_METRIC)
        size_at = sheet.skip(head)
        sheet.put(self._alias[batch.point], self._alias_counts[batch.point])
        sheet.put(_TIMESTAMP)
        sheet.put(times, time_counts)
        sheet.put(_HISTORICAL, historical[:, None])
        sheet.put(_NULL, ~there[:, None])
        if properties is not None:
            sheet.put(*properties)
        sheet.put(value, value_counts)
        lengths = sheet.counts.sum(axis=1) - 1
        sizes, size_counts = varints(lengths.astype(np.uint64))
        sized = slice(size_at, size_at + sizes.shape[1])
        sheet.octets[:, sized], sheet.counts[:, sized] = sizes, size_counts
        written = sheet.octets[sheet.counts].tobytes()
        ends = np.cumsum(lengths + 1 + size_counts.sum(axis=1))
        edges = [0, *(np.flatnonzero(device[1:] != device[:-1]) + 1).tolist(), len(batch)]
        for first, last in pairwise(edges):
            yield from _cut(int(device[first]), written, ends, first, last, most)

    def _values(self, batch: Batch) -> tuple[Octets, Mask, Mask]:
        """Return the field of the value, what of it counts, and which rows have a value."""
        group = self._group[batch.point]
        if (group == group[0]).all():
            octets, counts, there = _field(self._groups[group[0]], batch.value)
            return octets, counts & there[:, None], there
        n = len(batch)
        there = np.zeros(n, np.bool_)
        tables = []
        for number in np.flatnonzero(np.bincount(group)).tolist():
            rows = np.flatnonzero(group == number)
            octets, counts, there[rows] = _field(self._groups[number], batch.value[rows])
            tables.append((rows, octets, counts))
        width = max(octets.shape[1] for _, octets, _ in tables)
        whole, which = np.zeros((n, width), np.uint8), np.zeros((n, width), np.bool_)
        for rows, octets, counts in tables:
            whole[rows, : octets.shape[1]] = octets
            which[rows, : octets.shape[1]] = counts
        return whole, which & there[:, None], there

    @staticmethod
    def _properties(batch: Batch, shown: Mask, misfit: Mask) -> Table | None:
        if not shown.any():
            return None
        kinds, kind = np.unique(
            (batch.quality & quality.SHOWN).astype(np.int64) << 1 | misfit, return_inverse=True
        )
        octets, counts = _texts(
            [_PROPERTIES + _sized(quality.octets(each >> 1, each & 1)) for each in kinds.tolist()]
        )
        return octets[kind], counts[kind] & shown[:, None]


def _times(time: Numbers) -> tuple[Octets, Mask | bool]:
    stamps = np.maximum(time, 0) // _MS
    if (stamps == stamps[0]).all():
        # What is polled together has one time.
        return np.frombuffer(_varint(int(stamps[0])), np.uint8), True
    return varints(stamps.astype(np.uint64))


def _field(metric: Metric, values: Floats) -> tuple[Octets, Mask, Mask]:
    """Return the field of the value of a metric's kind, what of it counts, and where there is one.

    Fixed lengths stand least octet first; a bool is a varint of one octet.
    """
    found, there = column(metric.point.kind, metric.type, values)
    tag = _VALUE[metric.type.form.field]
    if metric.type in TEXTS:
        octets, counts = _texts([bytes((tag,)) + _sized(text.encode()) for text in found.tolist()])
        return octets, counts, there
    if found.dtype == np.uint64:
        table, counts = varints(found)
    else:
        table = found.astype(found.dtype.newbyteorder("<")).view(np.uint8)
        table = table.reshape(len(values), -1)
        counts = np.ones(table.shape, np.bool_)
    sheet = _Sheet(len(values), 1 + table.shape[1])
    sheet.put(bytes((tag,)))
    sheet.put(table, counts)
    return sheet.octets, sheet.counts, there


def _cut(
    device: int, written: bytes, ends: Numbers, first: int, last: int, most: int
) -> Iterator[Part]:
    begin = int(ends[first - 1]) if first else 0
    while first < last:
        # One row always goes, however long.
        fitting = int(np.searchsorted(ends, begin + most, side="right"))
        until = min(max(fitting, first + 1), last)
        end = int(ends[until - 1])
        yield Part(device, written[begin:end], until - first)
        first, begin = until, end
