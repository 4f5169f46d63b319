"""Points as nodes of asyncua's address space.

The library adds a node by comparing it with all its siblings, which is quadratic in a folder.
Here a node is one small object, put straight into the address space:
its attributes and references are made when a client first asks for them.
"""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

from asyncua import ua
from asyncua.server.address_space import AddressSpace, AttributeValue, NodeData

from gateway_opcua.tree import Folder, Leaf
from gateway_opcua.variable import Variable, property_names, variable

Reader: TypeAlias = Callable[[ua.NodeId, ua.AttributeIds], ua.DataValue]

_OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_FOLDER_TYPE = ua.NodeId(ua.ObjectIds.FolderType)
_PROPERTY_TYPE = ua.NodeId(ua.ObjectIds.PropertyType)
_ORGANIZES = ua.NodeId(ua.ObjectIds.Organizes)
_HAS_COMPONENT = ua.NodeId(ua.ObjectIds.HasComponent)
_HAS_PROPERTY = ua.NodeId(ua.ObjectIds.HasProperty)
_HAS_TYPE_DEFINITION = ua.NodeId(ua.ObjectIds.HasTypeDefinition)
_READ_ONLY = 1 << ua.AccessLevel.CurrentRead


class GatewayNode(NodeData):
    """A node that knows its parent and makes its parts on demand."""

    node_class = ua.NodeClass.Object
    type_definition = _FOLDER_TYPE
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
        return {ua.AttributeIds.EventNotifier: _attribute(0, ua.VariantType.Byte)}

    @cached_property
    def attributes(self) -> dict[ua.AttributeIds, AttributeValue]:  # type: ignore[override]
        ids, types = ua.AttributeIds, ua.VariantType
        name = ua.LocalizedText(self.name)
        return {
            ids.NodeId: _attribute(self.nodeid, types.NodeId),
            ids.NodeClass: _attribute(self.node_class, types.Int32),
            ids.BrowseName: _attribute(self.browse_name, types.QualifiedName),
            ids.DisplayName: _attribute(name, types.LocalizedText),
            ids.Description: _attribute(ua.LocalizedText(self.described()), types.LocalizedText),
            ids.WriteMask: _attribute(0, types.UInt32),
            ids.UserWriteMask: _attribute(0, types.UInt32),
        } | self.own_attributes()

    @cached_property
    def references(self) -> list[ua.ReferenceDescription]:  # type: ignore[override]
        word = ua.ObjectIdNames[int(self.type_definition.Identifier)]
        kind = ua.ReferenceDescription(
            ReferenceTypeId=_HAS_TYPE_DEFINITION,
            IsForward=True,
            NodeId=self.type_definition,
            BrowseName=ua.QualifiedName(word),
            DisplayName=ua.LocalizedText(word),
            NodeClass=ua.NodeClass.VariableType
            if self.node_class is ua.NodeClass.Variable
            else ua.NodeClass.ObjectType,
        )
        if self.parent is None:
            up = ua.ReferenceDescription(
                NodeId=_OBJECTS,
                BrowseName=ua.QualifiedName("Objects"),
                DisplayName=ua.LocalizedText("Objects"),
                NodeClass=ua.NodeClass.Object,
                TypeDefinition=_FOLDER_TYPE,
            )
        else:
            up = self.parent.reference()
        up.ReferenceTypeId = self.up_reference
        up.IsForward = False
        return [kind, up, *(child.reference() for child in self.children())]

    def reference(self) -> ua.ReferenceDescription:
        """Return the reference from the parent to this node."""
        return ua.ReferenceDescription(
            ReferenceTypeId=self.up_reference,
            IsForward=True,
            NodeId=self.nodeid,
            BrowseName=self.browse_name,
            DisplayName=ua.LocalizedText(self.name),
            NodeClass=self.node_class,
            TypeDefinition=self.type_definition,
        )


class FolderNode(GatewayNode):
    """A folder of the tree; the children are known once the tree is planted."""

    def __init__(self, nodeid: ua.NodeId, name: str, parent: FolderNode | None) -> None:
        super().__init__(nodeid, name, parent)
        self.below: list[GatewayNode] = []

    def children(self) -> list[GatewayNode]:
        return self.below


class PointNode(GatewayNode):
    """A point as a variable; its value is read from the image at the moment it is asked for."""

    node_class = ua.NodeClass.Variable
    up_reference = _HAS_COMPONENT

    def __init__(self, leaf: Leaf, nodeid: ua.NodeId, parent: FolderNode, reader: Reader) -> None:
        super().__init__(nodeid, leaf.name, parent)
        self.point = leaf.point
        self._reader = reader

    @cached_property
    def variable(self) -> Variable:
        return variable(self.point.definition)

    @property
    def type_definition(self) -> ua.NodeId:  # type: ignore[override]
        return ua.NodeId(self.variable.type_definition)

    def described(self) -> str:
        return self.point.definition.description

    def children(self) -> list[GatewayNode]:
        names = property_names(self.point.definition)
        return [PropertyNode(self, name) for name in names]

    def own_attributes(self) -> dict[ua.AttributeIds, AttributeValue]:
        value = AttributeValue(ua.DataValue())
        value.value = None
        value.value_callback = self._reader
        return _variable_attributes(value, int(self.variable.data_type), -1)


class PropertyNode(GatewayNode):
    """A property of a point: engineering unit, range, names of states."""

    node_class = ua.NodeClass.Variable
    type_definition = _PROPERTY_TYPE
    up_reference = _HAS_PROPERTY

    def __init__(self, owner: PointNode, name: str) -> None:
        nodeid = ua.NodeId(f"{owner.nodeid.Identifier!s}/{name}", owner.nodeid.NamespaceIndex)
        super().__init__(nodeid, name, owner)
        self._owner = owner

    @property
    def browse_name(self) -> ua.QualifiedName:
        return ua.QualifiedName(self.name, 0)

    def own_attributes(self) -> dict[ua.AttributeIds, AttributeValue]:
        given = next(one for one in self._owner.variable.properties if one.name == self.name)
        rank = 1 if given.variant.is_array else -1
        return _variable_attributes(
            AttributeValue(ua.DataValue(given.variant)), given.data_type, rank
        )


def plant(
    aspace: AddressSpace, root: Folder, name: str, namespace: int, reader: Reader
) -> dict[ua.NodeId, PointNode]:
    """Put the tree below Objects under the given name; return the nodes of the points by NodeId."""
    nodes: dict[ua.NodeId, PointNode] = {}

    def put(folder: Folder, title: str, parent: FolderNode | None) -> FolderNode:
        node = FolderNode(ua.NodeId(folder.identifier, namespace), title, parent)
        aspace[node.nodeid] = node
        for part, below in folder.folders.items():
            node.below.append(put(below, part, node))
        for leaf in folder.points:
            nodeid = ua.NodeId(leaf.identifier, namespace)
            point = PointNode(leaf, nodeid, node, reader)
            node.below.append(point)
            aspace[nodeid] = nodes[nodeid] = point
            for child in point.children():
                aspace[child.nodeid] = child
        return node

    aspace[_OBJECTS].references.append(put(root, name, None).reference())
    return nodes


def _attribute(value: Any, kind: ua.VariantType) -> AttributeValue:
    return AttributeValue(ua.DataValue(ua.Variant(value, kind)))


def _variable_attributes(
    value: AttributeValue, data_type: int, rank: int
) -> dict[ua.AttributeIds, AttributeValue]:
    ids, types = ua.AttributeIds, ua.VariantType
    attributes = {
        ids.Value: value,
        ids.DataType: _attribute(ua.NodeId(data_type), types.NodeId),
        ids.ValueRank: _attribute(rank, types.Int32),
        ids.AccessLevel: _attribute(_READ_ONLY, types.Byte),
        ids.UserAccessLevel: _attribute(_READ_ONLY, types.Byte),
        ids.MinimumSamplingInterval: _attribute(0.0, types.Double),
        ids.Historizing: _attribute(False, types.Boolean),
    }
    if rank == 1:
        dimensions = ua.Variant([0], types.UInt32)
        attributes[ids.ArrayDimensions] = AttributeValue(ua.DataValue(dimensions))
    return attributes
