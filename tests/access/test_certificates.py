"""Certificates: whose they are, and which role they give."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from gateway.access import certificates as module
from gateway.access.certificates import Certificates
from gateway.model.access import CertificateRule
from gateway.model.subject import parse

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(*parts: tuple[x509.ObjectIdentifier, str]) -> bytes:
    """Return a certificate in DER whose subject has these parts, in their order."""
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


SCADA = certificate((NameOID.ORGANIZATION_NAME, "Utility"), (NameOID.COMMON_NAME, "scada1"))


def openssl(der: bytes, *options: str) -> str:
    """Return what OpenSSL prints of a certificate."""
    command = ["openssl", "x509", "-inform", "DER", "-noout", *options]
    done = subprocess.run(command, input=der, capture_output=True, check=True, timeout=20)
    return done.stdout.decode().removesuffix("\n").split("=", 1)[1]


@pytest.mark.parametrize(
    "parts",
    [
        ((NameOID.ORGANIZATION_NAME, "Utility"), (NameOID.COMMON_NAME, "scada1")),
        ((NameOID.COMMON_NAME, 'a, b; "c" + #d=<e>\\'),),
        ((NameOID.COMMON_NAME, " spaces "), (NameOID.COUNTRY_NAME, "DE")),
        ((NameOID.COMMON_NAME, "Umspannwerk Köln-Süd"),),
        ((NameOID.COMMON_NAME, "x"), (NameOID.EMAIL_ADDRESS, "scada@utility.example")),
        ((NameOID.SERIAL_NUMBER, "0815"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "Grid")),
        ((NameOID.DOMAIN_COMPONENT, "example"), (NameOID.USER_ID, "anna")),
    ],
)
def test_rule_takes_what_openssl_prints(parts: tuple[tuple[x509.ObjectIdentifier, str]]) -> None:
    """The subject that OpenSSL prints in RFC 2253 is the subject of a rule."""
    der = certificate(*parts)
    printed = openssl(der, "-subject", "-nameopt", "RFC2253")
    rule = CertificateRule(subject=printed, role="operator")

    assert Certificates([rule]).who(der)[1] == "operator"


def test_rule_takes_the_fingerprint_that_openssl_prints() -> None:
    """With colons and in capitals, or without."""
    printed = openssl(SCADA, "-fingerprint", "-sha256")

    for text in (printed, printed.replace(":", "").lower()):
        rule = CertificateRule(fingerprint=text, role="operator")
        assert Certificates([rule]).who(SCADA) == ("CN=scada1,O=Utility", "operator")


def test_first_rule_that_fits_counts() -> None:
    """The order of the configuration decides."""
    digits = openssl(SCADA, "-fingerprint", "-sha256")
    by_subject = CertificateRule(subject="CN=scada1,O=Utility", role="viewer")
    by_fingerprint = CertificateRule(fingerprint=digits, role="operator")

    assert Certificates([by_subject, by_fingerprint]).who(SCADA)[1] == "viewer"
    assert Certificates([by_fingerprint, by_subject]).who(SCADA)[1] == "operator"


@pytest.mark.parametrize(
    "subject",
    ["CN=scada1", "O=Utility,CN=scada1", "CN=scada1+O=Utility", "CN=Scada1,O=Utility",
     "CN=scada1,O=Utility,C=DE", "OU=scada1,O=Utility"],
)  # fmt: skip
def test_subject_that_is_not_the_same(subject: str) -> None:
    """Part of a subject, another order or another case is another subject."""
    rule = CertificateRule(subject=subject, role="admin")

    assert Certificates([rule]).who(SCADA) == ("CN=scada1,O=Utility", None)


def test_certificate_without_a_subject() -> None:
    """It goes by its fingerprint."""
    der = certificate()
    digits = openssl(der, "-fingerprint", "-sha256").replace(":", "").lower()

    assert Certificates([]).who(der) == (f"sha256:{digits}", None)


def test_subject_is_one_line_in_the_log() -> None:
    """Line breaks in a subject do not forge lines of a log."""
    der = certificate((NameOID.COMMON_NAME, "a\nb\x1b[2J"))

    assert Certificates([]).who(der)[0].isprintable()


@pytest.mark.parametrize("der", [b"", b"0", SCADA[:-1], b"-----BEGIN CERTIFICATE-----"])
def test_no_certificate(der: bytes) -> None:
    """Bytes that are none are refused."""
    with pytest.raises(ValueError, match="error parsing asn1"):
        Certificates([]).who(der)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates without end are not remembered without end."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    certificates = Certificates([])
    for n in range(5):
        certificates.who(certificate((NameOID.COMMON_NAME, f"c{n}")))

    assert len(certificates._known) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"subject": "scada1"}, "a subject is written as RFC 4514 says"),
        ({"subject": "CN = scada1, O = Utility"}, "without spaces"),
        ({"subject": "CN=scada1,C=GERMANY"}, "openssl x509 -noout -subject -nameopt RFC2253"),
        ({"subject": "CN=x", "fingerprint": "ab" * 32}, "found subject and fingerprint of"),
        ({}, "found none of subject, fingerprint, modbus_role"),
        ({"fingerprint": "ab" * 31}, "pattern"),
        ({"fingerprint": "ab:" * 31 + "abc"}, "pattern"),
    ],
)
def test_rules_that_cannot_be(fields: dict[str, str], sentence: str) -> None:
    """A rule that could never fit is a mistake of the configuration."""
    with pytest.raises(ValidationError, match=sentence):
        CertificateRule(**fields, role="viewer")


def test_empty_subject_is_none() -> None:
    """A rule for everybody without a subject is not what an empty text means."""
    with pytest.raises(ValueError, match="a subject is written as"):
        parse("")


def test_openssl_is_what_the_sentence_says(tmp_path: Path) -> None:
    """The command that the sentence recommends prints a subject that is taken."""
    with pytest.raises(ValidationError) as caught:
        CertificateRule(subject="scada1", role="viewer")
    command = str(caught.value).split("`")[1]
    path = tmp_path / "c.pem"
    path.write_bytes(x509.load_der_x509_certificate(SCADA).public_bytes(serialization.Encoding.PEM))
    words = [str(path) if word == "FILE" else word for word in command.split()]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)

    assert done.stdout.strip() == "subject=CN=scada1,O=Utility"


def test_role_of_modbus_tcp_security(tmp_path: Path) -> None:
    """The extension 1.3.6.1.4.1.50316.802.1 as openssl writes it gives the role of its rule."""
    (tmp_path / "v3.cnf").write_text(
        "[req]\ndistinguished_name=dn\n[dn]\n[v3]\n"
        "1.3.6.1.4.1.50316.802.1=ASN1:UTF8String:Operator\n"
    )
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=plc", "-outform", "DER"]
    files = ["-config", "v3.cnf", "-extensions", "v3", "-keyout", "key", "-out", "der"]
    subprocess.run(["openssl", *words, *files], cwd=tmp_path, check=True, capture_output=True)
    der = (tmp_path / "der").read_bytes()
    rules = [CertificateRule(modbus_role=name, role="operator") for name in ("operator", "Operato")]
    assert Certificates(rules).who(der) == ("CN=plc", None)
    rules = [CertificateRule(modbus_role="Operator", role="operator")]
    assert Certificates(rules).who(der) == ("CN=plc", "operator")
    assert Certificates(rules).who(SCADA)[1] is None
