"""TLS as the configuration has it: certificates, what is verified, what is spoken."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from gateway.model.fields import Duration, Secret, Settings

CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-AES128-GCM-SHA256",
)
"""The suites of TLS 1.2: forward secrecy and authenticated encryption, nothing else.

IEC 62351-3:2023 wants these of TLS 1.2 and deprecates CBC and the RSA key exchange; the first four
are those of RFC 9325 clause 4.2. TLS 1.3 has no others (RFC 8446 appendix B.4).
"""
WEAKEST = 128
"""Bits of strength below which a cipher is not taken, whoever asks for it."""


class Verify(StrEnum):
    """What a client verifies of a server's certificate."""

    FULL = "full"
    CHAIN = "chain"
    NONE = "none"


class TlsVersion(StrEnum):
    """The lowest version that is spoken; IEC 62351-3 allows none below."""

    V12 = "1.2"
    V13 = "1.3"


def _ciphers(value: str) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(value)
    except ssl.SSLError:
        raise ValueError(
            f"{value!r} names no cipher of OpenSSL; one list is {':'.join(CIPHERS[:2])}"
        ) from None
    weak = [
        str(cipher["name"])
        for cipher in context.get_ciphers()
        if cipher["strength_bits"] < WEAKEST or cipher["auth"] == "auth-null"
    ]
    if weak:
        raise ValueError(
            f"{', '.join(weak)}: allowed are ciphers that authenticate, of {WEAKEST} bits or more"
        )
    return value


class Tls(Settings):
    """What both ends have in common; plugins take `TlsClient` and `TlsServer`."""

    ca: Annotated[
        Path | None,
        Field(description="PEM file, or folder of such, of the authorities that are trusted"),
    ] = None
    certificate: Annotated[
        Path | None,
        Field(description="PEM file of the gateway's own certificate, and its chain"),
    ] = None
    key: Annotated[
        Path | None, Field(description="PEM file of the private key of that certificate")
    ] = None
    password: Annotated[Secret | None, Field(description="opens an encrypted key")] = None
    crl: Annotated[
        Path | None,
        Field(
            description="PEM file, or folder of such, of revoked certificates; of every authority "
            "in ca, so that whole chains are checked, or of those that sign the other side"
        ),
    ] = None
    min_version: Annotated[
        TlsVersion,
        BeforeValidator(lambda value: str(value) if isinstance(value, float) else value),
        WithJsonSchema({"enum": ["1.2", "1.3", 1.2, 1.3]}),
        Field(description="lowest TLS version"),
    ] = TlsVersion.V12
    ciphers: Annotated[
        str | None,
        Field(
            min_length=1,
            description="suites of TLS 1.2 in OpenSSL's words, where an old device has no good one",
        ),
        AfterValidator(lambda value: None if value is None else _ciphers(value)),
    ] = None
    session_limit: Annotated[
        Duration | None,
        Field(
            ge=1,
            description="a session that is older ends, and both sides prove anew who they are",
        ),
    ] = None

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            found, missing = ("certificate", "key") if self.key is None else ("key", "certificate")
            raise ValueError(f"a {found} needs its {missing}; give both or neither")
        if self.password is not None and self.key is None:
            raise ValueError("a password needs the key that it opens")
        return self

    @property
    def files(self) -> bool:
        """Whether it names any file, which then may expire or be renewed."""
        return any(path is not None for path in (self.ca, self.certificate, self.crl))


class TlsClient(Tls):
    """TLS of a connection that the gateway opens; without `ca` the system's authorities count.

    With `certificate` and `key` the gateway proves who it is (IEC 62351-3: both sides do).
    The files are read anew as they are renewed; `ctx.tls` gives the context.
    """

    verify: Annotated[
        Verify,
        Field(
            description="full: chain and host name; chain: any host name (devices known by "
            "address); none: anybody can pose as the other side, for a bench only"
        ),
    ] = Verify.FULL
    server_name: Annotated[
        str | None,
        Field(min_length=1, description="name in the other side's certificate; default its host"),
    ] = None

    @model_validator(mode="after")
    def _verifies(self) -> Self:
        if self.verify is Verify.NONE and self.crl is not None:
            raise ValueError("a crl needs verify: full or chain")
        return self


class TlsServer(Tls):
    """TLS of a listener; with `ca` each client must show a certificate (IEC 62351-3: mutual)."""

    ca: Annotated[
        Path | None,
        Field(
            description="PEM file, or folder of such, of who signs clients, "
            "which then must have a certificate"
        ),
    ] = None
    certificate: Annotated[
        Path, Field(description="PEM file of the gateway's own certificate, and its chain")
    ]
    key: Annotated[Path, Field(description="PEM file of the private key of that certificate")]

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.crl is not None and self.ca is None:
            raise ValueError("a crl needs the ca that the clients' certificates are of")
        return self


def tls_of(model: BaseModel) -> Iterator[Tls]:
    """Yield the TLS settings with files in the fields of a link, however deep they stand."""
    for name in type(model).model_fields:
        yield from _inside(getattr(model, name))


def _inside(value: Any) -> Iterator[Tls]:
    if isinstance(value, Tls):
        if value.files:
            yield value
    elif isinstance(value, BaseModel):
        yield from tls_of(value)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _inside(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _inside(one)
