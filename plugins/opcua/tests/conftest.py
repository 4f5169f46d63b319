"""A whole gateway with an OPC UA server, for the tests that talk to it over a socket."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from argon2 import PasswordHasher
from asyncua import Client, ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)
from asyncua.server.internal_server import InternalServer
from asyncua.server.standard_address_space import standard_address_space
from gateway_opcua import OpcUaServer

from gateway.testing import AccessSettings, CommandSettings, Emitter, Running, running

POINTS = """\
name,kind,unit,description,model,low,high,scale,deadband,field.at,ua.node,ua.browse_name
feeder1.voltage_a,analog,V,phase A,Feeder1/MMXU1.PhV.phsA,0,400,,always,a,,
feeder1.power,analog,kW,,,,,,always,b,,
feeder1.factor,analog,,,,-1,1,,always,c,,
feeder1.breaker,status,,,,,,,,d,Feeder1.CB1,CB1
feeder1.isolator,double,,,,,,,,e,,
feeder1.energy,counter,kWh,,,,,,,f,,
feeder1.fine,counter,kWh,,,,,0.1,,g,,
"""


ROLES = {"anna": "operator", "eva": "engineer", "victor": "viewer", "bernd": "bay1"}
BAY1 = {"name": "bay1", "may": ["read", "command"], "points": ["bay1.*"]}


class Served(NamedTuple):
    """A gateway whose server is up."""

    gateway: Running
    field: Emitter
    url: str
    folder: Path


@pytest.fixture(scope="session", autouse=True)
def standard_nodes() -> Iterator[None]:
    """Make the standard address space once for all tests: it takes seconds of a core each time."""
    made = AddressSpace()
    standard_address_space.fill_address_space(NodeManagementService(made))

    async def load(server: InternalServer, shelf_file: Path | None = None) -> None:
        for nodeid, node in made._nodes.items():
            copy = server.aspace._nodes[nodeid] = NodeData(nodeid)
            copy.references = list(node.references)
            copy.attributes = {
                key: AttributeValue(attribute.value)  # type: ignore[arg-type]
                for key, attribute in node.attributes.items()
            }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InternalServer, "load_standard_address_space", load)
        yield


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Run a gateway with `opcua.server` on a free port of loopback, and wait until it is up."""

    @contextlib.asynccontextmanager
    async def start(
        points: str = POINTS,
        access: AccessSettings | None = None,
        commands: CommandSettings | None = None,
        **fields: Any,
    ) -> AsyncIterator[Served]:
        given = {"listen": "127.0.0.1:0", "security": ["none"]} | fields
        sink = OpcUaServer(name="ua", **given)
        field = Emitter(name="field", obeys=True)
        async with running(
            [field], [sink], points, data=tmp_path, access=access, commands=commands
        ) as gateway:
            await gateway.until(lambda: gateway.state("ua") == "up", 60, "the server is up")
            await field.context()
            folder = next(tmp_path.rglob("own")).parent if list(tmp_path.rglob("own")) else tmp_path
            yield Served(gateway, field, gateway.status("ua").detail, folder)

    return start


@pytest.fixture(scope="session")
def hashes() -> dict[str, str]:
    """The hash of each user's password, as cheap as the gateway takes it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=7 * 1024, parallelism=1)
    return {name: hasher.hash(f"{name}'s own password") for name in ROLES}


@pytest.fixture
def access(tmp_path: Path, hashes: dict[str, str]) -> AccessSettings:
    """Users: anna operates, eva tests too, victor looks, bernd has bay1 and nothing else."""
    file = tmp_path / "users.yaml"
    file.write_text(
        "".join(
            f"{name}: {{role: {ROLES[name]}, password: '{made}'}}\n"
            for name, made in hashes.items()
        )
    )
    file.chmod(0o600)
    return AccessSettings.model_validate({"users": file, "roles": [BAY1]})


class Changes:
    """What a client of asyncua was notified of: (node id, value, status, source time)."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Any, str, Any]] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        got = data.monitored_item.Value
        name = str(node.nodeid.Identifier)
        self.rows.append((name, value, got.StatusCode, got.SourceTimestamp))

    def of(self, name: str) -> list[Any]:
        """Return the values of one node in their order."""
        return [row[1] for row in self.rows if row[0] == name]

    def codes(self, name: str) -> list[int]:
        """Return the StatusCodes of one node in their order."""
        return [row[2].value for row in self.rows if row[0] == name]


@pytest.fixture
def changes() -> Changes:
    return Changes()


@contextlib.asynccontextmanager
async def _connect(url: str) -> AsyncIterator[Client]:
    async with Client(url, timeout=60, watchdog_intervall=30) as client:
        yield client


@pytest.fixture
def connect() -> Callable[[str], AbstractAsyncContextManager[Client]]:
    """Open a session without security."""
    return _connect


@pytest.fixture
def header(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Fields of the RequestHeader that asyncua's client sends from now on."""
    wanted: dict[str, Any] = {}
    usual = UASocketProtocol._setup_request_header

    def setup(self: UASocketProtocol, hdr: Any, timeout: float = 1) -> None:
        usual(self, hdr, timeout)
        for name, value in wanted.items():
            setattr(hdr, name, value)

    monkeypatch.setattr(UASocketProtocol, "_setup_request_header", setup)
    return wanted


@contextlib.asynccontextmanager
async def _log_in(url: str, name: str | None, secret: str | None = None) -> AsyncIterator[Client]:
    client = Client(url, timeout=60, watchdog_intervall=30)
    if name is not None:
        client.set_user(name)
        client.set_password(f"{name}'s own password" if secret is None else secret)
    async with client:
        yield client


@pytest.fixture
def log_in() -> Callable[..., AbstractAsyncContextManager[Client]]:
    """Open a session of a user; the password is encrypted for the server's certificate."""
    return _log_in


async def _written(client: Client, name: str, value: Any, kind: ua.VariantType) -> str:
    wanted = ua.WriteValue(
        NodeId=ua.NodeId(name, 2),
        AttributeId=ua.AttributeIds.Value,
        Value=ua.DataValue(ua.Variant(value, kind), StatusCode=None),
    )
    (found,) = await client.uaclient.write(ua.WriteParameters(NodesToWrite=[wanted]))
    return str(found.name)


@pytest.fixture
def written() -> Callable[..., Awaitable[str]]:
    """Write the value of a node and nothing else; returns the name of the StatusCode."""
    return _written
