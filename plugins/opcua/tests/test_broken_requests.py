"""Requests whose bytes are broken, on their way to become commands."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

from gateway.testing import CommandSettings

POINTS = """\
name,kind,field.at,command.model,command.low,command.high
bay1.setpoint,analog,a,setpoint,-50,50
bay1.breaker,status,b,latch,,
"""
TIMES = 150


def write() -> Any:
    request = ua.WriteRequest()
    request.Parameters.NodesToWrite = [
        ua.WriteValue(
            NodeId=ua.NodeId(name, 2),
            AttributeId=ua.AttributeIds.Value,
            Value=ua.DataValue(ua.Variant(value), StatusCode=None),
        )
        for name, value in [("bay1.setpoint", 12.5), ("bay1.breaker", True)]
    ]
    return request


def call() -> Any:
    request = ua.CallRequest()
    request.Parameters.MethodsToCall = [
        ua.CallMethodRequest(
            ObjectId=ua.NodeId("bay1.setpoint/Commands", 2),
            MethodId=ua.NodeId("bay1.setpoint/Commands/Direct", 2),
            InputArguments=[ua.Variant(12.5), ua.Variant(False)],
        )
    ]
    return request


@pytest.mark.parametrize("made", [write, call])
async def test_broken_requests_command_nothing_wrong(serve: Any, connect: Any, made: Any) -> None:
    """Whatever bytes are changed or missing: each command has a value that its point allows,
    and the server goes on.
    """
    chance = random.Random(7)
    rules = CommandSettings.model_validate({"rate": 10_000})
    async with serve(POINTS, role="operator", commands=rules) as served:
        client = Client(served.url, timeout=20, watchdog_intervall=30)
        await client.connect()
        for _ in range(TIMES):
            request = made()
            protocol = client.uaclient.protocol
            protocol._setup_request_header(request.RequestHeader, 20)
            typeid = len(nodeid_to_binary(request.TypeId))
            head = typeid + len(struct_to_binary(request.RequestHeader))
            data = bytearray(struct_to_binary(request))
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(head, len(data))] = chance.randrange(256)
            short = chance.random() < 0.2
            if short:
                del data[chance.randrange(head, len(data) - 4) :]
            protocol._request_id += 1
            answer = asyncio.get_running_loop().create_future()
            protocol._callbackmap[protocol._request_id] = answer
            protocol.transport.write(
                protocol._connection.message_to_binary(bytes(data), request_id=protocol._request_id)
            )
            async with asyncio.timeout(20):
                found = await answer
            if short:
                with pytest.raises(ua.uaerrors.BadDecodingError):
                    protocol.check_answer(found, "")
            assert protocol.state is protocol.state.OPEN
        with contextlib.suppress(ua.UaError, ConnectionError):
            await client.disconnect()
        ids = {point.id: point.name for point in (await served.field.context()).points}
        for one in served.field.commands:
            if ids[one.point] == "bay1.breaker":
                assert one.value in (0.0, 1.0)
            else:
                assert -50 <= one.value <= 50
        async with connect(served.url) as other:
            before = len(served.field.commands)
            await other.uaclient.session._send_request(made())
            assert len(served.field.commands) > before
