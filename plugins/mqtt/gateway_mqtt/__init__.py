"""MQTT: devices at a broker; samples as columnar JSON at QoS 1; Sparkplug B."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_mqtt.sink import JsonSink
from gateway_mqtt.source.source import MqttSource
from gateway_mqtt.sparkplug.sink import SparkplugSink

__all__ = ["JsonSink", "MqttSource", "SparkplugSink", "gateway_components"]


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [MqttSource, JsonSink, SparkplugSink]
