"""Read as clients may use it (OPC 10000-4, 5.11.2)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import dataclasses
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AddressSpace, AttributeService

from gateway import Client
from gateway_opcua.access import Access
from gateway_opcua.methods import MethodNode
from gateway_opcua.nodes import PointNode

MOST_NODES = 10_000
"""What the server says in OperationLimits, and asyncua does not hold."""
_SOURCE = (ua.TimestampsToReturn.Source, ua.TimestampsToReturn.Both)
_SERVER = (ua.TimestampsToReturn.Server, ua.TimestampsToReturn.Both)
_WRITER = User(role=UserRole.Admin)
_IDS = ua.AttributeIds
_DENIED = ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
_NO_RANGE = ua.StatusCode(ua.StatusCodes.BadIndexRangeNoData)


class Attributes(AttributeService):
    """Reads with the time stamps that were asked for, and what the client may see.

    Writes here are the library's own; those of clients are commands.
    """

    def __init__(self, aspace: AddressSpace, access: Access) -> None:
        super().__init__(aspace)
        self._access = access

    def read_as(self, params: ua.ReadParameters, client: Client) -> list[ua.DataValue]:
        """Carry out a client's Read."""
        if len(params.NodesToRead) > MOST_NODES:
            raise ServiceError(ua.StatusCodes.BadTooManyOperations)
        values = [self._value(one, client) for one in params.NodesToRead]
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

    def _value(self, wanted: Any, client: Client) -> ua.DataValue:
        node, attribute = self._aspace.get(wanted.NodeId), wanted.AttributeId
        if isinstance(node, PointNode):
            if attribute == _IDS.Value:
                if not self._access.sees(client, node.point.id):
                    return ua.DataValue(StatusCode=_DENIED)
                if wanted.IndexRange:
                    return ua.DataValue(StatusCode=_NO_RANGE)
            elif attribute == _IDS.UserAccessLevel:
                return _shown(self._access.level(client, node), ua.VariantType.Byte)
        elif isinstance(node, MethodNode) and attribute == _IDS.UserExecutable:
            return _shown(self._access.executes(client, node), ua.VariantType.Boolean)
        return self._aspace.read_attribute_value(wanted.NodeId, attribute)

    async def write(self, params: ua.WriteParameters, user: User = _WRITER) -> list[ua.StatusCode]:
        if user.role is not UserRole.Admin:
            raise ServiceError(ua.StatusCodes.BadUserAccessDenied)
        return await super().write(params, user)


def _shown(value: Any, kind: ua.VariantType) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, kind))
