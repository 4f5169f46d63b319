"""A session with a server: opened, or activated anew, renewed, and left."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeVar

from asyncua import Client, ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.crypto import security_policies
from asyncua.ua.ua_binary import (
    nodeid_from_binary,
    nodeid_to_binary,
    struct_from_binary,
)
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway import LinkError, SourceContext, reason
from gateway_opcua.certificate import Identity, identity, load_certificate, own_hosts
from gateway_opcua.client.peer import URIS, certificate_of, check, choose, first_of, mode_of
from gateway_opcua.client.source import ClearText, User
from gateway_opcua.client.ticket import Ticket
from gateway_opcua.client.transport import Transport
from gateway_opcua.settings import Policy

if TYPE_CHECKING:
    from gateway_opcua.client.source import OpcUaClient

T = TypeVar("T")

CHANNEL_LIFETIME = 3600.0
"""Seconds for which the keys of a secure channel are asked for; renewed after three quarters."""
GOODBYE = 2.0
"""Seconds within which a session is closed when the link ends."""

FAILURES = (OSError, TimeoutError, ua.UaError, InvalidSignature)
"""What asyncua raises where a server is away, silent, or says no."""

_POLICIES = {
    Policy.NONE: security_policies.SecurityPolicyNone,
    Policy.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    Policy.AES128_SHA256_RSAOAEP: security_policies.SecurityPolicyAes128Sha256RsaOaep,
    Policy.AES256_SHA256_RSAPSS: security_policies.SecurityPolicyAes256Sha256RsaPss,
}


def sentence(error: BaseException) -> str:
    """Say in words what went wrong with a server."""
    if isinstance(error, ua.UaStatusCodeError):
        return f"the server said {code_name(error.code)}"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, InvalidSignature):
        return "the server's signature is wrong"
    return reason(error)


def code_name(code: int) -> str:
    """Return the name of a StatusCode: BadNodeIdUnknown."""
    name: str = ua.StatusCode(code & 0xFFFF_0000).name
    return name


class Session:
    """Services of a server, each answered within the link's time-out.

    resumed: whether it is the session of the ticket, whose subscriptions are its own already.
    limit:   most nodes in one request of each service, as `limits.py` finds them.
    """

    def __init__(self, client: Client, ctx: SourceContext, timeout: float, resumed: bool) -> None:
        self._client = client
        self._ctx = ctx
        self._timeout = timeout
        self.resumed = resumed

    @property
    def token(self) -> str:
        found: bytes = nodeid_to_binary(self._client.uaclient.session.authentication_token)
        return found.hex()

    @property
    def nonce(self) -> str:
        return (self._client._server_nonce or b"").hex()

    @property
    def timeout(self) -> float:
        """Seconds after which the server forgets the session, as it revised them."""
        return float(self._client.session_timeout) / 1e3

    def check(self) -> UASocketProtocol:
        """Return the connection; raises ConnectionError where it is closed."""
        protocol = self._client.uaclient.protocol
        if protocol is None or protocol.transport is None or protocol.transport.is_closing():
            raise ConnectionError("the connection is closed")
        return protocol

    async def send(self, request: Any, timeout: float | None = None) -> bytes:
        """Return the body of the response; 0 waits as long as the connection lives.

        Raises one of `FAILURES`; a service fault is a UaStatusCodeError.
        """
        protocol = self.check()
        found: Buffer = await protocol.send_request(
            request, self._timeout if timeout is None else timeout
        )
        return bytes(found)

    async def ask(self, request: Any, kind: type[T], timeout: float | None = None) -> T:
        """Return the response, decoded; raises one of `FAILURES`."""
        response: Any = struct_from_binary(kind, Buffer(await self.send(request, timeout)))
        response.ResponseHeader.ServiceResult.check()
        found: T = response
        return found

    async def renew(self) -> None:
        """Renew the channel's keys in time, until cancelled."""
        while True:
            await asyncio.sleep(self._client.secure_channel_timeout / 1e3 * 0.75)
            await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()

    async def close(self, *, keep: bool) -> None:
        """Close the channel, and with all its subscriptions the session, unless it is kept."""
        with contextlib.suppress(*FAILURES):
            async with asyncio.timeout(GOODBYE):
                if not keep:
                    await self._client.uaclient.session.close_session(True)
                await self._client.uaclient.close_secure_channel()


@contextlib.asynccontextmanager
async def opened(
    source: OpcUaClient, ctx: SourceContext, ticket: Ticket | None
) -> AsyncIterator[Session]:
    """Open a session for the length of the block: that of the ticket where it still lives.

    Raises LinkError. The socket is closed in any case, the session by `close` only.
    """
    client = await _client(source, ctx)
    own: Identity | None = None
    if source.security is not Policy.NONE:
        # Before the clock runs: the first start makes a key, which takes seconds where it is slow.
        own = await asyncio.to_thread(own_identity, ctx)
    try:
        try:
            async with asyncio.timeout(source.connect_timeout):
                resumed = await _open(source, ctx, client, own, ticket)
        except FAILURES as error:
            raise LinkError(_open_sentence(error, source, ctx)) from error
        yield Session(client, ctx, source.timeout, resumed)
    finally:
        client.disconnect_socket()


async def _client(source: OpcUaClient, ctx: SourceContext) -> Client:
    client = Client(source.endpoint, timeout=source.timeout)
    client.uaclient = Transport(source.timeout, ctx, client.server_url.netloc.rpartition("@")[2])
    client.name = "grid-gateway"
    client.description = f"{ctx.gateway} {ctx.name}"
    client.application_uri = _uri(ctx)
    client.product_uri = "urn:grid-gateway"
    client.secure_channel_timeout = round(CHANNEL_LIFETIME * 1e3)
    client.session_timeout = round(source.session_timeout * 1e3)
    if source.user is not None:
        await asyncio.to_thread(_authenticate, client, source.user)
    return client


def _uri(ctx: SourceContext) -> str:
    return f"urn:grid-gateway:{ctx.gateway}:{ctx.name}"


def _authenticate(client: Client, user: User) -> None:
    if user.name is not None and user.password is not None:
        client.set_user(user.name)
        client.set_password(user.password.get_secret_value())
        return
    assert user.certificate is not None and user.key is not None  # noqa: S101, PT018 - one or other
    client.user_certificate = load_certificate(user.certificate)
    try:
        key = serialization.load_pem_private_key(user.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise LinkError(f"{user.key} is no private key in PEM without a password: {error}") from (
            error
        )
    if client.user_certificate.public_key() != key.public_key():
        raise LinkError(f"{user.certificate} does not belong to the key in {user.key}")
    client.user_private_key = key


async def _open(
    source: OpcUaClient,
    ctx: SourceContext,
    client: Client,
    own: Identity | None,
    ticket: Ticket | None,
) -> bool:
    endpoint = choose(source, await client.connect_and_get_server_endpoints())
    policy = _POLICIES[source.security]
    if own is None:
        client.security_policy = policy()
    else:
        certificate = certificate_of(endpoint)
        await asyncio.to_thread(check, source, endpoint, certificate, ctx)
        client.security_policy = policy(certificate, own.certificate, own.key, mode_of(source))
    client.uaclient.set_security(client.security_policy)
    await client.connect_socket()
    await client.send_hello()
    await client.open_secure_channel()
    if ticket is not None and ticket.token and await _resume(source, client, endpoint, ticket):
        return True
    await client.create_session()
    try:
        client._policy_ids = _preferred(client._policy_ids)
        _check_password(source, client)
        await client.activate_session(client._username, client._password, client.user_certificate)
    except (LinkError, ua.UaError):
        # Refused again and again, sessions would fill a small server.
        with contextlib.suppress(*FAILURES):
            await client.uaclient.session.close_session(True)
        raise
    return False


async def _resume(source: OpcUaClient, client: Client, endpoint: Any, ticket: Ticket) -> bool:
    """Activate the session of the ticket on the new channel (OPC 10000-4, 6.7)."""
    token, ticket.token = ticket.token, ""  # tried once: it may be what breaks the connection
    session, policy = client.uaclient.session, client.security_policy
    client._policy_ids = _preferred(endpoint.UserIdentityTokens or [])
    client._server_nonce = bytes.fromhex(ticket.nonce)  # type: ignore[assignment]
    if source.security is Policy.NONE:
        policy.peer_certificate = first_of(bytes(endpoint.ServerCertificate or b"")) or None
    try:
        _check_password(source, client)
        session.restore_authentication_token(nodeid_from_binary(Buffer(bytes.fromhex(token))))
        await client.activate_session(client._username, client._password, client.user_certificate)
    except ua.UaError:
        session.reset_authentication_token()
        client._server_nonce = None
        if source.security is Policy.NONE:
            policy.peer_certificate = None
        return False
    return True


def own_identity(ctx: SourceContext) -> Identity:
    """Return the link's own certificate and key, made on the first start; blocks."""
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return identity(ctx.data / "own", _uri(ctx), own_hosts("::", ()), ctx.log, usage)


def _preferred(policies: list[Any]) -> list[Any]:
    """Put token policies first whose encryption is not deprecated."""
    known = {uri for policy, uri in URIS.items() if policy is not Policy.NONE}
    return sorted(policies, key=lambda one: (one.SecurityPolicyUri or "") not in ("", *known))


def _check_password(source: OpcUaClient, client: Client) -> None:
    user = source.user
    if user is None or user.name is None or user.clear_text is ClearText.ALLOWED:
        return
    policy = client.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri
    channel = client.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
    if policy == URIS[Policy.NONE] and not channel:
        raise LinkError(
            "the password would travel unencrypted; take a security policy, "
            "or say clear_text: allowed"
        )


def _open_sentence(error: BaseException, source: OpcUaClient, ctx: SourceContext) -> str:
    code = error.code if isinstance(error, ua.UaStatusCodeError) else 0
    codes = ua.StatusCodes
    said = sentence(error)
    if code in (
        codes.BadSecurityChecksFailed,
        codes.BadCertificateUntrusted,
        codes.BadCertificateInvalid,
    ):
        own = ctx.data / "own/cert.der"
        return f"{said}: does it trust the gateway's certificate, {own}?"
    if code in (
        codes.BadIdentityTokenRejected,
        codes.BadIdentityTokenInvalid,
        codes.BadUserAccessDenied,
        codes.BadUserSignatureInvalid,
    ):
        return f"{said}: it refuses the user"
    return f"{source.endpoint}: {said}"
