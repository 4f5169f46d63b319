"""A server of node-opcua, an implementation of other people, read and commanded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import CommandStatus, Quality
from gateway.testing import free_port

HERE = Path(__file__).parent
NS = "nsu=urn:test:node;s="


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js with node-opcua beside this file, installed when it is not there."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.fail("node and npm are needed here: apt-get install nodejs npm")
    if not (HERE / "node_modules/node-opcua-server").is_dir():
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=110,
        )
        if done.returncode:
            pytest.fail(f"npm install in {HERE} failed:\n{done.stderr}")
    return found


class Remote:
    """The server's process, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"opc.tcp://127.0.0.1:{port}"
        self.heard: list[dict[str, Any]] = []

    async def until(self, what: str) -> dict[str, Any]:
        """Return the next line of this kind, keeping the others."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := await self.process.stdout.readline():
                if line.startswith(b"{"):
                    self.heard.append(json.loads(line))
                    if self.heard[-1]["what"] == what:
                        return self.heard[-1]
        raise EOFError("node has ended")

    async def do(self, **what: Any) -> dict[str, Any]:
        """Have it do something, and return what it said last before it was done."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        await self.until("done")
        return self.heard[-2]


@pytest.fixture
async def remote(node: str, tmp_path: Path) -> AsyncIterator[Remote]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(node, "server.js", str(port), str(tmp_path / "pki")),
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    made = Remote(process, port)
    try:
        await made.until("up")
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


VALUES = {
    "boolean": 1.0,
    "sbyte": -5.0,
    "byte": 250.0,
    "int16": -30_000.0,
    "uint16": 60_000.0,
    "int32": -2e9,
    "uint32": 4e9,
    "int64": 2.0**53 - 1,
    "uint64": 2.0**53 - 1,
    "float": 0.5,
    "double": 230.25,
}
POINTS = (
    "name,plc.node,plc.path,plc.index,plc.object,plc.method,command.model\n"
    + "".join(f"p.{name},{NS}{name},,,,,setpoint\n" for name in VALUES)
    + f"p.text,{NS}text,,,,,\n"
    + f"p.gone,{NS}gone,,,,,\n"
    + f"p.array,{NS}array,,2,,,\n"
    + "p.path,,/Objects/nsu=urn:test:node;Plant/nsu=urn:test:node;double,,,,\n"
    + f"p.start,,,,{NS}Plant,{NS}Start,setpoint\n"
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "security",
    [
        {"security": "none"},
        {
            "security": "basic256sha256",
            "trust": "any",
            "user": {"name": "anna", "password": "secret"},
        },
        {"security": "aes256_sha256_rsapss", "mode": "sign", "trust": "any"},
    ],
    ids=["none", "basic256sha256", "aes256_sign"],
)
async def test_node_opcua_is_read_and_commanded(
    remote: Remote, link: Any, security: dict[str, Any]
) -> None:
    """Every type, an element of an array, a path, times, statuses, writes and a method; no request
    above the limits that the server announces (3 items, 4 reads, 2 paths).
    """
    patient = {"timeout": "10s", "connect_timeout": "30s"}  # node's cryptography is slow
    async with link(remote.url, POINTS, **(security | patient)) as linked:
        gateway = linked.gateway
        names = {f"p.{name}": value for name, value in VALUES.items()}
        names |= {"p.array": 3.5, "p.path": 230.25}
        await gateway.until(
            lambda: {name: gateway.sample(name).value for name in names} == names, 20
        )
        assert {gateway.sample(name).quality & 3 for name in names} == {Quality.GOOD}
        assert gateway.sample("p.text").quality & 3 == Quality.INVALID
        gone = gateway.sample("p.gone").quality
        assert gone & (Quality.INVALID | Quality.BAD_REFERENCE) == 0x11
        assert gateway.counters("plc")["unresolved"] == 1

        time = "2026-03-04T05:06:07.250Z"
        await remote.do(set="double", values=[1.25], time=time)
        await gateway.until(lambda: gateway.sample("p.double").value == 1.25)
        assert gateway.sample("p.double").time == 1_772_600_767_250_000_000
        await remote.do(set="double", values=[2.5], status="UncertainSensorNotAccurate")
        await gateway.until(lambda: gateway.sample("p.double").value == 2.5)
        expected = Quality.QUESTIONABLE | Quality.INACCURATE
        assert gateway.sample("p.double").quality & 0x1FFF == expected
        await remote.do(set="double", values=[3.5], status="BadDeviceFailure")
        await gateway.until(lambda: gateway.sample("p.double").quality & Quality.FAILURE)
        assert gateway.sample("p.double").value == 2.5

        ask = linked.sink.ask
        for name, value in (("boolean", 0), ("int16", 7), ("uint64", 5), ("float", 0.25)):
            assert await ask(f"p.{name}", value), name
        assert (await remote.do(get="int16"))["value"] == 7
        assert (await remote.do(get="boolean"))["value"] is False
        assert (await remote.do(get="uint64"))["value"] == [0, 5]
        assert (await ask("p.byte", 256)).status is CommandStatus.OUT_OF_RANGE
        assert await ask("p.start", 11)
        assert (await ask("p.start", -1)).status is CommandStatus.BLOCKED
        calls = [one["value"] for one in remote.heard if one["what"] == "call"]
        await remote.do()
        calls = [one["value"] for one in remote.heard if one["what"] == "call"]
        assert calls == [11, -1]


COUNTER = f"name,plc.node\np.counter,{NS}counter\n"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["cut", "restart"])
async def test_node_opcua_keeps_what_changed(
    remote: Remote, link: Any, proxy: Any, way: str
) -> None:
    """The network is cut, or the gateway restarts: each value that node-opcua queued arrives."""
    network = await proxy(remote.port)

    def values(linked: Any) -> list[float]:
        return [row.value for row in linked.sink.rows("p.") if row.quality & 3 == 0]

    async with link(network.url, COUNTER) as linked:
        await linked.gateway.until(lambda: values(linked) == [0.0], 20)
        await remote.do(set="counter", values=[1, 2, 3])
        await linked.gateway.until(lambda: values(linked) == [0.0, 1.0, 2.0, 3.0])
        await asyncio.sleep(0.3)  # three publishing intervals: the last one is acknowledged
        if way == "cut":
            network.refuses = True
            network.cut()
            await linked.gateway.until(lambda: linked.gateway.state("plc") == "down")
            await remote.do(set="counter", values=list(range(4, 60)))
            network.refuses = False
            expected = [float(value) for value in range(60)]
            await linked.gateway.until(lambda: values(linked)[-1] == 59, 20)
            assert values(linked) == expected
            return
    await remote.do(set="counter", values=list(range(4, 60)))
    async with link(network.url, COUNTER) as linked:
        await linked.gateway.until(lambda: values(linked)[-1:] == [59], 20)
        assert values(linked) == [float(value) for value in range(4, 60)]


@pytest.mark.timeout(240)
async def test_node_opcua_forgets_its_sessions(remote: Remote, link: Any) -> None:
    """The link comes back with a session and a subscription of its own."""
    async with link(remote.url, COUNTER, watch="200ms") as linked:
        gateway = linked.gateway
        await gateway.until(lambda: gateway.sample("p.counter").quality & 3 == 0, 20)
        await remote.do(kill=1)
        await gateway.until(lambda: gateway.state("plc") == "down", 20)
        await remote.do(set="counter", values=[9])
        await gateway.until(lambda: gateway.sample("p.counter").value == 9, 20)
        await gateway.until(lambda: gateway.sample("p.counter").quality & 3 == 0, 20)
