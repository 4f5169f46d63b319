"""Control packets in words, and as Wireshark reads them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from gateway_mqtt import JsonSink, MqttSource, SparkplugSink
from gateway_mqtt.description import describe
from gateway_mqtt.testing import Broker
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import Endpoint
from gateway.testing import Emitter, dissected, running

POINTS = "name,kind,field.at\nf1.level,analog,x\nf1.breaker,status,x\n"
FIELDS = (
    "mqtt.msgtype", "mqtt.topic", "mqtt.qos", "mqtt.msgid", "mqtt.clientid", "mqtt.ver",
    "mqtt.username", "mqtt.passwd", "frame.comment", "_ws.malformed",
)  # fmt: skip


# The figures of MQTT 5.0 and 3.1.1, section 3, with other names.
@pytest.mark.parametrize(
    ("octets", "five", "said"),
    [
        (
            "10 0D 0004 4D515454 04 02 003C 0001 61", False,
            "CONNECT a, MQTT 3.1.1, keep alive 60 s, begins anew",
        ),
        ("10 0E 0004 4D515454 05 00 003C 00 0001 61", True, "CONNECT a, MQTT 5.0, keep alive 60 s"),
        ("20 03 01 00 00", True, "CONNACK accepted, the session goes on"),
        ("20 03 00 87 00", True, "CONNACK Not authorized"),
        ("30 07 0003 612F62 6F6E", False, "PUBLISH a/b QoS 0, 2 octets: on"),
        ("3B 0A 0003 612F62 000A 00 6F6E", True, "PUBLISH a/b QoS 1 10 retain dup, 2 octets: on"),
        ("40 02 0009", True, "PUBACK 9"),
        ("40 03 0009 10", True, "PUBACK 9: No matching subscribers"),
        ("82 0C 000A 0003 612F62 01 0001 23 02", False, "SUBSCRIBE 10 a/b, #"),
        ("82 09 000A 00 0003 612F62 01", True, "SUBSCRIBE 10 a/b"),
        ("90 05 000A 00 01 87", True, "SUBACK 10, 1 of 2 granted: Not authorized"),
        ("A2 07 000B 0003 612F62", False, "UNSUBSCRIBE 11 a/b"),
        ("B0 02 000B", False, "UNSUBACK 11"),
        ("C0 00", True, "PINGREQ"),
        ("D0 00", True, "PINGRESP"),
        ("E0 01 8E", True, "DISCONNECT Session taken over"),
        ("00 00", True, ""),
        (
            "40 01 09", True,
            "PUBACK that cannot be read: a PUBACK of 1 bytes has no packet identifier",
        ),
    ],
)  # fmt: skip
def test_what_packets_say(octets: str, five: bool, said: str) -> None:
    """Type, topic, quality of service, identifiers and reasons are said."""
    assert describe(bytes.fromhex(octets), five=five) == said


def test_a_long_packet() -> None:
    """Of one that was not kept whole the topic is said."""
    whole = bytes.fromhex("30 80A0 06 0003 612F62") + bytes(1000)
    assert describe(whole, five=False) == "PUBLISH a/b, cut short after 1009 octets"


@given(st.binary(max_size=300), st.booleans())
@example(b"", True)
@example(b"\x10\x02\x00\x00", True)
def test_any_octets_are_a_text(frame: bytes, five: bool) -> None:
    """Whatever comes there is a text without an error, and of bounded length."""
    assert len(describe(frame, five=five)) < 600


@given(st.sampled_from(range(0x10, 0x100, 0x10)), st.binary(max_size=120), st.booleans())
def test_any_packet_is_a_text(first: int, body: bytes, five: bool) -> None:
    """The same for whatever stands in a packet of whatever type."""
    assert len(describe(bytes((first | 2, len(body))) + body, five=five)) < 700


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_wireshark_reads_what_passes(version: str, tmp_path: Path, broker: Broker) -> None:
    """What the gateway sends to a broker, and what it hears, is dissected; no secret is there."""
    field = Emitter(name="field")
    fields = {"broker": str(broker.endpoint), "version": version}
    sink = JsonSink.model_validate(
        fields | {"name": "cloud", "topic": "plant/{device}", "username": "anna"}
        | {"password": "opensesame"}
    )  # fmt: skip
    source = MqttSource.model_validate(fields | {"name": "sensor"})
    rows = "name,kind,field.at,sensor.topic\nf1.level,analog,x,\nheard,analog,,raw\n"
    async with running([field, source], [sink], rows, data=tmp_path / "data") as gateway:
        await gateway.until(lambda: gateway.state("cloud") == "up" == gateway.state("sensor"))
        await field.emit(["f1.level"], [12.5])
        await gateway.until(lambda: gateway.ledger("cloud").delivered)
        await _publish(broker.endpoint, "raw", "7.5")
        await gateway.until(lambda: gateway.sample("heard").value == 7.5)
        await asyncio.sleep(0.1)
        sent = await dissected(gateway, "cloud", *FIELDS)
        heard = await dissected(gateway, "sensor", *FIELDS)
        kept = [frame.octets for frame in gateway.engine.rings["cloud"].after(0, 1000)]
    assert {row["_ws.malformed"] for row in sent + heard} == {""}
    connect, connack, *_ = sent
    assert (connect["mqtt.msgtype"], connack["mqtt.msgtype"]) == ("1", "2")
    assert connect["mqtt.ver"] == {"5": "5", "3.1.1": "4"}[version]
    assert connect["mqtt.clientid"] == "test-cloud"
    assert (connect["mqtt.username"], connect["mqtt.passwd"]) == ("", "")
    assert not any(b"opensesame" in octets for octets in kept)
    published = [row for row in sent if row["mqtt.topic"] == "plant/f1"]
    assert [(row["mqtt.msgtype"], row["mqtt.qos"]) for row in published] == [("3", "1")]
    number = published[0]["mqtt.msgid"]
    assert f"PUBLISH plant/f1 QoS 1 {number}, " in published[0]["frame.comment"]
    assert [row["mqtt.msgtype"] for row in sent if row["mqtt.msgid"] == number] == ["3", "4"]
    (received,) = [row for row in heard if row["frame.comment"].startswith("PUBLISH raw ")]
    assert (received["mqtt.msgtype"], received["mqtt.topic"]) == ("3", "raw")
    assert received["frame.comment"].endswith("1 sample, 1 taken: heard")


async def test_sparkplug(tmp_path: Path, broker: Broker) -> None:
    """Of a payload of Sparkplug B its sequence number and metrics are named."""
    field = Emitter(name="field")
    sink = SparkplugSink.model_validate(
        {"name": "host", "broker": str(broker.endpoint), "group": "north"}
    )
    async with running([field], [sink], POINTS, data=tmp_path / "data") as gateway:
        await field.emit(["f1.level", "f1.breaker"], [12.5, 1.0])
        await gateway.until(lambda: gateway.state("host") == "up")
        await asyncio.sleep(0.1)
        rows = await dissected(gateway, "host", *FIELDS)
    birth = next(row for row in rows if "/NBIRTH/" in row["mqtt.topic"])
    assert ": seq 0, " in birth["frame.comment"]
    assert " 9 metrics: _health/field/up, " in birth["frame.comment"]


async def _publish(at: Endpoint, topic: str, text: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "mosquitto_pub", "-h", at.host, "-p", str(at.port), "-t", topic, "-m", text
    )
    assert await process.wait() == 0
