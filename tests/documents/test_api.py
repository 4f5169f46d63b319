"""docs/api.md shows what the API answers."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_console.outcome import CODES

from gateway import CommandStatus
from gateway.testing import free_ports

pytestmark = pytest.mark.timeout(120)
ROOT = Path(__file__).resolve().parents[2]
GATEWAY = Path(sys.executable).with_name("gateway")
SAMPLES = ROOT / "docs" / "samples" / "api"
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PASSWORD = "a password of hers"
PORT, DEVICE = 8080, 15028
MARK = "=== what follows is the answer to"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The gateway of the document at a port of its own, with the user of the document."""
    folder = tmp_path_factory.mktemp("api")
    found, device = free_ports(2)
    for file in SAMPLES.iterdir():
        shutil.copy(file, folder)
    yaml = folder / "substation.yaml"
    yaml.write_text(
        yaml.read_text().replace(str(DEVICE), str(device)).replace(f":{PORT}", f":{found}")
    )
    add = [str(GATEWAY), "user", "add", str(yaml), "anna", "--role", "admin", "--password-stdin"]
    subprocess.run(add, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
    gateway = subprocess.Popen(
        [GATEWAY, "run", yaml, "--no-view", "--status-every", "1h"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(found)
        yield found
    finally:
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(30) == 0


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the gateway was not ready within 30 s")


def steps() -> list[tuple[str, str]]:
    """Return each command of the document and what it prints."""
    found: list[tuple[str, str]] = []
    for block in CONSOLE:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def answers(port: int) -> list[str]:
    """Return what the commands print, in one shell as a reader would use."""
    script = ["shopt -s expand_aliases"]
    for command, _ in steps():
        script += [f"echo '{MARK}'", command.replace(f":{PORT}", f":{port}"), "echo"]
    done = subprocess.run(
        ["bash"], input="\n".join(script), text=True, capture_output=True, timeout=60
    )
    return done.stdout.split(MARK + "\n")[1:]


def plain(text: str) -> str:
    """Return an answer without what differs from run to run."""
    text = text.replace(",clockNotSynchronised", "")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"\b[0-9a-f]{6,}-\d+\b", "ID", text)
    text = re.sub(r'"expires_in":[\d.]+', '"expires_in":SECONDS', text)
    text = re.sub(r'"path":"[^"]*/', '"path":"', text)
    text = re.sub(r":\d{4,5}\b", ":PORT", text)
    text = re.sub(r'"port":\d{4,5}', '"port":PORT', text)
    return text.strip()


def test_each_answer_is_as_the_document_shows_it(port: int) -> None:
    """Times, numbers of transactions, digests and ports aside."""
    found = answers(port)
    assert len(found) == len(steps()) > 20
    for (command, printed), answer in zip(steps(), found, strict=True):
        assert plain(answer) == plain(printed), command


def test_the_document_quotes_its_samples() -> None:
    """The YAML and the point list are those that are run."""
    for name, language in (("substation.yaml", "yaml"), ("points.csv", "csv")):
        blocks = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
        assert (SAMPLES / name).read_text() in blocks


def test_the_table_of_statuses_is_that_of_the_code() -> None:
    """Each status stands in it once, beside its HTTP code."""
    body = TEXT[TEXT.index("| status | HTTP |") :].partition("\n\n")[0]
    found = {
        word: int(row.split("|")[2])
        for row in body.splitlines()[2:]
        for word in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert found == {status.value: code for status, code in CODES.items()}
    assert set(found) == {status.value for status in CommandStatus}
