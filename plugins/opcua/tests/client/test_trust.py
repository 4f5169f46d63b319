"""Whom the client believes, and who it says it is: certificates, thumbprints, users."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from gateway_opcua.certificate import load_certificate

from gateway import CommandStatus

SERVED = "name,field.at,command.model\np,x,setpoint\n"
POINTS = "name,plc.node,command.model\nq,nsu=urn:grid-gateway:test:points;s=p,setpoint\n"


def folder_of(linked: Any) -> Path:
    found: Path = next(linked.folder.rglob("own")).parent
    return found


def trust_client(served: Any, linked: Any) -> None:
    """Have the server trust the client, as its operator would."""
    certificate = (folder_of(linked) / "own/cert.der").read_bytes()
    (served.folder / "trusted/client.der").write_bytes(certificate)


async def down_with(linked: Any, words: str) -> str:
    gateway = linked.gateway
    await gateway.until(lambda: words in gateway.status("plc").error, 20, words)
    error: str = gateway.status("plc").error
    return error


async def value_is(linked: Any, value: float) -> None:
    gateway = linked.gateway
    await gateway.until(lambda: gateway.sample("q").value == value, 20, "the value arrives")


@pytest.mark.parametrize("mode", ["sign", "sign_and_encrypt"])
@pytest.mark.parametrize(
    "policy", ["basic256sha256", "aes128_sha256_rsaoaep", "aes256_sha256_rsapss"]
)
async def test_every_policy(serve: Any, link: Any, policy: str, mode: str) -> None:
    """Each policy in each mode reads, with the certificates of both sides moved to `trusted`."""
    fields = {"security": [policy], "modes": [mode]}
    async with serve(SERVED, **fields) as served:
        await served.field.emit(["p"], [4.5])
        fields = {"security": policy, "mode": mode, "up": False}
        async with link(served.url.rstrip("/"), POINTS, **fields) as linked:
            error = await down_with(linked, "is not trusted")
            folder = folder_of(linked) if list(linked.folder.rglob("own")) else None
            rejected = next(linked.folder.rglob("rejected/*.der"))
            trusted = rejected.parent.parent / "trusted"
            assert f"move {rejected} to {trusted}" in error
            rejected.rename(trusted / rejected.name)
            await down_with(linked, "does it trust the gateway's certificate")
            folder = folder_of(linked)
            assert str(folder / "own/cert.der") in linked.gateway.status("plc").error
            trust_client(served, linked)
            await value_is(linked, 4.5)
            own = load_certificate(folder / "own/cert.der")
            usage = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize("digest", [hashes.SHA1, hashes.SHA256])
async def test_a_pinned_certificate(serve: Any, link: Any, digest: Any) -> None:
    """Is trusted by its thumbprint alone; another one is refused, saying which it is."""
    async with serve(SERVED, security=["basic256sha256"], trust="any") as served:
        await served.field.emit(["p"], [4.5])
        certificate = load_certificate(served.folder / "own/cert.der")
        pinned = certificate.fingerprint(digest()).hex(":")
        fields = {"security": "basic256sha256", "up": False}
        url = served.url.rstrip("/")
        async with link(url, POINTS, thumbprint="ab" * 20, **fields) as linked:
            error = await down_with(linked, "thumbprint")
            assert certificate.fingerprint(hashes.SHA1()).hex() in error
            assert not list(linked.folder.rglob("rejected"))
        async with link(url, POINTS, thumbprint=pinned, **fields) as linked:
            await value_is(linked, 4.5)


async def test_a_certificate_that_changes_is_refused(serve: Any, link: Any) -> None:
    """A server that comes back with another certificate may be somebody else."""
    fields = {"security": "basic256sha256", "up": False}
    async with serve(SERVED, security=["basic256sha256"], trust="any") as served:
        await served.field.emit(["p"], [4.5])
        url, folder = served.url.rstrip("/"), served.folder
        async with link(url, POINTS, **fields) as linked:
            await down_with(linked, "is not trusted")
            rejected = next(linked.folder.rglob("rejected/*.der"))
            rejected.rename(rejected.parent.parent / "trusted" / rejected.name)
            await value_is(linked, 4.5)
    for path in (folder / "own").iterdir():
        path.unlink()
    port = url.rpartition(":")[2]
    more = {"listen": f"127.0.0.1:{port}", "security": ["basic256sha256"], "trust": "any"}
    async with serve(SERVED, **more), link(url, POINTS, **fields) as linked:
        await down_with(linked, "is not trusted")


def signed(key: Any, names: list[x509.GeneralName], issuer: Any = None) -> x509.Certificate:
    """Return a certificate of an application by a CA, or that of a CA."""
    now = datetime.now(UTC)
    ca = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(ca if issuer is None else own)
        .issuer_name(ca)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer or key, hashes.SHA256())


@pytest.mark.parametrize(
    ("uri", "host", "said"),
    [
        ("urn:grid-gateway:test", "127.0.0.1", ""),
        ("urn:grid-gateway:test", "10.9.9.9", "is for 10.9.9.9, not for 127.0.0.1"),
        ("urn:somebody:else", "127.0.0.1", "its certificate is for urn:somebody:else"),
    ],
)
async def test_a_ca_vouches_for_host_and_application(
    serve: Any, link: Any, tmp_path: Path, uri: str, host: str, said: str
) -> None:
    """What a CA in `trusted` signed is taken for the host that is called, and for no other."""
    import ipaddress

    ca_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(uri),
        x509.IPAddress(ipaddress.ip_address(host)),
    ]
    certificate = signed(key, names, ca_key)
    async with serve(SERVED, security=["basic256sha256"], trust="any") as served:
        folder = served.folder
    (folder / "own/cert.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (folder / "own/key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    fields = {"security": "basic256sha256", "up": False}
    async with serve(SERVED, security=["basic256sha256"], trust="any") as served:
        await served.field.emit(["p"], [4.5])
        async with link(served.url.rstrip("/"), POINTS, **fields) as linked:
            await down_with(linked, "is not trusted")
            trusted = next(linked.folder.rglob("trusted"))
            authority = signed(ca_key, []).public_bytes(serialization.Encoding.DER)
            (trusted / "ca.der").write_bytes(authority)
            if said:
                await down_with(linked, said)
            else:
                await value_is(linked, 4.5)


async def test_a_user_with_a_password(serve: Any, link: Any, access: Any) -> None:
    """Who may command does, who only looks is refused by the server, who is wrong stays out."""
    fields = {"security": ["basic256sha256"], "trust": "any"}
    async with serve(SERVED, access=access, **fields) as served:
        await served.field.emit(["p"], [4.5])
        url = served.url.rstrip("/")

        def as_user(name: str, password: str, **more: Any) -> Any:
            user = {"name": name, "password": password}
            fields = {"security": "basic256sha256", "trust": "any", "user": user, "up": False}
            return link(url, POINTS, **(fields | more))

        async with as_user("anna", "anna's own password") as linked:
            await value_is(linked, 4.5)
            assert await linked.sink.ask("q", 2.0)
            assert [one.client.user for one in served.field.commands] == ["anna"]
        async with as_user("victor", "victor's own password") as linked:
            await value_is(linked, 4.5)
            answer = await linked.sink.ask("q", 3.0)
            assert answer.status is CommandStatus.NOT_AUTHORISED
        async with as_user("anna", "wrong") as linked:
            error = await down_with(linked, "it refuses the user")
            assert "wrong" not in error
        async with link(url, POINTS, security="basic256sha256", trust="any", up=False) as linked:
            await down_with(linked, "takes no user by anonymous")


async def test_a_user_with_a_certificate(
    serve: Any, link: Any, access: Any, tmp_path: Path
) -> None:
    """Signs what the server asks; the server knows the user by its certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = signed(key, [], key)
    user = {"certificate": tmp_path / "user.pem", "key": tmp_path / "user.key"}
    user["certificate"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    user["key"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    fields = {"security": ["basic256sha256"], "trust": "any"}
    async with serve(SERVED, access=access, **fields) as served:
        await served.field.emit(["p"], [4.5])
        url = served.url.rstrip("/")
        more = {"security": "basic256sha256", "trust": "any", "up": False, "user": user}
        async with link(url, POINTS, **more) as linked:
            await down_with(linked, "it refuses the user")
            rejected = next(served.folder.rglob("users/rejected/*.der"))
            rejected.rename(served.folder / "users/trusted" / rejected.name)
            await value_is(linked, 4.5)


async def test_a_password_does_not_travel_in_clear(plant: Any, link: Any) -> None:
    """Without encryption of channel or token it is not sent, unless the configuration insists."""
    await plant.add("p", 1.5)
    points = "name,plc.node\nq,nsu=urn:test:plant;s=p\n"
    user = {"name": "anna", "password": "secret"}
    async with link(plant.url, points, user=user, up=False) as linked:
        await down_with(linked, "unencrypted")
    async with link(plant.url, points, user=user | {"clear_text": "allowed"}) as linked:
        await value_is(linked, 1.5)


async def test_an_endpoint_that_is_not_there(plant: Any, link: Any) -> None:
    """The error names what was asked for, and what the server has."""
    async with link(
        plant.url, "name,plc.node\nq,i=2258\n", security="basic256sha256", up=False
    ) as (linked):
        error = await down_with(linked, "no endpoint")
        assert "basic256sha256, sign_and_encrypt; it has none" in error
