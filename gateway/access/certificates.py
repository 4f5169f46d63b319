"""Certificates: the name that one proves, and the role that its rule gives."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from gateway.model.access import CertificateRule
from gateway.model.subject import parse, text_of

MOST_REMEMBERED = 256
MOST_CHARACTERS = 256


class Certificates:
    """The rules of the configuration, in its order."""

    def __init__(self, rules: Sequence[CertificateRule]) -> None:
        self._rules = [
            (None if rule.subject is None else parse(rule.subject), rule.fingerprint, rule.role)
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

        subject = load_der_x509_certificate(der).subject
        words = text_of(subject) or f"sha256:{fingerprint}"
        name = "".join(one if one.isprintable() else "?" for one in words[:MOST_CHARACTERS])
        for wanted, digits, role in self._rules:
            if wanted == subject or digits == fingerprint:
                return name, role
        return name, None
