"""A node of asyncua's address space that makes its parts when a client first asks for them."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from functools import cached_property
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AttributeValue, NodeData

from gateway_opcua.variable import READ, Property

OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_FOLDER_TYPE = ua.NodeId(ua.ObjectIds.FolderType)
_PROPERTY_TYPE = ua.NodeId(ua.ObjectIds.PropertyType)
_ORGANIZES = ua.NodeId(ua.ObjectIds.Organizes)
HAS_COMPONENT = ua.NodeId(ua.ObjectIds.HasComponent)
_HAS_PROPERTY = ua.NodeId(ua.ObjectIds.HasProperty)
_HAS_TYPE_DEFINITION = ua.NodeId(ua.ObjectIds.HasTypeDefinition)


class GatewayNode(NodeData):
    """A node that knows its parent and makes its parts on demand."""

    node_class = ua.NodeClass.Object
    type_definition: ua.NodeId | None = _FOLDER_TYPE
    up_reference = _ORGANIZES

    def __init__(self, nodeid: ua.NodeId, name: str, parent: GatewayNode | None) -> None:
        # NodeData's own constructor would make the parts that are made on demand here
        self.nodeid = nodeid
        self.name = name
        self.parent = parent
        self.call = None

    @property
    def browse_name(self) -> ua.QualifiedName:
        return ua.QualifiedName(self.name, self.nodeid.NamespaceIndex)

    def described(self) -> str:
        """Return the description attribute."""
        return ""

    def children(self) -> list[GatewayNode]:
        """Return the nodes below, in the order of the point list."""
        return []

    def own_attributes(self) -> dict[ua.AttributeIds, AttributeValue]:
        """Return the attributes of the node class."""
        return {ua.AttributeIds.EventNotifier: attribute(0, ua.VariantType.Byte)}

    def given(self, name: str) -> Property:
        """Return the property that the child of this name shows."""
        raise KeyError(name)

    @cached_property
    def attributes(self) -> dict[ua.AttributeIds, AttributeValue]:  # type: ignore[override]
        ids, types = ua.AttributeIds, ua.VariantType
        name = ua.LocalizedText(self.name)
        return {
            ids.NodeId: attribute(self.nodeid, types.NodeId),
            ids.NodeClass: attribute(self.node_class, types.Int32),
            ids.BrowseName: attribute(self.browse_name, types.QualifiedName),
            ids.DisplayName: attribute(name, types.LocalizedText),
            ids.Description: attribute(ua.LocalizedText(self.described()), types.LocalizedText),
            ids.WriteMask: attribute(0, types.UInt32),
            ids.UserWriteMask: attribute(0, types.UInt32),
        } | self.own_attributes()

    @cached_property
    def references(self) -> list[ua.ReferenceDescription]:  # type: ignore[override]
        if self.parent is None:
            up = ua.ReferenceDescription(
                NodeId=OBJECTS,
                BrowseName=ua.QualifiedName("Objects"),
                DisplayName=ua.LocalizedText("Objects"),
                NodeClass=ua.NodeClass.Object,
                TypeDefinition=_FOLDER_TYPE,
            )
        else:
            up = self.parent.reference()
        up.ReferenceTypeId = self.up_reference
        up.IsForward = False
        return [*self._kind(), up, *(child.reference() for child in self.children())]

    def _kind(self) -> list[ua.ReferenceDescription]:
        if self.type_definition is None:  # a method has none (OPC 10000-3, 5.7)
            return []
        word = ua.ObjectIdNames[int(self.type_definition.Identifier)]
        return [
            ua.ReferenceDescription(
                ReferenceTypeId=_HAS_TYPE_DEFINITION,
                IsForward=True,
                NodeId=self.type_definition,
                BrowseName=ua.QualifiedName(word),
                DisplayName=ua.LocalizedText(word),
                NodeClass=ua.NodeClass.VariableType
                if self.node_class is ua.NodeClass.Variable
                else ua.NodeClass.ObjectType,
            )
        ]

    def reference(self) -> ua.ReferenceDescription:
        """Return the reference from the parent to this node."""
        return ua.ReferenceDescription(
            ReferenceTypeId=self.up_reference,
            IsForward=True,
            NodeId=self.nodeid,
            BrowseName=self.browse_name,
            DisplayName=ua.LocalizedText(self.name),
            NodeClass=self.node_class,
            TypeDefinition=self.type_definition or ua.NodeId(),
        )


class PropertyNode(GatewayNode):
    """A property of a point or method: engineering unit, range, names of states, arguments."""

    node_class = ua.NodeClass.Variable
    type_definition = _PROPERTY_TYPE
    up_reference = _HAS_PROPERTY

    def __init__(self, owner: GatewayNode, name: str) -> None:
        nodeid = ua.NodeId(f"{owner.nodeid.Identifier!s}/{name}", owner.nodeid.NamespaceIndex)
        super().__init__(nodeid, name, owner)
        self._owner = owner

    @property
    def browse_name(self) -> ua.QualifiedName:
        return ua.QualifiedName(self.name, 0)

    def own_attributes(self) -> dict[ua.AttributeIds, AttributeValue]:
        given = self._owner.given(self.name)
        rank = 1 if given.variant.is_array else -1
        return variable_attributes(
            AttributeValue(ua.DataValue(given.variant)), given.data_type, rank
        )


def attribute(value: Any, kind: ua.VariantType) -> AttributeValue:
    """Return an attribute that holds this value."""
    return AttributeValue(ua.DataValue(ua.Variant(value, kind)))


def variable_attributes(
    value: AttributeValue, data_type: int, rank: int, level: int = READ
) -> dict[ua.AttributeIds, AttributeValue]:
    """Return the attributes of a variable; `rank` -1 is a scalar, 1 an array."""
    ids, types = ua.AttributeIds, ua.VariantType
    attributes = {
        ids.Value: value,
        ids.DataType: attribute(ua.NodeId(data_type), types.NodeId),
        ids.ValueRank: attribute(rank, types.Int32),
        ids.AccessLevel: attribute(level, types.Byte),
        ids.UserAccessLevel: attribute(level, types.Byte),
        ids.MinimumSamplingInterval: attribute(0.0, types.Double),
        ids.Historizing: attribute(False, types.Boolean),
    }
    if rank == 1:
        dimensions = ua.Variant([0], types.UInt32)
        attributes[ids.ArrayDimensions] = AttributeValue(ua.DataValue(dimensions))
    return attributes
