"""asyncua's server, closed where it is open, and stopped so that nothing of it stays."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import contextlib
import copy
import math
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.security_policies import SecurityPolicyFactory
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.server import Server
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession
from asyncua.server.uaprocessor import UaProcessor
from asyncua.server.user_managers import UserManager
from asyncua.ua.ua_binary import struct_from_binary, uatcp_to_binary
from cryptography.exceptions import InvalidSignature

from gateway_opcua.attribute import Attributes
from gateway_opcua.certificate import Identity
from gateway_opcua.monitor import Monitor
from gateway_opcua.subscription import PointSubscriptions
from gateway_opcua.trust import TrustList
from gateway_opcua.view import Views

_CHUNK = 65_535
_MESSAGE = 16 * 2**20
_STOP_WITHIN = 5.0

_DISCOVERY = {
    ua.NodeId(ua.ObjectIds.FindServersRequest_Encoding_DefaultBinary),
    ua.NodeId(ua.ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary),
}
_REGISTRATION = {
    ua.NodeId(ua.ObjectIds.RegisterServerRequest_Encoding_DefaultBinary),
    ua.NodeId(ua.ObjectIds.RegisterServer2Request_Encoding_DefaultBinary),
}
_BROWSE_NEXT = ua.NodeId(ua.ObjectIds.BrowseNextRequest_Encoding_DefaultBinary)
_NOBODY = User(role=UserRole.Anonymous)
_CREATE_SESSION = ua.NodeId(ua.ObjectIds.CreateSessionRequest_Encoding_DefaultBinary)


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take of the gateway."""

    clients: int
    subscriptions: int
    queue: int


class TrustedPolicy(SecurityPolicyFactory):
    """Makes a channel's policy only for a certificate that is trusted.

    asyncua would look at the certificate that the client names in CreateSession,
    which need not be the one that opened the channel.
    """

    def __init__(self, policy: Any, trust: TrustList) -> None:
        super().__init__(
            policy.cls,
            policy.mode,
            policy.certificate,
            policy.private_key,
            policy.permission_ruleset,
            policy.certificate_chain,
        )
        self._trust = trust

    def create(self, peer_certificate: bytes | None) -> Any:
        if self.mode is not ua.MessageSecurityMode.None_:
            certificate = x509_from_der(peer_certificate)
            if certificate is None:
                raise ServiceError(ua.StatusCodes.BadSecurityChecksFailed)
            self._trust.check(certificate)
        return super().create(peer_certificate)


class Processor(UaProcessor):
    """Services of one connection, without those that nobody should reach."""

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        if typeid in _REGISTRATION:
            raise ServiceError(ua.StatusCodes.BadServiceUnsupported)
        mode = self._connection.security_policy.Mode
        if mode is ua.MessageSecurityMode.None_ and typeid not in _DISCOVERY:
            # without a None endpoint an open channel is for discovery only (OPC 10000-4, 5.5.2)
            offered = any(
                p.mode is ua.MessageSecurityMode.None_ for p in self._connection._policies
            )
            if not offered:
                raise ServiceError(ua.StatusCodes.BadSecurityPolicyRejected)
        if typeid == _CREATE_SESSION and self.session is not None:
            # a second session on one channel would leave the first without an end
            await self.session.close_session(True)
        if typeid == _BROWSE_NEXT:
            self._browse_next(requesthdr, seqhdr, body)
            return True
        handled: bool = await super()._process_message(typeid, requesthdr, seqhdr, body)
        return handled

    def _browse_next(self, requesthdr: Any, seqhdr: Any, body: Any) -> None:
        """Answer the service that asyncua's server does not have."""
        if self.session is None or not self.session.is_activated():
            raise ServiceError(ua.StatusCodes.BadSessionNotActivated)
        self.session.touch()
        self.session_last_activity = time.monotonic()
        params = struct_from_binary(ua.BrowseNextParameters, body)
        response = ua.BrowseNextResponse()
        response.Parameters.Results = self.iserver.view_service.browse_next(params)
        self.send_response(requesthdr.RequestHandle, seqhdr, response)


class Connection(OPCUAProtocol):
    """One TCP connection: bounded input, and an Error message where asyncua only logs."""

    count: Callable[[str], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is None:
            self.count("connections_refused")
            return
        self.processor = Processor(self.iserver, self.transport, self.limits)
        self.processor.set_policies(self.policies)

    def data_received(self, data: bytes) -> None:
        if len(self._buffer) > self.limits.max_recv_buffer:
            self._refuse(ua.StatusCodes.BadTcpMessageTooLarge)
            return
        super().data_received(data)

    async def _process_one_msg(self, header: Any, buf: Any) -> bool:
        try:
            return await super()._process_one_msg(header, buf)
        except (ServiceError, ua.UaStatusCodeError) as error:
            self._refuse(error.code)
        except InvalidSignature:
            self._refuse(ua.StatusCodes.BadSecurityChecksFailed)
        except Exception:  # a frame that cannot be read must end its own connection, not more
            self._refuse(ua.StatusCodes.BadDecodingError)
        return False

    def _refuse(self, code: int) -> None:
        self.count("connections_refused")
        if self.transport is not None:
            error = ua.ErrorMessage(ua.StatusCode(code), "")
            self.transport.write(uatcp_to_binary(ua.MessageType.Error, error))
            self.transport.close()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, not listening yet; raises OSError.

    Done before anything that costs time: a port that is taken is said at once.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class Listener(BinaryServer):
    """The listening socket."""

    def __init__(
        self, iserver: InternalServer, host: str, port: int, count: Callable[[str], None]
    ) -> None:
        chunks = math.ceil(_MESSAGE / _CHUNK)
        limits = TransportLimits(
            max_recv_buffer=_CHUNK,
            max_send_buffer=_CHUNK,
            max_chunk_count=chunks,
            max_message_size=_MESSAGE,
        )
        super().__init__(iserver, host, port, limits)
        self._count = count

    async def take(self, bound: socket.socket) -> None:
        """Listen at a socket that is bound already."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_protocol, sock=bound)
        self.cleanup_task = asyncio.create_task(self._close_task_loop())

    def _make_protocol(self) -> OPCUAProtocol:
        made = Connection(
            iserver=self.iserver,
            policies=self._policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )
        made.count = self._count
        return made


class Core(InternalServer):
    """asyncua's services over our attributes, with session tokens that nobody can guess."""

    def __init__(self, users: UserManager, limits: Limits) -> None:
        super().__init__(user_manager=users)
        self.attribute_service = Attributes(self.aspace)
        self.view_service: Views = Views(self.aspace)
        self.allow_remote_admin = False
        self.disabled_clock = True
        self.max_connections = limits.clients
        self.max_subscriptions = limits.subscriptions
        self.max_monitored_item_queue_size = limits.queue
        self.max_unacked_messages_per_subscription = 20
        self.max_pending_messages_per_connection = 100

    def create_session(
        self, name: str, user: User = _NOBODY, external: bool = False
    ) -> InternalSession:
        session = super().create_session(name, user, external)
        if external:
            # asyncua counts them up; a number can be guessed and the session taken over
            self.unregister_external_session(session)
            session.auth_token = ua.NodeId(secrets.token_bytes(32))
            self.register_external_session(session)
        return session

    def monitor(self, monitor: Monitor, least_interval: float) -> None:
        """Let clients monitor points; `least_interval` of publishing in seconds."""
        self.subscription_service = PointSubscriptions(self, monitor, least_interval)
        self.isession.subscription_service = self.subscription_service

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
        self, policies: Sequence[ua.SecurityPolicyType], identity: Identity | None, anonymous: bool
    ) -> None:
        """Say which endpoints there are and who may activate a session."""
        if identity is not None:
            self.iserver.certificate = identity.certificate
            self.iserver.private_key = identity.key
        self.set_security_policy(list(policies))
        tokens = [ua.UserNameIdentityToken]
        self.set_identity_tokens([ua.AnonymousIdentityToken, *tokens] if anonymous else tokens)

    async def listen(
        self, bound: socket.socket, trust: TrustList | None, count: Callable[[str], None]
    ) -> None:
        """Open the endpoints at a bound socket, which belongs to the server from now on."""
        host, port = bound.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.set_endpoint(f"opc.tcp://{shown}:{port}/")
        await self._setup_server_nodes()
        if trust is not None:
            self._policies = [TrustedPolicy(policy, trust) for policy in self._policies]
        await self.iserver.start()
        listener = Listener(self.iserver, host, port, count)
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
