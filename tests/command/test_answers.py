"""What became of a command, in each protocol's words, both ways.

The words are typed here from the standards' own tables, with their names.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway import (
    ANSWERS,
    FROM_DNP3,
    FROM_IEC104,
    FROM_MODBUS,
    FROM_MQTT,
    FROM_OPCUA,
    CommandStatus,
)

S = CommandStatus

DNP3 = {
    0: "SUCCESS",
    1: "TIMEOUT",
    2: "NO_SELECT",
    3: "FORMAT_ERROR",
    4: "NOT_SUPPORTED",
    5: "ALREADY_ACTIVE",
    6: "HARDWARE_ERROR",
    7: "LOCAL",
    8: "TOO_MANY_OBJS",
    9: "NOT_AUTHORIZED",
    10: "AUTOMATION_INHIBIT",
    11: "PROCESSING_LIMITED",
    12: "OUT_OF_RANGE",
    13: "DOWNSTREAM_LOCAL",
    14: "ALREADY_COMPLETE",
    15: "BLOCKED",
    16: "CANCELLED",
    17: "BLOCKED_OTHER_MASTER",
    18: "DOWNSTREAM_FAIL",
    126: "NON_PARTICIPATING",
    127: "UNDEFINED",
}
"""Control status codes, IEEE 1815-2012 table 11-7."""

MODBUS = {
    1: "ILLEGAL FUNCTION",
    2: "ILLEGAL DATA ADDRESS",
    3: "ILLEGAL DATA VALUE",
    4: "SERVER DEVICE FAILURE",
    5: "ACKNOWLEDGE",
    6: "SERVER DEVICE BUSY",
    8: "MEMORY PARITY ERROR",
    10: "GATEWAY PATH UNAVAILABLE",
    11: "GATEWAY TARGET DEVICE FAILED TO RESPOND",
}
"""Exception codes, Modbus application protocol V1.1b3 section 7."""

CAUSES = {7: "actcon", 9: "deactcon", 10: "actterm", 44: "type", 45: "cause", 46: "ca", 47: "ioa"}
"""Causes of transmission of an answer, IEC 60870-5-101 clause 7.2.3."""

SAID = [
    # The status as it is in DNP3, as cause and P/N, and in Modbus.
    (S.SUCCESS, "SUCCESS", ("actcon", False), None),
    (S.TIMEOUT, "UNDEFINED", ("actcon", True), "GATEWAY TARGET DEVICE FAILED TO RESPOND"),
    (S.NO_INDICATION, "HARDWARE_ERROR", ("actterm", True), "SERVER DEVICE FAILURE"),
    (S.SELECT_EXPIRED, "TIMEOUT", ("actcon", True), "ILLEGAL FUNCTION"),
    (S.NO_SELECT, "NO_SELECT", ("actcon", True), "ILLEGAL FUNCTION"),
    (S.SELECTED_BY_OTHER, "BLOCKED_OTHER_MASTER", ("actcon", True), "SERVER DEVICE BUSY"),
    (S.ALREADY_ACTIVE, "ALREADY_ACTIVE", ("actcon", True), "SERVER DEVICE BUSY"),
    (S.DUPLICATE, "ALREADY_COMPLETE", ("actcon", True), "SERVER DEVICE FAILURE"),
    (S.CANCELLED, "CANCELLED", ("deactcon", False), "SERVER DEVICE FAILURE"),
    (S.UNKNOWN_POINT, "NOT_SUPPORTED", ("ioa", True), "ILLEGAL DATA ADDRESS"),
    (S.NOT_SUPPORTED, "NOT_SUPPORTED", ("type", True), "ILLEGAL FUNCTION"),
    (S.FORMAT_ERROR, "FORMAT_ERROR", ("actcon", True), "ILLEGAL DATA VALUE"),
    (S.OUT_OF_RANGE, "OUT_OF_RANGE", ("actcon", True), "ILLEGAL DATA VALUE"),
    (S.NOT_AUTHORISED, "NOT_AUTHORIZED", ("actcon", True), "ILLEGAL FUNCTION"),
    (S.LOCAL, "LOCAL", ("actcon", True), "SERVER DEVICE FAILURE"),
    (S.INTERLOCKED, "AUTOMATION_INHIBIT", ("actcon", True), "SERVER DEVICE FAILURE"),
    (S.BLOCKED, "BLOCKED", ("actcon", True), "SERVER DEVICE FAILURE"),
    (S.RATE_LIMITED, "PROCESSING_LIMITED", ("actcon", True), "SERVER DEVICE BUSY"),
    (S.UNREACHABLE, "DOWNSTREAM_FAIL", ("actcon", True), "GATEWAY PATH UNAVAILABLE"),
    (S.REFUSED, "UNDEFINED", ("actcon", True), "SERVER DEVICE FAILURE"),
    (S.DEVICE_LOCAL, "DOWNSTREAM_LOCAL", ("actcon", True), "SERVER DEVICE FAILURE"),
    (S.DEVICE_ERROR, "HARDWARE_ERROR", ("actterm", True), "SERVER DEVICE FAILURE"),
    (S.FAILED, "UNDEFINED", ("actcon", True), "SERVER DEVICE FAILURE"),
]


@pytest.mark.parametrize(("status", "dnp3", "cause", "modbus"), SAID, ids=lambda v: str(v))
def test_what_a_client_is_told(
    status: CommandStatus, dnp3: str, cause: tuple[str, bool], modbus: str | None
) -> None:
    """Every status has the word that the standard has for it."""
    words = ANSWERS[status]
    assert DNP3[words.dnp3] == dnp3
    assert (CAUSES[words.iec104[0]], words.iec104[1]) == cause
    assert MODBUS.get(words.modbus) == modbus
    assert words.mqtt == status.value


def test_every_status_has_words() -> None:
    """A status that is added needs its row here as well."""
    assert {row[0] for row in SAID} == set(ANSWERS) == set(S)


def test_every_code_of_a_device_is_known() -> None:
    """All that the standards define has a meaning."""
    assert set(FROM_DNP3) == set(DNP3)
    assert set(FROM_MODBUS) >= {0, *MODBUS}
    assert {cause for cause, _ in FROM_IEC104} == set(CAUSES)
    assert set(FROM_MQTT) == {status.value for status in S}


@pytest.mark.parametrize(
    ("table", "good"),
    [(FROM_DNP3, {0}), (FROM_IEC104, {(7, False), (10, False)}), (FROM_MODBUS, {0})],
)
def test_only_good_answers_mean_success(table: Any, good: set[Any]) -> None:
    """No refusal of a device becomes a success on its way to the client."""
    assert {code for code, status in table.items() if status is S.SUCCESS} == good
    for code, status in FROM_OPCUA.items():
        assert (status is S.SUCCESS) is (code < 0x4000_0000)


@pytest.mark.parametrize("status", list(S))
def test_through_two_gateways(status: CommandStatus) -> None:
    """What one gateway says, another that is its client understands: success or not, at least,
    and that the device may have acted is never lost where the protocol has a word for it."""
    words = ANSWERS[status]
    heard = {
        "dnp3": FROM_DNP3[words.dnp3],
        "iec104": FROM_IEC104[words.iec104],
        "opcua": FROM_OPCUA[words.opcua],
        "modbus": FROM_MODBUS[words.modbus],
        "mqtt": FROM_MQTT[words.mqtt],
    }
    for protocol, other in heard.items():
        assert (other is S.SUCCESS) is (status is S.SUCCESS), protocol
    assert heard["mqtt"] is status
    if status is S.TIMEOUT:
        assert heard["opcua"] is heard["modbus"] is S.TIMEOUT
