"""Commands: what is written and called at another's server, and what its words become."""

# mypy: disable-error-code="attr-defined,no-untyped-call,misc"

from __future__ import annotations

import asyncio
import re
import struct
from typing import Any

import pytest
from asyncua import ua, uamethod

from gateway import CommandStatus, Operation

NS = "nsu=urn:test:plant;s="
KINDS: list[tuple[str, Any, str, float, Any]] = [
    # name, value before, type, what is asked for, what is there afterwards
    ("boolean", False, "Boolean", 1, True),
    ("sbyte", 0, "SByte", -128, -128),
    ("byte", 0, "Byte", 255, 255),
    ("int16", 0, "Int16", -32_768, -32_768),
    ("uint16", 0, "UInt16", 65_535, 65_535),
    ("int32", 0, "Int32", -(2**31), -(2**31)),
    ("uint32", 0, "UInt32", 2**32 - 1, 2**32 - 1),
    ("int64", 0, "Int64", -(2**53), -(2**53)),
    ("uint64", 0, "UInt64", 2**53, 2**53),
    ("float", 0.0, "Float", 0.5, 0.5),
    ("double", 0.0, "Double", 1e300, 1e300),
]


async def test_each_type_is_written_as_the_node_has_it(plant: Any, link: Any) -> None:
    """The data type is the node's own, found by reading it; the value arrives whole."""
    for name, before, kind, *_ in KINDS:
        await plant.add(name, before, ua.VariantType[kind])
    rows = "".join(f"p.{name},{NS}{name},setpoint\n" for name, *_ in KINDS)
    async with link(plant.url, f"name,plc.node,command.model\n{rows}") as linked:
        for name, _, kind, value, expected in KINDS:
            answer = await linked.sink.ask(f"p.{name}", value)
            assert answer.status is CommandStatus.SUCCESS, (name, answer)
            found = (await plant.nodes[name].read_data_value()).Value
            assert (found.Value, found.VariantType.name) == (expected, kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Byte", 256),
        ("Byte", -1),
        ("SByte", 128),
        ("Int16", 32_768),
        ("UInt32", 2**32),
        ("Int32", 0.5),
        ("Boolean", 2),
        ("Float", 1e39),
        ("UInt64", 2**54),
    ],
)
async def test_what_the_type_cannot_hold_is_not_sent(
    plant: Any, link: Any, kind: str, value: float
) -> None:
    """Out of range by the ranges of OPC 10000-6 5.1.2: refused, and nothing reaches the server."""
    zero: Any = 0.0 if kind == "Float" else kind != "Boolean" and 0
    await plant.add("n", zero, ua.VariantType[kind])
    points = f"name,plc.node,command.model\np,{NS}n,setpoint\n"
    async with link(plant.url, points) as linked:
        answer = await linked.sink.ask("p", value)
        assert answer.status is CommandStatus.OUT_OF_RANGE
        assert await plant.nodes["n"].read_value() == zero


async def test_scaling_is_undone_and_rounded_where_it_left_a_trace(plant: Any, link: Any) -> None:
    """50.1 with a scale of 0.1 is 501 to the device, though the division gives a bit more."""
    await plant.add("n", 0, ua.VariantType.Int16)
    points = f"name,scale,plc.node,command.model\np,0.1,{NS}n,setpoint\n"
    async with link(plant.url, points) as linked:
        assert await linked.sink.ask("p", 50.1)
        assert await plant.nodes["n"].read_value() == 501
        answer = await linked.sink.ask("p", 50.15)
        assert answer.status is CommandStatus.OUT_OF_RANGE


async def test_only_the_value_is_written(plant: Any, link: Any, proxy: Any) -> None:
    """No status and no time stamp: many devices refuse them (BadWriteNotSupported).

    On the wire the DataValue is its mask, 0x01, and the Variant: 0x0b for Double, and the number.
    """
    await plant.add("n", 0.0)
    network = await proxy(plant.port)
    async with link(network.url, f"name,plc.node,command.model\np,{NS}n,setpoint\n") as linked:
        assert await linked.sink.ask("p", 2.5)
    attribute_and_range = struct.pack("<Ii", 13, -1)
    value = b"\x01\x0b" + struct.pack("<d", 2.5)
    whole = re.escape(attribute_and_range + value) + b"(MSGF|CLOF)"
    assert len(re.findall(whole, network.sent)) == 1


async def test_states_switches_and_pulses(plant: Any, link: Any) -> None:
    """Dbpos of integers, words of the device's own, two outputs of one switch, a pulse."""
    for name in ("flag", "close", "open", "coil"):
        await plant.add(name, False)
    await plant.add("dbpos", 1, ua.VariantType.UInt32)
    await plant.add("word", 0, ua.VariantType.UInt16)
    points = (
        "name,kind,plc.node,plc.write,plc.trip,plc.write_on,plc.write_off,command.model,"
        "command.on_time\n"
        f"p.flag,status,{NS}flag,,,,,latch,\n"
        f"p.dbpos,double,{NS}dbpos,,,,,latch,\n"
        f"p.word,status,{NS}word,,,170,85,latch,\n"
        f"p.switch,double,{NS}dbpos,{NS}close,{NS}open,,,trip_close,\n"
        f"p.coil,status,{NS}coil,,,,,pulse,100ms\n"
    )
    async with link(plant.url, points) as linked:
        ask, nodes = linked.sink.ask, plant.nodes
        assert await ask("p.flag", 1)
        assert await nodes["flag"].read_value() is True
        assert await ask("p.dbpos", 1)
        assert await nodes["dbpos"].read_value() == 2
        assert await ask("p.dbpos", 0)
        assert await nodes["dbpos"].read_value() == 1
        assert await ask("p.word", 1)
        assert await nodes["word"].read_value() == 170
        assert await ask("p.word", 0)
        assert await nodes["word"].read_value() == 85
        assert await ask("p.switch", 0)
        assert (await nodes["close"].read_value(), await nodes["open"].read_value()) == (
            False,
            True,
        )
        assert await ask("p.switch", 1)
        assert await nodes["close"].read_value() is True
        loop = asyncio.get_running_loop()
        started = loop.time()
        pulse = asyncio.create_task(ask("p.coil", 1))
        await linked.gateway.until(
            lambda: any(row.value == 1 for row in linked.sink.rows("p.coil")), 5, "it is driven"
        )
        assert await pulse
        assert loop.time() - started >= 0.1
        assert await nodes["coil"].read_value() is False


async def test_what_the_server_refuses(plant: Any, link: Any) -> None:
    """Its StatusCode is the answer: no access, not the right type; or there is no way to ask."""
    await plant.add("fixed", 1.0)
    await plant.nodes["fixed"].set_writable(False)
    await plant.add("text", "abc")
    await plant.add("float", 0.5, ua.VariantType.Float)
    points = (
        "name,plc.node,plc.write,plc.write_type,command.model\n"
        f"p.fixed,{NS}fixed,,,setpoint\n"
        f"p.gone,{NS}fixed,{NS}gone,double,setpoint\n"
        f"p.wrong,{NS}float,,int32,setpoint\n"
        f"p.text,{NS}fixed,{NS}text,,setpoint\n"
        f"p.path,{NS}fixed,/Objects/2:Nothing,,setpoint\n"
    )
    async with link(plant.url, points) as linked:
        ask = linked.sink.ask
        codes = {name: await ask(f"p.{name}", 2.0) for name in ("fixed", "gone", "wrong", "text")}
        assert {name: one.status for name, one in codes.items()} == {
            # asyncua says BadUserAccessDenied of both
            "fixed": CommandStatus.NOT_AUTHORISED,
            "gone": CommandStatus.NOT_AUTHORISED,
            "wrong": CommandStatus.FORMAT_ERROR,
            "text": CommandStatus.NOT_SUPPORTED,
        }
        assert codes["fixed"].detail == "BadUserAccessDenied"
        answer = await ask("p.path", 1.0)
        assert answer.status is CommandStatus.NOT_SUPPORTED
        assert "BadNoMatch" in answer.detail or "no namespace" in answer.detail, answer


async def test_methods_take_the_value(plant: Any, link: Any) -> None:
    """With the type of their argument; a method without one is called without."""
    heard: list[Any] = []

    @uamethod
    async def start(_parent: Any, value: Any) -> None:
        heard.append(value)

    @uamethod
    async def reset(_parent: Any) -> None:
        heard.append("reset")

    def refuse(_parent: Any, *_: Any) -> ua.StatusCode:
        return ua.StatusCode(ua.StatusCodes.BadOutOfService)

    device = await plant.server.nodes.objects.add_object(plant.namespace, "Device")
    for name, method, inputs in (
        ("Start", start, [ua.VariantType.Int16]),
        ("Reset", reset, []),
        ("Refuse", refuse, [ua.VariantType.Double]),
    ):
        await device.add_method(plant.namespace, name, method, inputs, [])
    at = "/Objects/nsu=urn:test:plant;Device"
    points = (
        "name,plc.object,plc.method,command.model\n"
        f"p.start,{at},{at}/{plant.namespace}:Start,setpoint\n"
        f"p.reset,{at},{at}/nsu=urn:test:plant;Reset,setpoint\n"
        f"p.refuse,{at},{at}/{plant.namespace}:Refuse,setpoint\n"
    )
    async with link(plant.url, points) as linked:
        assert await linked.sink.ask("p.start", -7)
        assert await linked.sink.ask("p.reset", 1)
        assert heard == [-7, "reset"]
        answer = await linked.sink.ask("p.start", 0.5)
        assert answer.status is CommandStatus.OUT_OF_RANGE
        assert (await linked.sink.ask("p.refuse", 1)).status is CommandStatus.BLOCKED
        assert heard == [-7, "reset"]


async def test_a_server_that_does_not_answer_is_asked_once(
    plant: Any, link: Any, monkeypatch: Any
) -> None:
    """The client hears timeout in time, and nothing is ever written again."""
    from asyncua.server.internal_session import InternalSession

    calls: list[float] = []
    usual = InternalSession.write

    async def write(self: Any, params: ua.WriteParameters) -> Any:
        if not self.external:
            return await usual(self, params)
        calls.append(params.NodesToWrite[0].Value.Value.Value)
        return await asyncio.sleep(30)

    monkeypatch.setattr(InternalSession, "write", write)
    await plant.add("n", 0.0)
    points = f"name,plc.node,command.model,command.timeout\np,{NS}n,setpoint,500ms\n"
    async with link(plant.url, points, timeout="300ms") as linked:
        answer = await linked.sink.ask("p", 2.0)
        assert answer.status is CommandStatus.TIMEOUT
        # asyncua's server looks at nothing else while it writes: the watch finds it silent
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down", 20)
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "up", 20)
        assert calls == [2.0]


async def test_a_link_that_is_down_takes_nothing(plant: Any, link: Any) -> None:
    """Nothing is sent, and nothing is kept for later."""
    await plant.add("n", 0.0)
    async with link(plant.url, f"name,plc.node,command.model\np,{NS}n,setpoint\n") as linked:
        await plant.stop()
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down")
        answer = await linked.sink.ask("p", 2.0)
        assert answer.status is CommandStatus.UNREACHABLE


SERVED = """\
name,kind,field.at,command.model,command.select
bay1.breaker,double,a,trip_close,local
bay1.power,analog,b,setpoint,
"""


async def test_gateway_to_gateway(serve: Any, link: Any) -> None:
    """Our own server before our own client: values, a write, and a select that is forwarded."""
    uri = "nsu=urn:grid-gateway:test:points;s="
    at = f"{uri}bay1.breaker/Commands"
    points = (
        "name,kind,plc.node,plc.object,plc.method,plc.select_method,plc.cancel_method,"
        "command.model,command.select\n"
        f"breaker,double,{uri}bay1.breaker,{at},{at}/Execute,{at}/Select,{at}/Cancel,"
        "trip_close,forward\n"
        f"power,analog,{uri}bay1.power,,,,,setpoint,\n"
    )
    async with serve(SERVED, role="operator", keep="every") as served:
        await served.field.emit(["bay1.breaker", "bay1.power"], [1, 7.5])
        url = served.url.rstrip("/")
        async with link(url, points) as linked:
            await linked.gateway.until(lambda: linked.gateway.sample("power").value == 7.5)
            assert linked.gateway.sample("breaker").value == 1
            assert await linked.sink.ask("power", 12.5)
            ask = linked.sink.ask
            assert (await ask("breaker", 1, Operation.EXECUTE)).status is CommandStatus.NO_SELECT
            assert await ask("breaker", 1, Operation.SELECT)
            assert await ask("breaker", 1, Operation.EXECUTE)
            assert await ask("breaker", 0, Operation.SELECT)
            assert await ask("breaker", 0, Operation.CANCEL)
            assert [(one.value, one.client.sink) for one in served.field.commands] == [
                (12.5, "ua"),
                (1.0, "ua"),
            ]
            served.field.reply(lambda command: CommandStatus.INTERLOCKED)
            answer = await ask("power", 1.0)
            assert answer.status is CommandStatus.INTERLOCKED
            served.field.reply(lambda command: CommandStatus.OUT_OF_RANGE)
            assert (await ask("power", 2.0)).status is CommandStatus.OUT_OF_RANGE
