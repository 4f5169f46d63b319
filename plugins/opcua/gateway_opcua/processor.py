"""The services of one connection, closed where asyncua leaves them open."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import ServiceError
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.server.internal_session import SessionState
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary, uatcp_to_binary
from cryptography.exceptions import InvalidSignature

import gateway_opcua.bounded  # noqa: F401 - it changes the library
from gateway_opcua.channel import Channel, Tracer
from gateway_opcua.commands import Result
from gateway_opcua.session import Session

if TYPE_CHECKING:
    from gateway_opcua.server import Core

_log = logging.getLogger("gateway_opcua")

_DISCOVERY = {
    ua.NodeId(ua.ObjectIds.FindServersRequest_Encoding_DefaultBinary),
    ua.NodeId(ua.ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary),
}
_REGISTRATION = {
    ua.NodeId(ua.ObjectIds.RegisterServerRequest_Encoding_DefaultBinary),
    ua.NodeId(ua.ObjectIds.RegisterServer2Request_Encoding_DefaultBinary),
}
_CREATE_SESSION = ua.NodeId(ua.ObjectIds.CreateSessionRequest_Encoding_DefaultBinary)
_SESSIONLESS = {
    _CREATE_SESSION,
    ua.NodeId(ua.ObjectIds.CloseSecureChannelRequest_Encoding_DefaultBinary),
    *_DISCOVERY,
}
_ADDITIONAL_INFO = 0x80
"""RequestHeader.returnDiagnostics, bit 7: additional info of each operation (OPC 10000-4, 7.33)."""


class Processor(UaProcessor):
    """Services of one connection, without those that nobody should reach."""

    iserver: Core
    session: Session | None

    def __init__(
        self,
        core: Core,
        transport: asyncio.Transport,
        limits: TransportLimits,
        tracer: Tracer | None = None,
    ) -> None:
        super().__init__(core, transport, limits)
        self._connection: Channel = Channel(
            SecurityPolicyNone(), self._limits, tracer, self.address
        )
        acknowledge = self._limits.create_acknowledge_and_set_limits

        def acknowledged(hello: ua.Hello) -> ua.Acknowledge:
            said = acknowledge(hello)
            self._connection.show("tx", uatcp_to_binary(ua.MessageType.Acknowledge, said))
            return said

        # The library writes it to the socket itself.
        self._limits.create_acknowledge_and_set_limits = acknowledged  # type: ignore[method-assign, assignment]
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where the client speaks from."""
        host, port = self.name[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def show(self, octets: bytes) -> None:
        """Show what is written past the channel."""
        self._connection.show("tx", octets)

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
        own = self._OWN.get(typeid)
        if own is not None:
            await own(self, requesthdr, seqhdr, body)
            return True
        if typeid not in _SESSIONLESS and self.session is not None:
            self._check(self.session, requesthdr)
        handled: bool = await super()._process_message(typeid, requesthdr, seqhdr, body)
        if typeid == _CREATE_SESSION and self.session is not None:
            self.session.channel = self
            self.session.certificate = self._connection.security_policy.peer_certificate or b""
        return handled

    async def close(self) -> None:
        if self.session is not None and self.session.channel is not self:
            self.session = None  # it lives on in another channel
        for task in self._under_way:
            task.cancel()
        await super().close()

    def _check(self, session: Session, requesthdr: Any) -> None:
        """A request must name the session of its channel, which asyncua does not look at."""
        named = requesthdr.AuthenticationToken == session.auth_token
        if not named or session.channel is not self or session.state is SessionState.Closed:
            raise ServiceError(ua.StatusCodes.BadSessionIdInvalid)

    def _activated(self, requesthdr: Any) -> Session:
        if self.session is None:
            raise ServiceError(ua.StatusCodes.BadSessionIdInvalid)
        self._check(self.session, requesthdr)
        if not self.session.is_activated():
            raise ServiceError(ua.StatusCodes.BadSessionNotActivated)
        self.session.touch()
        self.session_last_activity = time.monotonic()
        return self.session

    async def _activate(self, requesthdr: Any, seqhdr: Any, body: Any) -> None:
        """Let a client into a session, or a session into another channel (OPC 10000-4, 5.6.3)."""
        params = _decoded(ua.ActivateSessionParameters, body)
        session = self.session or self.iserver.lookup_external_session(
            requesthdr.AuthenticationToken
        )
        channel = self._connection.security_policy
        if session is None or requesthdr.AuthenticationToken != session.auth_token:
            raise ServiceError(ua.StatusCodes.BadSessionIdInvalid)
        moves = session.channel is not self
        if moves and not session.is_activated():
            raise ServiceError(ua.StatusCodes.BadSessionNotActivated)
        if session.certificate != (channel.peer_certificate or b""):
            raise ServiceError(ua.StatusCodes.BadSecurityChecksFailed)
        try:
            channel.asymmetric_cryptography.verify(
                (channel.host_certificate or b"") + session.challenge,
                params.ClientSignature.Signature or b"",
            )
        except InvalidSignature:
            raise ServiceError(ua.StatusCodes.BadApplicationSignatureInvalid) from None
        client = await self.iserver.login.admit(session, params, channel, self.address)
        if moves and session.client is not None and session.client.user != client.user:
            raise ServiceError(ua.StatusCodes.BadIdentityTokenRejected)
        response = ua.ActivateSessionResponse(Parameters=await session.admit(client))
        if moves:
            self._adopt(session)
        self.session_last_activity = time.monotonic()
        self.send_response(requesthdr.RequestHandle, seqhdr, response)

    def _adopt(self, session: Session) -> None:
        self.session = session
        session.channel = self
        self._closing = False
        if self._session_watchdog_task is None or self._session_watchdog_task.done():
            self._session_watchdog_task = asyncio.create_task(self._session_watchdog_loop())
        for one in self.iserver.subscription_service.subscriptions.values():
            if one.session_id == session.session_id:
                one.pub_result_callback = self.forward_publish_response
                one.pub_request_callback = self.get_publish_request  # type: ignore[assignment]

    async def _write(self, requesthdr: Any, seqhdr: Any, body: Any) -> None:
        session = self._activated(requesthdr)
        params = _decoded(ua.WriteParameters, body)

        client = session.who  # now: it may be another's when the work begins

        async def work() -> Any:
            commands = self.iserver.commands
            done = await commands.write(session, client, params, _timeout(requesthdr))
            return ua.WriteResponse(
                Results=[ua.StatusCode(one.code) for one in done],
                DiagnosticInfos=_diagnostics(requesthdr, done),
            )

        self._begin(work(), requesthdr, seqhdr)

    async def _call(self, requesthdr: Any, seqhdr: Any, body: Any) -> None:
        session = self._activated(requesthdr)
        params = _decoded(ua.CallParameters, body)

        client = session.who

        async def work() -> Any:
            commands = self.iserver.commands
            done = await commands.call(session, client, params, _timeout(requesthdr))
            return ua.CallResponse(
                Results=[_called(one) for one in done],
                DiagnosticInfos=_diagnostics(requesthdr, done),
            )

        self._begin(work(), requesthdr, seqhdr)

    def _begin(self, work: Coroutine[Any, Any, Any], requesthdr: Any, seqhdr: Any) -> None:
        """Answer when the work is done: the session's other requests go on meanwhile."""
        task = asyncio.create_task(self._answer(work, requesthdr, seqhdr))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answer(self, work: Coroutine[Any, Any, Any], requesthdr: Any, seqhdr: Any) -> None:
        try:
            response = await work
        except ServiceError as error:
            response = _fault(error.code)
        except Exception:
            _log.exception("a request of %s failed", self.address)
            response = _fault(ua.StatusCodes.BadInternalError)
        if not self._transport.is_closing():
            self.send_response(requesthdr.RequestHandle, seqhdr, response)

    async def _browse_next(self, requesthdr: Any, seqhdr: Any, body: Any) -> None:
        """Answer the service that asyncua's server does not have."""
        self._activated(requesthdr)
        params = _decoded(ua.BrowseNextParameters, body)
        response = ua.BrowseNextResponse()
        response.Parameters.Results = self.iserver.view_service.browse_next(params)
        self.send_response(requesthdr.RequestHandle, seqhdr, response)

    _OWN: ClassVar[dict[ua.NodeId, Callable[..., Coroutine[Any, Any, None]]]] = {
        ua.NodeId(ua.ObjectIds.ActivateSessionRequest_Encoding_DefaultBinary): _activate,
        ua.NodeId(ua.ObjectIds.WriteRequest_Encoding_DefaultBinary): _write,
        ua.NodeId(ua.ObjectIds.CallRequest_Encoding_DefaultBinary): _call,
        ua.NodeId(ua.ObjectIds.BrowseNextRequest_Encoding_DefaultBinary): _browse_next,
    }


def _decoded(kind: Any, body: Any) -> Any:
    try:
        return struct_from_binary(kind, body)
    except Exception:  # the library has no error of its own for each way that bytes can be wrong
        raise ServiceError(ua.StatusCodes.BadDecodingError) from None


def _timeout(requesthdr: Any) -> float | None:
    """Return how long the client waits, in seconds (OPC 10000-4, 7.33: 0 is for ever)."""
    return requesthdr.TimeoutHint / 1000 if requesthdr.TimeoutHint else None


def _called(done: Result) -> Any:
    answer = done.answer
    if done.code or answer is None:  # a bad result has no outputs (OPC 10000-4, 5.12.2)
        return ua.CallMethodResult(
            StatusCode=ua.StatusCode(done.code),
            InputArgumentResults=[ua.StatusCode(code) for code in done.arguments],
        )
    texts = (answer.status.value, answer.id)
    return ua.CallMethodResult(
        OutputArguments=[ua.Variant(text, ua.VariantType.String) for text in texts]
    )


def _diagnostics(requesthdr: Any, done: Sequence[Result]) -> list[Any]:
    """Return the sentences of the answers, where the client asks for them."""
    if not requesthdr.ReturnDiagnostics & _ADDITIONAL_INFO or not any(one.detail for one in done):
        return []
    return [ua.DiagnosticInfo(AdditionalInfo=one.detail or None) for one in done]


def _fault(code: int) -> Any:
    response = ua.ServiceFault()
    response.ResponseHeader.ServiceResult = ua.StatusCode(code)
    return response
