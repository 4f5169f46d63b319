"""Errors that cross the border between host and plugin."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from types import MappingProxyType


class GatewayError(Exception):
    """The base of what the gateway raises on purpose."""


class LinkError(GatewayError):
    """A link cannot go on: the host logs the sentence, waits, and runs it again."""


class CustodyRefused(GatewayError):  # noqa: N818 - the word of the design
    """The gateway could not take the samples: the device must keep them."""


_TLS: Mapping[str, str] = MappingProxyType(
    {
        "CA_KEY_TOO_SMALL": "the key of an authority is weaker than RSA with 2048 bits",
        "CA_MD_TOO_WEAK": "a certificate is signed with a hash that is too weak",
        "EE_KEY_TOO_SMALL": "the key is weaker than RSA with 2048 bits",
        "NO_SHARED_CIPHER": "the two sides have no cipher in common",
        "NO_PROTOCOLS_AVAILABLE": "the two sides have no TLS version in common",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the other side showed no certificate",
        "SSLV3_ALERT_BAD_CERTIFICATE": "the other side refused our certificate",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the other side says our certificate has expired",
        "SSLV3_ALERT_CERTIFICATE_REVOKED": "the other side says our certificate is revoked",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the other side refused our certificate",
        "SSLV3_ALERT_HANDSHAKE_FAILURE": "the other side refused: no cipher in common, "
        "or it wants a certificate",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "the other side does not take our certificate",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the other side wants a certificate",
        "TLSV1_ALERT_ACCESS_DENIED": "the other side refused our certificate",
        "TLSV1_ALERT_DECRYPT_ERROR": "the other side refused our certificate",
        "TLSV1_ALERT_INTERNAL_ERROR": "the other side failed at TLS",
        "TLSV1_ALERT_PROTOCOL_VERSION": "the two sides have no TLS version in common",
        "TLSV1_ALERT_UNKNOWN_CA": "the other side does not trust our certificate",
        "TLSV1_UNRECOGNIZED_NAME": "the other side has no such host name",
        "UNEXPECTED_EOF_WHILE_READING": "the other side closed the connection",
        "UNSUPPORTED_PROTOCOL": "the two sides have no TLS version in common",
        "VERSION_TOO_LOW": "the two sides have no TLS version in common",
        "WRONG_SSL_VERSION": "the two sides have no TLS version in common",
        "WRONG_VERSION_NUMBER": "the other side does not speak TLS",
        "HTTP_REQUEST": "the other side does not speak TLS, but HTTP",
        "HTTPS_PROXY_REQUEST": "the other side does not speak TLS, but HTTP",
    }
)
"""What OpenSSL's reasons mean to who reads the log."""


def reason(error: BaseException) -> str:
    """Say why something failed in words alone: no number, no address that was said already."""
    if isinstance(error, ssl.SSLError):
        return _tls_reason(error)
    if isinstance(error, OSError):
        if error.errno is not None and error.errno > 0:
            return os.strerror(error.errno)
        if error.strerror:
            return error.strerror
    text = str(error)
    return text or type(error).__name__


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the other side's certificate is not good: {error.verify_message.rstrip('.')}"
    why = str(getattr(error, "reason", None) or "")
    if why in _TLS:
        return _TLS[why]
    # Its own number is one of OpenSSL's, not of the system's.
    return why.replace("_", " ").lower() if why else str(error)
