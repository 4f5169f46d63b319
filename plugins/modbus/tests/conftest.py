"""Devices, ports and tools for the tests of the plugin."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PACKAGE = {"socat": "socat", "mbpoll": "mbpoll", "tshark": "tshark", "text2pcap": "tshark"}


@pytest.fixture
def tool() -> object:
    """Where a program of the system is; a missing one fails the test with the way to get it."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.fail(f"{name} is missing: apt-get install {PACKAGE[name]}")
        return path

    return find


def certificate(folder: Path, name: str, signer: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
    """Write NAME.pem and NAME.key, signed by another or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    issuer, signing = (subject, key) if signer is None else (signer[0].subject, signer[1])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made, key


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with certificates: of an authority, a device and a gateway it signed, a stranger."""
    authority = certificate(tmp_path, "ca")
    certificate(tmp_path, "device", authority)
    certificate(tmp_path, "gateway", authority)
    certificate(tmp_path, "stranger")
    return tmp_path
