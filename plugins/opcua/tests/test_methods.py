"""Methods: select before execute, and what operators do to points."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

from typing import Any

import pytest
from asyncua import Client, ua

from gateway import CommandStatus, Operation, Quality

T = ua.VariantType
POINTS = """\
name,kind,unit,field.at,ua.browse_name,command.model,command.select,command.low,command.high
bay1.breaker,status,,a,CB1,latch,forward,,
bay1.isolator,double,,b,,trip_close,local,,
bay1.setpoint,analog,kW,c,,setpoint,,-50,50
bay1.voltage,analog,V,d,,,,,
"""
OPEN = {"points": POINTS, "role": "engineer"}


async def call(client: Client, owner: str, method: str, *arguments: tuple[Any, T]) -> list[Any]:
    """Call a method, and return the name of its StatusCode, its outputs, and what was wrong."""
    variants = [ua.Variant(value, kind) for value, kind in arguments]
    (result,) = await client.uaclient.call(
        [
            ua.CallMethodRequest(
                ObjectId=ua.NodeId(owner, 2),
                MethodId=ua.NodeId(f"{owner}/{method}", 2),
                InputArguments=variants,
            )
        ]
    )
    outputs = [one.Value for one in result.OutputArguments or []]
    wrong = [code.name for code in result.InputArgumentResults or []]
    return [result.StatusCode.name, outputs, wrong]


async def status(client: Client, owner: str, method: str, *arguments: tuple[Any, T]) -> str:
    name, outputs, _ = await call(client, owner, method, *arguments)
    assert bool(outputs) is (name == "Good")
    return str(name)


CLOSE, OPEN_IT = (True, T.Boolean), (False, T.Boolean)
BREAKER, ISOLATOR, SETPOINT, OPERATOR = (
    "bay1.breaker/Commands",
    "bay1.isolator/Commands",
    "bay1.setpoint/Commands",
    "/Operator",
)


async def test_commands_stand_beside_their_points(serve: Any, connect: Any) -> None:
    """A browsing client finds the object, its methods and their arguments."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        folder = client.get_node("ns=2;s=bay1/")
        names = [(await node.read_browse_name()).Name for node in await folder.get_children()]
        assert names == [
            "CB1",
            "CB1_Commands",
            "isolator",
            "isolator_Commands",
            "setpoint",
            "setpoint_Commands",
            "voltage",
        ]
        for owner, expected in [
            (BREAKER, ["Select", "Execute", "Cancel"]),
            (SETPOINT, ["Select", "Execute", "Cancel", "Direct"]),
            (OPERATOR, ["Block", "Substitute", "Release", "Test"]),
        ]:
            node = client.get_node(ua.NodeId(owner, 2))
            assert (await node.read_type_definition()).Identifier == ua.ObjectIds.BaseObjectType
            methods = await node.get_methods()
            assert [(await one.read_browse_name()).Name for one in methods] == expected
            assert all([await one.read_node_class() == ua.NodeClass.Method for one in methods])
        direct = client.get_node(ua.NodeId(f"{SETPOINT}/Direct", 2))
        inputs = await (await direct.get_child("0:InputArguments")).read_value()
        assert [(one.Name, one.DataType.Identifier, one.ValueRank) for one in inputs] == [
            ("Value", ua.ObjectIds.Double, -1),
            ("Test", ua.ObjectIds.Boolean, -1),
        ]
        outputs = await (await direct.get_child("0:OutputArguments")).read_value()
        assert [one.Name for one in outputs] == ["Status", "Id"]
        cancel = client.get_node(ua.NodeId(f"{SETPOINT}/Cancel", 2))
        children = await cancel.get_children(ua.ObjectIds.HasProperty)
        assert [(await one.read_browse_name()).Name for one in children] == ["OutputArguments"]
        # as a client's own helper for methods sees it
        assert (await client.get_node(ua.NodeId(SETPOINT, 2)).call_method("2:Direct", 1.0))[
            0
        ] == "success"


async def test_select_before_execute(serve: Any, connect: Any) -> None:
    """An execute follows its select, once; the device is told of both where it holds the select."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        assert await status(client, BREAKER, "Execute", CLOSE) == "BadInvalidState"
        assert await status(client, BREAKER, "Cancel") == "BadInvalidState"
        assert served.field.commands == []
        selected = await call(client, BREAKER, "Select", CLOSE)
        executed = await call(client, BREAKER, "Execute", CLOSE)
        assert selected[:2] == executed[:2]
        assert selected[0] == "Good"
        assert selected[1][0] == "success"
        assert selected[1][1]
        assert await status(client, BREAKER, "Execute", CLOSE) == "BadInvalidState"
        assert await status(client, BREAKER, "Select", CLOSE) == "Good"
        assert await status(client, BREAKER, "Execute", OPEN_IT) == "BadInvalidState"
        steps = [(one.operation, one.value) for one in served.field.commands]
        assert steps[:2] == [(Operation.SELECT, 1.0), (Operation.EXECUTE, 1.0)]
        assert (Operation.EXECUTE, 0.0) not in steps
        for value, word in [((1, T.UInt32), 0.0), ((2, T.UInt32), 1.0)]:
            assert await status(client, ISOLATOR, "Select", value) == "Good"
            assert await status(client, ISOLATOR, "Execute", value) == "Good"
            assert served.field.commands[-1].value == word


async def test_a_selection_is_of_one_session(serve: Any, connect: Any) -> None:
    """Another session is refused until the first gives it back or leaves."""
    async with serve(**OPEN) as served, connect(served.url) as second:
        async with connect(served.url) as first:
            assert await status(first, BREAKER, "Select", CLOSE) == "Good"
            assert await status(second, BREAKER, "Select", CLOSE) == "BadResourceUnavailable"
            assert await status(second, BREAKER, "Execute", CLOSE) == "BadResourceUnavailable"
            assert await status(first, BREAKER, "Cancel") == "Good"
            assert await status(second, BREAKER, "Select", CLOSE) == "Good"
            assert await status(second, BREAKER, "Cancel") == "Good"
            assert await status(first, BREAKER, "Select", CLOSE) == "Good"
        told = len(served.field.commands)
        # the session has ended, and the device that held the select for it hears so
        await served.gateway.until(lambda: served.field.commands[-1].operation is Operation.CANCEL)
        assert told - 1 <= len(served.field.commands) <= told + 1
        assert await status(second, BREAKER, "Select", CLOSE) == "Good"
        assert await status(second, BREAKER, "Execute", CLOSE) == "Good"


async def test_direct_goes_where_no_select_is_asked_for(serve: Any, connect: Any) -> None:
    """With outputs after success, and only the StatusCode after a refusal (OPC 10000-4, 5.12.2)."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        assert await status(client, SETPOINT, "Direct", (12.5, T.Double)) == "Good"
        assert served.field.commands[-1].value == 12.5
        served.field.reply(lambda command: CommandStatus.REFUSED)
        found = await call(client, SETPOINT, "Direct", (12.5, T.Double), (False, T.Boolean))
        assert found == ["BadDeviceFailure", [], []]
        assert (await call(client, BREAKER, "Direct", CLOSE))[0] == "BadMethodInvalid"


@pytest.mark.parametrize(
    ("owner", "method", "arguments", "expected"),
    [
        (SETPOINT, "Direct", [], ["BadArgumentsMissing", []]),
        (SETPOINT, "Cancel", [(1.0, T.Double)], ["BadTooManyArguments", []]),
        (SETPOINT, "Direct", [(1.0, T.Double)] * 3, ["BadTooManyArguments", []]),
        (SETPOINT, "Direct", [(1, T.Int32)], ["BadInvalidArgument", ["BadTypeMismatch"]]),
        (SETPOINT, "Direct", [([1.0], T.Double)], ["BadInvalidArgument", ["BadTypeMismatch"]]),
        (
            SETPOINT,
            "Direct",
            [(float("nan"), T.Double)],
            ["BadInvalidArgument", ["BadOutOfRange"]],
        ),
        (
            SETPOINT,
            "Direct",
            [(1.0, T.Double), (1, T.Byte)],
            ["BadInvalidArgument", ["Good", "BadTypeMismatch"]],
        ),
        (SETPOINT, "Direct", [(50.5, T.Double)], ["BadOutOfRange", []]),
        (ISOLATOR, "Select", [(3, T.UInt32)], ["BadInvalidArgument", ["BadOutOfRange"]]),
        (OPERATOR, "Block", [("bay1.x", T.String)], ["BadInvalidArgument", ["BadNodeIdUnknown"]]),
        (OPERATOR, "Block", [(None, T.String)], ["BadInvalidArgument", ["BadTypeMismatch"]]),
        (
            OPERATOR,
            "Substitute",
            [("bay1.voltage", T.String), (1, T.Int32)],
            ["BadInvalidArgument", ["Good", "BadTypeMismatch"]],
        ),
        (OPERATOR, "Substitute", [("bay1.voltage", T.String)], ["BadArgumentsMissing", []]),
        (OPERATOR, "Nothing", [], ["BadMethodInvalid", []]),
        (BREAKER, "InputArguments", [], ["BadMethodInvalid", []]),
        ("bay1.nowhere", "Select", [], ["BadNodeIdUnknown", []]),
    ],
)
async def test_bad_arguments_reach_no_device(
    serve: Any,
    connect: Any,
    owner: str,
    method: str,
    arguments: list[tuple[Any, T]],
    expected: list[Any],
) -> None:
    """The code that OPC 10000-4, 5.12.2 has for it, and for each argument."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        code, outputs, wrong = await call(client, owner, method, *arguments)
        assert [code, wrong] == expected
        assert outputs == []
        assert served.field.commands == []


async def test_an_operator_blocks_and_substitutes(serve: Any, connect: Any) -> None:
    """Any point, by its name: the value freezes or is set by hand, until it is released."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        await served.field.emit(["bay1.voltage", "bay1.setpoint"], [230.0, 1.0])
        node = client.get_node("ns=2;s=bay1.voltage")
        voltage = ("bay1.voltage", T.String)
        assert await status(client, OPERATOR, "Substitute", voltage, (231.5, T.Double)) == "Good"
        found = await node.read_data_value()
        assert (found.Value.Value, found.StatusCode.name) == (231.5, "GoodLocalOverride")
        assert await status(client, OPERATOR, "Release", voltage) == "Good"
        assert (await node.read_data_value()).Value.Value == 230.0
        setpoint = ("bay1.setpoint", T.String)
        assert await status(client, OPERATOR, "Block", setpoint) == "Good"
        assert served.gateway.sample("bay1.setpoint").quality & Quality.OPERATOR_BLOCKED
        refused = await status(client, SETPOINT, "Direct", (2.0, T.Double))
        assert refused == "BadOutOfService"
        assert await status(client, OPERATOR, "Release", setpoint) == "Good"
        assert await status(client, SETPOINT, "Direct", (2.0, T.Double)) == "Good"


async def test_in_test_only_tests_are_taken(serve: Any, connect: Any) -> None:
    """A command with Test runs through everything but the device; one without is refused."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        point, two = ("bay1.setpoint", T.String), (2.0, T.Double)
        yes, no = (True, T.Boolean), (False, T.Boolean)
        assert await status(client, SETPOINT, "Direct", two, yes) == "BadOutOfService"
        assert await status(client, OPERATOR, "Test", point, yes) == "Good"
        assert await status(client, SETPOINT, "Direct", two) == "BadOutOfService"
        assert await status(client, SETPOINT, "Direct", two, yes) == "Good"
        assert served.field.commands == []
        assert await status(client, OPERATOR, "Test", point, no) == "Good"
        assert await status(client, SETPOINT, "Direct", two, no) == "Good"
        assert len(served.field.commands) == 1


TEST = (True, T.Boolean)


async def test_a_test_selection_never_reaches_the_device(serve: Any, connect: Any) -> None:
    """Neither its execute nor the end of the session that has it."""
    async with serve(**OPEN) as served:
        async with connect(served.url) as client:
            point = ("bay1.breaker", T.String)
            assert await status(client, OPERATOR, "Test", point, TEST) == "Good"
            assert await status(client, BREAKER, "Select", CLOSE, TEST) == "Good"
            assert await status(client, BREAKER, "Execute", CLOSE, TEST) == "Good"
            assert await status(client, BREAKER, "Select", CLOSE, TEST) == "Good"
        async with connect(served.url) as client:
            assert await status(client, BREAKER, "Select", CLOSE, TEST) == "Good"
        assert served.field.commands == []


async def test_the_cancel_of_a_test_does_not_either(serve: Any, connect: Any) -> None:
    """Cancel has no argument Test: it cancels what was selected, as it was selected."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        point = ("bay1.breaker", T.String)
        assert await status(client, OPERATOR, "Test", point, TEST) == "Good"
        assert await status(client, BREAKER, "Select", CLOSE, TEST) == "Good"
        assert await status(client, BREAKER, "Cancel") == "Good"
        assert served.field.commands == []
