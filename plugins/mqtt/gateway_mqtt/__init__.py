"""MQTT: samples as columnar JSON, each message acknowledged by the broker."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_mqtt.sink import JsonSink


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [JsonSink]
