"""Points that are read at a period."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from asyncua import ua

from gateway import LinkPoint, SourceContext
from gateway_opcua.client.limits import chunks
from gateway_opcua.client.message import values
from gateway_opcua.client.monitored import read_value_id, stamps_of
from gateway_opcua.client.samples import Samples
from gateway_opcua.client.session import Session
from gateway_opcua.client.source import address_of

if TYPE_CHECKING:
    from gateway_opcua.client.source import OpcUaClient


class Poller:
    """Reads a list of points, in as few requests as the server allows."""

    def __init__(
        self, ctx: SourceContext, session: Session, source: OpcUaClient, most: int
    ) -> None:
        self._ctx = ctx
        self._session = session
        self._stamp = source.timestamps
        self._most = most
        self._groups: list[tuple[ua.ReadParameters, Samples, int]] = []

    def add(self, points: Iterable[tuple[LinkPoint, ua.NodeId]]) -> None:
        """Read these from now on, too."""
        for group in chunks(list(points), self._most):
            parameters = ua.ReadParameters(
                MaxAge=0,
                TimestampsToReturn=stamps_of(self._stamp),
                NodesToRead=[read_value_id(node, address_of(point).index) for point, node in group],
            )
            samples = Samples(self._ctx, [point for point, _ in group])
            self._groups.append((parameters, samples, len(group)))

    async def read(self) -> None:
        """Read all once, and emit what changed; raises one of `FAILURES`, or ValueError."""
        for parameters, samples, count in list(self._groups):
            body = await self._session.send(ua.ReadRequest(Parameters=parameters))
            changes = values(body, self._stamp)
            if len(changes) != count:
                raise ValueError(f"{len(changes)} values answer a read of {count}")
            await samples.take(changes, events=False)
