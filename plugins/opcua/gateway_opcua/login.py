"""Who is let in: the identity token of a session's activation (OPC 10000-4, 5.6.3 and 7.41)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.uacrypto import x509_from_der
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway import AccessRefused, Client, SinkContext
from gateway_opcua.certificate import Identity
from gateway_opcua.session import Session
from gateway_opcua.settings import Trust
from gateway_opcua.token import BadToken, password, verify
from gateway_opcua.trust import TrustList

if TYPE_CHECKING:
    from gateway_opcua.sink import OpcUaServer

_CODES = ua.StatusCodes
_KINDS = {
    ua.AnonymousIdentityToken: ua.UserTokenType.Anonymous,
    ua.UserNameIdentityToken: ua.UserTokenType.UserName,
    ua.X509IdentityToken: ua.UserTokenType.Certificate,
}


class Login:
    """Asks the gateway who somebody is, by what the token proves.

    An anonymous client is known by the certificate of its application, where only listed ones
    are trusted; anybody could make one that names anybody where all are.
    """

    def __init__(
        self,
        ctx: SinkContext,
        sink: OpcUaServer,
        identity: Identity | None,
        people: TrustList | None,
    ) -> None:
        """`people` has the certificates of users."""
        self._ctx = ctx
        self._sink = sink
        self._identity = identity
        self._people = people

    def takes(self, kind: ua.UserTokenType) -> bool:
        """Return whether tokens of this kind are taken now: users may come while it runs."""
        match kind:
            case ua.UserTokenType.Anonymous:
                return self._sink.open(self._ctx.authenticates)
            case ua.UserTokenType.UserName:
                return self._sink.secret and self._ctx.authenticates
            case ua.UserTokenType.Certificate:
                return self._people is not None
            case _:
                return False

    async def admit(self, session: Session, params: Any, channel: Any, address: str) -> Client:
        """Return who the client is.

        channel: the security policy of the channel that it speaks through.
        Raises ServiceError with what the client may hear.
        """
        try:
            return await self._admit(session, params, channel, address)
        except ServiceError:
            self._ctx.count("logins_refused")
            raise

    async def _admit(self, session: Session, params: Any, channel: Any, address: str) -> Client:
        token = params.UserIdentityToken
        if isinstance(token, ua.ExtensionObject) and token.TypeId == ua.NodeId():
            token = ua.AnonymousIdentityToken()
        kind = next((kind for one, kind in _KINDS.items() if isinstance(token, one)), None)
        if kind is None or not self.takes(kind):
            raise ServiceError(_CODES.BadIdentityTokenRejected)
        try:
            if isinstance(token, ua.UserNameIdentityToken):
                return await self._by_password(session, token, channel, address)
            if isinstance(token, ua.X509IdentityToken):
                return self._by_certificate(session, token, params.UserTokenSignature, address)
        except BadToken as error:
            self._ctx.log.debug("refused the token of %s: %s", address, error)
            raise ServiceError(error.code) from None
        listed = self._sink.trust is Trust.LISTED
        shown = channel.peer_certificate if listed else None
        return self._ctx.client(address, certificate=shown or None, session=session.id)

    async def _by_password(
        self, session: Session, token: Any, channel: Any, address: str
    ) -> Client:
        key = self._identity.key if self._identity is not None else None
        encrypted = channel.Mode is ua.MessageSecurityMode.SignAndEncrypt
        secret = password(token, key, session.challenge, encrypted)
        try:
            return await self._ctx.login(token.UserName, secret, address, session.id)
        except AccessRefused:
            raise ServiceError(_CODES.BadUserAccessDenied) from None

    def _by_certificate(self, session: Session, token: Any, signature: Any, address: str) -> Client:
        if self._identity is None or self._people is None:
            raise BadToken(_CODES.BadIdentityTokenRejected, "there is no secure policy")
        certificate = _certificate(token.CertificateData)
        own = self._identity.certificate.public_bytes(Encoding.DER)
        verify(certificate, own + session.challenge, signature)
        if not self._people.accepts(certificate):
            raise ServiceError(_CODES.BadIdentityTokenRejected)
        der = certificate.public_bytes(Encoding.DER)
        return self._ctx.client(address, certificate=der, session=session.id)


def _certificate(data: bytes | None) -> x509.Certificate:
    try:
        found = x509_from_der(data)
    except ValueError:
        found = None
    if found is None:
        raise BadToken(_CODES.BadIdentityTokenInvalid, "it holds no certificate")
    certificate: x509.Certificate = found
    return certificate
