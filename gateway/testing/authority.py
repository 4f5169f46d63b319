"""A certificate authority for tests: certificates, keys and revocation lists as PEM files."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)


class Authority:
    """Signs certificates; its own is `<name>.pem` in the folder, and `file` says where.

    `by` makes it an authority between: its certificate is signed by that one.
    """

    def __init__(
        self, folder: Path, name: str = "ca", *, by: Authority | None = None, days: float = 365
    ) -> None:
        self.folder = folder
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.revoked: list[int] = []
        self.file = folder / f"{name}.pem"
        signer = by or self
        builder = self._builder(self.name, self.key, days, signer).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = builder.sign(signer.key, hashes.SHA256())
        _save(self.file, self.certificate)

    def issue(
        self,
        name: str,
        *hosts: str,
        days: float = 90,
        since: float = -1,
        password: bytes | None = None,
        key_size: int | None = None,
        chain: Sequence[Authority] = (),
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> x509.Certificate:
        """Write `<name>.pem` and `<name>.key`, and return the certificate.

        It holds for the hosts (names or addresses; none: a client's), from `since` to `days`
        from now. key_size: an RSA key of so many bits, else one on P-256.
        chain: authorities between, whose certificates follow in the file.
        """
        key: Key = (
            ec.generate_private_key(ec.SECP256R1())
            if key_size is None
            else rsa.generate_private_key(65537, key_size)
        )
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = (
            self._builder(_name(name), key, days, self, since)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        _save(self.folder / f"{name}.pem", certificate, *(one.certificate for one in chain))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(password)
                if password
                else serialization.NoEncryption(),
            )
        )
        return certificate

    def revoke(self, *certificates: x509.Certificate, days: float = 30, name: str = "crl") -> Path:
        """Write `<name>.pem`, the list of all that were revoked so far; without any, an empty one.

        `days` from now the next list is due; a negative number makes one that is overdue.
        """
        self.revoked += [certificate.serial_number for certificate in certificates]
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(now + timedelta(days=min(days, 0) - 1))
            .next_update(now + timedelta(days=days))
        )
        for serial in self.revoked:
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(one.build())
        file = self.folder / f"{name}.pem"
        crl = builder.sign(self.key, hashes.SHA256())
        _replace(file, crl.public_bytes(serialization.Encoding.PEM))
        return file

    def _builder(
        self, subject: x509.Name, key: Key, days: float, signer: Authority, since: float = -1
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + min(since, days - 1) * DAY)
            .not_valid_after(now + days * DAY)
        )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _save(file: Path, *certificates: x509.Certificate) -> None:
    pem = serialization.Encoding.PEM
    _replace(file, b"".join(certificate.public_bytes(pem) for certificate in certificates))


def _replace(file: Path, data: bytes) -> None:
    """Write as tools that renew do: the old file or the new one, never a half."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(file)
