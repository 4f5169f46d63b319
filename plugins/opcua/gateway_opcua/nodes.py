"""Points as nodes of asyncua's address space.

The library adds a node by comparing it with all its siblings, which is quadratic in a folder.
Here a node is one small object, put straight into the address space.
"""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

from asyncua import ua
from asyncua.server.address_space import AddressSpace, AttributeValue

from gateway_opcua.methods import CommandsNode, MethodsNode, OperatorNode
from gateway_opcua.node import (
    HAS_COMPONENT,
    OBJECTS,
    GatewayNode,
    PropertyNode,
    variable_attributes,
)
from gateway_opcua.tree import Folder, Leaf
from gateway_opcua.variable import (
    READ,
    WRITE,
    Property,
    Variable,
    property_names,
    variable,
    writable,
)

Reader: TypeAlias = Callable[[ua.NodeId, ua.AttributeIds], ua.DataValue]


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
    up_reference = HAS_COMPONENT

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
        return variable_attributes(value, int(self.variable.data_type), -1, self.level)

    @property
    def level(self) -> int:
        """The AccessLevel (OPC 10000-3, 8.57): what anybody may do to the value."""
        return READ | WRITE if writable(self.point.definition) else READ

    def given(self, name: str) -> Property:
        return next(one for one in self.variable.properties if one.name == name)


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
            control = leaf.point.command
            if control is not None:
                node.below.append(add(CommandsNode(leaf, control, nodeid, node)))
        return node

    def add(owner: MethodsNode) -> MethodsNode:
        aspace[owner.nodeid] = owner
        for method in owner.methods:
            aspace[method.nodeid] = method
            for argument in method.children():
                aspace[argument.nodeid] = argument
        return owner

    top = put(root, name, None)
    top.below.append(add(OperatorNode(top)))
    aspace[OBJECTS].references.append(top.reference())
    return nodes
