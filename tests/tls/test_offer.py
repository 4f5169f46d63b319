"""What a client of ours offers, as tshark reads it off the wire."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tls_partner import context_of

from gateway import TlsClient

SUITES_13 = {"0x1301", "0x1302", "0x1303"}
"""RFC 8446 appendix B.4: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305."""
SUITES_12 = {"0xc02c", "0xc02b", "0xc030", "0xc02f", "0x009f", "0x009e"}
"""RFC 5289 clause 3.2 (ECDHE with AES-GCM) and RFC 5288 clause 3 (DHE-RSA with AES-GCM)."""
SECURE_RENEGOTIATION = "0x00ff"
"""RFC 5746 clause 3.3: no suite, but the sign that renegotiation is understood."""


def offer(folder: Path, settings: dict[str, Any]) -> tuple[set[str], set[str], set[str]]:
    """Return the suites, versions and extensions of the first message of a client."""
    for tool in ("text2pcap", "tshark"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing: apt-get install tshark")
    outgoing = ssl.MemoryBIO()
    context = context_of(TlsClient.model_validate(settings))
    session = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="device.example")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    text, capture = folder / "hello.txt", folder / "hello.pcap"
    text.write_text("000000 " + outgoing.read().hex(" ") + "\n")
    subprocess.run(
        ["text2pcap", "-q", "-T", "40000,443", text, capture], check=True, capture_output=True
    )
    fields = ["tls.handshake.ciphersuite", "tls.handshake.extensions.supported_version",
              "tls.handshake.extension.type"]  # fmt: skip
    printed = subprocess.run(
        ["tshark", "-r", capture, "-Y", "tls.handshake.type == 1", "-T", "fields"]
        + [word for field in fields for word in ("-e", field)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    suites, versions, extensions = printed.rstrip("\n").split("\t")
    return set(suites.split(",")), set(versions.split(",")), set(extensions.split(","))


def test_a_client_offers_the_good_suites_and_no_others(tmp_path: Path) -> None:
    """TLS 1.3 and 1.2, AEAD with forward secrecy; and no ticket is asked for (extension 35)."""
    suites, versions, extensions = offer(tmp_path, {})
    assert suites - {SECURE_RENEGOTIATION} == SUITES_13 | SUITES_12
    assert versions == {"0x0304", "0x0303"}
    assert "35" not in extensions


def test_a_client_may_offer_the_newest_only(tmp_path: Path) -> None:
    """With min_version 1.3 nothing of 1.2 is offered."""
    suites, versions, _ = offer(tmp_path, {"min_version": "1.3"})
    assert suites - {SECURE_RENEGOTIATION} == SUITES_13
    assert versions <= {"0x0304", ""}
