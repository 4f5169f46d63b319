"""A value with a quality of one protocol arrives in every other one as the tables say.

What is expected is in `words.csv` (what arrives) and `quality.csv` (what leaves), typed by hand.
A pair of protocols is one of each, with the gateway's quality between: there is no other table.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import pytest
from gateway_dnp3.quality import GROUPS
from gateway_iec60870.quality import MEANINGS
from gateway_modbus.outcome import QUALITY as MODBUS_QUALITY
from gateway_mqtt.source.word import quality as mqtt_quality
from gateway_opcua.client.quality import STATUS_TO_QUALITY as OPCUA_CLIENT
from gateway_opcua.status import QUALITY_TO_STATUS, STATUS_TO_QUALITY

from gateway import Quality, quality_text
from gateway.testing import Collector, Emitter, paused, running

sys.path.insert(0, str(Path(__file__).parent))
from translation_c37118 import C37118
from translation_table import KINDS, SAID, WORDS, Word, quality, said, text
from translation_wires import READ_BY_NOBODY, WIRES, Dnp3, Iec104, OpcUa, Sparkplug

READ = [name for name in WIRES if name not in READ_BY_NOBODY]
PAIRS = list(product(READ, WIRES))
EVERY = range(int(Quality.OPERATOR_BLOCKED) * 2)
"""All qualities but for what their time is like."""


@pytest.mark.parametrize("row", WORDS, ids=lambda row: f"{row.protocol}-{row.kind}-{row.word}")
def test_a_word_arrives_as_a_quality(row: Word) -> None:
    """Each word of each protocol, by the plugin's table and out of octets."""
    protocol, kind, word, name, again = row
    wire = WIRES[protocol]

    assert text(wire.of(kind, word)) == name
    assert text(wire.read(kind, word)) == name
    assert wire.say(kind, quality(name)) == again


@pytest.mark.parametrize(("protocol", "kind"), [*product(WIRES, KINDS)])
def test_a_quality_leaves_as_a_word(protocol: str, kind: str) -> None:
    """Each quality in each protocol, and the quality that is read of it there."""
    wire = WIRES[protocol]
    for name in SAID:
        word, back = said(protocol, kind, name)
        assert wire.say(kind, quality(name)) == word, name
        assert wire.write(kind, quality(name)) == word, name
        if protocol not in READ_BY_NOBODY:
            assert text(wire.read(kind, word)) == back, name


@pytest.mark.parametrize(("source", "sink"), PAIRS)
def test_a_word_of_one_protocol_arrives_in_another(source: str, sink: str) -> None:
    """Every word of every kind, through octets at both ends; what the pair loses is in the table:
    the quality that is read behind the sink is the one that was read of the source, or the one
    that the table names for it."""
    words = [row for row in WORDS if row.protocol == source]
    assert words
    for row in words:
        expected = said(sink, row.kind, row.quality)
        arrived = WIRES[source].read(row.kind, row.word)
        assert WIRES[sink].write(row.kind, arrived) == expected.word, row
        if sink not in READ_BY_NOBODY:
            assert text(WIRES[sink].read(row.kind, expected.word)) == expected.back, row


@pytest.mark.parametrize("protocol", READ)
def test_what_comes_back_in_the_same_protocol(protocol: str) -> None:
    """From a protocol into the gateway and back: the same word, or the one that the table names;
    and what is read of that is the same quality again, but for what Modbus cannot say."""
    for row in WORDS:
        if row.protocol != protocol:
            continue
        again = WIRES[protocol].write(row.kind, WIRES[protocol].read(row.kind, row.word))
        assert again == row.again, row
        if protocol != "modbus":
            assert text(WIRES[protocol].read(row.kind, again)) == row.quality, row


def test_the_tables_have_every_word() -> None:
    """No flag, StatusCode or exception that a plugin knows is missing from `words.csv`, and every
    quality that some word becomes stands in `quality.csv`."""
    words = {(row.protocol, row.kind, one) for row in WORDS for one in row.word.split()}
    for kind in KINDS:
        assert {("iec104", kind, flag) for flag in Iec104.FLAGS[kind]} <= words
        assert {("dnp3", kind, flag) for flag in Dnp3.FLAGS[kind]} <= words
    codes = {*STATUS_TO_QUALITY, *OPCUA_CLIENT, *(code for _, _, code in QUALITY_TO_STATUS)}
    assert {("opcua", kind, OpcUa().name(code)) for code in codes for kind in KINDS} <= words
    modbus = {row.word for row in WORDS if row.protocol == "modbus"}
    stat = {word for row in WORDS if row.protocol == "c37118" for word in row.word.split()}
    assert {"-", *C37118.STAT, *C37118.TIME} == stat
    numbers = {f"exception {code}" for code in MODBUS_QUALITY if code < 0x100}
    assert numbers | {"value", "no answer"} <= modbus
    assert {row.quality for row in WORDS} <= set(SAID)


def test_every_word_of_a_quality_is_in_the_table() -> None:
    """Each validity by itself, each detail with the validities that IEC 61850-7-3 table 3 allows
    it, and what is no detail with all three."""
    details = {"oldData": "questionable", "overflow": "questionable", "failure": "invalid"}
    for detail in ("outOfRange", "badReference", "oscillatory", "inconsistent", "inaccurate"):
        details[detail] = "questionable invalid"
    for detail, validities in details.items():
        for validity in validities.split():
            assert f"{validity},{detail}" in SAID
    for word in ("substituted", "test", "operatorBlocked"):
        assert {f"good,{word}", f"invalid,{word}"} <= set(SAID)
    assert {"good", "invalid", "reserved", "questionable"} <= set(SAID)


# What holds for all qualities, those outside the tables among them ---------------------------


@pytest.mark.parametrize("protocol", [name for name in READ if name != "modbus"])
def test_invalid_is_invalid_everywhere(protocol: str) -> None:
    """No invalid value becomes usable on its way through a second gateway."""
    wire = WIRES[protocol]
    for number in EVERY:
        if number & Quality.VALIDITY in (Quality.INVALID, Quality.RESERVED):
            for kind in KINDS:
                found = wire.of(kind, wire.say(kind, number))
                wanted = Quality.RESERVED if protocol == "mqtt" else Quality.INVALID
                assert found & Quality.VALIDITY in (Quality.INVALID, wanted), quality_text(number)


@pytest.mark.parametrize("protocol", ["iec104", "dnp3", "c37118"])
def test_old_data_is_old_everywhere(protocol: str) -> None:
    """No stale value becomes topical on its way, nor one whose device failed or that is a test."""
    wire = WIRES[protocol]
    for number in EVERY:
        if number & (Quality.OLD_DATA | Quality.FAILURE):
            for kind in KINDS:
                assert wire.of(kind, wire.say(kind, number)) & Quality.VALIDITY, number
        if number & Quality.TEST:
            for kind in KINDS:
                found = wire.of(kind, wire.say(kind, number))
                assert found & (Quality.TEST | Quality.VALIDITY), number


def test_mqtt_loses_nothing() -> None:
    """Every quality is said in words and read of them; Sparkplug's detail says the same words."""
    for number in EVERY:
        assert mqtt_quality(quality_text(number)) == number
    for name in SAID:
        assert Sparkplug().detail(quality(name)) == name


def test_every_type_says_what_its_kind_says() -> None:
    """104 and 101 have other types, and DNP3 other groups, with the flags of these three."""
    iec = {id(MEANINGS[Iec104.TYPES[kind]]) for kind in KINDS}
    assert {id(meanings) for meanings in MEANINGS.values()} == iec
    dnp3 = {id(GROUPS[Dnp3.OBJECTS[kind][0]]) for kind in KINDS}
    outputs = {id(GROUPS[10])}
    assert {id(details) for details in GROUPS.values()} == dnp3 | outputs


@paused
async def test_the_gateway_itself_changes_no_quality(tmp_path: Path) -> None:
    """What a source brings is what a sink is given, for every quality of the table."""
    names = list(SAID)
    points = "name,field.at\n" + "".join(f"p{at},{at}\n" for at in range(len(names)))
    field, sink = Emitter(name="field"), Collector(name="sink")
    async with running([field], [sink], points, data=tmp_path) as gateway:
        await field.emit(
            [f"p{at}" for at in range(len(names))],
            [1.0] * len(names),
            quality=[int(quality(name)) for name in names],
        )
        await gateway.until(lambda: len(sink.rows()) >= len(names))
    found = {row.name: text(row.quality & ~Quality.TIME) for row in sink.rows()}
    assert [found[f"p{at}"] for at in range(len(names))] == names
