"""What user identity tokens hold: encrypted passwords, signatures (OPC 10000-4, 7.41)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import hmac
from typing import Any

from asyncua import ua
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_CODES = ua.StatusCodes
_MOST = 1024
"""Bytes of a password; each costs the hash of it time."""
_LEAST_KEY = 2048

_SHA1, _SHA256 = hashes.SHA1(), hashes.SHA256()  # noqa: S303 - OAEP of the policies, not a digest
_ENCRYPTIONS = {
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep": _SHA1,
    "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256": _SHA256,
}
"""Those of the policies that are offered; RSA 1.5 lets a listener find out passwords."""
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=32)
_SIGNATURES = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": padding.PKCS1v15(),
    "http://opcfoundation.org/UA/security/rsa-pss-sha2-256": _PSS,
    # node-opcua's name of the same
    "http://www.w3.org/2001/04/xmldsig-more#rsa-pss-sha256": _PSS,
}


class BadToken(Exception):  # noqa: N818 - the standard's words: identity token invalid, rejected
    """A token that proves nothing; the code is for the client, the sentence for the log."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def password(
    token: Any, key: rsa.RSAPrivateKey | None, nonce: bytes, encrypted_channel: bool
) -> str:
    """Return the password of a UserNameIdentityToken; raises BadToken.

    nonce: the last one that the server gave the session; an old token does not have it.
    A password in clear is taken from an encrypted channel only.
    """
    if not token.UserName:
        raise BadToken(_CODES.BadIdentityTokenInvalid, "it names no user")
    secret = bytes(token.Password or b"")
    if token.EncryptionAlgorithm:
        secret = _decrypted(secret, token.EncryptionAlgorithm, key, nonce)
    elif secret and not encrypted_channel:
        raise BadToken(_CODES.BadIdentityTokenRejected, "its password travelled in clear")
    if len(secret) > _MOST:
        raise BadToken(_CODES.BadIdentityTokenInvalid, f"its password is longer than {_MOST} bytes")
    try:
        return secret.decode()
    except UnicodeDecodeError:
        raise BadToken(_CODES.BadIdentityTokenInvalid, "its password is no UTF-8") from None


def _decrypted(secret: bytes, algorithm: str, key: rsa.RSAPrivateKey | None, nonce: bytes) -> bytes:
    """Return what stands in the legacy encrypted token secret (OPC 10000-4, 7.41.2.2)."""
    digest = _ENCRYPTIONS.get(algorithm)
    if digest is None or key is None:
        raise BadToken(_CODES.BadIdentityTokenInvalid, f"its password is encrypted by {algorithm}")
    size = key.key_size // 8
    if not secret or len(secret) % size or len(secret) > 2 * _MOST:
        raise BadToken(_CODES.BadIdentityTokenInvalid, "its password is no whole encrypted block")
    oaep = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    try:
        blocks = [key.decrypt(secret[i : i + size], oaep) for i in range(0, len(secret), size)]
    except ValueError:
        raise BadToken(_CODES.BadIdentityTokenInvalid, "its password cannot be decrypted") from None
    plain = b"".join(blocks)
    length = int.from_bytes(plain[:4], "little")
    held = plain[4 : 4 + length]
    if len(held) != length or not hmac.compare_digest(held[-len(nonce) :], nonce):
        raise BadToken(_CODES.BadIdentityTokenInvalid, "its nonce is not this session's")
    return held[: -len(nonce)]


def verify(certificate: x509.Certificate, data: bytes, signature: Any) -> None:
    """Check that whoever signed the data has the certificate's key; raises BadToken."""
    key, kind = certificate.public_key(), _SIGNATURES.get(signature.Algorithm or "")
    if kind is None:
        raise BadToken(_CODES.BadUserSignatureInvalid, f"it is signed by {signature.Algorithm}")
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_KEY:
        raise BadToken(_CODES.BadIdentityTokenInvalid, f"its key is no RSA of {_LEAST_KEY} bits")
    try:
        key.verify(signature.Signature or b"", data, kind, _SHA256)
    except InvalidSignature:
        raise BadToken(_CODES.BadUserSignatureInvalid, "its signature is wrong") from None
