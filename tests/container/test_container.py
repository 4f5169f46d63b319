"""The image that is built from this tree: what a runtime is told, and that its command works."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError

from gateway.testing import free_ports

ROOT = Path(__file__).resolve().parents[2]
DATA = "/var/lib/grid-gateway"
UID = 10001
START = 60.0
STOP = 20.0

pytestmark = pytest.mark.timeout(1800)


@dataclass
class Running:
    """The image's command with the demo as its configuration."""

    container: Any
    process: subprocess.Popen[str]
    settings: dict[str, Any]
    endpoint: str
    marker: Path

    def pid(self) -> int:
        """Return the process of the gateway itself, under buildah's own."""
        for pid in descendants(self.process.pid):
            python, *words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"python" in python and words[0].endswith(b"/bin/gateway"):
                return pid
        raise AssertionError("no process of the gateway runs")

    def inside(self, *words: str) -> list[str]:
        """Return the command that runs `words` beside the gateway, as a runtime's `exec` does."""
        enter = ["nsenter", "--target", str(self.pid()), "--mount", "--root", "--wd"]
        user = [f"--setuid={UID}", f"--setgid={UID}"]
        return [*enter, *user, "env", "-i", *self.settings["Env"], *words]


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [
        child
        for thread in threads
        for child in (thread / "children").read_text(encoding="ascii").split()
    ]
    return [one for child in children for one in (int(child), *descendants(int(child)))]


def demo(folder: Path) -> str:
    """Write the demo's files with ports that are free, and return where it serves OPC UA."""
    folder.mkdir()
    shutil.copy(ROOT / "configs/demo.csv", folder)
    text = (ROOT / "configs/demo.yaml").read_text(encoding="utf-8")
    used = sorted(set(re.findall(r"(?:127\.0\.0\.1:|port: )(\d+)", text)))
    for old, new in zip(used, free_ports(len(used)), strict=True):
        text = re.sub(rf"(127\.0\.0\.1:|port: ){old}\b", rf"\g<1>{new}", text)
    (folder / "gateway.yaml").write_text(text, encoding="utf-8")
    served = re.search(r"type: opcua.server\s+listen: (\S+)", text)
    assert served is not None
    return f"opc.tcp://{served[1]}"


@pytest.fixture(scope="module")
def settings(buildah: ModuleType, image: str) -> dict[str, Any]:
    found: dict[str, Any] = buildah.config(image)
    return found


@pytest.fixture
def running(
    buildah: ModuleType, image: str, settings: dict[str, Any], tmp_path: Path
) -> Iterator[Running]:
    endpoint = demo(tmp_path / "etc")
    # The folders above belong to whoever runs the tests, and the container's user must pass them.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    container = buildah.Container(image, f"{tmp_path / 'etc'}:/etc/grid-gateway:ro")
    words = [*settings["Entrypoint"], *settings["Cmd"]]
    marker = tmp_path / "before"
    marker.touch()
    output = (tmp_path / "output").open("w+", encoding="utf-8")
    process = subprocess.Popen(
        container.command(*words), stdout=output, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield Running(container, process, settings, endpoint, marker)
    finally:
        if process.poll() is None:
            for pid in descendants(process.pid):
                subprocess.run([*buildah.AS_ROOT, "kill", "-KILL", str(pid)], check=False)
            process.wait(STOP)
        output.seek(0)
        print(output.read())
        container.remove()


async def read(running: Running, point: str) -> ua.DataValue:
    """Return the first good value of a point, from an OPC UA client of its own."""
    endpoint = running.endpoint
    end = time.monotonic() + START
    trouble: object = "nothing"
    while time.monotonic() < end:
        assert running.process.poll() is None, "the image's command ended by itself"
        try:
            async with Client(endpoint, timeout=5) as client:
                namespaces = await client.get_namespace_array()
                for index in range(len(namespaces)):
                    node = client.get_node(ua.NodeId(ua.String(point), ua.Int16(index)))
                    value = await node.read_data_value(raise_on_bad_status=False)
                    if value.StatusCode is not None and value.StatusCode.is_good():
                        return value
                    trouble = value.StatusCode
        except (OSError, TimeoutError, UaError) as error:
            trouble = error
        await asyncio.sleep(0.25)
    raise AssertionError(f"no good value of {point} at {endpoint} in {START} s, but {trouble}")


def test_runtime_is_told(settings: dict[str, Any]) -> None:
    """A runtime finds a numeric user, the volume, the signal and commands that need no shell."""
    assert settings["User"] == "10001:10001"
    assert settings["Volumes"] == {DATA: {}}
    assert settings["StopSignal"] == "SIGTERM"
    assert settings["Entrypoint"] == ["gateway"]
    assert settings["Cmd"] == ["run", "/etc/grid-gateway/gateway.yaml", "--data", DATA]
    assert settings["Healthcheck"]["Test"] == ["CMD", "gateway", "health", DATA]
    assert settings["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_root_belongs_to_root(buildah: ModuleType, image: str) -> None:
    """The gateway's user can write to its volume and where everybody may, and nowhere else."""
    container = buildah.Container(image)
    try:
        found = container.run(
            *("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune"),
            *("-o", "-writable", "-not", "-type", "l", "-not", "-type", "c", "-print"),
        )
    finally:
        container.remove()

    assert set(found.stdout.split()) <= {DATA, "/tmp", "/var/tmp", "/run/lock", "/dev/shm"}


def test_plugins_are_installed(buildah: ModuleType, image: str) -> None:
    """Every folder in plugins/ is a plugin of the image, and none is an editable one."""
    container = buildah.Container(image)
    try:
        found = container.run("gateway", "plugins", "--json")
    finally:
        container.remove()

    listed = json.loads(found.stdout)
    folders = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")}
    assert {row["distribution"] for row in listed} == {f"grid-gateway-{one}" for one in folders}
    assert [row["error"] for row in listed if row["error"]] == []
    assert not any(row["editable"] for row in listed)


def test_nobody_is_healthy_before_it_runs(
    buildah: ModuleType, image: str, settings: dict[str, Any]
) -> None:
    """The health check of a container in which no gateway runs fails."""
    container = buildah.Container(image)
    try:
        found = container.run(*settings["Healthcheck"]["Test"][1:])
    finally:
        container.remove()

    assert found.returncode == 1
    assert "Traceback" not in found.stderr


async def test_demo_runs_and_stops(
    buildah: ModuleType, running: Running, settings: dict[str, Any]
) -> None:
    """The image's command serves the demo as its own user, is healthy, and ends at SIGTERM."""
    value = await read(running, "feeder1.voltage_a")

    # configs/demo.yaml: a sine of 231 V ± 2.5 V with noise of 0.1 V.
    assert value.Value is not None
    assert 227.5 < value.Value.Value < 234.5
    pid = running.pid()
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    assert re.search(r"^Uid:\t(.*)$", status, re.MULTILINE)[1].split() == ["10001"] * 4  # type: ignore[index]
    assert re.search(r"^Gid:\t(.*)$", status, re.MULTILINE)[1].split() == ["10001"] * 4  # type: ignore[index]
    check = settings["Healthcheck"]["Test"][1:]
    said = await asyncio.to_thread(buildah.run, *running.inside(*check))
    assert "journal works" in said

    buildah.run("kill", "-TERM", str(pid))
    code = await asyncio.to_thread(running.process.wait, STOP)

    assert code == 0
    health = await asyncio.to_thread(running.container.run, *check)
    assert health.returncode == 1


async def test_only_the_volume_is_written(buildah: ModuleType, running: Running) -> None:
    """With its root read-only but for the volume, the gateway would not notice."""
    await read(running, "feeder1.voltage_a")

    root = running.container.root
    written = buildah.run(
        *("find", str(root), "-xdev"),
        *("(", "-path", f"{root}/proc", "-o", "-path", f"{root}/sys", "-o", "-path", f"{root}/dev"),
        *(")", "-prune", "-o", "-type", "f", "-newer", str(running.marker), "-print"),
    ).split()
    kept = buildah.run(
        *running.inside("find", DATA, "-mindepth", "1", "-user", str(UID), "-printf", "%f ")
    )

    # buildah itself writes the files of the network's names before it starts a command.
    own = {f"{root}/etc/hosts", f"{root}/etc/resolv.conf", f"{root}/run/.containerenv"}
    assert set(written) - own == set()
    assert {"journal.db", "gateway.sock"} <= set(kept.split())
