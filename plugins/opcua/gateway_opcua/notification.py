"""Data changes as bytes: columns in, a DataChangeNotification out (OPC 10000-6, 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from gateway_opcua.status import SEVERITY_BAD, StatusColumn
from gateway_opcua.variable import DataType

FILETIME_EPOCH = 116_444_736_000_000_000
"""1970-01-01 in 100 ns since 1601-01-01, the epoch of DateTime (OPC 10000-6, 5.2.2.5)."""

_VALUE, _STATUS, _SOURCE, _SERVER = 0x01, 0x02, 0x04, 0x08
_WIRE = {
    DataType.BOOLEAN: np.dtype("u1"),
    DataType.UINT32: np.dtype("<u4"),
    DataType.INT64: np.dtype("<i8"),
    DataType.DOUBLE: np.dtype("<f8"),
}


class Stamps(IntEnum):
    """Which time stamps a client wants (TimestampsToReturn, OPC 10000-4, 7.40)."""

    SOURCE = 0
    SERVER = 1
    BOTH = 2
    NEITHER = 3


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Data changes as columns of one length.

    handle: the client's handle of the monitored item.
    type:   `DataType` of the value.
    stamps: `Stamps` that the item wants.
    value, status, time: the sample; time in ns since the Unix epoch, 0 for none.
    """

    handle: npt.NDArray[np.uint32]
    type: npt.NDArray[np.uint8]
    stamps: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]
    status: StatusColumn
    time: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.handle)

    def take(self, rows: npt.NDArray[np.bool_]) -> Changes:
        """Return the rows of a mask."""
        return Changes(
            self.handle[rows],
            self.type[rows],
            self.stamps[rows],
            self.value[rows],
            self.status[rows],
            self.time[rows],
        )


def encode(changes: Changes, now: int, others: Sequence[bytes] = ()) -> bytes:
    """Return the body of a DataChangeNotification.

    now:    the server time stamp, ns since the Unix epoch.
    others: MonitoredItemNotifications that are encoded already.
    The order of one item's changes is kept; items of one data type stand together.
    """
    parts = [(len(changes) + len(others)).to_bytes(4, "little")]
    bad = changes.status & SEVERITY_BAD != 0
    layout = (changes.type.astype(np.int16) << 3) | (changes.stamps << 1) | bad
    for code in np.unique(layout).tolist():
        kind, stamps, null = DataType(code >> 3), Stamps(code >> 1 & 3), bool(code & 1)
        rows = layout == code
        parts.append(_encode(changes.take(rows), now, kind, stamps, null))
    parts.extend(others)
    parts.append(b"\xff\xff\xff\xff")  # no diagnostic infos
    return b"".join(parts)


def _encode(changes: Changes, now: int, kind: DataType, stamps: Stamps, null: bool) -> bytes:
    rows = np.empty(len(changes), _layout(kind, stamps, null))
    rows["handle"] = changes.handle
    rows["mask"] = (
        (0 if null else _VALUE)
        | _STATUS
        | (_SOURCE if stamps in (Stamps.SOURCE, Stamps.BOTH) else 0)
        | (_SERVER if stamps in (Stamps.SERVER, Stamps.BOTH) else 0)
    )
    rows["status"] = changes.status
    if not null:
        rows["type"] = kind
        # a status is 0 or 1 on the wire whatever number stands for true
        rows["value"] = changes.value != 0 if kind is DataType.BOOLEAN else changes.value
    if stamps in (Stamps.SOURCE, Stamps.BOTH):
        rows["source"] = np.where(changes.time > 0, changes.time // 100 + FILETIME_EPOCH, 0)
    if stamps in (Stamps.SERVER, Stamps.BOTH):
        rows["server"] = now // 100 + FILETIME_EPOCH
    return rows.tobytes()


@cache
def _layout(kind: DataType, stamps: Stamps, null: bool) -> np.dtype[np.void]:
    fields: list[tuple[str, object]] = [("handle", "<u4"), ("mask", "u1")]
    if not null:
        fields += [("type", "u1"), ("value", _WIRE[kind])]
    fields.append(("status", "<u4"))
    if stamps in (Stamps.SOURCE, Stamps.BOTH):
        fields.append(("source", "<i8"))
    if stamps in (Stamps.SERVER, Stamps.BOTH):
        fields.append(("server", "<i8"))
    return np.dtype(fields)
