"""When certificates and revocation lists end, read from the files of TLS settings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.model.errors import LinkError
from gateway.model.tls import Tls
from gateway.tls.files import content, listed

DAY = 86_400 * 10**9
"""Nanoseconds."""
_CERTIFICATE = "CERTIFICATE"
_CRL = "X509 CRL"


@dataclass(frozen=True, slots=True, order=True)
class Expiry:
    """When something ends: ns since the Unix epoch, and what it is."""

    time: int
    what: str

    def days(self, now: int) -> int:
        """Return the whole days that are left, below 0 when it is over."""
        return math.floor((self.time - now) / DAY)

    def sentence(self, now: int) -> str:
        date = datetime.fromtimestamp(self.time // 10**9, UTC).date()
        days = self.days(now)
        if self.time <= now:
            return f"{self.what} expired on {date}"
        return f"{self.what} expires on {date}, in {days} day{'' if days == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Papers:
    """What the files say.

    expiries: of all that must be valid for a handshake, the first to end in front.
    rooted:   whether above every authority in `ca` there is a root in `ca`.
    complete: whether there is a revocation list of every authority in `ca`.
    """

    expiries: tuple[Expiry, ...] = ()
    rooted: bool = True
    complete: bool = False


def papers(settings: Tls) -> Papers:
    """Read the files; raises LinkError where one cannot be. What cannot be parsed is left out:
    OpenSSL takes certificates that are not quite in order, and judges them itself.

    Of several certificates of one authority the last to end counts, of revocation lists, too:
    during a change of authorities the old ones stay until they end.
    """
    own = [
        _expiry("certificate", file, "", one.ends)
        for file, one in _certificates("certificate", settings.certificate)
    ]
    authorities: dict[str, Expiry] = {}
    above = set()
    for file, one in _certificates("ca", settings.ca):
        found = _expiry("ca", file, one.subject, one.ends)
        above.add(one.issuer)
        authorities[one.subject] = max(found, authorities.get(one.subject, found))
    lists: dict[str, Expiry] = {}
    issuers = set()
    for file, crl in _revocations(settings.crl):
        issuers.add(crl.issuer)
        if crl.ends is not None:
            found = _expiry("crl", file, crl.issuer, crl.ends)
            lists[crl.issuer] = max(found, lists.get(crl.issuer, found))
    expiries = sorted([*own, *authorities.values(), *lists.values()])
    names = authorities.keys()
    return Papers(tuple(expiries), above <= names, bool(names) and issuers >= names)


def _expiry(field: str, file: Path, name: str, time: datetime) -> Expiry:
    what = f"tls.{field} {file}" + (f" ({name})" if name else "")
    return Expiry(round(time.timestamp()) * 10**9, what)


@dataclass(frozen=True, slots=True)
class _Certificate:
    subject: str
    issuer: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class _List:
    issuer: str
    ends: datetime | None


def _certificates(field: str, path: Path | None) -> Iterator[tuple[Path, _Certificate]]:
    if path is None:
        return
    # Where no link has TLS, the library is not loaded: it takes some megabytes.
    from cryptography.x509 import load_pem_x509_certificate

    for file in listed(field, path):
        for block in _blocks(content(field, file), _CERTIFICATE):
            try:
                one = load_pem_x509_certificate(block)
                # Names are parsed as they are asked for.
                found = _Certificate(
                    one.subject.rfc4514_string(),
                    one.issuer.rfc4514_string(),
                    one.not_valid_after_utc,
                )
            except ValueError:
                continue
            yield file, found


def _revocations(path: Path | None) -> Iterator[tuple[Path, _List]]:
    if path is None:
        return
    from cryptography.x509 import load_pem_x509_crl

    for file in listed("crl", path):
        blocks = list(_blocks(content("crl", file), _CRL))
        if not blocks:
            raise LinkError(
                f"tls.crl: {file} is no revocation list in PEM; "
                "openssl crl -inform DER -in <file> makes one of DER"
            )
        for block in blocks:
            try:
                one = load_pem_x509_crl(block)
                found = _List(one.issuer.rfc4514_string(), one.next_update_utc)
            except ValueError as error:
                raise LinkError(f"tls.crl: {file} is broken: {error}") from None
            yield file, found


def _blocks(data: bytes, label: str) -> Iterable[bytes]:
    begin, end = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    at = 0
    while (first := data.find(begin, at)) >= 0 and (last := data.find(end, first)) >= 0:
        at = last + len(end)
        yield data[first:at] + b"\n"
