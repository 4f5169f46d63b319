"""What a client may do to the node of a point, as the gateway's roles say."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from asyncua import ua

from gateway import Client, Permission, SinkContext
from gateway_opcua.methods import MethodNode
from gateway_opcua.nodes import PointNode
from gateway_opcua.variable import READ, WRITE


class Access:
    """Asks the gateway about points that are known here by their nodes."""

    def __init__(self, ctx: SinkContext) -> None:
        self._ctx = ctx
        self.nodes: dict[ua.NodeId, PointNode] = {}

    def sees(self, client: Client, point: int) -> bool:
        """Return whether the client may read a point."""
        return self._ctx.may(client, Permission.READ, point)

    def hides(self, client: Client, nodeid: ua.NodeId) -> bool:
        """Return whether the node is a point that the client may not read."""
        node = self.nodes.get(nodeid)
        return node is not None and not self.sees(client, node.point.id)

    def level(self, client: Client, node: PointNode) -> int:
        """Return the UserAccessLevel of a point (OPC 10000-3, 8.57)."""
        level = READ if self.sees(client, node.point.id) else 0
        if node.level & WRITE and self._ctx.may(client, Permission.COMMAND, node.point.id):
            level |= WRITE
        return level

    def executes(self, client: Client, method: MethodNode) -> bool:
        """Return the UserExecutable of a method."""
        return self._ctx.may(client, method.method.permission, method.point)

    def release(self, client: Client) -> None:
        """Say that a client left."""
        self._ctx.release(client)
