"""Commands to devices at topics: a real broker, a device of its own, and the whole chain."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from commander import Commander
from gateway_mqtt import JsonSink, MqttSource, packet
from gateway_mqtt.testing import Broker, Device, guarded
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway import Answer, CommandStatus, Operation, Pulse, Reconnect
from gateway.testing import Collector, Emitter, Running, running

_S = CommandStatus
COLUMNS = (
    "name,kind,scale,field.topic,field.command_topic,field.command_payload,field.reply_topic,"
    "field.on,field.off,command.model,command.select,command.timeout,command.on_time\n"
)
REPLYING = '"{""id"": ""{id}"", ""set"": {raw}, ""op"": ""{operation}""}"'
POINTS = COLUMNS + (
    "relay,status,,dev/relay,dev/relay/set,,,CLOSE,OPEN,latch,,2s,\n"
    f"level,analog,0.1,dev/level,dev/level/set,{REPLYING},dev/level/reply,,,setpoint,,1s,\n"
    f"valve,status,,,dev/valve/set,{REPLYING},dev/valve/reply,,,latch,forward,1s,\n"
    'horn,status,,,dev/horn/set,"{raw} for {on_time}",,,,pulse,,1s,500ms\n'
    "bell,status,,,dev/bell/set,,,,,pulse,,1s,500ms\n"
)


def _source(broker: Broker, **fields: Any) -> MqttSource:
    return MqttSource.model_validate(
        {"name": "field", "broker": str(broker.endpoint), "reconnect": Reconnect(min=0.05, max=0.1)}
        | fields
    )


@contextlib.asynccontextmanager
async def _gateway(
    source: MqttSource, data: Path, points: str = POINTS
) -> AsyncIterator[tuple[Running, Collector]]:
    sink = Collector(name="out", role="operator")
    async with running([source], [sink], points, data=data) as gw:
        await gw.until(lambda: gw.state("field") == "up")
        yield gw, sink


def _answers(
    status: str = "success", *, five: bool = False, **more: Any
) -> Callable[[MQTTMessage], tuple[str, str, Any] | None]:
    """A device that answers by id, or with MQTT 5 to the Response Topic and nothing in the JSON."""

    def obey(message: MQTTMessage) -> tuple[str, str, Any] | None:
        said = json.loads(message.payload)
        if five:
            properties: Any = Properties(PacketTypes.PUBLISH)
            properties.CorrelationData = message.properties.CorrelationData
            return message.properties.ResponseTopic, json.dumps({"status": status}), properties
        reply = {"id": said["id"], "status": status} | more
        return message.topic.replace("/set", "/reply"), json.dumps(reply), None

    return obey


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_device_without_answers_has_the_puback(
    tmp_path: Path, broker: Broker, version: str
) -> None:
    """It gets the word for its state, at QoS 1, never retained; success is the broker's."""
    async with _gateway(_source(broker, version=version), tmp_path) as (_, sink):
        with Device(broker.endpoint, "dev/+/set").connected() as device:
            answer = await sink.ask("relay", 1)
            assert answer.status is _S.SUCCESS
            await sink.ask("relay", 0)
            await sink.ask("horn", 1)
    assert [(m.topic, m.payload, m.qos, m.retain) for m in device.heard] == [
        ("dev/relay/set", b"CLOSE", 1, False),
        ("dev/relay/set", b"OPEN", 1, False),
        ("dev/horn/set", b"1 for 0.5", 1, False),
    ]


async def test_nobody_at_the_topic_is_nobody_reached(tmp_path: Path, broker: Broker) -> None:
    """MQTT 5: the broker says that there is no subscriber, and so does the answer."""
    async with _gateway(_source(broker), tmp_path) as (_, sink):
        answer = await sink.ask("relay", 1)
    assert (answer.status, answer.detail) == (_S.UNREACHABLE, "nobody listens at dev/relay/set")


async def test_a_broker_that_does_not_let_us_says_so(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MQTT 5: a PUBACK of `Not authorized` is a refusal, and the link goes on.

    The PUBACK is changed on its way: mosquitto 2.0.11 closes the connection instead, where the
    message has properties.
    """
    monkeypatch.setattr(packet, "puback", lambda body: (body[0] << 8 | body[1], 0x87))
    async with _gateway(_source(broker), tmp_path) as (gw, sink):
        answer = await sink.ask("relay", 1)
        assert answer.status is _S.REFUSED
        assert "Not authorized" in answer.detail
        assert gw.state("field") == "up"


@pytest.mark.parametrize(("version", "five"), [("5", True), ("5", False), ("3.1.1", False)])
async def test_a_device_answers_by_its_reply(
    tmp_path: Path, broker: Broker, version: str, five: bool
) -> None:
    """By correlation data, or by the id in its JSON; the value is as the device counts."""
    device = Device(
        broker.endpoint,
        "dev/+/set",
        obeys=_answers(five=five),
        version=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
    )
    async with _gateway(_source(broker, version=version), tmp_path) as (_, sink):
        with device.connected():
            assert (await sink.ask("level", 23.5)).status is _S.SUCCESS
    said = json.loads(device.heard[0].payload)
    # 23.5 of the point at a scale of 0.1 is 235 of the device.
    assert (said["set"], said["op"]) == (235, "direct")
    if five:
        properties = device.heard[0].properties
        assert properties.CorrelationData == said["id"].encode()
        assert properties.ResponseTopic == "dev/level/reply"
        # Clause 3.3.2.3.3: the command's timeout is one second.
        assert properties.MessageExpiryInterval == 1


WORDS: list[tuple[dict[str, Any], str, CommandStatus, str]] = [
    ({}, '"success"', _S.SUCCESS, ""),
    ({}, '"interlocked", "detail": "door open"', _S.INTERLOCKED, "door open"),
    ({}, '"done"', _S.REFUSED, "the device said 'done'"),
    ({}, '"done", "detail": "really"', _S.REFUSED, "the device said 'done' really"),
    ({}, "true", _S.REFUSED, "the device said 'true'"),
    ({"words": {"done": "success"}}, '"done"', _S.SUCCESS, ""),
    ({"words": {"0": "success", "7": "device_local"}}, "0", _S.SUCCESS, ""),
    ({"words": {"0": "success", "7": "device_local"}}, "7", _S.DEVICE_LOCAL, ""),
    ({"words": {"true": "success"}}, "true", _S.SUCCESS, ""),
    ({}, "{}", _S.DEVICE_ERROR, "the reply has no word at status"),
]


async def test_what_devices_answer_in_their_words(tmp_path: Path, broker: Broker) -> None:
    """The gateway's own words, those of the configuration, and any other is a refusal."""
    for reply, status, expected, detail in WORDS:
        if status == "{}":
            text = '{"id": "%s", "status": {}}'
        else:
            text = '{"id": "%s", "status": ' + status + "}"

        def obey(message: MQTTMessage, text: str = text) -> tuple[str, str, Any]:
            return "dev/level/reply", text % json.loads(message.payload)["id"], None

        async with _gateway(_source(broker, reply=reply), tmp_path) as (_, sink):
            with Device(broker.endpoint, "dev/+/set", obeys=obey).connected():
                answer = await sink.ask("level", 1)
        if expected is _S.DEVICE_ERROR:
            # Its id was read before its word was missed; the reply is of no command by JSON alone.
            assert answer.status in (_S.DEVICE_ERROR, _S.TIMEOUT)
        else:
            assert (answer.status, answer.detail) == (expected, detail)


async def test_an_answer_of_no_command_is_counted(tmp_path: Path, broker: Broker) -> None:
    """Strange ids, what is not JSON, what was retained, and an answer that comes too late."""
    late: list[tuple[str, str]] = []

    def silent(message: MQTTMessage) -> None:
        if message.topic == "dev/level/set":
            late.append(("dev/level/reply", json.loads(message.payload)["id"]))

    with Device(broker.endpoint, "dev/+/set", obeys=silent).connected() as device:
        device.publish("dev/level/reply", '{"id": "1", "status": "success"}', retain=True)
        async with _gateway(_source(broker), tmp_path) as (gw, sink):
            await gw.until(lambda: gw.counters("field").get("retained_replies") == 1)
            asked = asyncio.create_task(sink.ask("level", 1, timeout=0.5))
            await gw.until(lambda: late)
            for text in ('{"id": "2", "status": "success"}', "{", '{"status": "success"}'):
                device.publish("dev/level/reply", text)
            # The same id at another point's topic is no answer either.
            device.publish("dev/valve/reply", json.dumps({"id": late[0][1], "status": "success"}))
            answer: Answer = await asked
            assert answer.status is _S.TIMEOUT
            device.publish("dev/level/reply", json.dumps({"id": late[0][1], "status": "success"}))
            await gw.until(lambda: gw.counters("field").get("unknown_replies") == 4)
            assert gw.counters("field")["unreadable_replies"] == 1
            assert (await sink.ask("relay", 1)).status is _S.SUCCESS


async def test_a_device_holds_the_select(tmp_path: Path, broker: Broker) -> None:
    """`select: forward`: the device hears select, execute and cancel, each with its own id."""
    async with _gateway(_source(broker), tmp_path) as (_, sink):
        with Device(broker.endpoint, "dev/+/set", obeys=_answers()).connected() as device:
            for operation in (Operation.SELECT, Operation.EXECUTE, Operation.SELECT):
                assert (await sink.ask("valve", 1, operation)).status is _S.SUCCESS
            assert (await sink.ask("valve", 1, Operation.CANCEL)).status is _S.SUCCESS
            assert (await sink.ask("valve", 1)).status is _S.NO_SELECT
    said = [json.loads(message.payload) for message in device.heard]
    assert [one["op"] for one in said] == ["select", "execute", "select", "cancel"]
    assert len({one["id"] for one in said}) == 4


async def test_a_pulse_is_told_or_known(tmp_path: Path, broker: Broker) -> None:
    """A device whose payload has no place for a pulse gives its own, and no other."""
    async with _gateway(_source(broker), tmp_path) as (_, sink):
        with Device(broker.endpoint, "dev/+/set").connected() as device:
            assert (await sink.ask("horn", 1, pulse=Pulse(0.25))).status is _S.SUCCESS
            assert (await sink.ask("bell", 1)).status is _S.SUCCESS
            assert (await sink.ask("bell", 1, pulse=Pulse(0.25))).status is _S.NOT_SUPPORTED
            assert (await sink.ask("horn", 1, pulse=Pulse(0.5, 0, 2))).status is _S.NOT_SUPPORTED
    assert [m.payload for m in device.heard] == [b"1 for 0.25", b"1"]


async def test_a_command_is_not_given_twice(tmp_path: Path) -> None:
    """The broker dies before it answers: the client hears `timeout`, and what comes after the
    reconnect is not the old command.
    """
    broker = Broker(tmp_path)
    with broker.running(), Device(broker.endpoint, "dev/+/set").connected() as device:
        async with _gateway(_source(broker), tmp_path) as (gw, sink):
            asked = asyncio.create_task(sink.ask("level", 1))
            await gw.until(lambda: device.heard)
            broker.kill()
            assert (await asked).status is _S.TIMEOUT
            assert (await sink.ask("level", 2)).status is _S.UNREACHABLE
            broker.start()
            await gw.until(lambda: gw.state("field") == "up" and device.connections == 2)
            assert (await sink.ask("relay", 1)).status is _S.SUCCESS
    assert len(device.heard) == 2


async def test_from_a_client_to_a_device_and_back(tmp_path: Path) -> None:
    """paho → broker with users → mqtt.json → gateway → mqtt → broker → device → reply, with the
    indication that follows; the latencies are those of a real broker, twice.
    """
    rights = "user gateway\ntopic readwrite #\npattern write test/command/%u/#\n"
    rights += "pattern read test/reply/%u/#\nuser device\ntopic readwrite dev/#\n"
    lines = guarded(tmp_path, rights, gateway="g", device="d", alice="a")
    points = (
        "name,kind,field.topic,field.path,field.command_topic,field.command_payload,"
        "field.reply_topic,command.model,command.feedback,command.feedback_timeout\n"
        f"cb,status,dev/cb,state,dev/cb/set,{REPLYING},dev/cb/reply,latch,cb,2s\n"
    )

    def obey(message: MQTTMessage) -> tuple[str, str, Any]:
        said = json.loads(message.payload)
        device.send("dev/cb", json.dumps({"state": bool(said["set"])}))
        return "dev/cb/reply", json.dumps({"id": said["id"], "status": "success"}), None

    with Broker(tmp_path, *lines).running() as broker:
        common = {"broker": str(broker.endpoint), "username": "gateway", "password": "g"}
        source = MqttSource.model_validate({"name": "field"} | common)
        sink = JsonSink.model_validate(
            {"name": "mqtt", "role": "operator", "commands": {}} | common
        )
        device = Device(
            broker.endpoint,
            "dev/+/set",
            obeys=obey,
            configure=lambda client: client.username_pw_set("device", "d"),
        )
        async with running([source], [sink], points, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("field") == gw.state("mqtt") == "up")
            with device.connected(), Commander(broker, password="a").connected() as alice:
                times = []
                for i in range(10):
                    begin = time.perf_counter()
                    reply = await asyncio.to_thread(alice.ask, "cb", value=i % 2 == 0)
                    times.append(time.perf_counter() - begin)
                    assert reply["status"] == "success", reply
                    assert gw.sample("cb").value == float(i % 2 == 0)
                device._client.unsubscribe("dev/+/set")
                gone = await asyncio.to_thread(alice.ask, "cb", value=True)
                assert gone["status"] in ("unreachable", "timeout")
    assert len(device.heard) == 10
    print(f"client to device and back: median {sorted(times)[5] * 1e3:.1f} ms")


async def test_one_gateway_commands_through_another(tmp_path: Path, broker: Broker) -> None:
    """The source's template is the other's command, and its words are understood."""
    field = Emitter(name="dev", obeys=True)
    sender = JsonSink.model_validate(
        {"name": "mqtt", "broker": str(broker.endpoint), "role": "operator", "commands": {}}
    )
    far = "name,kind,dev.at,command.model,command.select\nbay.cb,status,x,latch,local\n"
    payload = '"{""id"": ""{id}"", ""operation"": ""{operation}"", ""value"": {value}, '
    payload += '""time"": {time}, ""expires"": {expires}}"'
    near = (
        "name,kind,field.topic,field.path,field.command_topic,field.command_payload,"
        "field.reply_topic,command.model,command.select\n"
        f"north.cb,status,far/bay,bay.cb,far/command/near/bay.cb,{payload},far/reply/near,"
        "latch,forward\n"
    )
    (tmp_path / "far").mkdir()
    async with (
        running([field], [sender], far, data=tmp_path / "far", name="far") as other,
        _gateway(_source(broker, format="grid-gateway"), tmp_path, near) as (_, sink),
    ):
        await other.until(lambda: other.state("mqtt") == "up")
        await field.context()
        assert (await sink.ask("north.cb", 1, Operation.SELECT)).status is _S.SUCCESS
        assert (await sink.ask("north.cb", 1, Operation.EXECUTE)).status is _S.SUCCESS
        field.reply(lambda command: CommandStatus.DEVICE_LOCAL)
        await sink.ask("north.cb", 0, Operation.SELECT)
        answer = await sink.ask("north.cb", 0, Operation.EXECUTE)
        assert answer.status is _S.DEVICE_LOCAL
    assert [(c.value, c.client.user) for c in field.commands] == [(1.0, "near"), (0.0, "near")]
