"""NCMD and DCMD: what a host asks for, metric by metric, or why it cannot be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from gateway import CommandStatus
from gateway_mqtt.packet import Publish
from gateway_mqtt.sparkplug.datatype import number
from gateway_mqtt.sparkplug.topic import topic
from gateway_mqtt.sparkplug.tree import REBIRTH, Device, Metric
from gateway_mqtt.sparkplug.wire import Payload

MOST_METRICS = 1000
"""Of one message; more are refused as one."""
MOST_NAME = 200
"""Characters of a name from outside that go on record."""
_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A metric that is to have a value; `key` is the same where the same message comes again."""

    metric: Metric
    value: float
    key: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What is not put to the gateway: the name that it was given, and why not."""

    name: str
    status: CommandStatus
    detail: str


@dataclass(frozen=True, slots=True)
class Rebirth:
    """The host asks for all births anew (clause 5.16)."""


class Commands:
    """Reads commands to one node; `window` is how far their time may be from ours, in seconds."""

    def __init__(self, group: str, node: str, devices: Sequence[Device], window: float) -> None:
        self._window = window
        self._node = topic("NCMD", group, node)
        self._names: dict[str, dict[str, Metric]] = {}
        self._aliases: dict[str, dict[int, Metric]] = {}
        self.topics = [self._node]
        """What is subscribed to: the node's, and that of each device with something to write."""
        for device in devices:
            name = topic("DCMD", group, node, device.name) if device.name else self._node
            if device.name and device.commanded:
                self.topics.append(name)
            self._names[name] = {metric.name: metric for metric in device.metrics}
            self._aliases[name] = {metric.alias: metric for metric in device.metrics}

    def read(self, message: Publish, now: int) -> Iterator[Wanted | Refused | Rebirth]:
        """Yield what a message asks for; `now` is the wall clock, ns."""
        if message.retain:
            yield _format("", "it was kept by the broker, and whoever sent it may be long gone")
            return
        try:
            payload = Payload.FromString(message.payload)
            metrics = [(metric, _name(metric)) for metric in payload.metrics[: MOST_METRICS + 1]]
        except (DecodeError, UnicodeDecodeError) as error:
            yield _format("", f"no payload of Sparkplug B: {error}")
            return
        if not 0 < len(metrics) <= MOST_METRICS:
            found = "no metric" if not metrics else f"more than {MOST_METRICS} metrics"
            yield _format("", f"it has {found}")
            return
        for count, (metric, name) in enumerate(metrics):
            if message.topic == self._node and metric.name == REBIRTH:
                yield (
                    Rebirth()
                    if metric.boolean_value
                    else _format(REBIRTH, "only true asks for a rebirth")
                )
            else:
                key = f"{message.topic} {payload.timestamp} {payload.seq} {count}"
                yield self._wanted(message.topic, payload, metric, name, key, now)

    def _wanted(
        self, topic: str, payload: Any, metric: Any, name: str, key: str, now: int
    ) -> Wanted | Refused:
        known = (
            self._names.get(topic, {}).get(metric.name)
            if metric.name
            else self._aliases.get(topic, {}).get(metric.alias)
        )
        if known is None:
            return Refused(name, CommandStatus.UNKNOWN_POINT, "no such metric in the birth")
        if metric.name and metric.HasField("alias") and metric.alias != known.alias:
            return _format(name, f"alias {metric.alias} is not that of {known.name}")
        late = self._late(payload, metric, now)
        if late:
            return _format(known.name, late)
        try:
            value = number(known.type, metric)
        except ValueError as error:
            return _format(known.name, str(error))
        return Wanted(known, value, f"{key} {known.alias} {value!r} {metric.timestamp}")

    def _late(self, payload: Any, metric: Any, now: int) -> str:
        # Clauses 6.4.23 and 6.4.24: the payload's time must be there, the metric's may.
        if not payload.HasField("timestamp"):
            return "it has no time of sending"
        for what, holder in (("sent", payload), ("meant for", metric)):
            if holder.HasField("timestamp"):
                off = holder.timestamp / 1e3 - now / 1e9
                if abs(off) > self._window:
                    when = "ago" if off < 0 else "ahead of this clock"
                    return f"{what} {abs(off):.1f} s {when}, where {self._window:g} s are allowed"
        return ""


def _name(metric: Any) -> str:
    """Return what a host calls a metric, cut to what goes on record."""
    return str(metric.name)[:MOST_NAME] or f"alias {metric.alias}"


def _format(name: str, detail: str) -> Refused:
    return Refused(name, CommandStatus.FORMAT_ERROR, detail)
