"""Which built-in type a node's value has, and what a method wants."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Sequence

from asyncua import ua

from gateway_opcua.client.limits import chunks, read
from gateway_opcua.client.number import NUMBERS
from gateway_opcua.client.point import ValueType
from gateway_opcua.client.session import Session

_IDS = ua.ObjectIds
_ABSTRACT = {_IDS.BaseDataType, _IDS.Number, _IDS.Integer, _IDS.UInteger}
_DEEPEST = 20
"""Subtypes below a built-in type, before it is taken for a circle."""


class DataTypes:
    """Finds built-in types of data types, each asked for once."""

    def __init__(self, session: Session, most: int) -> None:
        self._session = session
        self._most = most
        self._known: dict[ua.NodeId, ValueType | None] = {}

    async def of_nodes(self, nodes: Sequence[ua.NodeId]) -> dict[ua.NodeId, ValueType | None]:
        """Return the type of each variable's value; None where it is no number.

        Where the data type leaves it open, the present value says it.
        """
        found: dict[ua.NodeId, ValueType | None] = {}
        for group in chunks(nodes, self._most):
            types = await read(self._session, group, ua.AttributeIds.DataType)
            values = await read(self._session, group)
            for node, told, value in zip(group, types, values, strict=True):
                data_type = told.Value.Value if told.Value is not None else None
                kind = await self.of(data_type) if isinstance(data_type, ua.NodeId) else None
                if kind is None and value.Value is not None:
                    kind = NUMBERS.get(value.Value.VariantType)
                found[node] = kind
        return found

    async def of(self, data_type: ua.NodeId) -> ValueType | None:
        """Return the built-in type that a data type is a subtype of; None where it is no number."""
        if data_type not in self._known:
            self._known[data_type] = await self._climb(data_type)
        return self._known[data_type]

    async def _climb(self, data_type: ua.NodeId) -> ValueType | None:
        for _ in range(_DEEPEST):
            if data_type.NamespaceIndex == 0 and isinstance(data_type.Identifier, int):
                number = int(data_type.Identifier)
                if number == _IDS.Enumeration:
                    return ValueType.INT32
                if number in _ABSTRACT:
                    return None
                if number <= _IDS.DiagnosticInfo:
                    return NUMBERS.get(ua.VariantType(number))
            above = await self._above(data_type)
            if above is None:
                return None
            data_type = above
        return None

    async def _above(self, data_type: ua.NodeId) -> ua.NodeId | None:
        request = ua.BrowseRequest()
        request.Parameters.View = ua.ViewDescription()
        request.Parameters.NodesToBrowse = [
            ua.BrowseDescription(
                NodeId=data_type,
                BrowseDirection=ua.BrowseDirection.Inverse,
                ReferenceTypeId=ua.NodeId(_IDS.HasSubtype),
                IncludeSubtypes=False,
                ResultMask=ua.BrowseResultMask.None_,
            )
        ]
        answer = await self._session.ask(request, ua.BrowseResponse)
        references = answer.Results[0].References if answer.Results else None
        if not references:
            return None
        found = references[0].NodeId
        return ua.NodeId(found.Identifier, found.NamespaceIndex, found.NodeIdType)

    async def argument(self, method: ua.NodeId) -> ua.NodeId | None:
        """Return the data type of a method's first input argument; None where it has none."""
        request = ua.TranslateBrowsePathsToNodeIdsRequest()
        step = ua.RelativePathElement(
            ReferenceTypeId=ua.NodeId(_IDS.HasProperty),
            IsInverse=False,
            IncludeSubtypes=True,
            TargetName=ua.QualifiedName("InputArguments", 0),
        )
        request.Parameters.BrowsePaths = [
            ua.BrowsePath(StartingNode=method, RelativePath=ua.RelativePath(Elements=[step]))
        ]
        answer = await self._session.ask(request, ua.TranslateBrowsePathsToNodeIdsResponse)
        targets = answer.Results[0].Targets if answer.Results else None
        if not targets:
            return None
        place = targets[0].TargetId
        node = ua.NodeId(place.Identifier, place.NamespaceIndex, place.NodeIdType)
        (value,) = await read(self._session, [node])
        arguments = value.Value.Value if value.Value is not None else None
        return arguments[0].DataType if arguments else None
