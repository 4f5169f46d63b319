"""The chain: the hash that ties each record to all before it."""

from __future__ import annotations

import hashlib
import hmac

from gateway.audit.error import AuditError

BEGINNING = bytes(32)
"""What stands for the hash before the first record."""

_KEY_ID = b"grid-gateway audit key id"


class Chain:
    """Computes hashes: SHA-256, or HMAC-SHA-256 (RFC 2104, FIPS 180-4) where there is a key.

    name: tells keys apart without giving them away; None without a key.
    """

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and not key:
            raise AuditError("the key of the audit log is empty")
        self._key = key
        self.name = None if key is None else hmac.digest(key, _KEY_ID, "sha256")[:4].hex()

    def link(self, previous: bytes, body: bytes) -> bytes:
        """Return the hash of a record: over the hash of the one before it and its own bytes."""
        if self._key is None:
            return hashlib.sha256(previous + body).digest()
        return hmac.digest(self._key, previous + body, "sha256")
