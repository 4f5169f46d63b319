"""asyncua's secure channel, which shows what passes: in plain, and without secrets."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from struct import Struct
from typing import Any, Protocol

from asyncua import ua
from asyncua.common.connection import MessageChunk, SecureConnection, TransportLimits
from asyncua.ua.ua_binary import header_to_binary

SECURED: tuple[Any, ...] = (ua.MessageType.SecureMessage, ua.MessageType.SecureClose)
ACTIVATE_SESSION = bytes.fromhex("0100d301")
"""NodeId of the binary encoding of ActivateSessionRequest, i=467 (OPC 10000-6, 5.2.2.9).

Its identity token may hold a password in plain.
"""
HIDDEN = "its identity is not shown"

_HEAD = Struct("<IIIII")
"""Behind the type of a message: its size, channel, token, sequence number, request."""


class Tracer(Protocol):
    """Whoever wants to see the messages; a gateway's context is one."""

    @property
    def tracing(self) -> bool:
        """Whether anybody looks."""

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Show a frame, `tx` or `rx`; see `SourceContext.trace`."""


class Channel(SecureConnection):
    """Shows messages as they would be without encryption, each chunk that comes as one.

    What opens a channel is shown as it is on the wire: its nonces are secrets where it is secure.
    """

    def __init__(
        self, policy: Any, limits: TransportLimits, tracer: Tracer | None, peer: str
    ) -> None:
        super().__init__(policy, limits)
        self._tracer = tracer
        self._peer = peer
        self._hidden = 0

    def message_to_binary(
        self,
        message: bytes,
        message_type: Any = ua.MessageType.SecureMessage,
        request_id: int = 0,
    ) -> bytes:
        octets = super().message_to_binary(message, message_type, request_id)
        if self._tracing:
            if message_type not in SECURED:
                self.show("tx", octets)
            else:
                hidden = message.startswith(ACTIVATE_SESSION)
                body = ACTIVATE_SESSION if hidden else message
                token = self.security_token
                numbers = (token.ChannelId, token.TokenId, self._sequence_number, request_id)
                self.show("tx", _plain(message_type, b"F", numbers, body), HIDDEN * hidden)
        return octets

    def receive_from_header_and_body(self, header: ua.Header, body: Any) -> Any:
        if self._tracing and header.MessageType not in SECURED:
            octets = body.copy(header.body_size).read(header.body_size)
            self.show("rx", header_to_binary(header) + bytes(octets))
        return super().receive_from_header_and_body(header, body)

    def _receive(self, msg: MessageChunk) -> ua.Message | None:
        head = msg.MessageHeader
        if self._tracing and head.MessageType in SECURED:
            request = msg.SequenceHeader.RequestId
            if msg.Body.startswith(ACTIVATE_SESSION):
                self._hidden = request
            # It may come in several chunks; numbers are not used again for long.
            hidden = request == self._hidden
            first = ACTIVATE_SESSION if msg.Body.startswith(ACTIVATE_SESSION) else b""
            body = first if hidden else msg.Body
            numbers = (
                head.ChannelId,
                getattr(msg.SecurityHeader, "TokenId", 0),
                msg.SequenceHeader.SequenceNumber,
                request,
            )
            octets = _plain(head.MessageType, head.ChunkType, numbers, bytes(body))
            self.show("rx", octets, HIDDEN * hidden)
        received: ua.Message | None = super()._receive(msg)
        return received

    def show(self, direction: str, octets: bytes, note: str = "") -> None:
        """Show a frame, if anybody looks."""
        if self._tracer is not None and self._tracer.tracing:
            self._tracer.trace(direction, octets, note, self._peer)

    @property
    def _tracing(self) -> bool:
        return self._tracer is not None and self._tracer.tracing


def _plain(kind: bytes, chunk: bytes, numbers: tuple[int, int, int, int], body: bytes) -> bytes:
    size = len(kind) + len(chunk) + _HEAD.size + len(body)
    return kind + chunk + _HEAD.pack(size, *numbers) + body
