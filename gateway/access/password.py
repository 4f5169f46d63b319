"""Passwords as Argon2id hashes (RFC 9106), in PHC string format."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

MEMORY = 33 * 1024
"""KiB that a hash takes while it is made. The 64 MiB of RFC 9106's second recommended option are
two thirds of what the whole gateway may take. Less than 32 MiB would not be less: glibc's malloc
keeps blocks up to that size for itself for good (measured: 19 MiB of them), and gives back larger
ones at once."""
PASSES = 3
LANES = 1

MOST_MEMORY = 64 * 1024
LEAST_MEMORY = 7 * 1024
MOST_PASSES = 16
MOST_LANES = 8

LEAST_CHARACTERS = 10
LEAST_DIFFERENT = 5
MOST_BYTES = 1024

_HASH = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=(\d{1,3})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)


def hash_password(password: str) -> str:
    """Return the hash of a password, with a salt of its own; takes some 80 ms and `MEMORY`."""
    # Imported late: gateways without users do not pay for it.
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES)
    return hasher.hash(_prepared(password))


def verified(hashed: str, password: str) -> bool:
    """Return whether a password is the one that was hashed.

    Takes the time and the memory that the hash says; releases the GIL.
    """
    from argon2.exceptions import Argon2Error, InvalidHashError
    from argon2.low_level import Type, verify_secret

    try:
        return verify_secret(hashed.encode(), _prepared(password), Type.ID)
    except (Argon2Error, InvalidHashError):
        return False


def hash_flaw(text: str) -> str:
    """Return why a text is no hash that this gateway takes, or nothing; never shows the text."""
    match = _HASH.fullmatch(text)
    if match is None or not (_base64(match[4]) and _base64(match[5])):
        return (
            "found no Argon2id hash, allowed: $argon2id$v=19$m=…,t=…,p=…$salt$hash in quotes, "
            "as `gateway user passwd` writes it"
        )
    memory, passes, lanes = (int(match[i]) for i in (1, 2, 3))
    if not LEAST_MEMORY <= memory <= MOST_MEMORY:
        return f"found a hash with m={memory}, allowed: {LEAST_MEMORY} to {MOST_MEMORY} KiB"
    if not 1 <= passes <= MOST_PASSES:
        return f"found a hash with t={passes}, allowed: 1 to {MOST_PASSES} passes"
    if not 1 <= lanes <= MOST_LANES:
        return f"found a hash with p={lanes}, allowed: 1 to {MOST_LANES} lanes"
    return ""


def outdated(hashed: str) -> bool:
    """Return whether a hash was made with less work than `hash_password` puts in today."""
    match = _HASH.fullmatch(hashed)
    return match is None or int(match[1]) * int(match[2]) < MEMORY * PASSES


def password_flaw(password: str, user: str) -> str:
    """Return why a new password is too weak or cannot be taken, or nothing."""
    if len(password) < LEAST_CHARACTERS:
        return f"the password has {len(password)} characters, allowed: {LEAST_CHARACTERS} or more"
    if len(_prepared(password)) > MOST_BYTES:
        return f"the password is too long, allowed: {MOST_BYTES} bytes"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        return "the password has control characters, allowed: text"
    if user.casefold() in password.casefold() and len(password) < len(user) + LEAST_CHARACTERS:
        return "the password is little more than the user's name"
    if len(set(password.casefold())) < LEAST_DIFFERENT:
        return f"the password repeats itself, allowed: {LEAST_DIFFERENT} different characters"
    return ""


def _prepared(password: str) -> bytes:
    """Return the bytes that are hashed, the same from every keyboard (RFC 8265, OpaqueString)."""
    spaced = "".join(" " if unicodedata.category(one) == "Zs" else one for one in password)
    return unicodedata.normalize("NFC", spaced).encode(errors="surrogatepass")


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False
    return True
