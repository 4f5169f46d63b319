"""Methods: commands beside each point that takes them, and what an operator does to points."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from asyncua import ua
from asyncua.server.address_space import AttributeValue

from gateway import Control, Definition, Kind, Operation, Override, Permission, SelectRule
from gateway_opcua.node import HAS_COMPONENT, GatewayNode, PropertyNode, attribute
from gateway_opcua.tree import COMMANDS, OPERATOR, Leaf
from gateway_opcua.variable import DataType, Property, data_type

_STRING = int(ua.VariantType.String)
_OBJECT_TYPE = ua.NodeId(ua.ObjectIds.BaseObjectType)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method; `type` is a built-in type of OPC 10000-6, 5.1.2, always a scalar."""

    name: str
    type: int
    description: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what it does, what it needs; the first `required` inputs cannot be left out."""

    name: str
    does: Operation | Override
    permission: Permission
    description: str
    inputs: tuple[Argument, ...] = ()
    required: int = 0


_TEST = Argument("Test", DataType.BOOLEAN, "as a test: only while the point is in test")
_POINT = Argument("Point", _STRING, "name of the point in the gateway")
_OUTPUTS = (
    Argument("Status", _STRING, "success; anything else is a bad StatusCode"),
    Argument("Id", _STRING, "of the transaction, as in the audit log"),
)

OVERRIDES = (
    Method(
        "Block",
        Override.BLOCK,
        Permission.OVERRIDE,
        "Freeze the point's value and refuse commands to it",
        (_POINT,),
        1,
    ),
    Method(
        "Substitute",
        Override.SUBSTITUTE,
        Permission.OVERRIDE,
        "Show a manual value",
        (
            _POINT,
            Argument(
                "Value",
                DataType.DOUBLE,
                "in the point's unit; status: 0, 1; double: 0 intermediate, 1 off, 2 on, 3 bad",
            ),
        ),
        2,
    ),
    Method(
        "Release",
        Override.RELEASE,
        Permission.OVERRIDE,
        "Undo Block and Substitute",
        (_POINT,),
        1,
    ),
    Method(
        "Test",
        Override.TEST,
        Permission.TEST,
        "Put the point into test, in which no command reaches its device, or end it",
        (_POINT, Argument("On", DataType.BOOLEAN, "true begins the test, false ends it")),
        2,
    ),
)
"""What an operator does to any point."""


def commands(definition: Definition, control: Control) -> tuple[Method, ...]:
    """Return the methods of a point that takes commands; no Direct where a select must come."""
    value = Argument("Value", data_type(definition), _meaning(definition))

    def method(does: Operation, description: str, *inputs: Argument) -> Method:
        name = does.value.capitalize()
        return Method(name, does, Permission.COMMAND, description, inputs, min(1, len(inputs)))

    held = f"held for {control.select_timeout:g} s"
    methods = (
        method(Operation.SELECT, f"Reserve the point for this session, {held}", value, _TEST),
        method(Operation.EXECUTE, "Carry out what was selected", value, _TEST),
        method(Operation.CANCEL, "Give the selection back"),
    )
    if control.select is not SelectRule.NONE:
        return methods
    return *methods, method(Operation.DIRECT, "Carry it out without a select", value, _TEST)


def _meaning(definition: Definition) -> str:
    match definition.kind:
        case Kind.STATUS:
            return "false opens or switches off, true closes or switches on"
        case Kind.DOUBLE:
            return "1 opens or switches off, 2 closes or switches on"
        case _:
            return f"setpoint in {definition.unit}" if definition.unit else "setpoint"


class MethodsNode(GatewayNode):
    """An object whose components are methods."""

    type_definition = _OBJECT_TYPE
    up_reference = HAS_COMPONENT

    def __init__(
        self,
        nodeid: ua.NodeId,
        name: str,
        parent: GatewayNode,
        methods: Sequence[Method],
        point: int | None,
    ) -> None:
        super().__init__(nodeid, name, parent)
        self.methods = [MethodNode(self, method, point) for method in methods]

    def children(self) -> list[GatewayNode]:
        return list(self.methods)


class CommandsNode(MethodsNode):
    """The commands of one point, beside its variable: a variable can have no methods."""

    def __init__(
        self, leaf: Leaf, control: Control, nodeid: ua.NodeId, parent: GatewayNode
    ) -> None:
        own = ua.NodeId(f"{nodeid.Identifier!s}{COMMANDS}", nodeid.NamespaceIndex)
        methods = commands(leaf.point.definition, control)
        super().__init__(own, f"{leaf.name}_Commands", parent, methods, leaf.point.id)


class OperatorNode(MethodsNode):
    """What an operator does to points, of the whole gateway."""

    def __init__(self, parent: GatewayNode) -> None:
        nodeid = ua.NodeId(OPERATOR, parent.nodeid.NamespaceIndex)
        super().__init__(nodeid, "Operator", parent, OVERRIDES, None)


class MethodNode(GatewayNode):
    """A method; `point` is the id of the one that it commands, None for any."""

    node_class = ua.NodeClass.Method
    type_definition = None
    up_reference = HAS_COMPONENT

    def __init__(self, owner: MethodsNode, method: Method, point: int | None) -> None:
        above = owner.nodeid
        nodeid = ua.NodeId(f"{above.Identifier!s}/{method.name}", above.NamespaceIndex)
        super().__init__(nodeid, method.name, owner)
        self.method = method
        self.point = point

    def described(self) -> str:
        return self.method.description

    def children(self) -> list[GatewayNode]:
        names = ["InputArguments"] * bool(self.method.inputs) + ["OutputArguments"]
        return [PropertyNode(self, name) for name in names]

    def own_attributes(self) -> dict[ua.AttributeIds, AttributeValue]:
        yes = attribute(True, ua.VariantType.Boolean)
        return {ua.AttributeIds.Executable: yes, ua.AttributeIds.UserExecutable: yes}

    def given(self, name: str) -> Property:
        return self._arguments[name]

    @cached_property
    def _arguments(self) -> dict[str, Property]:
        given = {"InputArguments": self.method.inputs, "OutputArguments": _OUTPUTS}
        return {name: _property(name, arguments) for name, arguments in given.items()}


def _property(name: str, arguments: Sequence[Argument]) -> Property:
    shown = [
        ua.Argument(
            Name=one.name,
            DataType=ua.NodeId(int(one.type)),
            ValueRank=-1,
            Description=ua.LocalizedText(one.description),
        )
        for one in arguments
    ]
    return Property(name, ua.Variant(shown, ua.VariantType.ExtensionObject), ua.ObjectIds.Argument)
