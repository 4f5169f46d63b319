"""asyncua's socket and secure channel, with bounds, and frames for who traces the link."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any

from asyncua import ua
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.connection import TransportLimits
from asyncua.ua.ua_binary import uatcp_to_binary

import gateway_opcua.bounded  # noqa: F401 - it changes the library
from gateway_opcua.channel import Channel, Tracer

CHUNK = 65_536
"""Bytes of the largest chunk either way."""
MESSAGE = 64 * 2**20
"""Bytes of the largest message that is taken: some 1.5 million values."""
CHUNKS = math.ceil(MESSAGE / CHUNK)


class Protocol(UASocketProtocol):
    """A connection that takes no message above the bounds, whatever the server announces."""

    _connection: Channel

    def trace(self, tracer: Tracer, peer: str) -> None:
        """Show all that passes from now on."""
        made = self._connection
        self._connection = Channel(made.security_policy, made._limits, tracer, peer)

    async def send_hello(
        self, url: str, max_messagesize: int = MESSAGE, max_chunkcount: int = CHUNKS
    ) -> ua.Acknowledge:
        """Open the conversation (OPC 10000-6, 7.1.2.3); asyncua would promise to take 2 GB."""
        hello = ua.Hello(
            ReceiveBufferSize=CHUNK,
            SendBufferSize=CHUNK,
            MaxMessageSize=MESSAGE,
            MaxChunkCount=CHUNKS,
            EndpointUrl=url,
        )
        answer: asyncio.Future[ua.Acknowledge] = asyncio.get_running_loop().create_future()
        self._callbackmap[0] = answer
        if self.transport is None:
            raise ConnectionError("the connection is closed")
        octets = uatcp_to_binary(ua.MessageType.Hello, hello)
        self._connection.show("tx", octets)
        self.transport.write(octets)
        async with asyncio.timeout(self.timeout):
            return await answer

    def _process_received_message(self, msg: Any) -> None:
        super()._process_received_message(msg)
        if isinstance(msg, ua.Acknowledge):
            limits = self._connection._limits
            # asyncua would take the server's bounds for ours, and send what we can receive
            limits.max_recv_buffer = CHUNK
            limits.max_send_buffer = min(CHUNK, msg.ReceiveBufferSize or CHUNK)
            limits.max_message_size = MESSAGE
            limits.max_chunk_count = CHUNKS


class Transport(UaClient):
    """Makes bounded connections, which show what passes."""

    def __init__(self, timeout: float, tracer: Tracer, peer: str) -> None:
        super().__init__(timeout)
        self._tracer = tracer
        self._peer = peer

    def _make_protocol(self) -> UASocketProtocol:
        limits = TransportLimits(CHUNK, CHUNK, CHUNKS, MESSAGE)
        self.protocol = Protocol(self._timeout, security_policy=self.security_policy, limits=limits)
        self.protocol.trace(self._tracer, self._peer)
        self.protocol.pre_request_hook = self._pre_request_hook
        self.protocol.on_connection_lost = self._on_transport_lost
        self.protocol.is_session_closing = self._is_session_closing
        return self.protocol


def quiet(log: logging.Logger) -> None:
    """Keep the library's lines for those who debug: the link says what matters itself."""
    level = logging.DEBUG if log.isEnabledFor(logging.DEBUG) else logging.CRITICAL
    for name in ("asyncua", "asyncuagds"):
        logging.getLogger(name).setLevel(level)
