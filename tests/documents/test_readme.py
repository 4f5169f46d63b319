"""What README.md shows is what the files say and what the commands print."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.client.client import Client

ROOT = Path(__file__).resolve().parents[2]
METER = "docs/samples/meter"
GATEWAY = Path(sys.executable).with_name("gateway")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
]


def blocks(language: str) -> list[str]:
    """Return the README's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def gateway(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEWAY, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("language", "name"), [("yaml", "gateway.yaml"), ("csv", "points.csv")])
def test_sample_is_the_file(language: str, name: str) -> None:
    """The YAML and the CSV of the README are the files it points to."""
    assert blocks(language) == [(ROOT / METER / name).read_text(encoding="utf-8")]


@pytest.mark.parametrize("command", ["check", "explain"])
def test_command_prints_what_is_shown(command: str) -> None:
    """What the README shows below a command is what the command prints."""
    (shown,) = (text for text in blocks("console") if f"$ gateway {command} " in text)
    line, expected = shown[shown.index(f"$ gateway {command}") :].split("\n", 1)

    printed = gateway(*line.split()[2:])

    assert printed.stdout == expected
    assert printed.returncode == 0


def test_mistake_is_named_as_shown(tmp_path: Path) -> None:
    """The mistake that the README makes is answered in the words that it quotes."""
    folder = tmp_path / METER
    shutil.copytree(ROOT / METER, folder)
    points = folder / "points.csv"
    points.write_text(points.read_text().replace("3010,uint16", "3010,uint61"))
    (expected,) = (text for text in blocks("console") if "found 'uint61'" in text)

    printed = gateway("check", f"{METER}/gateway.yaml", folder=tmp_path)

    assert printed.stdout + printed.stderr == expected
    assert printed.returncode == 1


@contextmanager
def started(file: Path, data: Path) -> Iterator[None]:
    """Run a gateway for the length of the context; it must end well when it is told to."""
    log = data.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [GATEWAY, "run", str(file), "--data", str(data), "--status-every", "1s"],
            stdout=output,
            stderr=output,
        )
        try:
            yield
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait(10)
            print(log.read_text())


async def test_meter_is_read(tmp_path: Path) -> None:
    """The README's meter, played by its device.yaml, is read by an OPC UA client."""
    folder = tmp_path / "meter"
    shutil.copytree(ROOT / METER, folder)
    for port in ("15030", "4840"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            free = str(server.getsockname()[1])
        for file in folder.glob("*.yaml"):
            file.write_text(re.sub(rf"\b{port}\b", free, file.read_text()))
    endpoint = f"opc.tcp://127.0.0.1:{free}"

    with (
        started(folder / "device.yaml", tmp_path / "device"),
        started(folder / "gateway.yaml", tmp_path / "gateway"),
    ):
        voltage, breaker = await good_values(endpoint, "feeder3.voltage", "feeder3.breaker")

    # docs/samples/meter/device.yaml: a sine of 230 V ± 3 V; the breaker's normal state is 1.
    assert 227 <= voltage <= 233
    assert breaker in (True, False)


async def good_values(endpoint: str, *points: str) -> list[float]:
    """Return the values of the points once all are good."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with Client(endpoint, timeout=5) as client:
                    while True:
                        nodes = [
                            client.get_node(ua.NodeId(ua.String(p), ua.Int16(2))) for p in points
                        ]
                        found = [await n.read_data_value(raise_on_bad_status=False) for n in nodes]
                        if all(v.StatusCode is not None and v.StatusCode.is_good() for v in found):
                            return [v.Value.Value for v in found if v.Value is not None]
                        await asyncio.sleep(0.1)
            except (OSError, TimeoutError):
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """Every link of a document to a file of this tree leads to one."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (document.parent / target).exists()] == []
