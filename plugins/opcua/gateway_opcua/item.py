"""How one point is monitored: the parameters of a monitored item (OPC 10000-4, 7.21)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gateway_opcua.notification import Stamps
from gateway_opcua.variable import DataType


class Mode(IntEnum):
    """MonitoringMode (OPC 10000-4, 7.23)."""

    DISABLED = 0
    SAMPLING = 1
    REPORTING = 2


class Trigger(IntEnum):
    """DataChangeTrigger (OPC 10000-4, 7.22.2)."""

    STATUS = 0
    STATUS_VALUE = 1
    STATUS_VALUE_TIMESTAMP = 2


@dataclass(frozen=True, slots=True)
class Item:
    """How one point is monitored.

    queue:          most values kept between two publishes, at least 1.
    discard_oldest: what goes when the queue is full: the oldest, or the newest before the new one.
    deadband:       absolute width in the point's unit; a change is larger than it.
    sampling:       ns between two samples of the item; 0 takes every change.
    """

    point: int
    handle: int
    type: DataType
    stamps: Stamps = Stamps.BOTH
    queue: int = 1
    discard_oldest: bool = True
    mode: Mode = Mode.REPORTING
    trigger: Trigger = Trigger.STATUS_VALUE
    deadband: float = 0.0
    sampling: int = 0
