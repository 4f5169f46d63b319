"""asyncua's server, closed where it is open, and stopped so that nothing of it stays."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import contextlib
import copy
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server import Server
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession

from gateway import Client
from gateway_opcua.access import Access
from gateway_opcua.attribute import Attributes
from gateway_opcua.certificate import Identity
from gateway_opcua.channel import Tracer
from gateway_opcua.commands import Commands
from gateway_opcua.listener import Listener, TrustedPolicy
from gateway_opcua.login import Login
from gateway_opcua.monitor import Monitor
from gateway_opcua.session import Session
from gateway_opcua.subscription import PointSubscriptions
from gateway_opcua.trust import TrustList
from gateway_opcua.view import Views

_STOP_WITHIN = 5.0

_NOBODY = User(role=UserRole.Anonymous)


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take of the gateway."""

    clients: int
    subscriptions: int
    queue: int
    commands: int


_OPERATIONS = (
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite,
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerMethodCall,
)


class Core(InternalServer):
    """asyncua's services over our attributes, sessions and commands.

    `login` and `commands` are set before the server listens.
    """

    login: Login
    commands: Commands

    def __init__(self, access: Access, limits: Limits) -> None:
        super().__init__()
        self.access = access
        self.attribute_service: Attributes = Attributes(self.aspace, access)
        self.view_service: Views = Views(self.aspace)
        self.subscription_service: PointSubscriptions
        self.allow_remote_admin = False
        self.disabled_clock = True
        self.max_connections = limits.clients
        self.max_subscriptions = limits.subscriptions
        self.max_monitored_item_queue_size = limits.queue
        self.max_commands = limits.commands
        self.max_unacked_messages_per_subscription = 20
        self.max_pending_messages_per_connection = 100

    def create_session(
        self, name: str, user: User = _NOBODY, external: bool = False
    ) -> InternalSession:
        if not external:
            return super().create_session(name, user)
        session = Session(self, name)
        # asyncua counts them up; a number can be guessed and the session taken over
        self.unregister_external_session(session)
        session.auth_token = ua.NodeId(secrets.token_bytes(32))
        self.register_external_session(session)
        return session

    def monitor(self, monitor: Monitor, least_interval: float) -> None:
        """Let clients monitor points; `least_interval` of publishing in seconds."""
        self.subscription_service = PointSubscriptions(self, monitor, least_interval)
        self.isession.subscription_service = self.subscription_service

    async def get_endpoints(
        self, params: Any = None, sockname: tuple[str, int] | None = None
    ) -> list[ua.EndpointDescription]:
        """Return the endpoints with the identity tokens that are taken now."""
        found = await super().get_endpoints(params, sockname)
        for one in found:
            one.UserIdentityTokens = [
                token for token in one.UserIdentityTokens if self.login.takes(token.TokenType)
            ]
        return found

    def client_of(self, session_id: ua.NodeId) -> Client | None:
        """Return who speaks in a session."""
        for session in self._external_sessions.values():
            if session.session_id == session_id:
                found: Client | None = session.client
                return found
        return None

    async def recheck(self) -> None:
        """End subscriptions of clients that may not see their points any more."""
        for session in list(self._external_sessions.values()):
            if session.client is not None:
                await self.subscription_service.expel(session.session_id, session.client)

    async def say_limits(self) -> None:
        """Show how many elements a Write and a Call may have."""
        most = ua.DataValue(ua.Variant(self.max_commands, ua.VariantType.UInt32))
        for number in _OPERATIONS:
            await self.write_attribute_value(ua.NodeId(number), most)

    async def close_sessions(self) -> None:
        """End every session and subscription: they outlive their connections otherwise."""
        for session in list(self._external_sessions.values()):
            await session.close_session(True)
        await self.subscription_service.delete_subscriptions(
            list(self.subscription_service.subscriptions)
        )


class GatewayServer(Server):
    """A server that starts, listens and stops within one `run` of the link."""

    def __init__(self, core: Core, name: str, application_uri: str, version: str) -> None:
        super().__init__(iserver=core)
        self.core = core
        self.name = name
        self.product_uri = "urn:grid-gateway"
        self.manufacturer_name = "grid-gateway"
        self.application_type = ua.ApplicationType.Server
        self._application_uri = application_uri
        self._version = version
        self.listener: Listener | None = None

    async def prepare(self) -> None:
        """Make the standard address space: one to two seconds of a core, in a thread."""
        await self.init()
        await self.set_build_info(
            self.product_uri,
            self.manufacturer_name,
            self.name,
            self._version,
            "0",
            datetime.now(UTC),
        )

    def secure(
        self,
        policies: Sequence[ua.SecurityPolicyType],
        identity: Identity | None,
    ) -> None:
        """Say which endpoints there are."""
        if identity is not None:
            self.iserver.certificate = identity.certificate
            self.iserver.private_key = identity.key
        self.set_security_policy(list(policies))
        secure = [ua.UserNameIdentityToken, ua.X509IdentityToken] if identity is not None else []
        self.set_identity_tokens([ua.AnonymousIdentityToken, *secure])

    async def listen(
        self,
        bound: socket.socket,
        trust: TrustList | None,
        count: Callable[[str], None],
        tracer: Tracer | None = None,
    ) -> None:
        """Open the endpoints at a bound socket, which belongs to the server from now on."""
        host, port = bound.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.set_endpoint(f"opc.tcp://{shown}:{port}/")
        await self._setup_server_nodes()
        if trust is not None:
            self._policies = [TrustedPolicy(policy, trust) for policy in self._policies]
        await self.iserver.start()
        listener = Listener(self.iserver, host, port, count, tracer)
        listener.set_policies(self._policies)
        self.listener = listener
        await listener.take(bound)

    async def tick(self) -> None:
        """Write the current time into ServerStatus, for clients that watch it as a heartbeat."""
        now = datetime.now(UTC)
        status = copy.copy(await self.iserver.server_status_node.read_value())
        status.CurrentTime = now
        await self.iserver.server_status_node.write_value(status)
        await self.iserver.current_time_node.write_value(now)

    async def close(self) -> None:
        """Stop listening, end all sessions and free the port."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN):
                await self.core.close_sessions()
                if self.listener is not None:
                    for transport in self.iserver.asyncio_transports:
                        transport.abort()
                    await self.listener.stop()
                await self.iserver.stop()
