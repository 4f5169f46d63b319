"""What the interoperability sheet says of the transport of 104 (IEC 60870-5-104:2006, clause 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway import seconds_text
from gateway_iec60870.asdu import TypeId
from gateway_iec60870.controlled.sheet import LowerLayers, Row

if TYPE_CHECKING:
    from gateway_iec60870.iec104.server import Iec104Server

PORT = 2404
_T = TypeId
FOREIGN = frozenset(
    (
        *(_T.M_SP_TA_1, _T.M_DP_TA_1, _T.M_ST_TA_1, _T.M_BO_TA_1),
        *(_T.M_ME_TA_1, _T.M_ME_TB_1, _T.M_ME_TC_1, _T.M_IT_TA_1),
        *(_T.M_EP_TA_1, _T.M_EP_TB_1, _T.M_EP_TC_1, _T.C_TS_NA_1, _T.C_CD_NA_1),
    )
)
"""Types of 101 that 104 leaves out."""
_LEFT_OUT = "Left out by the standard: the transport is TCP."


def lower_layers(link: Iec104Server) -> LowerLayers:
    """Return what is below the application of a 104 station."""
    settings = link.apci_settings
    return LowerLayers(
        standard="IEC 60870-5-104:2006",
        clause=9,
        network=_LEFT_OUT,
        physical=_LEFT_OUT,
        link=_LEFT_OUT,
        length=[("Maximum length of an APDU, both directions", f"{link.longest + 4} octets")],
        certified=_certified(link),
        parameters={
            "Time-outs": (
                ("parameter", "default", "this station", "remark"),
                [
                    ("t0", "30s", "", "of connecting, which is the control centre's"),
                    ("t1", "15s", seconds_text(settings.t1), "of I format and test APDUs"),
                    ("t2", "10s", seconds_text(settings.t2), "of acknowledgements, below t1"),
                    ("t3", "20s", seconds_text(settings.t3), "of silence before a test"),
                ],
            ),
            "Maximum number of outstanding I format APDUs": (
                ("parameter", "default", "this station", "remark"),
                [
                    ("k", "12 APDUs", f"{settings.k} APDUs", "sent and not acknowledged"),
                    ("w", "8 APDUs", f"{settings.w} APDUs", "received before an acknowledgement"),
                ],
            ),
            "Port number, redundant connections, security": (
                ("item", "this station"),
                list(_connections(link)),
            ),
        },
        foreign=FOREIGN,
    )


def _connections(link: Iec104Server) -> Iterator[Row]:
    port = link.listen.port
    yield "Port number", f"{port}" + ("" if port == PORT else f"; that of the standard is {PORT}")
    yield "Listens at", str(link.listen)
    yield "Control centre accepted from", ", ".join(link.clients) or "any address"
    yield (
        "Redundant connections",
        f"N = {link.max_clients} in this redundancy group, one of them started: the one that was "
        "started last; what is not acknowledged comes again on it",
    )
    yield "Suite of RFC 2200", "IPv4 and IPv6 over what the host has; Ethernet 802.3"
    words = "no" if link.tls is None else "yes; the control centre shows no certificate"
    if _certified(link):
        only = ", one of those that are expected" if link.fingerprints else ""
        words = f"yes; the control centre shows a certificate{only}"
    yield "TLS (IEC 62351-3)", words


def _certified(link: Iec104Server) -> bool:
    return link.tls is not None and link.tls.ca is not None
