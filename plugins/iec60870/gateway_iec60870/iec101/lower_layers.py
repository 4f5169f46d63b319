"""What the interoperability sheet says below the application of 101 (101:2003, clause 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway import seconds_text
from gateway_iec60870.asdu import TypeId
from gateway_iec60870.controlled.sheet import LowerLayers, Row
from gateway_iec60870.iec101.line_fields import Transport

if TYPE_CHECKING:
    from gateway_iec60870.iec101.slave import Iec101Slave

_T = TypeId
FOREIGN = frozenset(
    (
        *(_T.C_SC_TA_1, _T.C_DC_TA_1, _T.C_RC_TA_1),
        *(_T.C_SE_TA_1, _T.C_SE_TB_1, _T.C_SE_TC_1, _T.C_BO_TA_1),
        *(_T.C_TS_TA_1, _T.F_SC_NB_1),
    )
)
"""Types that 104 has added."""
_OCTETS = ("not present", "one octet", "two octets")


def lower_layers(link: Iec101Slave) -> LowerLayers:
    """Return what is below the application of a 101 station."""
    return LowerLayers(
        standard="IEC 60870-5-101:2003",
        clause=8,
        network=list(_network(link)),
        physical=list(_physical(link)),
        link=list(_link(link)),
        length=[
            ("Maximum length L, control direction", "255 octets"),
            ("Maximum length L, monitor direction", f"{link.max_length} octets"),
        ],
        foreign=FOREIGN,
    )


def _network(link: Iec101Slave) -> Iterator[Row]:
    yield "Point-to-point", "yes"
    yield "Multiple point-to-point", "yes, with a line for each station"
    multipoint = "no, with balanced transmission" if link.balanced else "yes"
    yield "Multipoint-partyline", multipoint
    yield "Multipoint-star", multipoint


def _physical(link: Iec101Slave) -> Iterator[Row]:
    if link.transport is Transport.TCP:
        if link.listen is not None:
            yield "Connection", f"TCP, the other end connects to {link.listen}"
        else:
            yield "Connection", f"TCP, to a terminal server at {link.place}"
        yield "Transmission speed", "that of the line behind it"
        return
    yield "Transmission speed", f"{link.baud} bit/s"
    yield "Circuits", "V.24/V.28 or X.24/X.27, as the port has them"
    parity = "no" if link.parity == "none" else link.parity
    bits = "1 stop bit" if link.stop_bits == 1 else "2 stop bits"
    yield "Characters", f"8 data bits, {parity} parity, {bits}; FT1.2 has even parity, 1 stop bit"
    yield "RS-485", "two wires, the driver switches" if link.rs485 else ""


def _link(link: Iec101Slave) -> Iterator[Row]:
    yield "Frame format", "FT1.2"
    yield "Link transmission procedure", f"{link.mode} transmission"
    yield "Address field of the link", f"{_OCTETS[link.link_octets]}, unstructured"
    if link.link_octets:
        yield "Link address", f"{link.own_link}"
        if link.balanced:
            other = link.own_link if link.master_link is None else link.master_link
            yield "Link address of the controlling station", f"{other}"
    single = "ACK and NO DATA, where neither ACD nor DFC is set" if not link.balanced else "ACK"
    yield "Single character E5", single if link.single_character else "not sent"
    if link.balanced:
        yield "Time-out", f"{seconds_text(link.link_timeout)}, {link.link_retries} repetitions"
        test = (
            "never"
            if link.link_test is None
            else f"after {seconds_text(link.link_test)} of silence"
        )
        yield "Test function for the link", test
        return
    yield "Class 2 messages", "cyclic data (cause 1) and background scan (cause 2)"
    yield (
        "Class 1 messages",
        "all others" + ("; they answer class 2 where there is none" * link.class_1_for_2),
    )
