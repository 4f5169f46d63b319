"""The gateway's own points: which links are up, how much waits, whether clock and disk are well."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model.link import Link, Sink
from gateway.model.point import Definition, Kind
from gateway.model.tls import tls_of

PREFIX = "_health"
CLOCK = f"{PREFIX}.gateway.clock_synchronised"
JOURNAL = f"{PREFIX}.gateway.journal_works"
JOURNAL_BYTES = f"{PREFIX}.gateway.journal_bytes"
AUDIT = f"{PREFIX}.gateway.audit_works"


def link_up(link: str) -> str:
    return f"{PREFIX}.{link}.up"


def sink_pending(sink: str) -> str:
    return f"{PREFIX}.{sink}.pending"


def certificate_days(link: str) -> str:
    return f"{PREFIX}.{link}.certificate_days"


def certificate_expires(link: str) -> str:
    return f"{PREFIX}.{link}.certificate_expires"


def definitions(links: Iterable[Link]) -> list[Definition]:
    """Return the health points of a gateway with these links."""
    points = [
        Definition(CLOCK, Kind.STATUS, description="the system's clock is disciplined"),
        Definition(JOURNAL, Kind.STATUS, description="the disk takes samples"),
        Definition(AUDIT, Kind.STATUS, description="the audit log takes records"),
        Definition(JOURNAL_BYTES, Kind.ANALOG, "B", "undelivered samples on disk"),
    ]
    for link in links:
        points.append(Definition(link_up(link.name), Kind.STATUS, description="connected"))
        if isinstance(link, Sink):
            points.append(
                Definition(sink_pending(link.name), Kind.ANALOG, "", "samples not yet delivered")
            )
        if any(tls_of(link)):
            points.append(
                Definition(
                    certificate_days(link.name),
                    Kind.ANALOG,
                    "d",
                    "until the first of certificate, authorities and revocation lists expires",
                )
            )
            points.append(
                Definition(
                    certificate_expires(link.name),
                    Kind.STATUS,
                    description="that is in less than 30 days, or its files cannot be used",
                )
            )
    return points
