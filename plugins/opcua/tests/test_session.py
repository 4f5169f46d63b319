"""Sessions: whose they are, and how they change hands."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import struct_from_binary

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


def told(served: Any) -> list[tuple[str, str]]:
    return [(one.client.user, one.client.role) for one in served.field.commands]


async def test_a_client_can_become_another_user(
    log_in: Any, written: Any, serve: Any, access: AccessSettings, changes: Any
) -> None:
    """Its selection is free again, and a subscription ends that the new user may not see."""
    async with (
        serve(**SECURE, access=access) as served,
        log_in(served.url, "anna") as client,
        log_in(served.url, "eva") as other,
    ):
        subscriptions = []
        for name in ("bay1.breaker", "bay2.breaker"):
            one = await client.create_subscription(50, changes)
            await one.subscribe_data_change(client.get_node(ua.NodeId(name, 2)))
            subscriptions.append(one.subscription_id)
        assert await select(client) == "Good"
        assert await select(other) == "BadResourceUnavailable"
        await client.activate_session("bernd", "bernd's own password")
        assert await select(other) == "Good"
        assert await written(client, "bay1.breaker", True, T.Boolean) == "Good"
        assert told(served)[-1] == ("bernd", "bay1")
        found = await client.uaclient.set_publishing_mode(
            ua.SetPublishingModeParameters(PublishingEnabled=True, SubscriptionIds=subscriptions)
        )
        assert [one.name for one in found] == ["Good", "BadSubscriptionIdInvalid"]
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            await client.activate_session("anna", "wrong")
        assert await written(client, "bay1.breaker", False, T.Boolean) == "Good"
        assert told(served)[-1] == ("bernd", "bay1")


async def select(client: Client) -> str:
    (result,) = await client.uaclient.call(
        [
            ua.CallMethodRequest(
                ObjectId=ua.NodeId("bay2.isolator/Commands", 2),
                MethodId=ua.NodeId("bay2.isolator/Commands/Select", 2),
                InputArguments=[ua.Variant(True)],
            )
        ]
    )
    return str(result.StatusCode.name)


async def test_a_session_belongs_to_its_channel_and_user(
    log_in: Any,
    written: Any,
    serve: Any,
    access: AccessSettings,
    header: dict[str, Any],
    changes: Any,
) -> None:
    """Its token alone opens nothing: another channel must prove the same user."""
    async with (
        serve(**SECURE, access=access) as served,
        log_in(served.url, "anna") as client,
        log_in(served.url, "victor") as thief,
    ):
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=bay2.breaker"))
        header["AuthenticationToken"] = client.uaclient.protocol.authentication_token
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await written(thief, "bay1.breaker", True, T.Boolean)
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await thief.get_node("ns=2;s=bay1.breaker").read_value()
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await thief.activate_session("victor", "victor's own password")
        # a connection without a session of its own, which is how a client comes back
        bare = Client(served.url, timeout=20)
        await bare.connect_socket()
        await bare.send_hello()
        await bare.open_secure_channel()
        bare._policy_ids, bare._server_nonce = client._policy_ids, thief._server_nonce
        bare.security_policy.peer_certificate = client.security_policy.peer_certificate
        with pytest.raises(ua.uaerrors.BadIdentityTokenInvalid):
            await bare.activate_session("anna", "anna's own password")
        bare._server_nonce = client._server_nonce
        with pytest.raises(ua.uaerrors.BadIdentityTokenRejected):
            await bare.activate_session("victor", "victor's own password")
        with pytest.raises(ua.UaError):
            await bare.get_node("ns=2;s=bay1.breaker").read_value()
        header.clear()
        bare.disconnect_socket()
        params = ua.TransferSubscriptionsParameters(
            SubscriptionIds=[subscription.subscription_id], SendInitialValues=True
        )
        request = ua.TransferSubscriptionsRequest(Parameters=params)
        data = await thief.uaclient.session._send_request(request)
        answer = struct_from_binary(ua.TransferSubscriptionsResponse, data)
        results = answer.Parameters.Results
        assert [one.StatusCode.name for one in results] == ["BadUserAccessDenied"]
        assert await written(client, "bay1.breaker", True, T.Boolean) == "Good"
        assert told(served) == [("anna", "operator")]


async def test_a_session_moves_with_its_user(
    written: Any, serve: Any, access: AccessSettings, header: dict[str, Any], changes: Any
) -> None:
    """Another channel takes it over with the same user; the old one has nothing of it any more."""
    async with serve(**SECURE, access=access) as served:
        client = Client(served.url, timeout=20)
        client.set_user("anna")
        client.set_password("anna's own password")
        await client.connect()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=bay2.breaker"))
        header["AuthenticationToken"] = client.uaclient.protocol.authentication_token
        fresh = Client(served.url, timeout=20)
        await fresh.connect_socket()
        await fresh.send_hello()
        await fresh.open_secure_channel()
        fresh._policy_ids, fresh._server_nonce = client._policy_ids, client._server_nonce
        fresh.security_policy.peer_certificate = client.security_policy.peer_certificate
        await fresh.activate_session("anna", "anna's own password")
        assert await written(fresh, "bay1.breaker", True, T.Boolean) == "Good"
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await written(client, "bay1.breaker", False, T.Boolean)
        client.disconnect_socket()
        assert await fresh.get_node("ns=2;s=bay1.breaker").read_browse_name()
        assert await written(fresh, "bay1.breaker", True, T.Boolean) == "Good"
        assert [one.client.user for one in served.field.commands] == ["anna", "anna"]
        first, second = (one.client.address for one in served.field.commands)
        assert first == second
        await fresh.close_session()
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await written(fresh, "bay1.breaker", False, T.Boolean)
        fresh.disconnect_socket()
        header.clear()
        with contextlib.suppress(Exception):
            await client.disconnect()
