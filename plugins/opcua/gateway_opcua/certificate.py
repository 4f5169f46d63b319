"""The gateway's own application instance certificate (OPC 10000-6, 6.2.2), made on first start."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway import LinkError

KEY_BITS = 2048
LIFETIME = timedelta(days=5 * 365)
RENEW_BEFORE = timedelta(days=30)
WARN_BEFORE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key and the certificate that belongs to it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


def identity(
    folder: Path,
    application_uri: str,
    hosts: Iterable[str],
    log: logging.Logger,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Identity:
    """Return the certificate in `folder` (cert.der, key.pem), made or renewed where needed.

    A self-signed one is renewed, with its key, when less than 30 days are left
    or when the application URI is another; one from a CA is never touched, only warned of.
    Raises LinkError where the files cannot be read or do not belong together.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key_file, certificate_file = folder / "key.pem", folder / "cert.der"
    if not key_file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        _write(
            key_file,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
    else:
        key = _load_key(key_file)
    if certificate_file.exists():
        found = load_certificate(certificate_file)
        if found.public_key() != key.public_key():
            raise LinkError(f"{certificate_file} does not belong to the key in {key_file}")
        reason = _outdated(found, application_uri)
        if reason is None or found.issuer != found.subject:
            _warn(found, certificate_file, reason, log)
            return Identity(key, found)
        server = usage == ExtendedKeyUsageOID.SERVER_AUTH
        own, others = ("server", "clients") if server else ("client", "the server")
        log.warning(
            "renewing the %s certificate (%s): %s must trust the new one", own, reason, others
        )
    made = self_signed(key, application_uri, hosts, usage=usage)
    _write(certificate_file, made.public_bytes(serialization.Encoding.DER))
    return Identity(key, made)


def self_signed(
    key: rsa.RSAPrivateKey,
    application_uri: str,
    hosts: Iterable[str],
    *,
    start: datetime | None = None,
    lifetime: timedelta = LIFETIME,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> x509.Certificate:
    """Return a self-signed application instance certificate, a server's unless `usage` says."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, application_uri.rpartition(":")[2][:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "grid-gateway"),
        ]
    )
    start = start or datetime.now(UTC) - timedelta(minutes=5)
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier(application_uri), *_names(hosts)]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=True,
                data_encipherment=True,
                key_agreement=False,
                key_cert_sign=True,  # a self-signed one signs itself (OPC 10000-6, 6.2.2)
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.ExtendedKeyUsage([usage]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )


def load_certificate(path: Path) -> x509.Certificate:
    """Return the certificate in a DER or PEM file; raises LinkError where there is none."""
    try:
        data = path.read_bytes()
        if data.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except (OSError, ValueError) as error:
        raise LinkError(f"{path} is no certificate in DER or PEM: {error}") from error


def own_hosts(listen: str, more: Iterable[str]) -> list[str]:
    """Return the names that clients may reach this server by, for the certificate."""
    wildcard = listen in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    names = [socket.gethostname(), "localhost", *([] if wildcard else [listen]), *more]
    return list(dict.fromkeys(names))


def _names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _outdated(certificate: x509.Certificate, application_uri: str) -> str | None:
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    if left < RENEW_BEFORE:
        return f"it ends on {certificate.not_valid_after_utc:%Y-%m-%d}"
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "it has no subject alternative name"
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if application_uri not in uris:
        return f"it is for {', '.join(uris) or 'no application'}, not for {application_uri}"
    return None


def _warn(
    certificate: x509.Certificate, path: Path, reason: str | None, log: logging.Logger
) -> None:
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    if reason is not None:
        log.warning("replace the own certificate %s: %s", path, reason)
    elif left < WARN_BEFORE:
        log.warning("the own certificate %s ends in %d days", path, left.days)


def _load_key(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise LinkError(f"{path} is no private key in PEM without a password: {error}") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise LinkError(f"{path} holds a {type(key).__name__}; OPC UA's policies need an RSA key")
    return key


def _write(path: Path, data: bytes) -> None:
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
