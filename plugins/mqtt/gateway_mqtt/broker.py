"""The fields of a link that speaks to a broker."""

from __future__ import annotations

import ssl
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from gateway import Dissector, Duration, Endpoint, Secret, TlsClient
from gateway_mqtt.connection import Connection
from gateway_mqtt.description import describe
from gateway_mqtt.settings import Version


class BrokerFields(BaseModel):
    """Where the broker is, and how a link gets in; to be mixed into a source or a sink."""

    broker: Annotated[Endpoint, Field(description="address of the broker: 1883, with TLS 8883")]
    version: Annotated[
        Version,
        BeforeValidator(lambda value: "5" if value == 5 else value),
        Field(description="only 5 says why something was refused; 3.1.1 for brokers without it"),
    ] = Version.V5
    client_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=256,
            description="unique at the broker; <gateway>-<link> if not given",
        ),
    ] = None
    username: Annotated[str | None, Field(min_length=1, description="user at the broker")] = None
    password: Annotated[Secret | None, Field(description="of that user")] = None
    tls: Annotated[
        TlsClient | None, Field(description="TLS; `{}` trusts the system's authorities")
    ] = None
    keepalive: Annotated[
        Duration,
        Field(ge=5, le=65535, description="a silent broker is noticed within it"),
    ] = 30.0
    connect_timeout: Annotated[
        Duration,
        Field(gt=0, le=300, description="most that TCP, TLS and the CONNACK may take together"),
    ] = 10.0

    @model_validator(mode="after")
    def _with_username(self) -> Self:
        if self.password is not None and self.username is None:
            raise ValueError("a password needs its username")
        return self

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame, five=self.version is Version.V5)

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("mqtt", port=1883)

    def connection(self, identifier: str, tls: ssl.SSLContext | None, **more: Any) -> Connection:
        """Return a connection that is yet to be opened; `more` are its other arguments."""
        return Connection(
            self.broker,
            identifier=self.client_id or identifier,
            version=self.version,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            keepalive=round(self.keepalive),
            tls=tls,
            **more,
        )
