"""Who may connect: policies, certificates, users."""

# mypy: disable-error-code="attr-defined,arg-type,type-abstract"

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from gateway_opcua import OpcUaServer
from gateway_opcua.certificate import load_certificate, self_signed
from pydantic import ValidationError

URI = "urn:test:client"
POLICIES = {
    "basic256sha256": security_policies.SecurityPolicyBasic256Sha256,
    "aes128_sha256_rsaoaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "aes256_sha256_rsapss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
MODES = {
    "sign": ua.MessageSecurityMode.Sign,
    "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
}
POINTS = "name,field.at\np,x\n"


@pytest.fixture
async def own(tmp_path: Path) -> Path:
    """The folder of a client's key and certificate, made by asyncua."""
    folder = tmp_path / "client"
    folder.mkdir()
    await setup_self_signed_certificate(
        folder / "key.pem",
        folder / "cert.der",
        URI,
        "localhost",
        [ExtendedKeyUsageOID.CLIENT_AUTH],
        {},
    )
    return folder


async def client(
    url: str, own: Path, policy: str = "basic256sha256", mode: str = "sign_and_encrypt"
) -> Client:
    made = Client(url, timeout=20)
    made.application_uri = URI
    await made.set_security(POLICIES[policy], own / "cert.der", own / "key.pem", mode=MODES[mode])
    return made


def trust(served: Any, own: Path) -> None:
    shutil.copy(own / "cert.der", served.folder / "trusted" / "client.der")


async def test_every_policy_reads_with_a_trusted_certificate(serve: Any, own: Path) -> None:
    """Each secure policy in each mode opens a channel, and the value comes through it."""
    fields = {"security": list(POLICIES), "modes": list(MODES)}
    async with serve(POINTS, **fields) as served:
        trust(served, own)
        await served.field.emit(["p"], [4.5])
        for policy in POLICIES:
            for mode in MODES:
                async with await client(served.url, own, policy, mode) as session:
                    assert await session.get_node("ns=2;s=p").read_value() == 4.5


async def test_an_unknown_certificate_is_refused_and_can_be_moved(
    serve: Any, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It lands in `rejected`, once, with one line in the log; moved to `trusted` it is let in."""
    async with serve(POINTS, security=["basic256sha256"]) as served:
        for _ in range(2):
            with pytest.raises((ua.UaError, OSError, TimeoutError)):
                await (await client(served.url, own)).connect()
        (rejected,) = (served.folder / "rejected").iterdir()
        assert load_certificate(rejected) == load_certificate(own / "cert.der")
        lines = [one.message for one in caplog.records if "refused the certificate" in one.message]
        assert len(lines) == 1
        rejected.rename(served.folder / "trusted" / rejected.name)
        async with await client(served.url, own) as session:
            assert await session.get_node("ns=2;s=p").read_browse_name()


async def test_without_a_none_policy_an_open_channel_only_discovers(serve: Any) -> None:
    """Endpoints can be asked for, sessions cannot be made."""
    async with serve(POINTS, security=["basic256sha256"]) as served:
        endpoints = await Client(served.url).connect_and_get_server_endpoints()
        assert {
            (e.SecurityPolicyUri.rpartition("#")[2], e.SecurityMode.name) for e in endpoints
        } == {("Basic256Sha256", "SignAndEncrypt")}
        open_client = Client(served.url, timeout=20)
        await open_client.connect_socket()
        await open_client.send_hello()
        await open_client.open_secure_channel()
        with pytest.raises(ua.uaerrors.BadSecurityPolicyRejected):
            await open_client.create_session()
        open_client.disconnect_socket()


async def test_a_ca_vouches_for_clients_until_it_revokes_them(serve: Any, tmp_path: Path) -> None:
    """A certificate signed by a CA in `trusted` is accepted, unless its number is in the CRL."""
    ca_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
    now = datetime.now(UTC)

    def built(subject: x509.Name, key: rsa.RSAPrivateKey, ca: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if not ca:
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(URI)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    own = tmp_path / "vouched"
    own.mkdir()
    await setup_self_signed_certificate(
        own / "key.pem", own / "cert.der", URI, "h", [ExtendedKeyUsageOID.CLIENT_AUTH], {}
    )
    key = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vouched")])
    private = load_pem_private_key((own / "key.pem").read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    leaf = built(key, private, ca=False)
    (own / "cert.der").write_bytes(leaf.public_bytes(Encoding.DER))
    async with serve(POINTS, security=["basic256sha256"]) as served:
        ca = built(name, ca_key, ca=True)
        (served.folder / "trusted" / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
        async with await client(served.url, own) as session:
            assert await session.get_node("ns=2;s=p").read_browse_name()
        revoked = x509.RevokedCertificateBuilder(leaf.serial_number, now).build()
        crl = x509.CertificateRevocationListBuilder(
            name, now, now + timedelta(days=1), [], [revoked]
        ).sign(ca_key, hashes.SHA256())
        (served.folder / "crl" / "ca.crl").write_bytes(crl.public_bytes(Encoding.DER))
        with pytest.raises((ua.UaError, OSError, TimeoutError)):
            await (await client(served.url, own)).connect()


async def test_the_servers_certificate_is_its_own(serve: Any, caplog: Any) -> None:
    """It names the application and the host, is kept over a restart, and its key is private."""
    async with serve(POINTS, security=["basic256sha256"], hostnames=["scada.example"]) as served:
        path = served.folder / "own" / "cert.der"
        first = load_certificate(path)
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
            "urn:grid-gateway:test"
        ]
        assert {"localhost", "scada.example"} <= set(names.get_values_for_type(x509.DNSName))
        usage = first.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert ExtendedKeyUsageOID.SERVER_AUTH in usage
        assert (served.folder / "own" / "key.pem").stat().st_mode & 0o777 == 0o600
    async with serve(POINTS, security=["basic256sha256"]) as served:
        assert load_certificate(path) == first


async def test_a_certificate_that_ends_is_renewed(serve: Any, caplog: Any) -> None:
    """With less than 30 days left there is a new one of the same key, and a warning."""
    async with serve(POINTS, security=["basic256sha256"]) as served:
        own = served.folder / "own"
    key = load_pem_private_key((own / "key.pem").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    old = self_signed(key, "urn:grid-gateway:test", ["h"], lifetime=timedelta(days=29))
    (own / "cert.der").write_bytes(old.public_bytes(Encoding.DER))
    async with serve(POINTS, security=["basic256sha256"]) as served:
        new = load_certificate(own / "cert.der")
        assert new.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1000)
        assert new.public_key() == old.public_key()
    assert any("renewing the server certificate" in one.message for one in caplog.records)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"anonymous": "refused", "security": ["none"]}, "nobody could connect"),
        ({"users": [{"name": "a", "password": "x"}]}, "Extra inputs"),
        ({"max_commands": 0}, "greater than 0"),
        ({"security": ["basic128rsa15"]}, "basic256sha256"),
        ({"security": []}, "at least 1"),
    ],
)
def test_a_configuration_that_would_be_unsafe_is_refused(
    fields: dict[str, Any], sentence: str
) -> None:
    """Said before anything connects, with what is allowed."""
    with pytest.raises(ValidationError, match=sentence):
        OpcUaServer.model_validate({"name": "ua", **fields})


async def test_a_session_cannot_be_taken_over_by_counting(serve: Any) -> None:
    """Authentication tokens are 32 random bytes (OPC 10000-4, 7.36), not the next number."""
    async with serve(POINTS) as served:
        tokens = []
        for _ in range(2):
            made = Client(served.url, timeout=20)
            await made.connect_socket()
            await made.send_hello()
            await made.open_secure_channel()
            result = await made.create_session()
            tokens.append(result.AuthenticationToken.Identifier)
            made.disconnect_socket()
        assert {type(token) for token in tokens} == {bytes}
        assert len({*tokens}) == 2
        assert {len(token) for token in tokens} == {32}
