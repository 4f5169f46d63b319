"""Modbus/TCP Security: TLS 1.2 or later, with certificates on both sides."""

from __future__ import annotations

import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway import LinkError, Secret, Settings


class Verify(StrEnum):
    """What of the device's certificate is checked."""

    FULL = "full"
    CHAIN = "chain"
    NONE = "none"


class TlsClient(Settings):
    """Certificates of a connection to a device."""

    ca: Annotated[
        Path | None,
        Field(description="PEM file of who signed the device; default the system's authorities"),
    ] = None
    certificate: Annotated[Path | None, Field(description="PEM file of our certificate")] = None
    key: Annotated[Path | None, Field(description="PEM file of our private key")] = None
    password: Annotated[Secret | None, Field(description="of the private key")] = None
    verify: Annotated[
        Verify,
        Field(description="full: chain and host name; chain: not the host name; none: for tests"),
    ] = Verify.FULL

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self

    def context(self) -> ssl.SSLContext:
        """Load the files; raises LinkError naming the one that cannot be."""
        try:
            context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
        except (OSError, ssl.SSLError) as error:
            raise LinkError(f"tls.ca {self.ca}: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.verify is Verify.FULL
        if self.verify is Verify.NONE:
            context.verify_mode = ssl.CERT_NONE
        _load(context, self.certificate, self.key, self.password)
        return context


class TlsServer(Settings):
    """Certificates of a listener."""

    certificate: Annotated[Path, Field(description="PEM file of our certificate")]
    key: Annotated[Path, Field(description="PEM file of our private key")]
    password: Annotated[Secret | None, Field(description="of the private key")] = None
    ca: Annotated[
        Path | None,
        Field(description="PEM file of who signs clients, which then must have a certificate"),
    ] = None

    def context(self) -> ssl.SSLContext:
        """Load the files; raises LinkError naming the one that cannot be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load(context, self.certificate, self.key, self.password)
        if self.ca is not None:
            try:
                context.load_verify_locations(cafile=str(self.ca))
            except (OSError, ssl.SSLError) as error:
                raise LinkError(f"tls.ca {self.ca}: {error}") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _load(
    context: ssl.SSLContext, certificate: Path | None, key: Path | None, password: Secret | None
) -> None:
    if certificate is None:
        return
    try:
        context.load_cert_chain(
            str(certificate),
            str(key),
            # A callable even for none: the library would ask the terminal.
            (lambda: password.get_secret_value() if password is not None else ""),
        )
    except (OSError, ssl.SSLError) as error:
        raise LinkError(f"tls.certificate {certificate}, tls.key {key}: {error}") from None
