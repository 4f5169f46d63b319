"""Certificates: the name that one proves, and the role that its rule gives."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.model.access import CertificateRule
from gateway.model.subject import parse, text_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MODBUS_ROLE = "1.3.6.1.4.1.50316.802.1"
"""Extension of Modbus/TCP Security (MB-TCP-Security v2.1) that names a role, a UTF8String."""
UTF8_STRING = 0x0C
MOST_REMEMBERED = 256
MOST_CHARACTERS = 256


class Certificates:
    """The rules of the configuration, in its order."""

    def __init__(self, rules: Sequence[CertificateRule]) -> None:
        self._rules = [
            (
                None if rule.subject is None else parse(rule.subject),
                rule.fingerprint,
                rule.modbus_role,
                rule.role,
            )
            for rule in rules
        ]
        self._known: OrderedDict[bytes, tuple[str, str | None]] = OrderedDict()

    def who(self, der: bytes) -> tuple[str, str | None]:
        """Return the subject of a certificate (DER), and the role that its first rule gives.

        None without a rule. The name of a certificate without a subject is its fingerprint.
        Raises ValueError where this is no certificate. Whether it can be trusted is not looked at.
        """
        digest = hashlib.sha256(der).digest()
        found = self._known.get(digest)
        if found is None:
            found = self._known[digest] = self._look(der, digest.hex())
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _look(self, der: bytes, fingerprint: str) -> tuple[str, str | None]:
        # Imported late: gateways without certificates do not pay for it.
        from cryptography.x509 import load_der_x509_certificate

        certificate = load_der_x509_certificate(der)
        subject, named = certificate.subject, _modbus_role(certificate)
        words = text_of(subject) or f"sha256:{fingerprint}"
        name = "".join(one if one.isprintable() else "?" for one in words[:MOST_CHARACTERS])
        for wanted, digits, modbus_role, role in self._rules:
            if wanted == subject or digits == fingerprint or (modbus_role and modbus_role == named):
                return name, role
        return name, None


def _modbus_role(certificate: Certificate) -> str:
    """Return the role that a certificate names for Modbus; empty where it names none."""
    for extension in certificate.extensions:
        if extension.oid.dotted_string == MODBUS_ROLE:
            value: bytes = extension.value.public_bytes()
            if len(value) > 2 and value[0] == UTF8_STRING and value[1] == len(value) - 2:
                return value[2:].decode(errors="replace")
    return ""
