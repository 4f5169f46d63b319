"""The groups of fields of an MQTT sink: version, presence."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from aiomqtt import ProtocolVersion
from pydantic import AfterValidator, Field

from gateway import Settings
from gateway_mqtt.topic import LINK_FIELDS, check


class Version(StrEnum):
    """The MQTT version that is spoken; it is never negotiated down."""

    V5 = "5"
    V311 = "3.1.1"

    @property
    def protocol(self) -> ProtocolVersion:
        return ProtocolVersion.V5 if self is Version.V5 else ProtocolVersion.V311


class Retain(StrEnum):
    """Whether the broker keeps the last message of each topic for those who subscribe later."""

    NEVER = "never"
    LIVE = "live"


class Presence(Settings):
    """Whether the gateway is there: retained, at QoS 1, and the offline word as the last will."""

    topic: Annotated[
        str,
        AfterValidator(lambda topic: check(topic, LINK_FIELDS)),
        Field(description="may name {gateway} and {link}"),
    ] = "{gateway}/{link}/status"
    online: Annotated[str, Field(min_length=1, description="sent first, before any sample")] = (
        "online"
    )
    offline: Annotated[
        str,
        Field(min_length=1, description="sent last, or by the broker when the connection breaks"),
    ] = "offline"
