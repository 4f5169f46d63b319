"""What identity tokens prove."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

from datetime import timedelta

import pytest
from asyncua import ua
from asyncua.crypto import uacrypto
from asyncua.crypto.security_policies import encrypt_asymmetric, sign_asymmetric
from cryptography.hazmat.primitives.asymmetric import rsa
from gateway_opcua.certificate import self_signed
from gateway_opcua.token import BadToken, password, verify

NONCE, OLD = bytes(range(32)), bytes(32)
POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"
POLICIES = ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(secret: bytes | None, algorithm: str | None, user: str | None = "scada") -> object:
    return ua.UserNameIdentityToken(UserName=user, Password=secret, EncryptionAlgorithm=algorithm)


def encrypted(text: bytes, policy: str, nonce: bytes = NONCE) -> object:
    """A token as asyncua's client makes it."""
    plain = ua.ua_binary.Primitives.Bytes.pack(text + nonce)
    return token(*encrypt_asymmetric(KEY.public_key(), plain, POLICY + policy))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("text", ["open sesame", "", "päß 💡"])
def test_a_password_is_decrypted(policy: str, text: str) -> None:
    """As asyncua's client encrypts it by each policy, with the session's nonce."""
    assert password(encrypted(text.encode(), policy), KEY, NONCE, False) == text


def test_a_password_in_clear_comes_through_an_encrypted_channel_only() -> None:
    """Elsewhere the log-in is refused, whatever the password."""
    clear = token(b"open sesame", None)
    assert password(clear, KEY, NONCE, True) == "open sesame"
    with pytest.raises(BadToken, match="in clear") as found:
        password(clear, KEY, NONCE, False)
    assert found.value.code == ua.StatusCodes.BadIdentityTokenRejected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (encrypted(b"x", POLICIES[0], OLD), "nonce is not this session's"),
        (encrypted(b"x", POLICIES[0], b""), "nonce is not this session's"),
        (token(b"\0" * 256, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"), "encrypted by"),
        (token(b"\0" * 256, "http://www.w3.org/2001/04/xmlenc#rsa-oaep"), "cannot be decrypted"),
        (token(b"\0" * 255, "http://www.w3.org/2001/04/xmlenc#rsa-oaep"), "no whole"),
        (token(None, "http://www.w3.org/2001/04/xmlenc#rsa-oaep"), "no whole"),
        (token(bytes(256 * 100), "http://www.w3.org/2001/04/xmlenc#rsa-oaep"), "no whole"),
        (encrypted(b"\xff\xfe", POLICIES[0]), "no UTF-8"),
        (token(b"x" * 1025, None), "longer than 1024"),
        (token(b"x", None, None), "names no user"),
        (token(b"x", None, ""), "names no user"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(given: object, sentence: str) -> None:
    """An old nonce, a broken or weak encryption, no text: nothing of it reaches the log-in."""
    with pytest.raises(BadToken, match=sentence) as found:
        password(given, KEY, NONCE, True)
    assert found.value.code == ua.StatusCodes.BadIdentityTokenInvalid


def test_without_a_key_nothing_is_decrypted() -> None:
    """A server without a certificate cannot have been meant."""
    with pytest.raises(BadToken):
        password(encrypted(b"x", POLICIES[0]), None, NONCE, True)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_signature_proves_the_key(policy: str) -> None:
    """As asyncua's client signs by each policy; of other data or another key it proves nothing."""
    certificate = self_signed(KEY, "urn:test:user", [])
    made, algorithm = sign_asymmetric(KEY, b"data", POLICY + policy)
    given = ua.SignatureData(Algorithm=algorithm, Signature=made)
    verify(certificate, b"data", given)
    other = self_signed(rsa.generate_private_key(65537, 2048), "urn:test:user", [])
    for whose, what in [(certificate, b"date"), (other, b"data")]:
        with pytest.raises(BadToken) as found:
            verify(whose, what, given)
        assert found.value.code == ua.StatusCodes.BadUserSignatureInvalid


def test_weak_signatures_prove_nothing() -> None:
    """SHA-1, no signature, a short key: refused before anybody is looked for."""
    certificate = self_signed(KEY, "urn:test:user", [], lifetime=timedelta(days=1))
    sha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    sha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    for given in [
        ua.SignatureData(Algorithm=sha1, Signature=uacrypto.sign_sha1(KEY, b"data")),
        ua.SignatureData(),
        ua.SignatureData(Algorithm=sha256, Signature=None),
    ]:
        with pytest.raises(BadToken) as found:
            verify(certificate, b"data", given)
        assert found.value.code == ua.StatusCodes.BadUserSignatureInvalid
    short = rsa.generate_private_key(65537, 1024)
    made = uacrypto.sign_sha256(short, b"data")
    with pytest.raises(BadToken, match="no RSA of 2048 bits"):
        verify(
            self_signed(short, "urn:test:user", []),
            b"data",
            ua.SignatureData(Algorithm=sha256, Signature=made),
        )
