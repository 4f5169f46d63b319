"""Where and how each point is commanded, as this connection found it."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncua import ua

from gateway import Command, ControlModel, Kind, LinkPoint, Operation
from gateway_opcua.client.data_type import DataTypes
from gateway_opcua.client.number import variant
from gateway_opcua.client.point import ClientPoint, ValueType
from gateway_opcua.client.resolver import Resolver, Unresolved
from gateway_opcua.client.source import address_of

_STATES = (Kind.STATUS, Kind.DOUBLE)


@dataclass(frozen=True, slots=True)
class Method:
    """A method and the type of the value that it takes; None where it takes none."""

    object: ua.NodeId
    method: ua.NodeId
    argument: ValueType | None

    def call(self, number: float) -> ua.CallMethodRequest:
        """Return the call with a value; raises OutOfRange."""
        given = [] if self.argument is None else [variant(self.argument, number)]
        return ua.CallMethodRequest(
            ObjectId=self.object, MethodId=self.method, InputArguments=given
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A variable that is written."""

    node: ua.NodeId
    type: ValueType
    index: int | None = None

    def write(self, number: float) -> ua.WriteValue:
        """Return the write of a value, with nothing beside it: many servers refuse a status or
        a time. Raises OutOfRange."""
        indexed = self.index is not None
        return ua.WriteValue(
            NodeId=self.node,
            AttributeId=ua.AttributeIds.Value,
            IndexRange=str(self.index) if indexed else None,
            Value=ua.DataValue(variant(self.type, number, array=indexed), StatusCode=None),
        )


@dataclass(frozen=True, slots=True)
class Output:
    """How one point is commanded: by a write, or by methods.

    on, off: what stands for 1 and 0; None for the type's own.
    """

    point: LinkPoint
    target: Target | None = None
    trip: Target | None = None
    methods: dict[Operation, Method] = field(default_factory=dict)
    on: float | None = None
    off: float | None = None

    def number(self, command: Command, kind: ValueType | None) -> float:
        """Return what the server is given for a command's value."""
        if self.point.kind not in _STATES:
            return command.raw
        # Dbpos 1 and 2; a Boolean has off and on only.
        shift = self.point.kind is Kind.DOUBLE and kind is not ValueType.BOOLEAN
        on = self.on if self.on is not None else 1.0 + shift
        off = self.off if self.off is not None else 0.0 + shift
        return on if command.value else off

    def writes(self, command: Command, value: float | None = None) -> ua.WriteValue:
        """Return the write of a command, or of its output driven (1) or not (0); OutOfRange."""
        target = self.target
        assert target is not None  # noqa: S101 - asked of points that are written
        if value is not None:
            on = 1.0 if self.on is None else self.on
            off = 0.0 if self.off is None else self.off
            return target.write(on if value else off)
        if self.trip is not None and command.model is ControlModel.TRIP_CLOSE:
            side = target if command.value else self.trip
            return side.write(1.0 if self.on is None else self.on)
        return target.write(self.number(command, target.type))


async def outputs(
    resolver: Resolver, types: DataTypes, points: Sequence[LinkPoint]
) -> dict[int, Output | str]:
    """Return how each point that has a command is commanded, or why it cannot be, by its id.

    Raises one of `FAILURES`.
    """
    commanded = [point for point in points if point.command is not None]
    texts = [text for point in commanded for text in _texts(address_of(point))]
    nodes = await resolver.resolve(texts)
    wanted = {
        node
        for point in commanded
        for text in (address_of(point).written, address_of(point).trip)
        if text is not None
        and address_of(point).write_type is None
        and isinstance(node := nodes[text], ua.NodeId)
    }
    kinds = await types.of_nodes(list(wanted)) if wanted else {}
    found: dict[int, Output | str] = {}
    for point in commanded:
        try:
            found[point.id] = await _output(point, nodes, kinds, types)
        except Unresolved as error:
            found[point.id] = str(error)
    return found


def _texts(address: ClientPoint) -> list[str]:
    places = (
        address.written,
        address.trip,
        address.object,
        address.method,
        address.select_method,
        address.cancel_method,
    )
    return [text for text in places if text is not None]


async def _output(
    point: LinkPoint,
    nodes: dict[str, ua.NodeId | Unresolved],
    kinds: dict[ua.NodeId, ValueType | None],
    types: DataTypes,
) -> Output:
    address = address_of(point)

    def node(text: str) -> ua.NodeId:
        found = nodes[text]
        if isinstance(found, Unresolved):
            raise Unresolved(f"{text}: {found}")
        return found

    def target(text: str) -> Target:
        place = node(text)
        kind = address.write_type or kinds.get(place)
        if kind is None:
            raise Unresolved(f"{text} is no number; write_type says how to write it all the same")
        return Target(place, kind, address.index if address.write is None else None)

    if address.object is None:
        text = address.written
        assert text is not None  # noqa: S101 - the model of the row says so
        return Output(
            point,
            target(text),
            target(address.trip) if address.trip is not None else None,
            on=address.write_on,
            off=address.write_off,
        )
    methods: dict[Operation, Method] = {}
    for operations, name in (
        ((Operation.DIRECT, Operation.EXECUTE), address.method),
        ((Operation.SELECT,), address.select_method),
        ((Operation.CANCEL,), address.cancel_method),
    ):
        if name is None:
            continue
        argument = await types.argument(node(name))
        kind = None if argument is None else await types.of(argument)
        if argument is not None and kind is None:
            raise Unresolved(f"{name} takes no number as its first argument")
        made = Method(node(address.object), node(name), kind)
        methods |= dict.fromkeys(operations, made)
    return Output(point, methods=methods)
