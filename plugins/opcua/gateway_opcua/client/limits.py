"""How many nodes a server takes in one request (OPC 10000-5, 6.3.11)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from asyncua import ua

from gateway_opcua.client.session import Session

T = TypeVar("T")

_IDS = ua.ObjectIds
_PREFIX = "Server_ServerCapabilities_OperationLimits_"


@dataclass(frozen=True, slots=True)
class Limits:
    """Most elements of one request, by service."""

    read: int
    translate: int
    monitor: int


async def limits(session: Session, most: int) -> Limits:
    """Read the server's OperationLimits; one that it does not say, or calls 0, is `most`."""
    names = (
        "MaxNodesPerRead",
        "MaxNodesPerTranslateBrowsePathsToNodeIds",
        "MaxMonitoredItemsPerCall",
    )
    found = []
    for value in await read(session, [ua.NodeId(getattr(_IDS, _PREFIX + name)) for name in names]):
        number = value.Value.Value if value.Value is not None else None
        found.append(min(number, most) if isinstance(number, int) and number > 0 else most)
    return Limits(*found)


async def read(
    session: Session, nodes: Sequence[ua.NodeId], attribute: int = ua.AttributeIds.Value
) -> list[ua.DataValue]:
    """Read an attribute of a few nodes; raises one of `FAILURES`."""
    request = ua.ReadRequest()
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
    request.Parameters.NodesToRead = [
        ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds(attribute)) for node in nodes
    ]
    found: list[ua.DataValue] = (await session.ask(request, ua.ReadResponse)).Results
    if len(found) != len(nodes):
        raise ua.UaError(f"the server answered {len(found)} of {len(nodes)} reads")
    return found


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in groups of `size` at the most."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
