"""Users of the server: names and passwords, or their hashes, from the configuration."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from gateway import Secret, Settings

_COST, _BLOCK, _PARALLEL, _LENGTH = 2**14, 8, 1, 32


class User(Settings):
    """A person or system that may read; who may command comes with commands."""

    name: Annotated[str, Field(min_length=1, max_length=64, description="the user's name")]
    password: Annotated[
        Secret | None, Field(description="the password, from the environment or a file")
    ] = None
    password_hash: Annotated[
        str | None,
        Field(description="its hash instead: scrypt$cost$block$parallel$salt$key in base64"),
    ] = None

    @field_validator("password_hash")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            _parse(value)
        return value

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.password is None) == (self.password_hash is None):
            raise ValueError(f"user {self.name} needs password or password_hash, one of the two")
        return self

    def accepts(self, password: str) -> bool:
        """Return whether this is the user's password; takes the same time for any wrong one."""
        if self.password_hash is None:
            assert self.password is not None  # noqa: S101 - the validator saw to it
            expected = self.password.get_secret_value().encode()
            return hmac.compare_digest(expected, password.encode())
        cost, block, parallel, salt, key = _parse(self.password_hash)
        return hmac.compare_digest(key, _scrypt(password, salt, cost, block, parallel, len(key)))


def password_hash(password: str) -> str:
    """Return what stands in `password_hash` for this password."""
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL, _LENGTH)
    texts = (base64.b64encode(part).decode() for part in (salt, key))
    return "$".join(["scrypt", str(_COST), str(_BLOCK), str(_PARALLEL), *texts])


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int, length: int) -> bytes:
    memory = 256 * cost * block
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=block, p=parallel, dklen=length, maxmem=memory
    )


def _parse(text: str) -> tuple[int, int, int, bytes, bytes]:
    try:
        word, cost, block, parallel, salt, key = text.split("$")
        if word != "scrypt" or not 2 <= int(cost) <= 2**17 or len(key) < 16:
            raise ValueError
        numbers = int(cost), int(block), int(parallel)
        return *numbers, base64.b64decode(salt), base64.b64decode(key)
    except (ValueError, binascii.Error):
        raise ValueError(
            "a password hash is scrypt$cost$block$parallel$salt$key, "
            "as gateway_opcua.user.password_hash makes it"
        ) from None
