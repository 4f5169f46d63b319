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
from gateway_mqtt.sparkplug.datatype import TEXTS, DataType, Mask, column
from gateway_mqtt.sparkplug.tree import Device, Metric

Numbers = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]
Table = tuple[Octets, Mask]
"""A row of octets for each sample, and which of them count."""

# Field number and wire type: 0 varint, 1 eight octets, 2 a length and its octets, 5 four octets.
_METRIC, _ALIAS, _TIMESTAMP = 0x12, 0x10, 0x18
_HISTORICAL, _NULL = (0x28, 1), (0x38, 1)
_PROPERTIES = 0x4A
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


def _constant(octets: Sequence[int], which: Mask) -> Table:
    table = np.broadcast_to(np.array(octets, np.uint8), (len(which), len(octets)))
    return table, np.broadcast_to(which[:, None], table.shape)


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


class Rows:
    """Writes samples of one node; of one connection."""

    def __init__(self, devices: Sequence[Device]) -> None:
        metrics = [metric for device in devices for metric in device.metrics]
        size = max((metric.point.id for metric in metrics), default=-1) + 1
        self._alias = np.zeros(size, np.uint64)
        self._group = np.zeros(size, np.int16)
        self._groups: list[Metric] = []
        numbers: dict[tuple[Any, DataType], int] = {}
        for metric in metrics:
            number = numbers.setdefault((metric.point.kind, metric.type), len(numbers))
            if number == len(self._groups):
                self._groups.append(metric)
            self._alias[metric.point.id] = metric.alias
            self._group[metric.point.id] = number
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
        value, there, misfit = self._values(batch)
        fields: list[Table] = [
            _constant((_ALIAS,), np.ones(len(batch), np.bool_)),
            varints(self._alias[batch.point]),
            _constant((_TIMESTAMP,), np.ones(len(batch), np.bool_)),
            varints((np.maximum(batch.time, 0) // _MS).astype(np.uint64)),
        ]
        if historical.any():
            fields.append(_constant(_HISTORICAL, historical))
        if not there.all():
            fields.append(_constant(_NULL, ~there))
        shown = shown | misfit
        if shown.any():
            fields.append(self._properties(batch, shown, misfit))
        fields.append(value)
        lengths = np.sum([np.count_nonzero(counts, axis=1) for _, counts in fields], axis=0)
        head = varints(lengths.astype(np.uint64))
        fields = [_constant((_METRIC,), np.ones(len(batch), np.bool_)), head, *fields]
        octets = np.concatenate([each for each, _ in fields], axis=1)
        counts = np.concatenate([each for _, each in fields], axis=1)
        written = octets[counts].tobytes()
        ends = np.cumsum(lengths + 1 + np.count_nonzero(head[1], axis=1))
        edges = [0, *(np.flatnonzero(device[1:] != device[:-1]) + 1).tolist(), len(batch)]
        for first, last in pairwise(edges):
            yield from _cut(int(device[first]), written, ends, first, last, most)

    def _values(self, batch: Batch) -> tuple[Table, Mask, Mask]:
        """Return the field of the value, which rows have one, and which cannot have theirs."""
        n = len(batch)
        group = self._group[batch.point]
        present = np.flatnonzero(np.bincount(group, minlength=len(self._groups))).tolist()
        tables = []
        there = np.zeros(n, np.bool_)
        for number in present:
            metric = self._groups[number]
            rows = np.flatnonzero(group == number)
            values, fits = column(metric.point.kind, metric.type, batch.value[rows])
            there[rows] = fits
            octets, counts = _field(metric.type, values)
            tables.append((rows, octets, counts & fits[:, None]))
        width = max(octets.shape[1] for _, octets, _ in tables)
        octets, counts = np.zeros((n, width), np.uint8), np.zeros((n, width), np.bool_)
        for rows, some, which in tables:
            octets[rows, : some.shape[1]] = some
            counts[rows, : some.shape[1]] = which
        misfit = ~there & ~np.isnan(batch.value)
        self.misfits += int(np.count_nonzero(misfit))
        return (octets, counts), there, misfit

    @staticmethod
    def _properties(batch: Batch, shown: Mask, misfit: Mask) -> Table:
        kinds, kind = np.unique(
            (batch.quality & quality.SHOWN).astype(np.int64) << 1 | misfit, return_inverse=True
        )
        octets, counts = _texts(
            [
                bytes((_PROPERTIES,)) + _sized(quality.octets(each >> 1, bool(each & 1)))
                for each in kinds.tolist()
            ]
        )
        return octets[kind], counts[kind] & shown[:, None]


def _field(datatype: DataType, values: npt.NDArray[Any]) -> Table:
    tag = _VALUE[datatype.form.field]
    if datatype in TEXTS:
        return _texts([bytes((tag,)) + _sized(text.encode()) for text in values.tolist()])
    if values.dtype == np.uint64:
        octets, counts = varints(values)
    else:
        # Fixed lengths, least octet first; a bool is a varint of one octet.
        octets = values.astype(values.dtype.newbyteorder("<")).view(np.uint8)
        octets = octets.reshape(len(values), values.dtype.itemsize)
        counts = np.ones(octets.shape, np.bool_)
    first, which = _constant((tag,), np.ones(len(values), np.bool_))
    return np.concatenate((first, octets), axis=1), np.concatenate((which, counts), axis=1)


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
