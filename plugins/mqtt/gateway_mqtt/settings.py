"""The groups of fields of an MQTT sink: version, TLS, presence."""

from __future__ import annotations

import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from aiomqtt import ProtocolVersion
from pydantic import AfterValidator, Field, model_validator

from gateway import LinkError, Secret, Settings
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


class Verify(StrEnum):
    """What of the broker's certificate is verified."""

    FULL = "full"
    CHAIN = "chain"
    NONE = "none"


class Tls(Settings):
    """TLS 1.2 or later."""

    ca: Annotated[
        Path | None,
        Field(description="PEM file of the authorities to trust; without it the system's"),
    ] = None
    certificate: Annotated[
        Path | None,
        Field(description="PEM file of the gateway's own certificate, and its chain"),
    ] = None
    key: Annotated[
        Path | None,
        Field(description="PEM file of the key of that certificate"),
    ] = None
    key_password: Annotated[Secret | None, Field(description="opens an encrypted key")] = None
    verify: Annotated[
        Verify,
        Field(
            description="full: chain and host name; chain: any host name (brokers known by "
            "address); none: anybody can pose as the broker, for a bench only"
        ),
    ] = Verify.FULL

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            found, missing = ("certificate", "key") if self.key is None else ("key", "certificate")
            raise ValueError(f"a {found} needs its {missing}; give both or neither")
        if self.key_password is not None and self.key is None:
            raise ValueError("a key_password needs the key that it opens")
        return self

    def context(self) -> ssl.SSLContext:
        """Read the files and return the context; raises LinkError naming the file at fault.

        Blocks on the disk.
        """
        for what in ("ca", "certificate", "key"):
            path: Path | None = getattr(self, what)
            if path is not None and not path.is_file():
                raise LinkError(f"tls.{what}: there is no file {path}")
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (ssl.SSLError, OSError) as error:
            raise LinkError(f"tls.ca: {self.ca} is not a PEM certificate: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.verify is not Verify.FULL:
            context.check_hostname = False
        if self.verify is Verify.NONE:
            context.verify_mode = ssl.CERT_NONE
        if self.certificate is not None:
            # An empty password instead of none: OpenSSL would otherwise ask at the terminal.
            secret = self.key_password.get_secret_value() if self.key_password else ""
            try:
                context.load_cert_chain(self.certificate, self.key, secret)
            except (ssl.SSLError, OSError) as error:
                raise LinkError(
                    f"tls.certificate {self.certificate} with tls.key {self.key}: {error}"
                ) from None
        return context


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
