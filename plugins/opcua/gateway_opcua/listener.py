"""Sockets, secure channels and services of clients, closed where asyncua leaves them open."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import ServiceError
from asyncua.crypto.security_policies import SecurityPolicyFactory
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.internal_server import InternalServer
from asyncua.ua.ua_binary import uatcp_to_binary
from cryptography.exceptions import InvalidSignature

from gateway_opcua.channel import Tracer
from gateway_opcua.processor import Processor
from gateway_opcua.trust import TrustList

if TYPE_CHECKING:
    pass

_log = logging.getLogger("gateway.opcua")

_CHUNK = 65_535
_MESSAGE = 16 * 2**20


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


class Connection(OPCUAProtocol):
    """One TCP connection: bounded input, and an Error message where asyncua only logs."""

    count: Callable[[str], None]
    tracer: Tracer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is None:
            self.count("connections_refused")
            return
        self.processor = Processor(self.iserver, self.transport, self.limits, self.tracer)
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
            octets = uatcp_to_binary(ua.MessageType.Error, error)
            if isinstance(self.processor, Processor):
                self.processor.show(octets)
            self.transport.write(octets)
            self.transport.close()


class Listener(BinaryServer):
    """The listening socket."""

    def __init__(
        self,
        iserver: InternalServer,
        host: str,
        port: int,
        count: Callable[[str], None],
        tracer: Tracer | None = None,
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
        self._tracer = tracer

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
        made.tracer = self._tracer
        return made
