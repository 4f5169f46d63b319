"""The properties of MQTT 5 that commands and their answers need; the library knows their octets."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway_mqtt.packet import Publish


class Response(NamedTuple):
    """Where an answer is wanted (clause 3.3.2.3.5), and what it must carry (3.3.2.3.6)."""

    topic: str = ""
    correlation: bytes = b""


def response(message: Publish) -> Response:
    """Return what a message says of its answer. Raises ValueError where it cannot be read."""
    if len(message.properties) < 2:
        return Response()
    properties = _properties()
    try:
        properties.unpack(message.properties)
    except Exception as error:  # whatever the library trips over
        raise ValueError(f"its properties cannot be read: {error}") from None
    return Response(
        getattr(properties, "ResponseTopic", ""), getattr(properties, "CorrelationData", b"")
    )


def pack(
    *, topic: str | None = None, correlation: bytes = b"", expiry: float | None = None
) -> bytes:
    """Return properties of a PUBLISH with their length.

    expiry: seconds after which nobody is to get it; whole ones (3.3.2.3.3), at least 1.
    """
    properties = _properties()
    if topic is not None:
        properties.ResponseTopic = topic
    if correlation:
        properties.CorrelationData = correlation
    if expiry is not None:
        properties.MessageExpiryInterval = max(1, math.floor(expiry))
    packed: bytes = properties.pack()
    return packed


def _properties() -> Any:
    return Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
