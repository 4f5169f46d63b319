"""Who gets in: passwords and certificates."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.testing import AccessSettings

T = ua.VariantType
POINTS = """\
name,kind,field.at,command.model,command.select
bay1.breaker,status,a,latch,
bay1.voltage,analog,b,,
bay2.breaker,status,c,latch,
bay2.isolator,status,d,latch,local
"""
SECURE = {"points": POINTS, "security": ["none", "basic256sha256"], "trust": "any"}
URI = "urn:test:client"


async def test_users_log_in_with_their_password(
    log_in: Any, serve: Any, access: AccessSettings
) -> None:
    """Who proves a name is that user; anybody else, and nobody, hears the same refusal."""
    async with serve(**SECURE, access=access) as served:
        for name in ("anna", "eva", "victor", "bernd"):
            async with log_in(served.url, name) as client:
                assert await client.get_node("ns=2;s=bay1.voltage").read_browse_name()
        for name, secret in [("anna", "wrong"), ("anna", ""), ("nobody", "anna's own password")]:
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                async with log_in(served.url, name, secret):
                    pass
        with pytest.raises(ua.uaerrors.BadIdentityTokenRejected):
            async with log_in(served.url, None):
                pass
        assert served.gateway.counters("ua")["logins_refused"] == 4


async def test_guessing_locks_out(log_in: Any, serve: Any, access: AccessSettings) -> None:
    """After five wrong passwords the right one does not help either; others still get in."""
    async with serve(**SECURE, access=access) as served:
        for _ in range(5):
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                async with log_in(served.url, "anna", "wrong"):
                    pass
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            async with log_in(served.url, "anna"):
                pass
        async with log_in(served.url, "victor") as client:
            assert await client.get_node("ns=2;s=bay1.voltage").read_browse_name()


async def test_endpoints_say_how_to_log_in(serve: Any, access: AccessSettings) -> None:
    """A token is offered where it is taken: no password in clear, nobody nameless with users."""
    names = {
        ua.UserTokenType.Anonymous: "anonymous",
        ua.UserTokenType.UserName: "password",
        ua.UserTokenType.Certificate: "certificate",
    }

    async def offered(**fields: Any) -> set[str]:
        async with serve(POINTS, **fields) as served:
            endpoints = await Client(served.url).connect_and_get_server_endpoints()
            return {names[one.TokenType] for e in endpoints for one in e.UserIdentityTokens}

    secure = ["basic256sha256"]
    assert await offered(access=access, security=secure) == {"password", "certificate"}
    assert await offered(security=secure) == {"anonymous", "certificate"}
    assert await offered(access=access, security=secure, anonymous="allowed") == {
        "anonymous",
        "password",
        "certificate",
    }
    assert await offered(access=access, anonymous="allowed") == {"anonymous"}
    clear = {"security": ["none", "basic256sha256"], "modes": ["sign"], "anonymous": "allowed"}
    assert await offered(access=access, **clear) == {"anonymous", "certificate"}


@pytest.fixture
async def person(tmp_path: Path) -> Path:
    """The folder of a user's key and certificate, made by asyncua."""
    return await _certificate(tmp_path / "person")


async def _certificate(folder: Path) -> Path:
    folder.mkdir()
    await setup_self_signed_certificate(
        folder / "key.pem",
        folder / "cert.der",
        URI,
        "localhost",
        [ExtendedKeyUsageOID.CLIENT_AUTH],
        {"commonName": folder.name, "organizationName": "Utility"},
    )
    return folder


def fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / "cert.der").read_bytes()).hexdigest()


def ruled(access: AccessSettings, folder: Path, role: str) -> AccessSettings:
    rule = {"fingerprint": fingerprint(folder), "role": role}
    return AccessSettings.model_validate(
        access.model_dump(exclude_unset=True) | {"certificates": [rule]}
    )


def told(served: Any) -> list[tuple[str, str]]:
    return [(one.client.user, one.client.role) for one in served.field.commands]


@pytest.mark.parametrize("policy", ["none", "basic256sha256", "aes256_sha256_rsapss"])
async def test_a_users_certificate_logs_in(
    written: Any, serve: Any, access: AccessSettings, person: Path, policy: str
) -> None:
    """Once it is moved to `users/trusted`, with the role of its rule; its name is its subject."""
    fields = SECURE | {"security": ["none", "basic256sha256", "aes256_sha256_rsapss"]}
    async with serve(**fields, access=ruled(access, person, "operator")) as served:

        async def session() -> Client:
            client = Client(served.url, timeout=20)
            if policy != "none":
                client.application_uri = URI
                await client.set_security(
                    {
                        "basic256sha256": security_policies.SecurityPolicyBasic256Sha256,
                        "aes256_sha256_rsapss": security_policies.SecurityPolicyAes256Sha256RsaPss,
                    }[policy],
                    person / "cert.der",
                    person / "key.pem",
                )
            await client.load_client_certificate(str(person / "cert.der"))
            await client.load_private_key(str(person / "key.pem"))
            return client

        with pytest.raises(ua.uaerrors.BadIdentityTokenRejected):
            await (await session()).connect()
        (rejected,) = (served.folder / "users" / "rejected").iterdir()
        rejected.rename(served.folder / "users" / "trusted" / rejected.name)
        async with await session() as client:
            assert await written(client, "bay1.breaker", True, T.Boolean) == "Good"
        ((user, role),) = told(served)
        assert (role, "CN=person" in user) == ("operator", True)
        other = await _certificate(person.parent / "other")
        stolen = await session()
        await stolen.load_private_key(str(other / "key.pem"))
        with pytest.raises(ua.uaerrors.BadUserSignatureInvalid):
            await stolen.connect()


@pytest.mark.parametrize(("trust", "role"), [("listed", "operator"), ("any", "")])
async def test_an_applications_certificate_has_a_role_where_it_proves_one(
    written: Any, serve: Any, access: AccessSettings, person: Path, trust: str, role: str
) -> None:
    """A listed application is who its rule says; where any is trusted the rule says nothing."""
    fields = SECURE | {"trust": trust, "anonymous": "allowed"}
    async with serve(**fields, access=ruled(access, person, "operator")) as served:
        shutil.copy(person / "cert.der", served.folder / "trusted" / "client.der")
        client = Client(served.url, timeout=20)
        client.application_uri = URI
        await client.set_security(
            security_policies.SecurityPolicyBasic256Sha256,
            person / "cert.der",
            person / "key.pem",
        )
        async with client:
            found = await written(client, "bay1.breaker", True, T.Boolean)
            assert found == ("Good" if role else "BadUserAccessDenied")
        assert [one[1] for one in told(served)] == [role] * bool(role)
