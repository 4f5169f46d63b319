"""The gateway's words for what became of a command, in the words of OPC UA."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import pytest
from asyncua import ua

from gateway import ANSWERS, FROM_OPCUA, CommandStatus

# Names of OPC 10000-6 annex A; asyncua, another's work, has the numbers.
TOLD = {
    "success": "Good",
    "timeout": "BadTimeout",
    "no_indication": "BadTimeout",
    "select_expired": "BadInvalidState",
    "no_select": "BadInvalidState",
    "selected_by_other": "BadResourceUnavailable",
    "already_active": "BadResourceUnavailable",
    "duplicate": "BadNothingToDo",
    "cancelled": "BadRequestCancelledByClient",
    "unknown_point": "BadNodeIdUnknown",
    "not_supported": "BadNotWritable",
    "format_error": "BadTypeMismatch",
    "out_of_range": "BadOutOfRange",
    "not_authorised": "BadUserAccessDenied",
    "local": "BadRequestNotAllowed",
    "interlocked": "BadRequestNotAllowed",
    "blocked": "BadOutOfService",
    "rate_limited": "BadTooManyOperations",
    "unreachable": "BadNoCommunication",
    "refused": "BadDeviceFailure",
    "device_local": "BadRequestNotAllowed",
    "device_error": "BadDeviceFailure",
    "failed": "BadInternalError",
}
HEARD = {
    "Good": "success",
    "GoodCompletesAsynchronously": "success",
    "BadTimeout": "timeout",
    "BadInvalidState": "no_select",
    "BadResourceUnavailable": "already_active",
    "BadNothingToDo": "duplicate",
    "BadRequestCancelledByClient": "cancelled",
    "BadNodeIdInvalid": "unknown_point",
    "BadNodeIdUnknown": "unknown_point",
    "BadNotWritable": "not_supported",
    "BadNotSupported": "not_supported",
    "BadWriteNotSupported": "not_supported",
    "BadTypeMismatch": "format_error",
    "BadInvalidArgument": "format_error",
    "BadOutOfRange": "out_of_range",
    "BadUserAccessDenied": "not_authorised",
    "BadRequestNotAllowed": "interlocked",
    "BadOutOfService": "blocked",
    "BadTooManyOperations": "rate_limited",
    "BadNoCommunication": "unreachable",
    "BadNotConnected": "unreachable",
    "BadInternalError": "device_error",
    "BadDeviceFailure": "device_error",
}


@pytest.mark.parametrize("status", CommandStatus)
def test_a_client_is_told_by_the_code_that_the_standard_names(status: CommandStatus) -> None:
    """Each status has a StatusCode, and it is the one of that name."""
    assert ANSWERS[status].opcua == getattr(ua.StatusCodes, TOLD[status])


@pytest.mark.parametrize(("name", "status"), HEARD.items())
def test_a_servers_code_is_understood(name: str, status: str) -> None:
    """Each StatusCode that a server may answer to a Write or Call has a status."""
    assert FROM_OPCUA[getattr(ua.StatusCodes, name)] == status


def test_both_tables_are_whole() -> None:
    """Nothing stands in the tables that is not compared here, and only success is good."""
    assert {status.value for status in CommandStatus} == TOLD.keys()
    assert FROM_OPCUA.keys() == {getattr(ua.StatusCodes, name) for name in HEARD}
    good = {status for status, words in ANSWERS.items() if not words.opcua >> 30}
    assert good == {CommandStatus.SUCCESS}
