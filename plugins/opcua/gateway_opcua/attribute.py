"""Read and Write as clients may use them (OPC 10000-4, 5.11)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import dataclasses
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AttributeService

from gateway_opcua.nodes import PointNode

MOST_NODES = 10_000
"""What the server says in OperationLimits, and asyncua does not hold."""
_SOURCE = (ua.TimestampsToReturn.Source, ua.TimestampsToReturn.Both)
_SERVER = (ua.TimestampsToReturn.Server, ua.TimestampsToReturn.Both)
_WRITER = User(role=UserRole.Admin)


class Attributes(AttributeService):
    """Reads with the time stamps that were asked for; writes by clients are refused."""

    def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        if len(params.NodesToRead) > MOST_NODES:
            raise ServiceError(ua.StatusCodes.BadTooManyOperations)
        values = super().read(params)
        wanted = params.TimestampsToReturn
        if wanted == ua.TimestampsToReturn.Both:
            return values
        return [
            dataclasses.replace(
                value,
                SourceTimestamp=value.SourceTimestamp if wanted in _SOURCE else None,
                ServerTimestamp=value.ServerTimestamp if wanted in _SERVER else None,
            )
            for value in values
        ]

    async def write(self, params: ua.WriteParameters, user: User = _WRITER) -> list[ua.StatusCode]:
        if user.role is UserRole.Admin:
            return await super().write(params, user)
        return [ua.StatusCode(self._refusal(item)) for item in params.NodesToWrite]

    def _refusal(self, item: Any) -> int:
        node = self._aspace.get(item.NodeId)
        if node is None:
            return ua.StatusCodes.BadNodeIdUnknown
        if not isinstance(node, PointNode) and item.AttributeId not in node.attributes:
            return ua.StatusCodes.BadAttributeIdInvalid
        return ua.StatusCodes.BadNotWritable
