"""Who is let in, judged with OpenSSL's own client and server as the other side."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from tls_partner import (
    Heard,
    client_settings,
    context_of,
    echoing,
    s_client,
    s_server,
    server_settings,
    talk,
    until,
)

from gateway import reason
from gateway.model.tls import CIPHERS
from gateway.testing.authority import Authority

LOOSE = "DEFAULT@SECLEVEL=0"


def shown(folder: Path, name: str) -> list[str]:
    return ["-cert", str(folder / f"{name}.pem"), "-key", str(folder / f"{name}.key")]


# A server of ours ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "suite"),
    [
        ([], "TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"),
        (["-ciphersuites", "TLS_AES_128_GCM_SHA256"], "TLS_AES_128_GCM_SHA256"),
        *(
            (["-tls1_2", "-cipher", cipher], f"TLSv1.2, Cipher is {cipher}")
            for cipher in CIPHERS
            if cipher.startswith("ECDHE")
        ),
    ],
)
async def test_a_server_speaks_what_the_standard_wants(
    tmp_path: Path, authority: Authority, options: list[str], suite: str
) -> None:
    """OpenSSL's client negotiates each suite, and verifies the server with full names."""
    key_size = 2048 if any("RSA" in option for option in options) else None
    authority.issue("server", "127.0.0.1", key_size=key_size)
    trust = ["-CAfile", str(authority.file), "-verify_return_error", "-verify_ip", "127.0.0.1"]
    async with echoing(context_of(server_settings(tmp_path))) as port:
        printed = await s_client(port, *options, *trust, *shown(tmp_path, "client"))
    assert suite in printed
    assert "Verify return code: 0 (ok)" in printed
    assert "\nhello\n" in printed


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["-tls1_1", "-cipher", LOOSE], "the two sides have no TLS version in common"),
        (["-tls1", "-cipher", LOOSE], "the two sides have no TLS version in common"),
        *(
            (["-tls1_2", "-cipher", cipher], "the two sides have no cipher in common")
            for cipher in (
                "AES128-GCM-SHA256",
                "AES256-SHA256",
                "ECDHE-RSA-AES128-SHA256",
                "ECDHE-RSA-AES256-SHA384",
                "ECDHE-RSA-CHACHA20-POLY1305",
                "NULL-SHA256:@SECLEVEL=0",
                "ADH-AES128-GCM-SHA256:@SECLEVEL=0",
            )
        ),
    ],
)
async def test_a_server_refuses_what_is_weak(
    tmp_path: Path, authority: Authority, options: list[str], why: str
) -> None:
    """Old versions, CBC, the RSA key exchange and worse are refused, and the log says why."""
    authority.issue("server", "127.0.0.1", key_size=2048)
    heard = Heard()
    async with echoing(context_of(server_settings(tmp_path), heard)) as port:
        printed = await s_client(port, *options, *shown(tmp_path, "client"))
        await until(lambda: heard.lines)
    assert "\nhello\n" not in printed
    assert "Cipher is (NONE)" in printed
    assert heard.counted == ["tls_refused"]
    assert heard.lines == [f"TLS: {why}"]


async def test_a_server_may_want_the_newest_version_only(
    tmp_path: Path, authority: Authority
) -> None:
    """With min_version 1.3 a client of 1.2 is refused."""
    heard = Heard()
    context = context_of(server_settings(tmp_path, min_version="1.3"), heard)
    async with echoing(context) as port:
        old = await s_client(port, "-tls1_2", *shown(tmp_path, "client"))
        new = await s_client(port, *shown(tmp_path, "client"))
    assert "\nhello\n" not in old
    assert "\nhello\n" in new
    assert heard.lines == ["TLS: the two sides have no TLS version in common"]


async def test_an_old_device_may_be_given_its_cipher(tmp_path: Path, authority: Authority) -> None:
    """`ciphers` takes the place of the list, for TLS 1.2."""
    authority.issue("server", "127.0.0.1", key_size=2048)
    context = context_of(server_settings(tmp_path, ciphers="AES128-SHA256"))
    async with echoing(context) as port:
        printed = await s_client(
            port, "-tls1_2", "-cipher", "AES128-SHA256", *shown(tmp_path, "client")
        )
    assert "TLSv1.2, Cipher is AES128-SHA256" in printed
    assert "\nhello\n" in printed


GOOD = "the other side's certificate is not good: "


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        (None, "the other side showed no certificate"),
        ("stranger", GOOD + "unable to get local issuer certificate"),
        ("selfmade", GOOD + "self-signed certificate"),
        ("expired", GOOD + "certificate has expired"),
        ("future", GOOD + "certificate is not yet valid"),
        ("revoked", GOOD + "certificate revoked"),
        ("small", GOOD + "EE certificate key too weak"),
    ],
)
async def test_a_server_lets_in_only_who_proves_it(
    tmp_path: Path, authority: Authority, version: str, name: str | None, why: str
) -> None:
    """Mutual authentication (IEC 62351-3): each wrong certificate is refused for its own reason."""
    authority.issue("expired", days=-1)
    authority.issue("future", since=2)
    authority.issue("small", key_size=1024)
    Authority(tmp_path, "others").issue("stranger")
    made = Authority(tmp_path, "selfmade")
    (tmp_path / "selfmade.key").write_bytes(pem_of(made))
    crl = authority.revoke(authority.issue("revoked"))
    heard = Heard()
    async with echoing(context_of(server_settings(tmp_path, crl=crl), heard)) as port:
        options = [] if name is None else shown(tmp_path, name)
        printed = await s_client(port, version, "-cipher", LOOSE, *options)
        await until(lambda: heard.lines)
        allowed = await s_client(port, version, *shown(tmp_path, "client"))
    assert "\nhello\n" not in printed
    assert "\nhello\n" in allowed
    assert heard.lines == [f"TLS: {why}"]


def pem_of(authority: Authority) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return authority.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


async def test_clients_need_no_certificate_where_none_is_asked_for(
    tmp_path: Path, authority: Authority
) -> None:
    """Without `ca` a listener encrypts, and asks nobody who it is."""
    async with echoing(context_of(server_settings(tmp_path, ca=None))) as port:
        assert "\nhello\n" in await s_client(port)


async def test_clients_do_not_renegotiate(tmp_path: Path, authority: Authority) -> None:
    """A renegotiation, which `R` asks OpenSSL's client for, does not happen."""
    async with echoing(context_of(server_settings(tmp_path))) as port:
        printed = await s_client(port, "-tls1_2", *shown(tmp_path, "client"), send=b"R\nhello\n")
    assert "RENEGOTIATING" in printed
    assert "no renegotiation" in printed


# A client of ours ------------------------------------------------------------------------------


def asks(folder: Path) -> list[str]:
    """Have OpenSSL's server want a certificate of our authority."""
    return ["-CAfile", str(folder / "ca.pem"), "-Verify", "2", "-verify_return_error"]


@pytest.mark.parametrize(
    ("options", "suite"),
    [
        (["-tls1_3"], "TLS_AES_256_GCM_SHA384"),
        *((["-tls1_2", "-cipher", cipher], cipher) for cipher in CIPHERS),
    ],
)
async def test_a_client_speaks_what_the_standard_wants(
    tmp_path: Path, authority: Authority, options: list[str], suite: str
) -> None:
    """Each suite is negotiated with OpenSSL's server, with certificates on both sides."""
    key_size = 2048 if "RSA" in suite else None
    authority.issue("server", "127.0.0.1", key_size=key_size)
    async with s_server(*options, *shown(tmp_path, "server"), *asks(tmp_path)) as port:
        session = await talk(port, context_of(client_settings(tmp_path)))
    cipher = session.cipher()
    assert cipher is not None
    assert cipher[0] == suite


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["-tls1_1", "-cipher", LOOSE], "the two sides have no TLS version in common"),
        (["-tls1_2", "-cipher", "AES128-SHA256"], "no cipher in common, or it wants a certificate"),
        (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"], "no cipher in common, or it wants"),
    ],
)
async def test_a_client_refuses_what_is_weak(
    tmp_path: Path, authority: Authority, options: list[str], why: str
) -> None:
    """A device that speaks only old versions or ciphers is not spoken with."""
    authority.issue("server", "127.0.0.1", key_size=2048)
    async with s_server(*options, *shown(tmp_path, "server")) as port:
        assert why in await refusal(port, context_of(client_settings(tmp_path)))


async def refusal(port: int, context: ssl.SSLContext) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the sentence is what is asserted
        await talk(port, context)
    return reason(caught.value)


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("stranger", {}, "unable to get local issuer certificate"),
        ("elsewhere", {}, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("server", {"server_name": "other.example"}, "Hostname mismatch, certificate is not valid"),
        ("expired", {}, "certificate has expired"),
        ("revoked", {"crl": "crl.pem"}, "certificate revoked"),
        ("server", {"crl": "overdue.pem"}, "CRL has expired"),
        ("server", {"crl": "foreign.pem"}, "unable to get certificate CRL"),
    ],
)
async def test_a_client_trusts_only_who_proves_it(
    tmp_path: Path, authority: Authority, name: str, settings: dict[str, Any], why: str
) -> None:
    """Each wrong certificate is refused, with a sentence of what is wrong."""
    others = Authority(tmp_path, "others")
    others.issue("stranger", "127.0.0.1")
    others.revoke(name="foreign")
    authority.issue("elsewhere", "192.0.2.1")
    authority.issue("expired", "127.0.0.1", days=-1)
    authority.revoke(days=-1, name="overdue")
    authority.revoke(authority.issue("revoked", "127.0.0.1"))
    if "crl" in settings:
        settings = {"crl": tmp_path / settings["crl"]}
    async with s_server(*shown(tmp_path, name)) as port:
        said = await refusal(port, context_of(client_settings(tmp_path, **settings)))
    assert said.startswith(GOOD + why)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("server", {}),
        ("server", {"server_name": "device.example"}),
        ("elsewhere", {"verify": "chain"}),
        ("stranger", {"verify": "none"}),
        ("server", {"crl": "crl.pem"}),
    ],
)
async def test_a_client_trusts_who_the_settings_say(
    tmp_path: Path, authority: Authority, name: str, settings: dict[str, Any]
) -> None:
    """A name of its own, any name, or anybody: as `verify` and `server_name` have it."""
    Authority(tmp_path, "others").issue("stranger", "127.0.0.1")
    authority.issue("elsewhere", "192.0.2.1")
    authority.revoke(authority.issue("revoked"))
    if "crl" in settings:
        settings = {"crl": tmp_path / settings["crl"]}
    async with s_server(*shown(tmp_path, name)) as port:
        await talk(port, context_of(client_settings(tmp_path, **settings)))


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_client_hears_that_it_must_show_a_certificate(
    tmp_path: Path, authority: Authority, version: str
) -> None:
    """With TLS 1.3 that comes behind the handshake, where libraries drop it: the log has it."""
    heard = Heard()
    context = context_of(client_settings(tmp_path, None), heard)
    async with s_server(version, *shown(tmp_path, "server"), *asks(tmp_path)) as port:
        said = await refusal(port, context)
    assert "wants a certificate" in said
    assert heard.lines == ["TLS: the other side wants a certificate"][: version == "-tls1_3"]


async def test_a_server_without_tls_is_told_apart(tmp_path: Path, authority: Authority) -> None:
    """Whatever answers in plain text is not taken for a broken TLS."""

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 welcome to the mail of this place\r\n")

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        said = await refusal(port, context_of(client_settings(tmp_path)))
    assert said == "the other side does not speak TLS"


async def test_chains_with_an_authority_between(tmp_path: Path, authority: Authority) -> None:
    """A chain in the certificate's file reaches the root; its lists count for the whole chain."""
    between = Authority(tmp_path, "between", by=authority)
    between.issue("server", "127.0.0.1", chain=[between])
    lists = tmp_path / "crls"
    lists.mkdir()
    between.revoke(name="crls/between")
    authority.revoke(name="crls/root")
    both = tmp_path / "cas"
    both.mkdir()
    for one in (authority, between):
        (both / one.file.name).write_bytes(one.file.read_bytes())
    async with s_server(*shown(tmp_path, "server"), "-cert_chain", str(between.file)) as port:
        await talk(port, context_of(client_settings(tmp_path)))
        settings = client_settings(tmp_path, ca=both, crl=lists)
        await talk(port, context_of(settings))
        authority.revoke(between.certificate, name="crls/root")
        said = await refusal(port, context_of(settings))
    assert said == GOOD + "certificate revoked"


async def test_one_authority_may_be_trusted_without_its_root(
    tmp_path: Path, authority: Authority
) -> None:
    """Trust may be narrowed to one authority between; the root's own certificates are refused."""
    between = Authority(tmp_path, "between", by=authority)
    between.issue("device", "127.0.0.1", chain=[between])
    crl = between.revoke(between.issue("revoked", "127.0.0.1", chain=[between]))
    context = context_of(client_settings(tmp_path, ca=between.file, crl=crl))
    async with s_server(*shown(tmp_path, "device")) as port:
        await talk(port, context)
    async with s_server(*shown(tmp_path, "revoked")) as port:
        assert await refusal(port, context) == GOOD + "certificate revoked"
    async with s_server(*shown(tmp_path, "server")) as port:
        assert "unable to get local issuer" in await refusal(port, context)
