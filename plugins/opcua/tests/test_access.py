"""Users, their roles, and what each may see and do."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.ua.ua_binary import struct_from_binary
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.testing import AccessSettings

T = ua.VariantType
PASSWORDS = {name: f"{name}'s own password" for name in ("anna", "eva", "victor", "bernd")}
URI = "urn:test:client"
POINTS = """\
name,kind,field.at,command.model,command.select
bay1.breaker,status,a,latch,
bay1.voltage,analog,b,,
bay2.breaker,status,c,latch,
bay2.isolator,status,d,latch,local
"""
SECURE = {"points": POINTS, "security": ["none", "basic256sha256"], "trust": "any"}


@contextlib.asynccontextmanager
async def logged_in(url: str, name: str | None, secret: str | None = None) -> AsyncIterator[Client]:
    """A session over an open channel; the password is encrypted for the server's certificate."""
    client = Client(url, timeout=20)
    if name is not None:
        client.set_user(name)
        client.set_password(PASSWORDS[name] if secret is None else secret)
    async with client:
        yield client


async def code(client: Client, name: str, value: Any, kind: T) -> str:
    wanted = ua.WriteValue(
        NodeId=ua.NodeId(name, 2),
        AttributeId=ua.AttributeIds.Value,
        Value=ua.DataValue(ua.Variant(value, kind), StatusCode=None),
    )
    (found,) = await client.uaclient.write(ua.WriteParameters(NodesToWrite=[wanted]))
    return str(found.name)


async def attribute(node: Any, which: ua.AttributeIds) -> Any:
    return (await node.read_attribute(which)).Value.Value


async def test_users_log_in_with_their_password(serve: Any, access: AccessSettings) -> None:
    """Who proves a name is that user; anybody else, and nobody, hears the same refusal."""
    async with serve(**SECURE, access=access) as served:
        for name in PASSWORDS:
            async with logged_in(served.url, name) as client:
                assert await client.get_node("ns=2;s=bay1.voltage").read_browse_name()
        for name, secret in [("anna", "wrong"), ("anna", ""), ("nobody", PASSWORDS["anna"])]:
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                async with logged_in(served.url, name, secret):
                    pass
        with pytest.raises(ua.uaerrors.BadIdentityTokenRejected):
            async with logged_in(served.url, None):
                pass
        assert served.gateway.counters("ua")["logins_refused"] == 4


async def test_guessing_locks_out(serve: Any, access: AccessSettings) -> None:
    """After five wrong passwords the right one does not help either; others still get in."""
    async with serve(**SECURE, access=access) as served:
        for _ in range(5):
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                async with logged_in(served.url, "anna", "wrong"):
                    pass
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            async with logged_in(served.url, "anna"):
                pass


async def test_endpoints_say_how_to_log_in(serve: Any, access: AccessSettings) -> None:
    """A token is offered where it is taken: no password in clear, nobody nameless with users."""
    names = {
        ua.UserTokenType.Anonymous: "anonymous",
        ua.UserTokenType.UserName: "password",
        ua.UserTokenType.Certificate: "certificate",
    }

    async def offered(**fields: Any) -> set[str]:
        async with serve(POINTS, **fields) as served:
            endpoints = await Client(served.url).connect_and_get_server_endpoints()
            return {names[one.TokenType] for e in endpoints for one in e.UserIdentityTokens}

    secure = ["basic256sha256"]
    assert await offered(access=access, security=secure) == {"password", "certificate"}
    assert await offered(security=secure) == {"anonymous", "certificate"}
    assert await offered(access=access, security=secure, anonymous="allowed") == {
        "anonymous",
        "password",
        "certificate",
    }
    assert await offered(access=access, anonymous="allowed") == {"anonymous"}
    clear = {"security": ["none", "basic256sha256"], "modes": ["sign"], "anonymous": "allowed"}
    assert await offered(access=access, **clear) == {"anonymous", "certificate"}


async def test_a_role_decides_what_a_client_may(serve: Any, access: AccessSettings) -> None:
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
            async with logged_in(served.url, name) as client:
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
                codes = [await code(client, one, True, T.Boolean) for one in (names[0], names[2])]
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


async def test_only_operators_override(serve: Any, access: AccessSettings) -> None:
    """Block is the operator's, Test the engineer's, and who may neither hears so."""
    executable = {"victor": (False, False), "anna": (True, False), "eva": (True, True)}
    async with serve(**SECURE, access=access) as served:
        for name, expected in executable.items():
            async with logged_in(served.url, name) as client:
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
    serve: Any, access: AccessSettings, changes: Any
) -> None:
    """Of several items those of points that the role does not have are refused, one by one."""
    async with (
        serve(**SECURE, access=access) as served,
        logged_in(served.url, "bernd") as client,
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
    serve: Any, access: AccessSettings, changes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads and commands end with the users file, subscriptions soon after."""
    monkeypatch.setattr("gateway_opcua.serving._RECHECK", 0.2)
    assert access.users is not None
    async with (
        serve(**SECURE, access=access) as served,
        logged_in(served.url, "anna") as client,
    ):
        node = client.get_node("ns=2;s=bay1.breaker")
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(node)
        assert await code(client, "bay1.breaker", True, T.Boolean) == "Good"
        lines = access.users.read_text().splitlines()
        access.users.write_text("\n".join(one for one in lines if not one.startswith("anna")))
        async with asyncio.timeout(20):
            found = usual = "BadWaitingForInitialData"  # the device has said nothing yet
            while found == usual:
                value = await node.read_data_value(raise_on_bad_status=False)
                found = value.StatusCode.name
            assert found == "BadUserAccessDenied"
            assert await code(client, "bay1.breaker", True, T.Boolean) == "BadUserAccessDenied"
            params = ua.SetPublishingModeParameters(
                PublishingEnabled=True, SubscriptionIds=[subscription.subscription_id]
            )
            while found == "BadUserAccessDenied":
                (ended,) = await client.uaclient.set_publishing_mode(params)
                found = "BadUserAccessDenied" if ended.is_good() else ended.name
            assert found == "BadSubscriptionIdInvalid"
        assert len(served.field.commands) == 1


@pytest.fixture
async def person(tmp_path: Path) -> Path:
    """The folder of a user's key and certificate, made by asyncua."""
    return await _certificate(tmp_path / "person")


async def _certificate(folder: Path) -> Path:
    folder.mkdir()
    await setup_self_signed_certificate(
        folder / "key.pem",
        folder / "cert.der",
        URI,
        "localhost",
        [ExtendedKeyUsageOID.CLIENT_AUTH],
        {"commonName": folder.name, "organizationName": "Utility"},
    )
    return folder


def fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / "cert.der").read_bytes()).hexdigest()


def ruled(access: AccessSettings, folder: Path, role: str) -> AccessSettings:
    rule = {"fingerprint": fingerprint(folder), "role": role}
    return AccessSettings.model_validate(
        access.model_dump(exclude_unset=True) | {"certificates": [rule]}
    )


def told(served: Any) -> list[tuple[str, str]]:
    return [(one.client.user, one.client.role) for one in served.field.commands]


@pytest.mark.parametrize("policy", ["none", "basic256sha256", "aes256_sha256_rsapss"])
async def test_a_users_certificate_logs_in(
    serve: Any, access: AccessSettings, person: Path, policy: str
) -> None:
    """Once it is moved to `users/trusted`, with the role of its rule; its name is its subject."""
    fields = SECURE | {"security": ["none", "basic256sha256", "aes256_sha256_rsapss"]}
    async with serve(**fields, access=ruled(access, person, "operator")) as served:

        async def session() -> Client:
            client = Client(served.url, timeout=20)
            if policy != "none":
                client.application_uri = URI
                await client.set_security(
                    {
                        "basic256sha256": security_policies.SecurityPolicyBasic256Sha256,
                        "aes256_sha256_rsapss": security_policies.SecurityPolicyAes256Sha256RsaPss,
                    }[policy],
                    person / "cert.der",
                    person / "key.pem",
                )
            await client.load_client_certificate(str(person / "cert.der"))
            await client.load_private_key(str(person / "key.pem"))
            return client

        with pytest.raises(ua.uaerrors.BadIdentityTokenRejected):
            await (await session()).connect()
        (rejected,) = (served.folder / "users" / "rejected").iterdir()
        rejected.rename(served.folder / "users" / "trusted" / rejected.name)
        async with await session() as client:
            assert await code(client, "bay1.breaker", True, T.Boolean) == "Good"
        ((user, role),) = told(served)
        assert (role, "CN=person" in user) == ("operator", True)
        other = await _certificate(person.parent / "other")
        stolen = await session()
        await stolen.load_private_key(str(other / "key.pem"))
        with pytest.raises(ua.uaerrors.BadUserSignatureInvalid):
            await stolen.connect()


@pytest.mark.parametrize(("trust", "role"), [("listed", "operator"), ("any", "")])
async def test_an_applications_certificate_has_a_role_where_it_proves_one(
    serve: Any, access: AccessSettings, person: Path, trust: str, role: str
) -> None:
    """A listed application is who its rule says; where any is trusted the rule says nothing."""
    fields = SECURE | {"trust": trust, "anonymous": "allowed"}
    async with serve(**fields, access=ruled(access, person, "operator")) as served:
        shutil.copy(person / "cert.der", served.folder / "trusted" / "client.der")
        client = Client(served.url, timeout=20)
        client.application_uri = URI
        await client.set_security(
            security_policies.SecurityPolicyBasic256Sha256,
            person / "cert.der",
            person / "key.pem",
        )
        async with client:
            found = await code(client, "bay1.breaker", True, T.Boolean)
            assert found == ("Good" if role else "BadUserAccessDenied")
        assert [one[1] for one in told(served)] == [role] * bool(role)


async def test_a_client_can_become_another_user(
    serve: Any, access: AccessSettings, changes: Any
) -> None:
    """Its selection is free again, and a subscription ends that the new user may not see."""
    async with (
        serve(**SECURE, access=access) as served,
        logged_in(served.url, "anna") as client,
        logged_in(served.url, "eva") as other,
    ):
        subscriptions = []
        for name in ("bay1.breaker", "bay2.breaker"):
            one = await client.create_subscription(50, changes)
            await one.subscribe_data_change(client.get_node(ua.NodeId(name, 2)))
            subscriptions.append(one.subscription_id)
        assert await select(client) == "Good"
        assert await select(other) == "BadResourceUnavailable"
        await client.activate_session("bernd", PASSWORDS["bernd"])
        assert await select(other) == "Good"
        assert await code(client, "bay1.breaker", True, T.Boolean) == "Good"
        assert told(served)[-1] == ("bernd", "bay1")
        found = await client.uaclient.set_publishing_mode(
            ua.SetPublishingModeParameters(PublishingEnabled=True, SubscriptionIds=subscriptions)
        )
        assert [one.name for one in found] == ["Good", "BadSubscriptionIdInvalid"]
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            await client.activate_session("anna", "wrong")
        assert await code(client, "bay1.breaker", False, T.Boolean) == "Good"
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
    serve: Any, access: AccessSettings, header: dict[str, Any], changes: Any
) -> None:
    """Its token alone opens nothing: another channel must prove the same user."""
    async with (
        serve(**SECURE, access=access) as served,
        logged_in(served.url, "anna") as client,
        logged_in(served.url, "victor") as thief,
    ):
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=bay2.breaker"))
        header["AuthenticationToken"] = client.uaclient.protocol.authentication_token
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await code(thief, "bay1.breaker", True, T.Boolean)
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await thief.get_node("ns=2;s=bay1.breaker").read_value()
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await thief.activate_session("victor", PASSWORDS["victor"])
        # a connection without a session of its own, which is how a client comes back
        bare = Client(served.url, timeout=20)
        await bare.connect_socket()
        await bare.send_hello()
        await bare.open_secure_channel()
        bare._policy_ids, bare._server_nonce = client._policy_ids, thief._server_nonce
        bare.security_policy.peer_certificate = client.security_policy.peer_certificate
        with pytest.raises(ua.uaerrors.BadIdentityTokenInvalid):
            await bare.activate_session("anna", PASSWORDS["anna"])
        bare._server_nonce = client._server_nonce
        with pytest.raises(ua.uaerrors.BadIdentityTokenRejected):
            await bare.activate_session("victor", PASSWORDS["victor"])
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
        assert await code(client, "bay1.breaker", True, T.Boolean) == "Good"
        assert told(served) == [("anna", "operator")]


async def test_a_session_moves_with_its_user(
    serve: Any, access: AccessSettings, header: dict[str, Any], changes: Any
) -> None:
    """Another channel takes it over with the same user; the old one has nothing of it any more."""
    async with serve(**SECURE, access=access) as served:
        client = Client(served.url, timeout=20)
        client.set_user("anna")
        client.set_password(PASSWORDS["anna"])
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
        await fresh.activate_session("anna", PASSWORDS["anna"])
        assert await code(fresh, "bay1.breaker", True, T.Boolean) == "Good"
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await code(client, "bay1.breaker", False, T.Boolean)
        client.disconnect_socket()
        assert await fresh.get_node("ns=2;s=bay1.breaker").read_browse_name()
        assert await code(fresh, "bay1.breaker", True, T.Boolean) == "Good"
        assert [one.client.user for one in served.field.commands] == ["anna", "anna"]
        first, second = (one.client.address for one in served.field.commands)
        assert first == second
        await fresh.close_session()
        with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
            await code(fresh, "bay1.breaker", False, T.Boolean)
        fresh.disconnect_socket()
        header.clear()
        with contextlib.suppress(Exception):
            await client.disconnect()
