"""docs/tls.md shows settings that are read, ciphers that are offered, and commands that work."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from tls_partner import client_settings, context_of, echoing, server_settings, talk

from gateway import TlsClient, TlsServer
from gateway.cli.command import gateway
from gateway.model.tls import CIPHERS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tls.md").read_text(encoding="utf-8")
SAMPLE = DOCS / "samples" / "tls" / "gateway.yaml"


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_sample_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page shows a file in which `gateway check` finds no problem."""
    monkeypatch.setenv("KEY_PASSWORD", "opensesame")
    assert block("yaml") == SAMPLE.read_text(encoding="utf-8")
    result = CliRunner().invoke(gateway, ["check", str(SAMPLE)])
    assert result.exit_code == 0, result.output


def test_every_field_is_in_the_table() -> None:
    """The table has the fields of both models, and no others."""
    table = PAGE[PAGE.index("## The settings") : PAGE.index("A **server**")]
    first = re.findall(r"^\| (`[^|]*)", table, re.MULTILINE)
    shown = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    assert shown == set(TlsClient.model_fields) | set(TlsServer.model_fields)


def test_the_ciphers_are_those_that_are_offered() -> None:
    """The page lists the suites in their order."""
    assert tuple(block("text").split()) == CIPHERS


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A folder in which the page's commands were run."""
    subprocess.run(["sh", "-e", "-c", block("sh")], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


async def test_the_commands_make_certificates_that_work(bench: Path) -> None:
    """What the page has for a bench serves as server and client."""
    async with echoing(context_of(server_settings(bench, "gateway"))) as port:
        await talk(port, context_of(client_settings(bench, "gateway")))
