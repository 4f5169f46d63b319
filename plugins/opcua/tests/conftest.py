"""A whole gateway with an OPC UA server, for the tests that talk to it over a socket."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asyncua import Client
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)
from asyncua.server.internal_server import InternalServer
from asyncua.server.standard_address_space import standard_address_space
from gateway_opcua import OpcUaServer

from gateway.testing import Emitter, Running, running

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
    async def start(points: str = POINTS, **fields: Any) -> AsyncIterator[Served]:
        given = {"listen": "127.0.0.1:0", "security": ["none"]} | fields
        sink = OpcUaServer(name="ua", **given)
        field = Emitter(name="field")
        async with running([field], [sink], points, data=tmp_path) as gateway:
            await gateway.until(lambda: gateway.state("ua") == "up", 60, "the server is up")
            await field.context()
            folder = next(tmp_path.rglob("own")).parent if list(tmp_path.rglob("own")) else tmp_path
            yield Served(gateway, field, gateway.status("ua").detail, folder)

    return start


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
