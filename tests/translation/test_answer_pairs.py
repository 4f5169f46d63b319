"""What a device of one protocol answers reaches the client of every other one as the tables say.

What is expected is in `heard.csv` (what devices say) and `answers.csv` (what clients hear), typed
by hand; a pair of protocols is one of each, with the gateway's status between.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from asyncua import ua
from gateway_dnp3 import objects as dnp3
from gateway_iec60870.asdu import IEC104, Asdu, parse
from gateway_modbus import frame as modbus

from gateway import (
    ANSWERS,
    FROM_DNP3,
    FROM_IEC104,
    FROM_MODBUS,
    FROM_MQTT,
    FROM_OPCUA,
    CommandStatus,
)

sys.path.insert(0, str(Path(__file__).parent))
from translation_table import Said, cells, rows

PROTOCOLS = ("dnp3", "iec104", "opcua", "modbus", "mqtt")
PAIRS = list(product(PROTOCOLS, PROTOCOLS))
FROM = {
    "dnp3": FROM_DNP3,
    "iec104": FROM_IEC104,
    "opcua": FROM_OPCUA,
    "modbus": FROM_MODBUS,
    "mqtt": FROM_MQTT,
}


class Heard(NamedTuple):
    """A row of `heard.csv`."""

    protocol: str
    word: str
    status: str
    again: str


TOLD: dict[str, dict[str, Said]] = {
    # MQTT says the status itself.
    name: {**row, "mqtt": Said(name, name)}
    for name, row in cells("answers.csv", "status").items()
}
HEARD = [
    Heard(row["protocol"], row["word"], row["status"], row["again"] or row["word"])
    for row in rows("heard.csv")
]
HEARD += [Heard("mqtt", status.value, status.value, status.value) for status in CommandStatus]


# Words and codes -----------------------------------------------------------------------------


def code(protocol: str, word: str) -> object:
    """Return the code that a word stands for."""
    if protocol == "mqtt":
        return word
    if protocol == "opcua":
        return getattr(ua.StatusCodes, word)
    if protocol == "iec104":
        return int(word[:-1]), word[-1] == "-"
    return int(word)


def word_of(protocol: str, found: object) -> str:
    if protocol == "opcua":
        return str(ua.status_codes.get_name_and_doc(found)[0])
    if isinstance(found, tuple):
        return f"{found[0]}{'-' if found[1] else '+'}"
    return str(found)


def told(protocol: str, status: CommandStatus) -> str:
    """Return the word that a client hears, by the gateway's table."""
    return word_of(protocol, getattr(ANSWERS[status], protocol))


def read(protocol: str, word: str) -> CommandStatus:
    """Return the status that a device's word is, by the gateway's table."""
    return FROM[protocol][code(protocol, word)]


# The tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", HEARD, ids=lambda row: f"{row.protocol}-{row.word}")
def test_a_word_of_a_device_is_a_status(row: Heard) -> None:
    """Each word of each protocol, and what is said of that status in the same one."""
    assert read(row.protocol, row.word).value == row.status
    assert told(row.protocol, CommandStatus(row.status)) == row.again


@pytest.mark.parametrize(("status", "protocol"), list(product(CommandStatus, PROTOCOLS)))
def test_a_status_is_a_word_for_clients(status: CommandStatus, protocol: str) -> None:
    """Each status in each protocol, and the status that is read of that word elsewhere."""
    word, back = TOLD[status.value][protocol]
    assert told(protocol, status) == word
    assert read(protocol, word).value == back


@pytest.mark.parametrize(("source", "sink"), PAIRS)
def test_an_answer_of_one_protocol_reaches_another(source: str, sink: str) -> None:
    """Every word of a device, as the client hears it; what the pair loses is in the table: behind
    the sink the status is read that the device's word is, or the one that the table names."""
    heard = [row for row in HEARD if row.protocol == source]
    assert heard
    for row in heard:
        word, back = TOLD[row.status][sink]
        assert told(sink, read(source, row.word)) == word, row
        assert read(sink, word).value == back, row


@pytest.mark.parametrize(("source", "sink"), PAIRS)
def test_no_answer_changes_sides(source: str, sink: str) -> None:
    """Along no pair does a refusal become a success, nor a success a refusal."""
    for row in HEARD:
        if row.protocol == source:
            status = read(source, row.word)
            behind = read(sink, told(sink, status))
            assert (behind is CommandStatus.SUCCESS) is (row.status == "success"), row


def test_the_tables_have_every_word() -> None:
    """No status and no code that the gateway knows is missing."""
    assert set(TOLD) == {status.value for status in CommandStatus}
    for protocol in PROTOCOLS:
        words = {row.word for row in HEARD if row.protocol == protocol}
        assert words == {word_of(protocol, known) for known in FROM[protocol]}


# The octets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [row.word for row in HEARD if row.protocol == "iec104"])
def test_a_cause_in_octets(word: str) -> None:
    """IEC 60870-5-101 clause 7.2.3: the cause in the low six bits of its octet, P/N in the
    seventh; the rest is the mirror of C_SC_NA_1 act."""
    request = bytes((45, 1, 6, 3, 1, 0, 7, 0, 0, 1))
    cause, negative = int(word[:-1]), word[-1] == "-"
    answer = parse(request, IEC104).answer(cause, negative)

    assert answer.encode(IEC104) == request[:2] + bytes((cause | negative << 6,)) + request[3:]
    found = parse(answer.encode(IEC104), IEC104)
    assert isinstance(found, Asdu)
    assert word_of("iec104", (int(found.cause), found.negative)) == word


@pytest.mark.parametrize("word", [row.word for row in HEARD if row.protocol == "dnp3"])
def test_a_control_status_in_octets(word: str) -> None:
    """IEEE 1815: the status is the last of the eleven octets of g12v1, bits 0 to 6."""
    octets = bytes((12, 1, 0x17, 1, 7, 0x03, 1)) + bytes(8) + bytes((int(word),))
    (header,) = dnp3.split(octets)
    (command,) = dnp3.commands(header)

    assert word_of("dnp3", int(command.status)) == word
    assert dnp3.encode_commands([command])[-1] == int(word)


@pytest.mark.parametrize("word", [row.word for row in HEARD if row.protocol == "modbus"])
def test_an_exception_in_octets(word: str) -> None:
    """Modbus V1.1b3 section 7: the function with bit 7, and the code; 0 is no exception."""
    if word != "0":
        assert modbus.exception(6, int(word)) == bytes((0x86, int(word)))
