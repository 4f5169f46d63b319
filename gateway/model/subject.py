"""Subjects of certificates, as RFC 4514 writes them: CN=scada1,O=Utility."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Name
    from cryptography.x509.oid import ObjectIdentifier

EXAMPLE = "CN=scada1,O=Utility"
PRINTED = "openssl x509 -noout -subject -nameopt RFC2253 -in FILE"


def parse(text: str) -> Name:
    """Return the name that a subject stands for; two names are equal where all parts are.

    Besides the keywords of RFC 4514 (section 3) it takes those that OpenSSL prints for e-mail
    address and serial number.
    Raises ValueError with a sentence where the text is no subject, or an empty one.
    """
    # Imported late: gateways without certificates do not pay for it.
    from cryptography.x509 import Name

    try:
        name = Name.from_rfc4514_string(text, _more())
    except ValueError as error:
        why = f" ({error})" if str(error) else ""
        raise ValueError(_allowed(why)) from None
    if not name.rdns:
        raise ValueError(_allowed(""))
    return name


def text_of(name: Name) -> str:
    """Return a name the way `parse` reads it; empty for an empty one."""
    return name.rfc4514_string({oid: word for word, oid in _more().items()})


def _allowed(why: str) -> str:
    return (
        f"a subject is written as RFC 4514 says, without spaces around = and commas: {EXAMPLE}; "
        f"`{PRINTED}` prints it{why}"
    )


def _more() -> dict[str, ObjectIdentifier]:
    from cryptography.x509.oid import NameOID

    return {"emailAddress": NameOID.EMAIL_ADDRESS, "serialNumber": NameOID.SERIAL_NUMBER}
