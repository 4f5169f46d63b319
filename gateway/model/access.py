"""Who may do what: roles, users, certificates, as the configuration's `access:` says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from gateway.model.errors import GatewayError
from gateway.model.fields import Duration, Settings
from gateway.model.subject import parse as parse_subject

ROLE_NAME = r"[a-z][a-z0-9_-]*"


class Permission(StrEnum):
    """What a role may allow.

    read:      see points.
    command:   operate switches and change setpoints.
    override:  block and release points, substitute values.
    test:      put points into test, and give commands as a test.
    audit:     read the audit log.
    configure: see and change the configuration.
    """

    READ = "read"
    COMMAND = "command"
    OVERRIDE = "override"
    TEST = "test"
    AUDIT = "audit"
    CONFIGURE = "configure"


BUILT_IN: dict[str, frozenset[Permission]] = {
    "viewer": frozenset({Permission.READ}),
    "operator": frozenset({Permission.READ, Permission.COMMAND, Permission.OVERRIDE}),
    "engineer": frozenset(
        {
            Permission.READ,
            Permission.COMMAND,
            Permission.OVERRIDE,
            Permission.TEST,
            Permission.AUDIT,
        }
    ),
    "admin": frozenset(Permission),
}
"""The roles that every gateway has; of all points, unless the configuration narrows them."""


class AccessRefused(GatewayError):  # noqa: N818 - the word of the field
    """Nobody of that name with that password, or locked out; the sentence is for the log only."""


class Role(Settings):
    """A role of the gateway's own, or one of the built-in ones narrowed to some points."""

    name: Annotated[str, Field(pattern=f"^{ROLE_NAME}$", max_length=64)]
    may: Annotated[
        frozenset[Permission] | None,
        Field(description="permissions; a built-in role keeps its own where this is left out"),
    ] = None
    points: Annotated[
        tuple[str, ...],
        Field(description="names of the points it may, with * and ?; a leading ! leaves out"),
    ] = ("*",)

    @model_validator(mode="after")
    def _defined(self) -> Self:
        if self.may is None and self.name not in BUILT_IN:
            raise ValueError(
                f"the role '{self.name}' needs `may`, a list of {', '.join(Permission)}; "
                f"only {', '.join(BUILT_IN)} have their own"
            )
        return self

    @property
    def permissions(self) -> frozenset[Permission]:
        """What it may: its own list, or that of the built-in role."""
        return BUILT_IN[self.name] if self.may is None else self.may


class CertificateRule(Settings):
    """Gives who shows a certificate a role; the first rule that fits counts.

    One of `subject`, `fingerprint` and `modbus_role`: the fingerprint is kept as 64 small digits,
    no colons; the role of Modbus/TCP Security is what its extension 1.3.6.1.4.1.50316.802.1 says.
    """

    subject: Annotated[
        str | None,
        Field(min_length=1, description="of the certificate, RFC 4514: CN=scada1,O=Utility"),
    ] = None
    fingerprint: Annotated[
        str | None,
        Field(
            pattern=r"^([0-9a-fA-F]{64}|([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2})$",
            description="SHA-256 of the certificate in 64 hexadecimal digits, colons allowed",
        ),
    ] = None
    modbus_role: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=125,
            description="role that the certificate's Modbus/TCP Security extension names",
        ),
    ] = None
    role: Annotated[str, Field(pattern=f"^{ROLE_NAME}$")]

    @field_validator("subject")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            parse_subject(value)
        return value

    @field_validator("fingerprint")
    @classmethod
    def _digits(cls, value: str | None) -> str | None:
        return None if value is None else value.replace(":", "").lower()

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in self._CHOICES if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"found {found} of {', '.join(self._CHOICES)}, allowed: one of them")
        return self

    _CHOICES: ClassVar = ("subject", "fingerprint", "modbus_role")


class Lockout(Settings):
    """When guessing passwords stops being possible."""

    attempts: Annotated[
        int, Field(ge=1, le=100, description="wrong passwords of one user in a row")
    ] = 5
    address_attempts: Annotated[
        int, Field(ge=1, le=10_000, description="wrong passwords from one address, of any users")
    ] = 20
    within: Annotated[Duration, Field(gt=0, description="in this time")] = 900.0
    lasts: Annotated[Duration, Field(gt=0, description="how long nobody gets in then")] = 900.0


class AccessSettings(Settings):
    """Users, roles and certificates."""

    users: Annotated[
        Path | None,
        Field(description="file of users with their password hashes, as `gateway user` writes it"),
    ] = None
    roles: tuple[Role, ...] = ()
    certificates: tuple[CertificateRule, ...] = ()
    lockout: Lockout = Lockout()
