"""MQTT: samples as columnar JSON, each message acknowledged by the broker; Sparkplug B."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_mqtt.sink import JsonSink
from gateway_mqtt.sparkplug.sink import SparkplugSink

__all__ = ["JsonSink", "SparkplugSink", "gateway_components"]


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [JsonSink, SparkplugSink]
