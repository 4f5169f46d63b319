"""The node as its readers see it: devices, their metrics, and which metric each point is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from gateway import LinkPoint, SinkPoint
from gateway_mqtt.sparkplug.datatype import DEFAULT, FIT, TEXTS, DataType
from gateway_mqtt.sparkplug.topic import fault

BDSEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"
_CONTROL = ("node control/", "device control/")


class Devices(StrEnum):
    """What is a device of the node."""

    SOURCE = "source"
    PREFIX = "prefix"
    NONE = "none"


class Names(StrEnum):
    """What a metric is called."""

    NAME = "name"
    MODEL = "model"


class SparkplugPoint(SinkPoint):
    """The columns of the point list for `mqtt.sparkplug`."""

    device: Annotated[
        str | None,
        Field(min_length=1, description="device that has the metric, whatever the link's rule"),
    ] = None
    metric: Annotated[
        str | None,
        Field(min_length=1, max_length=512, description="name of the metric; / makes folders"),
    ] = None
    type: Annotated[
        DataType | None,
        Field(
            description="data type; Double if not given, Boolean for a status, UInt8 for a double"
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One point as a metric; `alias` stands for the name in all but births."""

    point: LinkPoint
    name: str
    alias: int
    type: DataType


@dataclass(frozen=True, slots=True)
class Device:
    """Metrics that live and die together; without a name it is the node itself."""

    name: str
    metrics: tuple[Metric, ...]

    @property
    def commanded(self) -> bool:
        return any(metric.point.command is not None for metric in self.metrics)


class Fault(NamedTuple):
    """A point, the column at fault, and a sentence."""

    point: LinkPoint
    column: str
    sentence: str


def tree(points: Sequence[LinkPoint], devices: Devices, names: Names) -> tuple[Device, ...]:
    """Return the node first, and its devices in the order of the point list."""
    metrics: dict[str, list[Metric]] = {"": []}
    for point in points:
        device = _device(point, devices)
        metrics.setdefault(device, []).append(
            # Ids of points are kept over restarts and changes of the configuration;
            # an alias of 0 is taken for none by some.
            Metric(point, _name(point, device, devices, names), point.id + 1, _type(point))
        )
    return tuple(Device(name, tuple(own)) for name, own in metrics.items())


def faults(points: Sequence[LinkPoint], devices: Devices, names: Names) -> Iterator[Fault]:
    """Yield what one row alone cannot show, or what no message may contain."""
    folded: dict[str, str] = {}
    for device in tree(points, devices, names):
        if device.name:
            yield from _device_faults(device, folded)
        taken: dict[str, Metric] = {}
        for metric in device.metrics:
            yield from _metric_faults(device, metric)
            other = taken.setdefault(metric.name.lower(), metric)
            if other is not metric:
                where = f"device {device.name}" if device.name else "the node"
                case = "" if other.name == metric.name else ", but for upper and lower case"
                yield Fault(
                    metric.point,
                    "metric",
                    f"{where} has a metric {other.name!r} already{case}: point {other.point.name}",
                )


def _device_faults(device: Device, folded: dict[str, str]) -> Iterator[Fault]:
    point = device.metrics[0].point
    wrong = fault(device.name)
    if wrong:
        yield Fault(point, "device", f"{device.name!r} is no name of a device: {wrong}")
    other = folded.setdefault(device.name.lower(), device.name)
    if other != device.name:
        yield Fault(point, "device", f"the devices {device.name} and {other} differ in case only")


def _metric_faults(device: Device, metric: Metric) -> Iterator[Fault]:
    point = metric.point
    fit = FIT[point.kind]
    if metric.type not in fit:
        yield Fault(
            point,
            "type",
            f"{metric.type} does not suit a point of kind {point.kind}; "
            f"allowed are {', '.join(fit)}",
        )
    elif point.command is not None and metric.type in TEXTS:
        yield Fault(
            point, "type", f"a point that takes commands cannot be a {metric.type}: use a number"
        )
    reserved = metric.name.lower().startswith(_CONTROL) or metric.name == BDSEQ
    if reserved and not device.name:
        yield Fault(point, "metric", f"{metric.name!r} is a name that Sparkplug has for itself")
    if any(ord(sign) < 0x20 or sign == "\x7f" for sign in metric.name):
        yield Fault(point, "metric", f"{metric.name!r} has a control character")


def _device(point: LinkPoint, devices: Devices) -> str:
    if isinstance(point.address, SparkplugPoint) and point.address.device is not None:
        return point.address.device
    if devices is Devices.SOURCE:
        return point.definition.source or ""
    if devices is Devices.PREFIX and point.definition.source is not None:
        first, dot, _ = point.name.partition(".")
        return first if dot else ""
    return ""


def _name(point: LinkPoint, device: str, devices: Devices, names: Names) -> str:
    if isinstance(point.address, SparkplugPoint) and point.address.metric is not None:
        return point.address.metric
    if names is Names.MODEL and point.definition.model:
        return point.definition.model
    name = point.name
    if devices is Devices.PREFIX and device:
        name = name.removeprefix(f"{device}.")
    return name.replace(".", "/")


def _type(point: LinkPoint) -> DataType:
    if isinstance(point.address, SparkplugPoint) and point.address.type is not None:
        return point.address.type
    return DEFAULT[point.kind]
