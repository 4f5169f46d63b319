"""The words of the sink's fields."""

from __future__ import annotations

from enum import StrEnum


class Policy(StrEnum):
    """Security policies of OPC 10000-7 that are not deprecated, and none."""

    NONE = "none"
    BASIC256SHA256 = "basic256sha256"
    AES128_SHA256_RSAOAEP = "aes128_sha256_rsaoaep"
    AES256_SHA256_RSAPSS = "aes256_sha256_rsapss"


class Mode(StrEnum):
    """What a secure channel does with its messages."""

    SIGN = "sign"
    SIGN_AND_ENCRYPT = "sign_and_encrypt"


class Anonymous(StrEnum):
    """Whether a client may come without a user."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class Trust(StrEnum):
    """Whose certificates are accepted."""

    LISTED = "listed"
    ANY = "any"
