"""Birth and death certificates: what each message of the session itself says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gateway import Batch
from gateway_mqtt.sparkplug import quality
from gateway_mqtt.sparkplug.datatype import DataType, column
from gateway_mqtt.sparkplug.tree import BDSEQ, REBIRTH, Device, Metric
from gateway_mqtt.sparkplug.wire import Payload

TURN = 500
"""Metrics after which the loop gets its turn: about five milliseconds of objects."""
_MS = 1_000_000


def node_death(bdseq: int, now: int) -> bytes:
    """Return an NDEATH (clause 6.4.21): bdSeq and nothing else, no sequence number."""
    payload = Payload(timestamp=now // _MS)
    _add_bdseq(payload, bdseq, now)
    return _octets(payload)


def device_death(seq: int, now: int) -> bytes:
    """Return a DDEATH (clause 6.4.22)."""
    return _octets(Payload(timestamp=now // _MS, seq=seq))


def begin(now: int) -> Any:
    """Return an NBIRTH or DBIRTH that has nothing yet, not even its sequence number."""
    return Payload(timestamp=now // _MS)


def add_control(payload: Any, bdseq: int, now: int) -> None:
    """Add what an NBIRTH has beside its metrics (clauses 4.2.1.1, 5.16); aliases are not for it."""
    _add_bdseq(payload, bdseq, now)
    payload.metrics.add(
        name=REBIRTH,
        timestamp=now // _MS,
        datatype=DataType.BOOLEAN.form.code,
        boolean_value=False,
    )


def add_metrics(payload: Any, device: Device, current: Batch, now: int) -> Iterator[None]:
    """Add every metric of a device with its current value; yields when a turn is over.

    current: row *i* is the present sample of the device's metric *i*.
    Metrics stand in the order of their times, as clause 5.15 asks, those without a value last.
    """
    values, there, misfit = _values(device, current)
    order = np.lexsort((current.time, ~there)).tolist()
    times = (np.maximum(current.time, 0) // _MS).tolist()
    qualities = current.quality.tolist()
    for count, row in enumerate(order):
        if count % TURN == TURN - 1:
            yield
        metric = device.metrics[row]
        added = payload.metrics.add(
            name=metric.name,
            alias=metric.alias,
            timestamp=times[row] if there[row] else now // _MS,
            datatype=metric.type.form.code,
        )
        if there[row]:
            setattr(added, metric.type.form.field, values[row])
        else:
            added.is_null = True
        _describe(added.properties, metric, qualities[row], bool(misfit[row]))


def _values(device: Device, current: Batch) -> tuple[list[Any], Any, Any]:
    values: list[Any] = [None] * len(current)
    there = np.zeros(len(current), np.bool_)
    groups: dict[tuple[Any, DataType], list[int]] = {}
    for row, metric in enumerate(device.metrics):
        groups.setdefault((metric.point.kind, metric.type), []).append(row)
    for (kind, datatype), rows in groups.items():
        found, there[rows] = column(kind, datatype, current.value[rows])
        for row, value in zip(rows, found.tolist(), strict=True):
            values[row] = value
    return values, there, ~there & ~np.isnan(current.value)


def _describe(properties: Any, metric: Metric, flags: int, misfit: bool) -> None:
    quality.describe(properties, flags, quality.BAD if misfit else quality.code(flags))
    definition = metric.point.definition
    for key, text in (("engUnit", definition.unit), ("documentation", definition.description)):
        if text:
            properties.keys.append(key)
            properties.values.add(type=DataType.STRING.form.code, string_value=text)
    properties.keys.append("readOnly")
    properties.values.add(
        type=DataType.BOOLEAN.form.code, boolean_value=metric.point.command is None
    )


def _add_bdseq(payload: Any, bdseq: int, now: int) -> None:
    payload.metrics.add(
        name=BDSEQ, timestamp=now // _MS, datatype=DataType.INT64.form.code, long_value=bdseq
    )


def _octets(payload: Any) -> bytes:
    written: bytes = payload.SerializeToString()
    return written
