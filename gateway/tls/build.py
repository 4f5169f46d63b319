"""A context from settings: what is spoken, what is shown, what is verified."""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.model.errors import LinkError, reason
from gateway.model.fields import Secret
from gateway.model.tls import CIPHERS, Tls, TlsClient, TlsServer, TlsVersion, Verify
from gateway.tls.context import Context
from gateway.tls.expiry import Papers
from gateway.tls.files import content, listed


def build(settings: Tls, papers: Papers) -> Context:
    """Read the files and return the context; blocks on the disk.

    Raises LinkError naming the file at fault.
    No compression, no renegotiation, no tickets: a session of TLS 1.3 is never resumed, one of
    TLS 1.2 only from the memory of the very context that verified it, within OpenSSL's two hours.
    """
    serves = isinstance(settings, TlsServer)
    context = Context(ssl.PROTOCOL_TLS_SERVER if serves else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = (
        ssl.TLSVersion.TLSv1_3 if settings.min_version is TlsVersion.V13 else ssl.TLSVersion.TLSv1_2
    )
    context.options |= (
        ssl.OP_NO_COMPRESSION
        | ssl.OP_NO_RENEGOTIATION
        | ssl.OP_CIPHER_SERVER_PREFERENCE
        | ssl.OP_NO_TICKET
    )
    # Level 2: RSA of 2048 bits, curves of 224, no SHA-1; not every build of Python begins there.
    context.set_ciphers(settings.ciphers or ":".join((*CIPHERS, "@SECLEVEL=2")))
    context.limit = settings.session_limit
    if isinstance(settings, TlsServer):
        context.num_tickets = 0
        context.verify_mode = ssl.CERT_NONE if settings.ca is None else ssl.CERT_REQUIRED
    elif isinstance(settings, TlsClient):
        context.name = settings.server_name
        context.check_hostname = settings.verify is Verify.FULL
        if settings.verify is Verify.NONE:
            context.verify_mode = ssl.CERT_NONE
    if settings.ca is not None:
        if not papers.rooted:
            # Whoever is named in `ca` is trusted; the root above it need not be.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        for file in listed("ca", settings.ca):
            _trust(context, "ca", file, "a PEM certificate")
    elif not serves:
        context.load_default_certs()
    if settings.crl is not None:
        # OpenSSL cannot check the last of a chain that does not reach a root.
        whole = papers.complete and papers.rooted
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN if whole else ssl.VERIFY_CRL_CHECK_LEAF
        for file in listed("crl", settings.crl):
            _trust(context, "crl", file, "a revocation list in PEM")
    if settings.certificate is not None and settings.key is not None:
        _show(context, settings.certificate, settings.key, settings.password)
    return context


def _trust(context: Context, field: str, file: Path, what: str) -> None:
    content(field, file)
    try:
        context.load_verify_locations(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise LinkError(f"tls.{field}: {file} is not {what}: {error}") from None


def _show(context: Context, certificate: Path, key: Path, password: Secret | None) -> None:
    content("certificate", certificate)
    content("key", key)
    # An empty password instead of none: OpenSSL would otherwise ask at the terminal.
    secret = "" if password is None else password.get_secret_value()
    try:
        context.load_cert_chain(certificate, key, secret)
    except (OSError, ssl.SSLError) as error:
        why = _fault(certificate, key, password) or reason(error)
        raise LinkError(f"tls.certificate {certificate} with tls.key {key}: {why}") from None


def _fault(certificate: Path, key: Path, password: Secret | None) -> str:
    """Say what is wrong with a pair that OpenSSL does not take; its own words are few."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    try:
        first = load_pem_x509_certificates(content("certificate", certificate))[0]
    except ValueError:
        return f"{certificate.name} is not a PEM certificate"
    secret = None if password is None else password.get_secret_value().encode()
    try:
        private = load_pem_private_key(content("key", key), secret)
    except TypeError:
        found = "is encrypted and needs tls.password" if secret is None else "has no password"
        return f"the key {found}"
    except ValueError:
        return "the password does not open the key" if secret else f"{key.name} is not a PEM key"
    except UnsupportedAlgorithm as error:
        return str(error)
    try:
        same = private.public_key() == first.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return "" if same else "the key is not that of the certificate"
