"""How a stream is sent, as it stands in the YAML."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from gateway import Endpoint, Settings
from gateway_c37118.server.point import name_of

IDCODES = {"ge": 1, "le": 65534}
"""Table 2 reserves 0 and 65535."""


class Transport(StrEnum):
    """What commands and data travel on (annex E)."""

    TCP = "tcp"
    TCP_UDP = "tcp-udp"
    UDP = "udp"


class Numbers(StrEnum):
    """How values are written."""

    FLOAT = "float"
    INTEGER = "integer"


class Coordinates(StrEnum):
    """How phasors are written."""

    POLAR = "polar"
    RECTANGULAR = "rectangular"


class ServiceClass(StrEnum):
    """The class of a PMU (table 11)."""

    P = "P"
    M = "M"


class PmuSettings(Settings):
    """A PMU of the stream."""

    idcode: Annotated[int, Field(**IDCODES, description="its own IDCODE")]
    station: Annotated[
        str, Field(min_length=1, description="STN, the name of its station: 16 letters at most")
    ]
    numbers: Annotated[
        Numbers | None, Field(description="float or integer; default the stream's")
    ] = None
    phasors: Annotated[
        Coordinates | None, Field(description="polar or rectangular; default the stream's")
    ] = None
    voltage_scale: Annotated[
        float, Field(gt=0, le=167.77215, description="V per count, of phasors as integers")
    ] = 10.0
    current_scale: Annotated[
        float, Field(gt=0, le=167.77215, description="A per count, of phasors as integers")
    ] = 0.1
    service: Annotated[ServiceClass, Field(description="P or M, said in configuration 3")] = (
        ServiceClass.M
    )
    latitude: Annotated[
        float | None, Field(ge=-90, le=90, description="degrees, said in configuration 3")
    ] = None
    longitude: Annotated[
        float | None, Field(ge=-180, le=180, description="degrees, said in configuration 3")
    ] = None
    elevation: Annotated[float | None, Field(description="m, said in configuration 3")] = None

    @field_validator("station")
    @classmethod
    def _short(cls, value: str) -> str:
        return name_of(value)


class Destination(Settings):
    """Where data go that nobody has commanded (annex E: spontaneous data over UDP)."""

    to: Annotated[Endpoint, Field(description="10.1.0.20:4713, or a group: 239.1.1.1:4713")]
    ttl: Annotated[
        int, Field(ge=1, le=255, description="routers that a multicast may pass, and one")
    ] = 1
    interface: Annotated[
        str | None,
        Field(description="what a multicast leaves from: own address 10.1.0.5, or for IPv6 eth1"),
    ] = None

    @model_validator(mode="after")
    def _numeric(self) -> Self:
        try:
            address = ipaddress.ip_address(self.to.host)
        except ValueError:
            raise ValueError(f"found '{self.to}', allowed: an address and a port") from None
        if self.interface is not None and not address.is_multicast:
            raise ValueError("found an interface, allowed: only for multicast")
        if self.interface is not None and address.version == 4:
            ipaddress.IPv4Address(self.interface)
        return self
