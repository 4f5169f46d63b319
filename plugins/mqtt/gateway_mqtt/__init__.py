"""MQTT: samples as columnar JSON, each message acknowledged by the broker."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_mqtt.sink import JsonSink

__all__ = ["JsonSink", "gateway_components"]


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [JsonSink]
