"""Writes of clients, carried out as commands."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import struct_from_binary

from gateway import CommandStatus, Operation

T = ua.VariantType
POINTS = """\
name,kind,unit,field.at,command.model,command.select,command.low,command.high,command.timeout
bay1.breaker,status,,a,latch,,,,
bay1.isolator,double,,b,trip_close,,,,
bay1.setpoint,analog,kW,c,setpoint,,-50,50,
bay1.tap,counter,,d,setpoint,,1,27,
bay1.earth,status,,e,latch,local,,,
bay1.voltage,analog,V,f,,,,,
"""
OPEN = {"points": POINTS, "role": "operator"}


def plain(value: Any, kind: T) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, kind), StatusCode=None)


async def write(client: Client, *wanted: tuple[str, Any, T]) -> list[str]:
    """Write values, and return the names of the StatusCodes."""
    params = ua.WriteParameters(
        NodesToWrite=[
            ua.WriteValue(
                NodeId=ua.NodeId(name, 2),
                AttributeId=ua.AttributeIds.Value,
                Value=plain(value, kind),
            )
            for name, value, kind in wanted
        ]
    )
    return [code.name for code in await client.uaclient.write(params)]


async def test_a_write_commands_the_device(serve: Any, connect: Any) -> None:
    """Each type arrives at its source as a direct command of this client, in the point's unit."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        codes = await write(
            client,
            ("bay1.breaker", True, T.Boolean),
            ("bay1.isolator", 2, T.UInt32),
            ("bay1.setpoint", -12.5, T.Double),
            ("bay1.tap", 7, T.Int64),
        )
        assert codes == ["Good"] * 4
        ids = {point.id: point.name for point in (await served.field.context()).points}
        told = {ids[one.point]: one for one in served.field.commands}
        assert {name: one.value for name, one in told.items()} == {
            "bay1.breaker": 1.0,
            "bay1.isolator": 1.0,
            "bay1.setpoint": -12.5,
            "bay1.tap": 7.0,
        }
        assert {one.operation for one in told.values()} == {Operation.DIRECT}
        (who,) = {one.client for one in told.values()}
        local = client.uaclient.protocol.transport.get_extra_info("sockname")
        assert (who.sink, who.address, who.user, who.role) == (
            "ua",
            f"127.0.0.1:{local[1]}",
            "",
            "operator",
        )


async def test_a_write_is_answered_by_the_device_and_holds_up_nothing(
    serve: Any, connect: Any
) -> None:
    """It waits for the device; reads and other writes of the session go on."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        served.field.reply(lambda command: None)
        slow = asyncio.create_task(write(client, ("bay1.breaker", True, T.Boolean)))
        await served.gateway.until(lambda: served.field.commands)
        (waiting,) = served.field.commands
        served.field.reply(lambda command: CommandStatus.SUCCESS)
        assert await write(client, ("bay1.setpoint", 1.0, T.Double)) == ["Good"]
        assert await client.get_node("ns=2;s=bay1.voltage").read_browse_name()
        assert await write(client, ("bay1.breaker", False, T.Boolean)) == ["BadResourceUnavailable"]
        assert not slow.done()
        await served.field.answer(waiting, CommandStatus.DEVICE_LOCAL)
        assert await slow == ["BadRequestNotAllowed"]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("success", "Good"),
        ("not_supported", "BadNotWritable"),
        ("format_error", "BadTypeMismatch"),
        ("out_of_range", "BadOutOfRange"),
        ("blocked", "BadOutOfService"),
        ("unreachable", "BadNoCommunication"),
        ("refused", "BadDeviceFailure"),
        ("device_local", "BadRequestNotAllowed"),
        ("device_error", "BadDeviceFailure"),
        ("timeout", "BadTimeout"),
    ],
)
async def test_what_the_device_says_is_what_the_client_hears(
    serve: Any, connect: Any, status: str, name: str
) -> None:
    """A device's answer comes as the StatusCode that the standard names for it."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        served.field.reply(lambda command: CommandStatus(status))
        assert await write(client, ("bay1.breaker", True, T.Boolean)) == [name]
        assert len(served.field.commands) == 1


BAD: list[tuple[str, Any, T, str]] = [
    ("bay1.breaker", 1, T.Int32, "BadTypeMismatch"),
    ("bay1.breaker", "true", T.String, "BadTypeMismatch"),
    ("bay1.breaker", None, T.Null, "BadTypeMismatch"),
    ("bay1.breaker", [True], T.Boolean, "BadTypeMismatch"),
    ("bay1.isolator", 3, T.UInt32, "BadOutOfRange"),
    ("bay1.setpoint", float("nan"), T.Double, "BadOutOfRange"),
    ("bay1.setpoint", float("-inf"), T.Double, "BadOutOfRange"),
    ("bay1.setpoint", 50.5, T.Double, "BadOutOfRange"),
    ("bay1.setpoint", 3.0, T.Float, "BadTypeMismatch"),
    ("bay1.tap", 28, T.Int64, "BadOutOfRange"),
    ("bay1.tap", 2**62, T.Int64, "BadOutOfRange"),
    ("bay1.earth", True, T.Boolean, "BadInvalidState"),
    ("bay1.voltage", 230.0, T.Double, "BadNotWritable"),
    ("bay1.breaker/TrueState", "on", T.String, "BadNotWritable"),
    ("bay1/", 1, T.Int32, "BadAttributeIdInvalid"),
    ("nowhere", True, T.Boolean, "BadNodeIdUnknown"),
]


async def test_bad_input_reaches_no_device(serve: Any, connect: Any) -> None:
    """Each is refused by itself, in one request with good ones, in the standard's words."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        good = ("bay1.breaker", True, T.Boolean)
        codes = await write(client, *((*one[:3],) for one in BAD), good)
        assert codes == [*(one[3] for one in BAD), "Good"]
        assert len(served.field.commands) == 1
        for attribute in (ua.AttributeIds.BrowseName, ua.AttributeIds.UserAccessLevel):
            with pytest.raises(ua.uaerrors.BadNotWritable):
                await client.get_node("ns=2;s=bay1.breaker").write_attribute(
                    attribute, plain(3, T.Byte)
                )
        # asyncua's write_value gives the value a time stamp, which no command has
        with pytest.raises(ua.uaerrors.BadWriteNotSupported):
            await client.get_node("ns=2;s=bay1.breaker").write_value(True)
        with pytest.raises(ua.uaerrors.BadNothingToDo):
            await write(client)
        assert len(served.field.commands) == 1


async def test_one_point_is_written_in_order(serve: Any, connect: Any) -> None:
    """Elements of a Write for one point follow each other; others do not wait for them."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        codes = await write(
            client, *(("bay1.setpoint", float(value), T.Double) for value in range(10))
        )
        assert codes == ["Good"] * 10
        assert [one.value for one in served.field.commands] == list(range(10))


async def test_pending_commands_are_bounded(serve: Any, connect: Any) -> None:
    """More than `max_commands` under way are refused, and the limit stands in the server."""
    async with serve(**OPEN, max_commands=2) as served, connect(served.url) as client:
        for name in ("MaxNodesPerWrite", "MaxNodesPerMethodCall"):
            limits = ua.ObjectIds.Server_ServerCapabilities_OperationLimits
            node = await client.get_node(limits).get_child(f"0:{name}")
            assert await node.read_value() == 2
        with pytest.raises(ua.uaerrors.BadTooManyOperations):
            await write(client, *[("bay1.breaker", True, T.Boolean)] * 3)
        served.field.reply(lambda command: None)
        both = ("bay1.breaker", True, T.Boolean), ("bay1.setpoint", 1.0, T.Double)
        slow = asyncio.create_task(write(client, *both))
        await served.gateway.until(lambda: len(served.field.commands) == 2)
        with pytest.raises(ua.uaerrors.BadTooManyOperations):
            await write(client, ("bay1.tap", 3, T.Int64))
        for one in served.field.commands:
            await served.field.answer(one, CommandStatus.SUCCESS)
        assert await slow == ["Good", "Good"]
        served.field.reply(lambda command: CommandStatus.SUCCESS)
        assert await write(client, ("bay1.tap", 3, T.Int64)) == ["Good"]


async def test_a_clients_patience_counts(serve: Any, connect: Any, header: dict[str, Any]) -> None:
    """The time-out hint of the request is the command's, where it is the shorter one."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        served.field.reply(lambda command: None)
        # Long enough for a busy machine to have it on record and sent before that is over.
        header["TimeoutHint"] = 1500
        started = asyncio.get_running_loop().time()
        assert await write(client, ("bay1.breaker", True, T.Boolean)) == ["BadTimeout"]
        assert 1.5 <= asyncio.get_running_loop().time() - started < 5


async def test_who_asks_for_diagnostics_hears_why(
    serve: Any, connect: Any, header: dict[str, Any]
) -> None:
    """The sentence of the answer comes as AdditionalInfo (OPC 10000-4, 7.12)."""
    async with serve(**OPEN) as served, connect(served.url) as client:
        wanted = [
            ua.WriteValue(
                NodeId=ua.NodeId(name, 2),
                AttributeId=ua.AttributeIds.Value,
                Value=plain(value, T.Double),
            )
            for name, value in [("bay1.setpoint", 51.0), ("bay1.setpoint", 1.0)]
        ]
        request = ua.WriteRequest()
        request.Parameters.NodesToWrite = wanted
        for asked, expected in [(0, []), (0x80, ["51, allowed: -50 to 50 kW", None])]:
            header["ReturnDiagnostics"] = asked
            data = await client.uaclient.session._send_request(request)
            found = struct_from_binary(ua.WriteResponse, data).DiagnosticInfos or []
            assert len(found) == len(expected)
            for one, sentence in zip(found, expected, strict=True):
                assert (one.AdditionalInfo or "").endswith(sentence or "")


async def test_a_client_that_leaves_stops_nothing(serve: Any, connect: Any) -> None:
    """Its command goes on to its end, and the server goes on, too."""
    async with serve(**OPEN) as served:
        served.field.reply(lambda command: None)
        async with connect(served.url) as client:
            slow = asyncio.create_task(write(client, ("bay1.breaker", True, T.Boolean)))
            await served.gateway.until(lambda: served.field.commands)
            client.uaclient.protocol.transport.abort()
            with pytest.raises((ua.UaError, ConnectionError)):
                await slow
        served.field.reply(lambda command: CommandStatus.SUCCESS)
        opened = ("bay1.breaker", False, T.Boolean)
        async with connect(served.url) as client:
            assert await write(client, opened) == ["BadResourceUnavailable"]
            await served.field.answer(served.field.commands[0], CommandStatus.SUCCESS)
            assert await write(client, opened) == ["Good"]
