"""How each protocol says what became of a command: one table, read in both directions.

Sources: DNP3 control status, IEEE 1815-2012 table 11-7; IEC 104 causes of transmission,
IEC 60870-5-101 clause 7.2.3 (7 activation confirmation, 10 activation termination,
9 deactivation confirmation, 44..47 unknown type, cause, common address, object address);
OPC UA status codes, OPC 10000-6 annex A; Modbus exceptions, V1.1b3 section 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.model.command import CommandStatus


@dataclass(frozen=True, slots=True)
class Words:
    """One status in the words of each protocol.

    dnp3:   control status code of g12 and g41.
    iec104: cause of transmission, and whether the P/N bit says negative.
    opcua:  StatusCode of a Write or Call.
    modbus: exception code; 0 is a normal response.
    mqtt:   `status` of a JSON reply: the gateway's own word.
    """

    dnp3: int
    iec104: tuple[int, bool]
    opcua: int
    modbus: int
    mqtt: str


_S = CommandStatus
_NEGATIVE = (7, True)

# fmt: off
ANSWERS: Mapping[CommandStatus, Words] = MappingProxyType(
    {
        #                            DNP3  104         OPC UA       Modbus  MQTT
        _S.SUCCESS:           Words(0,    (7, False), 0x0000_0000, 0x00, "success"),
        _S.TIMEOUT:           Words(127,  _NEGATIVE,  0x800A_0000, 0x0B, "timeout"),
        _S.NO_INDICATION:     Words(6,    (10, True), 0x800A_0000, 0x04, "no_indication"),
        _S.SELECT_EXPIRED:    Words(1,    _NEGATIVE,  0x80AF_0000, 0x01, "select_expired"),
        _S.NO_SELECT:         Words(2,    _NEGATIVE,  0x80AF_0000, 0x01, "no_select"),
        _S.SELECTED_BY_OTHER: Words(17,   _NEGATIVE,  0x8004_0000, 0x06, "selected_by_other"),
        _S.ALREADY_ACTIVE:    Words(5,    _NEGATIVE,  0x8004_0000, 0x06, "already_active"),
        _S.DUPLICATE:         Words(14,   _NEGATIVE,  0x800F_0000, 0x04, "duplicate"),
        _S.CANCELLED:         Words(16,   (9, False), 0x802C_0000, 0x04, "cancelled"),
        _S.UNKNOWN_POINT:     Words(4,    (47, True), 0x8034_0000, 0x02, "unknown_point"),
        _S.NOT_SUPPORTED:     Words(4,    (44, True), 0x803B_0000, 0x01, "not_supported"),
        _S.FORMAT_ERROR:      Words(3,    _NEGATIVE,  0x8074_0000, 0x03, "format_error"),
        _S.OUT_OF_RANGE:      Words(12,   _NEGATIVE,  0x803C_0000, 0x03, "out_of_range"),
        _S.NOT_AUTHORISED:    Words(9,    _NEGATIVE,  0x801F_0000, 0x01, "not_authorised"),
        _S.LOCAL:             Words(7,    _NEGATIVE,  0x80E4_0000, 0x04, "local"),
        _S.INTERLOCKED:       Words(10,   _NEGATIVE,  0x80E4_0000, 0x04, "interlocked"),
        _S.BLOCKED:           Words(15,   _NEGATIVE,  0x808D_0000, 0x04, "blocked"),
        _S.RATE_LIMITED:      Words(11,   _NEGATIVE,  0x8010_0000, 0x06, "rate_limited"),
        _S.UNREACHABLE:       Words(18,   _NEGATIVE,  0x8031_0000, 0x0A, "unreachable"),
        _S.REFUSED:           Words(127,  _NEGATIVE,  0x808B_0000, 0x04, "refused"),
        _S.DEVICE_LOCAL:      Words(13,   _NEGATIVE,  0x80E4_0000, 0x04, "device_local"),
        _S.DEVICE_ERROR:      Words(6,    (10, True), 0x808B_0000, 0x04, "device_error"),
        _S.FAILED:            Words(127,  _NEGATIVE,  0x8002_0000, 0x04, "failed"),
    }
)
# fmt: on
"""What a client is told."""

FROM_DNP3: Mapping[int, CommandStatus] = MappingProxyType(
    {
        0: _S.SUCCESS,
        1: _S.SELECT_EXPIRED,
        2: _S.NO_SELECT,
        3: _S.FORMAT_ERROR,
        4: _S.NOT_SUPPORTED,
        5: _S.ALREADY_ACTIVE,
        6: _S.DEVICE_ERROR,
        7: _S.DEVICE_LOCAL,
        8: _S.RATE_LIMITED,
        9: _S.NOT_AUTHORISED,
        10: _S.INTERLOCKED,
        11: _S.RATE_LIMITED,
        12: _S.OUT_OF_RANGE,
        13: _S.DEVICE_LOCAL,
        14: _S.DUPLICATE,
        15: _S.BLOCKED,
        16: _S.CANCELLED,
        17: _S.SELECTED_BY_OTHER,
        18: _S.UNREACHABLE,
        126: _S.BLOCKED,
        127: _S.REFUSED,
    }
)
"""What a device's control status means; any other code is `refused`."""

FROM_IEC104: Mapping[tuple[int, bool], CommandStatus] = MappingProxyType(
    {
        (7, False): _S.SUCCESS,
        (10, False): _S.SUCCESS,
        (9, False): _S.CANCELLED,
        (7, True): _S.REFUSED,
        (9, True): _S.REFUSED,
        (10, True): _S.DEVICE_ERROR,
        (44, True): _S.NOT_SUPPORTED,
        (45, True): _S.NOT_SUPPORTED,
        (46, True): _S.UNKNOWN_POINT,
        (47, True): _S.UNKNOWN_POINT,
    }
)
"""What a station's answer means, by cause of transmission and P/N; any other is `refused`."""

FROM_OPCUA: Mapping[int, CommandStatus] = MappingProxyType(
    {
        0x0000_0000: _S.SUCCESS,
        0x002E_0000: _S.SUCCESS,
        0x8002_0000: _S.DEVICE_ERROR,
        0x800A_0000: _S.TIMEOUT,
        0x80AF_0000: _S.NO_SELECT,
        0x8004_0000: _S.ALREADY_ACTIVE,
        0x800F_0000: _S.DUPLICATE,
        0x802C_0000: _S.CANCELLED,
        0x8033_0000: _S.UNKNOWN_POINT,
        0x8034_0000: _S.UNKNOWN_POINT,
        0x803B_0000: _S.NOT_SUPPORTED,
        0x803D_0000: _S.NOT_SUPPORTED,
        0x8073_0000: _S.NOT_SUPPORTED,
        0x8074_0000: _S.FORMAT_ERROR,
        0x80AB_0000: _S.FORMAT_ERROR,
        0x803C_0000: _S.OUT_OF_RANGE,
        0x801F_0000: _S.NOT_AUTHORISED,
        0x80E4_0000: _S.INTERLOCKED,
        0x808D_0000: _S.BLOCKED,
        0x8010_0000: _S.RATE_LIMITED,
        0x8031_0000: _S.UNREACHABLE,
        0x808A_0000: _S.UNREACHABLE,
        0x808B_0000: _S.DEVICE_ERROR,
    }
)
"""What a server's StatusCode means, its info bits (0xFFFF) masked; any other bad one is
`refused`, any other good one `success`."""

FROM_MODBUS: Mapping[int, CommandStatus] = MappingProxyType(
    {
        0x00: _S.SUCCESS,
        0x01: _S.NOT_SUPPORTED,
        0x02: _S.UNKNOWN_POINT,
        0x03: _S.OUT_OF_RANGE,
        0x04: _S.DEVICE_ERROR,
        0x05: _S.TIMEOUT,
        0x06: _S.ALREADY_ACTIVE,
        0x07: _S.REFUSED,
        0x08: _S.DEVICE_ERROR,
        0x0A: _S.UNREACHABLE,
        0x0B: _S.TIMEOUT,
    }
)
"""What a device's exception means; any other code is `refused`. 5 (acknowledge) promises a result
that Modbus has no way to fetch: it counts as no answer."""

FROM_MQTT: Mapping[str, CommandStatus] = MappingProxyType(
    {words.mqtt: status for status, words in ANSWERS.items()}
)
"""What a device's reply means; any other word is `refused`."""
