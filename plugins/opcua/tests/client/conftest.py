"""A server of asyncua, another's work, and a gateway whose `opcua.client` reads it."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asyncua import Server, ua
from gateway_opcua import OpcUaClient

from gateway import Reconnect
from gateway.testing import Collector, CommandSettings, Running, free_port, running

URI = "urn:test:plant"


class Proxy:
    """A network between gateway and server that a test can cut, mute or close."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.refuses = False
        self.muted = False
        self.connections = 0
        self.sent = b""
        """What the gateway has sent."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break every connection at once, in the middle of whatever it was."""
        for writer in list(self._writers):
            writer.transport.abort()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuses:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            self._forward(reader, far_writer, keep=True),
            self._forward(far_reader, writer, keep=False),
        )
        self._writers -= {writer, far_writer}

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, keep: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.sent += data if keep else b""
                if not self.muted:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()


@pytest.fixture
async def proxy() -> AsyncIterator[Callable[[int], Any]]:
    """Start a proxy before a port."""
    made: list[Proxy] = []

    async def start(target: int) -> Proxy:
        made.append(Proxy(target))
        await made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.stop()


class Plant:
    """A server with a few variables in a namespace of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.server = Server()
        self.namespace = 0
        self.nodes: dict[str, Any] = {}
        self.started = False

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def start(self, before: int = 0, **limits: Any) -> None:
        """Start; `before` namespaces come first, which moves the index of ours."""
        await self.server.init()
        self.server.set_endpoint(self.url)
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for name, value in limits.items():
            setattr(self.server.iserver, name, value)
        for number in range(before):
            await self.server.register_namespace(f"urn:test:before:{number}")
        self.namespace = await self.server.register_namespace(URI)
        await self.server.start()
        self.started = True

    async def add(self, name: str, value: Any, kind: Any = None) -> Any:
        """Add a writable variable `s=<name>` below Objects."""
        node = await self.server.nodes.objects.add_variable(
            ua.NodeId(name, self.namespace), ua.QualifiedName(name, self.namespace), value, kind
        )
        await node.set_writable()
        self.nodes[name] = node
        return node

    async def put(self, name: str, value: Any, kind: Any = None, **more: Any) -> None:
        """Have a value at a node, as the server's own process would."""
        variant = ua.Variant(value, kind) if kind is not None else ua.Variant(value)
        await self.nodes[name].write_value(ua.DataValue(variant, **more))

    async def stop(self) -> None:
        if self.started:
            self.started = False
            await self.server.stop()


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    """A server that runs, empty."""
    made = Plant(free_port())
    await made.start()
    yield made
    await made.stop()


class Linked(NamedTuple):
    """A gateway whose client is up."""

    gateway: Running
    sink: Collector
    folder: Path


Link = Callable[..., AbstractAsyncContextManager[Linked]]

QUICK = {
    "security": "none",
    "publishing": "50ms",
    "sampling": "0ms",
    "keep_alive": "500ms",
    "timeout": "2s",
    "connect_timeout": "5s",
    "reconnect": Reconnect(min=0.05, max=0.2),
}


@pytest.fixture
def link(tmp_path: Path) -> Link:
    """Run a gateway with `opcua.client`, and wait until it is up."""

    @contextlib.asynccontextmanager
    async def start(
        url: str,
        points: str,
        *,
        up: bool = True,
        commands: CommandSettings | None = None,
        sink: Collector | None = None,
        **fields: Any,
    ) -> AsyncIterator[Linked]:
        source = OpcUaClient(name="plc", endpoint=url, **(QUICK | fields))
        sink = sink or Collector(name="sink", role="operator")
        data = tmp_path / "client"
        data.mkdir(exist_ok=True)
        async with running([source], [sink], points, data=data, commands=commands) as gateway:
            if up:
                await gateway.until(lambda: gateway.state("plc") == "up", 60, "the link is up")
            yield Linked(gateway, sink, data)

    return start
