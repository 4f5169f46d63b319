"""The server's endpoint and certificate: which one is taken, and whether it is trusted."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asyncua import ua
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from gateway import LinkError, SourceContext
from gateway_opcua.certificate import load_certificate
from gateway_opcua.settings import Mode, Policy, Trust
from gateway_opcua.trust import TrustList

if TYPE_CHECKING:
    from gateway_opcua.client.source import OpcUaClient

URIS = {
    Policy.NONE: "http://opcfoundation.org/UA/SecurityPolicy#None",
    Policy.BASIC256SHA256: "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256",
    Policy.AES128_SHA256_RSAOAEP: "http://opcfoundation.org/UA/SecurityPolicy#Aes128_Sha256_RsaOaep",
    Policy.AES256_SHA256_RSAPSS: "http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss",
}
"""OPC 10000-7, 6.6."""

MODES = {
    Mode.SIGN: ua.MessageSecurityMode.Sign,
    Mode.SIGN_AND_ENCRYPT: ua.MessageSecurityMode.SignAndEncrypt,
}


def mode_of(source: OpcUaClient) -> ua.MessageSecurityMode:
    """Return the message security mode of the channel."""
    if source.security is Policy.NONE:
        return ua.MessageSecurityMode.None_
    return MODES[source.mode]


def choose(
    source: OpcUaClient, endpoints: Sequence[ua.EndpointDescription]
) -> ua.EndpointDescription:
    """Return the endpoint that the configuration asks for; raises LinkError naming all."""
    wanted = URIS[source.security], mode_of(source)
    for one in endpoints:
        if (one.SecurityPolicyUri, one.SecurityMode) == wanted and (
            one.EndpointUrl or ""
        ).startswith("opc.tcp"):
            _check_user(source, one)
            return one
    found = sorted({_words(one) for one in endpoints})
    what = source.security.value if source.security is Policy.NONE else None
    raise LinkError(
        f"the server has no endpoint with security {what or f'{source.security}, {source.mode}'}; "
        f"it has {'; '.join(found) or 'none'}"
    )


def _words(endpoint: ua.EndpointDescription) -> str:
    policies = {uri: policy.value for policy, uri in URIS.items()}
    uri = endpoint.SecurityPolicyUri or ""
    policy = policies.get(uri, uri.rpartition("#")[2])
    modes = {mode: word.value for word, mode in MODES.items()}
    mode = modes.get(endpoint.SecurityMode)
    return f"{policy}, {mode}" if mode else policy


def _check_user(source: OpcUaClient, endpoint: ua.EndpointDescription) -> None:
    kinds = ua.UserTokenType
    names = {
        kinds.Anonymous: "anonymous",
        kinds.UserName: "name and password",
        kinds.Certificate: "certificate",
        kinds.IssuedToken: "a token of another service",
    }
    wanted = kinds.Anonymous
    if source.user is not None:
        wanted = kinds.UserName if source.user.name is not None else kinds.Certificate
    tokens = endpoint.UserIdentityTokens or []
    if tokens and not any(one.TokenType == wanted for one in tokens):
        taken = sorted({names.get(one.TokenType, str(one.TokenType)) for one in tokens})
        raise LinkError(f"the server takes no user by {names[wanted]}; it takes {', '.join(taken)}")


def certificate_of(endpoint: ua.EndpointDescription) -> x509.Certificate:
    """Return the server's certificate, the first of a chain; raises LinkError."""
    data = bytes(endpoint.ServerCertificate or b"")
    try:
        return x509.load_der_x509_certificate(first_of(data))
    except ValueError as error:
        raise LinkError(f"the server's certificate cannot be read: {error}") from error


def first_of(chain: bytes) -> bytes:
    """Return the first certificate of a chain in DER."""
    if len(chain) < 4 or chain[1] != 0x82:
        return chain
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]


def check(
    source: OpcUaClient,
    endpoint: ua.EndpointDescription,
    certificate: x509.Certificate,
    ctx: SourceContext,
) -> None:
    """Raise LinkError, saying what to do, where the certificate is not trusted.

    One that is listed itself, or pinned, is known whatever it says; one that only a CA vouches
    for must be made for the host that is called and for the application that answers
    (OPC 10000-4, 6.1.3).
    """
    prints = {
        certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - OPC UA's thumbprint
        certificate.fingerprint(hashes.SHA256()).hex(),
    }
    if source.thumbprint is not None:
        if source.thumbprint not in prints:
            raise LinkError(
                f"the server's certificate has the thumbprint {min(prints, key=len)}, "
                f"allowed is {source.thumbprint}"
            )
        return
    trust = TrustList(ctx.data, source.trust, ctx.log)
    if not trust.accepts(certificate):
        rejected = trust.rejected / f"{min(prints, key=len)}.der"
        raise LinkError(
            f"the certificate of {certificate.subject.rfc4514_string()} is not trusted; "
            f"to trust it, move {rejected} to {trust.trusted}"
        )
    if source.trust is Trust.ANY or _listed(trust.trusted, certificate):
        return
    uri = endpoint.Server.ApplicationUri
    uris, hosts = _names(certificate)
    if uri not in uris:
        raise LinkError(
            f"the server says it is {uri}, and its certificate is for "
            f"{', '.join(uris) or 'no application'}"
        )
    host = urlsplit(source.endpoint).hostname or ""
    if host.lower() not in hosts:
        raise LinkError(
            f"the server's certificate is for {', '.join(sorted(hosts)) or 'no host'}, "
            f"not for {host}; to trust it all the same, put it into {trust.trusted}"
        )


def _listed(folder: Path, certificate: x509.Certificate) -> bool:
    for path in folder.iterdir():
        try:
            if load_certificate(path) == certificate:
                return True
        except LinkError:
            continue
    return False


def _names(certificate: x509.Certificate) -> tuple[list[str], set[str]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], set()
    hosts = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    hosts |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return names.get_values_for_type(x509.UniformResourceIdentifier), hosts
