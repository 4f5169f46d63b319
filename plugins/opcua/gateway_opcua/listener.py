"""Sockets, secure channels and services of clients, closed where asyncua leaves them open."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import ServiceError
from asyncua.crypto.security_policies import SecurityPolicyFactory
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.internal_server import InternalServer
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary, uatcp_to_binary
from cryptography.exceptions import InvalidSignature

from gateway_opcua.trust import TrustList

_CHUNK = 65_535
_MESSAGE = 16 * 2**20

_DISCOVERY = {
    ua.NodeId(ua.ObjectIds.FindServersRequest_Encoding_DefaultBinary),
    ua.NodeId(ua.ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary),
}
_REGISTRATION = {
    ua.NodeId(ua.ObjectIds.RegisterServerRequest_Encoding_DefaultBinary),
    ua.NodeId(ua.ObjectIds.RegisterServer2Request_Encoding_DefaultBinary),
}
_BROWSE_NEXT = ua.NodeId(ua.ObjectIds.BrowseNextRequest_Encoding_DefaultBinary)
_CREATE_SESSION = ua.NodeId(ua.ObjectIds.CreateSessionRequest_Encoding_DefaultBinary)


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
