"""Whose certificates are accepted: folders of trusted and of refused ones."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from asyncua import ua
from asyncua.common.utils import ServiceError
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization

from gateway import LinkError
from gateway_opcua.certificate import load_certificate
from gateway_opcua.settings import Trust

MOST_REJECTED = 100
_SUFFIXES = {".der", ".pem", ".crt", ".cer"}


class TrustList:
    """The folders `trusted`, `rejected` and `crl` below a folder of the link.

    They are read anew for every certificate, so that moving a file takes effect at once.
    A certificate is trusted if it is in `trusted` itself, or signed by a CA that is there
    and not in a revocation list of that CA in `crl`.
    """

    def __init__(self, folder: Path, trust: Trust, log: logging.Logger) -> None:
        self.trusted = folder / "trusted"
        self.rejected = folder / "rejected"
        self.revoked = folder / "crl"
        self._trust = trust
        self._log = log
        for path in (self.trusted, self.rejected, self.revoked):
            path.mkdir(parents=True, exist_ok=True)

    def check(self, certificate: x509.Certificate) -> None:
        """Raise ServiceError where the certificate may not open a channel.

        The client hears no more than BadSecurityChecksFailed (OPC 10000-4, 6.1.3);
        the reason is for the log.
        """
        if not self.accepts(certificate):
            raise ServiceError(ua.StatusCodes.BadSecurityChecksFailed)

    def accepts(self, certificate: x509.Certificate) -> bool:
        """Return whether the certificate is trusted; one that is not is kept in `rejected`."""
        reason = self._refusal(certificate)
        if reason is not None:
            self._reject(certificate, reason)
        return reason is None

    def _refusal(self, certificate: x509.Certificate) -> str | None:
        now = datetime.now(UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return (
                f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d} "
                f"to {certificate.not_valid_after_utc:%Y-%m-%d}"
            )
        if self._trust is Trust.ANY:
            return None
        for known in self._certificates():
            if known == certificate:
                return None
            if _issued(certificate, known):
                revoked = self._revoked(certificate, known)
                return "its issuer has revoked it" if revoked else None
        return "it is not trusted"

    def _certificates(self) -> Iterator[x509.Certificate]:
        for path in sorted(self.trusted.iterdir()):
            if path.suffix.lower() in _SUFFIXES:
                try:
                    yield load_certificate(path)
                except LinkError as error:
                    self._log.warning("%s", error)

    def _revoked(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        for path in sorted(self.revoked.iterdir()):
            data = path.read_bytes()
            try:
                pem = data.lstrip().startswith(b"-----")
                crl = x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
                applies = crl.issuer == issuer.subject and crl.is_signature_valid(
                    issuer.public_key()
                )
            except (ValueError, TypeError) as error:
                self._log.warning("%s is no revocation list: %s", path, error)
                continue
            serial = certificate.serial_number
            if applies and crl.get_revoked_certificate_by_serial_number(serial) is not None:
                return True
        return False

    def _reject(self, certificate: x509.Certificate, reason: str) -> None:
        thumbprint = certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - OPC UA's thumbprint
        path = self.rejected / f"{thumbprint}.der"
        if path.exists():
            return
        kept = sorted(self.rejected.iterdir(), key=lambda old: old.stat().st_mtime)
        for old in kept[: max(0, len(kept) - MOST_REJECTED + 1)]:
            old.unlink(missing_ok=True)
        path.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
        self._log.warning(
            "refused the certificate of %s: %s; to trust it, move %s to %s",
            certificate.subject.rfc4514_string(),
            reason,
            path,
            self.trusted,
        )


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca or issuer.not_valid_after_utc < datetime.now(UTC):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return certificate != issuer
