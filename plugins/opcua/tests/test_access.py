"""Roles, and what each may see and do."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asyncua import ua

from gateway.testing import AccessSettings

T = ua.VariantType
POINTS = """\
name,kind,field.at,command.model,command.select
bay1.breaker,status,a,latch,
bay1.voltage,analog,b,,
bay2.breaker,status,c,latch,
bay2.isolator,status,d,latch,local
"""
SECURE = {"points": POINTS, "security": ["none", "basic256sha256"], "trust": "any"}


async def attribute(node: Any, which: ua.AttributeIds) -> Any:
    return (await node.read_attribute(which)).Value.Value


async def test_a_role_decides_what_a_client_may(
    log_in: Any, written: Any, serve: Any, access: AccessSettings
) -> None:
    """UserAccessLevel and UserExecutable say it, reads, items, writes and calls hold it."""
    read, write = ua.AccessLevel.CurrentRead, ua.AccessLevel.CurrentWrite
    levels = {
        # of bay1.breaker, bay1.voltage, bay2.breaker, and bay2.isolator, which needs a select
        "anna": [{read, write}, {read}, {read, write}, {read}],
        "victor": [{read}, {read}, {read}, {read}],
        "bernd": [{read, write}, {read}, set(), set()],
    }
    names = ["bay1.breaker", "bay1.voltage", "bay2.breaker", "bay2.isolator"]
    async with serve(**SECURE, access=access) as served:
        await served.field.emit(names, [0, 230.0, 1, 0])
        for name, expected in levels.items():
            async with log_in(served.url, name) as client:
                nodes = [client.get_node(ua.NodeId(one, 2)) for one in names]
                found = [await attribute(node, ua.AttributeIds.UserAccessLevel) for node in nodes]
                assert found == [sum(1 << one for one in level) for level in expected]
                general = [await node.get_access_level() for node in nodes]
                assert general == [{read, write}, {read}, {read, write}, {read}]
                values = [await one.read_data_value(raise_on_bad_status=False) for one in nodes]
                assert [one.StatusCode.name for one in values] == [
                    "Good" if read in level else "BadUserAccessDenied" for level in expected
                ]
                assert all((one.Value.Value is None) is one.StatusCode.is_bad() for one in values)
                codes = [
                    await written(client, one, True, T.Boolean) for one in (names[0], names[2])
                ]
                assert codes == [
                    "Good" if write in level else "BadUserAccessDenied"
                    for level in (expected[0], expected[2])
                ]
                for point, level in zip(names, expected, strict=True):
                    if point != "bay1.voltage":
                        method = client.get_node(f"ns=2;s={point}/Commands/Select")
                        executable = await attribute(method, ua.AttributeIds.UserExecutable)
                        commands = name == "anna" or (name == "bernd" and "bay1" in point)
                        assert executable is commands
                        assert await attribute(method, ua.AttributeIds.Executable)
                        assert write not in level or commands
        assert {one.client.user for one in served.field.commands} == {"anna", "bernd"}
        assert len(served.field.commands) == 3


async def test_only_operators_override(log_in: Any, serve: Any, access: AccessSettings) -> None:
    """Block is the operator's, Test the engineer's, and who may neither hears so."""
    executable = {"victor": (False, False), "anna": (True, False), "eva": (True, True)}
    async with serve(**SECURE, access=access) as served:
        for name, expected in executable.items():
            async with log_in(served.url, name) as client:
                found = []
                for method, arguments in [("Block", []), ("Test", [True])]:
                    node = client.get_node(f"ns=2;s=/Operator/{method}")
                    may = await attribute(node, ua.AttributeIds.UserExecutable)
                    found.append(may)
                    given = [ua.Variant(one) for one in ["bay1.voltage", *arguments]]
                    (result,) = await client.uaclient.call(
                        [
                            ua.CallMethodRequest(
                                ObjectId=ua.NodeId("/Operator", 2),
                                MethodId=node.nodeid,
                                InputArguments=given,
                            )
                        ]
                    )
                    assert result.StatusCode.name == ("Good" if may else "BadUserAccessDenied")
                assert tuple(found) == expected


async def test_hidden_points_are_not_monitored(
    log_in: Any, serve: Any, access: AccessSettings, changes: Any
) -> None:
    """Of several items those of points that the role does not have are refused, one by one."""
    async with (
        serve(**SECURE, access=access) as served,
        log_in(served.url, "bernd") as client,
    ):
        subscription = await client.create_subscription(50, changes)
        names = ["bay2.breaker", "bay1.voltage", "bay2.isolator", "bay1.breaker"]
        nodes = [client.get_node(ua.NodeId(name, 2)) for name in names]
        made = await subscription.subscribe_data_change(nodes)
        denied = ua.StatusCodes.BadUserAccessDenied
        assert [one.value if isinstance(one, ua.StatusCode) else 0 for one in made] == [
            denied,
            0,
            denied,
            0,
        ]
        await served.field.emit(names, [1, 231.0, 1, 1])
        await served.gateway.until(lambda: 231.0 in changes.of("bay1.voltage"))
        assert {row[0] for row in changes.rows} == {"bay1.voltage", "bay1.breaker"}


async def test_a_user_who_is_removed_may_nothing_any_more(
    log_in: Any,
    written: Any,
    serve: Any,
    access: AccessSettings,
    changes: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reads and commands end with the users file, subscriptions soon after."""
    monkeypatch.setattr("gateway_opcua.serving._RECHECK", 0.2)
    assert access.users is not None
    async with (
        serve(**SECURE, access=access) as served,
        log_in(served.url, "anna") as client,
    ):
        node = client.get_node("ns=2;s=bay1.breaker")
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(node)
        assert await written(client, "bay1.breaker", True, T.Boolean) == "Good"
        lines = access.users.read_text().splitlines()
        access.users.write_text("\n".join(one for one in lines if not one.startswith("anna")))
        async with asyncio.timeout(20):
            found = usual = "BadWaitingForInitialData"  # the device has said nothing yet
            while found == usual:
                value = await node.read_data_value(raise_on_bad_status=False)
                found = value.StatusCode.name
            assert found == "BadUserAccessDenied"
            assert await written(client, "bay1.breaker", True, T.Boolean) == "BadUserAccessDenied"
            params = ua.SetPublishingModeParameters(
                PublishingEnabled=True, SubscriptionIds=[subscription.subscription_id]
            )
            while found == "BadUserAccessDenied":
                (ended,) = await client.uaclient.set_publishing_mode(params)
                found = "BadUserAccessDenied" if ended.is_good() else ended.name
            assert found == "BadSubscriptionIdInvalid"
        assert len(served.field.commands) == 1
