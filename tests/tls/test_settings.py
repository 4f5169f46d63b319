"""The settings: what is refused before anything is read, and what of the files is."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tls_partner import client_settings, context_of, server_settings

from gateway import LinkError, TlsClient, TlsServer, Verify
from gateway.testing.authority import Authority
from gateway.tls import files


@pytest.mark.parametrize(
    ("model", "fields", "words"),
    [
        (TlsClient, {"certificate": "a.pem"}, "a certificate needs its key"),
        (TlsClient, {"key": "a.pem"}, "a key needs its certificate"),
        (TlsClient, {"password": "x"}, "a password needs the key that it opens"),
        (TlsClient, {"verify": "some"}, "'full', 'chain' or 'none'"),
        (TlsClient, {"verify": "none", "crl": "a.pem"}, "a crl needs verify: full or chain"),
        (TlsClient, {"min_version": "1.1"}, "'1.2' or '1.3'"),
        (TlsClient, {"min_version": 1.1}, "'1.2' or '1.3'"),
        (TlsClient, {"ciphers": "BEST"}, "'BEST' names no cipher of OpenSSL"),
        (TlsClient, {"ciphers": "AES128-SHA:@SECLEVEL=0:aNULL"}, "ADH-AES128-SHA"),
        (TlsClient, {"ciphers": "eNULL:@SECLEVEL=0"}, "NULL-SHA256"),
        (TlsClient, {"session_limit": "0s"}, "greater than or equal to 1"),
        (TlsClient, {"cipher": "x"}, "Extra inputs are not permitted"),
        (TlsServer, {}, "certificate"),
        (TlsServer, {"certificate": "a", "key": "b", "crl": "c"}, "a crl needs the ca"),
        (TlsServer, {"certificate": "a", "key": "b", "verify": "none"}, "Extra inputs"),
    ],
)
def test_a_wrong_field_is_refused_with_what_is_allowed(
    model: type[TlsClient | TlsServer], fields: dict[str, Any], words: str
) -> None:
    """Validation names what may stand there, and reads no file."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("verify", "mode", "host"),
    [
        (Verify.FULL, ssl.CERT_REQUIRED, True),
        (Verify.CHAIN, ssl.CERT_REQUIRED, False),
        (Verify.NONE, ssl.CERT_NONE, False),
    ],
)
def test_what_is_verified(verify: Verify, mode: ssl.VerifyMode, host: bool) -> None:
    """The words become what the ssl module does; without `ca` the system's authorities count."""
    context = context_of(TlsClient(verify=verify))
    assert (context.verify_mode, context.check_hostname) == (mode, host)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    system = ssl.create_default_context()
    assert context.cert_store_stats() == system.cert_store_stats()


def test_the_version_needs_no_quotes() -> None:
    """`min_version: 1.3` in YAML is a number, and means what it says."""
    assert TlsClient.model_validate({"min_version": 1.3}) == TlsClient.model_validate(
        {"min_version": "1.3"}
    )


@pytest.mark.parametrize("field", ["ca", "certificate", "key", "crl"])
def test_a_missing_file_is_named(tmp_path: Path, authority: Authority, field: str) -> None:
    """The field and the path stand in the sentence."""
    settings = client_settings(tmp_path, **{"crl": authority.revoke(), field: tmp_path / "no.pem"})
    with pytest.raises(LinkError) as caught:
        context_of(settings)
    assert str(caught.value) == f"tls.{field}: there is no file {tmp_path / 'no.pem'}"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("ca", "tls.ca: {file} is not a PEM certificate"),
        ("certificate", "tls.certificate {file} with tls.key {key}: other is not a PEM certif"),
        ("key", "tls.certificate {certificate} with tls.key {file}: other is not a PEM key"),
        ("crl", "tls.crl: {file} is no revocation list in PEM; openssl crl -inform DER"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"not one", bytes(range(256))])
def test_a_file_that_is_something_else_is_named(
    tmp_path: Path, authority: Authority, field: str, words: str, content: bytes
) -> None:
    """OpenSSL's own words alone say nothing of which file it was."""
    file = tmp_path / "other"
    file.write_bytes(content)
    settings = client_settings(tmp_path, **{field: file})
    with pytest.raises(LinkError) as caught:
        context_of(settings)
    sentence = words.format(file=file, key=settings.key, certificate=settings.certificate)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("password", "given", "words"),
    [
        (b"opensesame", None, "the key is encrypted and needs tls.password"),
        (b"opensesame", "wrong", "the password does not open the key"),
    ],
)
def test_a_key_that_does_not_open(
    tmp_path: Path, authority: Authority, password: bytes, given: str | None, words: str
) -> None:
    """Nobody is asked at the terminal, and the sentence says which it is."""
    authority.issue("client", password=password)
    with pytest.raises(LinkError, match=words):
        context_of(client_settings(tmp_path, password=given))


def test_a_key_that_opens(tmp_path: Path, authority: Authority) -> None:
    """With its password an encrypted key is used."""
    authority.issue("client", password=b"opensesame")
    context_of(client_settings(tmp_path, password="opensesame"))


def test_a_key_of_another_certificate(tmp_path: Path, authority: Authority) -> None:
    """A pair that does not belong together is told apart from a broken file."""
    with pytest.raises(LinkError, match="the key is not that of the certificate"):
        context_of(client_settings(tmp_path, key=tmp_path / "server.key"))


def test_a_list_in_der_is_refused_with_the_way_out(tmp_path: Path, authority: Authority) -> None:
    """The command that the sentence names makes of it a file that is taken."""
    pem, der = authority.revoke(), tmp_path / "list.crl"
    convert = ["openssl", "crl", "-in", pem, "-outform", "DER", "-out", der]
    subprocess.run(convert, check=True, capture_output=True)
    with pytest.raises(LinkError, match="openssl crl -inform DER"):
        context_of(client_settings(tmp_path, crl=der))
    back = ["openssl", "crl", "-inform", "DER", "-in", der, "-out", tmp_path / "back.pem"]
    subprocess.run(back, check=True, capture_output=True)
    context_of(client_settings(tmp_path, crl=tmp_path / "back.pem"))


def test_a_folder_of_authorities(tmp_path: Path, authority: Authority) -> None:
    """Each file counts; a folder without any is refused, with the names that are looked for."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    with pytest.raises(LinkError, match=r"the folder .*trusted has no file named \.cer, \.crl"):
        context_of(client_settings(tmp_path, ca=folder))
    (folder / "README").write_text("who we trust")
    Authority(folder, "one")
    Authority(folder, "two")
    context = context_of(client_settings(tmp_path, ca=folder))
    assert context.cert_store_stats()["x509_ca"] == 2


def test_weak_keys_of_our_own_are_refused(tmp_path: Path, authority: Authority) -> None:
    """RSA below 2048 bits is below what IEC 62351-3 takes, and OpenSSL's level 2."""
    authority.issue("server", "127.0.0.1", key_size=1024)
    with pytest.raises(LinkError, match="the key is weaker than RSA with 2048 bits"):
        context_of(server_settings(tmp_path))


@pytest.mark.parametrize("field", ["ca", "certificate"])
def test_what_the_system_cannot_open_is_named(
    tmp_path: Path, authority: Authority, field: str
) -> None:
    """Whatever the system says, the sentence has field, path, and its words."""
    path = tmp_path / ("x" * 300)
    with pytest.raises(LinkError) as caught:
        context_of(client_settings(tmp_path, **{field: path}))
    assert str(caught.value) == f"tls.{field}: {path} cannot be read: File name too long"


def test_a_file_without_end_is_not_read(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory that a file may take is bounded."""
    monkeypatch.setattr(files, "LARGEST", 1_000_000)
    (tmp_path / "ca.pem").write_bytes(b"\n" * 1_000_001)
    with pytest.raises(LinkError, match=r"tls\.ca: .*ca\.pem is larger than 1 MB"):
        context_of(client_settings(tmp_path))
