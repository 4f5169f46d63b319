"""The sink against a real mosquitto and an independent subscriber, under the real engine."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gateway_mqtt import JsonSink
from gateway_mqtt.testing import Broker, Subscriber

from gateway import Quality, Reconnect
from gateway.testing import Emitter, running

POINTS = (
    "name,kind,field.at\n"
    "feeder1.voltage,analog,x\n"
    "feeder1.breaker,status,x\n"
    "feeder2.voltage,analog,x\n"
)
NAMES = ["feeder1.voltage", "feeder1.breaker", "feeder2.voltage"]
SOON = Reconnect(min=0.05, max=0.1)
T = 1_700_000_000_000_000_000
DEVICE = int(Quality.DEVICE_TIME)


def _sink(broker: Broker, /, **fields: Any) -> JsonSink:
    return JsonSink.model_validate(
        {"name": "mqtt", "broker": str(broker.endpoint), "reconnect": SOON, "select": ["feeder*"]}
        | fields
    )


def _payloads(subscriber: Subscriber, prefix: str = "test/feeder") -> list[tuple[str, Any]]:
    return [
        (heard.topic, json.loads(heard.payload))
        for heard in list(subscriber.heard)
        if heard.topic.startswith(prefix)
    ]


def _times(subscriber: Subscriber, point: str, *, historical: bool | None = None) -> list[int]:
    """Return the times of a point's samples, in the order in which they were heard."""
    return [
        time
        for _, payload in _payloads(subscriber)
        if historical is None or payload.get("historical", False) is historical
        for name, time in zip(payload["points"], payload["time"], strict=True)
        if name == point and time >= T
    ]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_samples_arrive_and_the_ledger_balances(
    tmp_path: Path, broker: Broker, subscriber: Subscriber, version: str
) -> None:
    """What was emitted is what an independent subscriber reads, message by message."""
    field = Emitter(name="field")
    async with running([field], [_sink(broker, version=version)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "up")
        await field.emit(NAMES, [230.5, 1, 11.25], [DEVICE, DEVICE | 0x81, DEVICE], T, every=True)
        await gw.until(lambda: len(_payloads(subscriber)) >= 2)
        await gw.until(lambda: gw.ledger("mqtt").pending == 0)
        assert gw.ledger("mqtt").delivered == gw.ledger("mqtt").taken == 3
        assert gw.counters("mqtt")["messages"] == 2
    assert _payloads(subscriber) == [
        (
            "test/feeder1",
            {
                "gateway": "test",
                "device": "feeder1",
                "points": ["feeder1.voltage", "feeder1.breaker"],
                "values": [230.5, 1],
                "quality": ["good", "invalid,oldData"],
                "time": [T, T],
            },
        ),
        (
            "test/feeder2",
            {
                "gateway": "test",
                "device": "feeder2",
                "points": ["feeder2.voltage"],
                "values": [11.25],
                "quality": ["good"],
                "time": [T],
            },
        ),
    ]


async def test_presence_is_online_first_and_offline_last(
    tmp_path: Path, broker: Broker, subscriber: Subscriber
) -> None:
    """A stop says offline before it disconnects; both words are retained, and no will is sent."""
    field = Emitter(name="field")
    async with running([field], [_sink(broker)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "up")
        await field.emit(NAMES[:1], [1.0], 0, T, every=True)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 1)
        with Subscriber(broker.endpoint, "test/mqtt/status").listening() as late:
            await gw.until(lambda: late.heard)
    assert [(h.payload, h.retain) for h in late.heard] == [(b"online", True)]
    with Subscriber(broker.endpoint, "test/mqtt/status").listening() as later:
        heard = later.await_message(lambda heard: True)
    assert (heard.payload, heard.retain) == (b"offline", True)
    topics = [(h.topic, h.payload[:7]) for h in subscriber.heard]
    assert topics[0] == ("test/mqtt/status", b"online")
    assert topics[-1] == ("test/mqtt/status", b"offline")
    # A will would come as a second `offline` after a DISCONNECT that the broker did not get.
    assert [t for t in topics if t[1] == b"offline"] == topics[-1:]
    assert "Client test-mqtt disconnected." in broker.log


GATEWAY = """
import asyncio, pathlib, sys
from gateway.testing import Emitter, running
from gateway_mqtt import JsonSink

async def main():
    sink = JsonSink(name="mqtt", broker=sys.argv[1])
    points = "name,field.at\\nfeeder1.voltage,x\\n"
    async with running([Emitter(name="field")], [sink], points, data=pathlib.Path(sys.argv[2])):
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_will_is_sent_when_the_gateway_is_killed(
    tmp_path: Path, broker: Broker, subscriber: Subscriber
) -> None:
    """SIGKILL leaves no time to say offline; the broker says it, retained."""
    gateway = subprocess.Popen((sys.executable, "-c", GATEWAY, str(broker.endpoint), str(tmp_path)))
    try:
        subscriber.await_message(lambda heard: heard.payload == b"online")
    finally:
        gateway.kill()
        gateway.wait()
    subscriber.await_message(lambda heard: heard.payload == b"offline")
    with Subscriber(broker.endpoint, "test/mqtt/status").listening() as late:
        heard = late.await_message(lambda heard: True)
    assert (heard.payload, heard.retain) == (b"offline", True)


class Door:
    """A way to the broker that a test opens, so that the subscriber is there before the gateway."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            target.close()

        there = await asyncio.open_connection("127.0.0.1", self._broker.port)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))


async def test_a_broker_that_dies_costs_nothing(tmp_path: Path) -> None:
    """Killed in the middle and back again, every sample arrives, in order within live and within
    history; only what was on its way when the broker died may arrive twice.
    """
    field = Emitter(name="field")
    broker = Broker(tmp_path)
    door = Door(broker)
    await door.open()
    with broker.running(), Subscriber(broker.endpoint).listening() as subscriber:
        sink = _sink(broker, broker=f"127.0.0.1:{door.port}", history_rate=1_000_000)
        async with running([field], [sink], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("mqtt") == "up")
            sent = 0

            async def emit(batches: int) -> None:
                nonlocal sent
                for _ in range(batches):
                    await field.emit(NAMES[:1], [1.0], DEVICE, T + sent, every=True)
                    sent += 1

            await emit(80)
            await gw.until(lambda: gw.ledger("mqtt").delivered > 40)
            door.close()
            broker.kill()
            killed = len(_times(subscriber, NAMES[0]))
            await emit(80)
            await gw.until(lambda: gw.state("mqtt") == "down")
            # The host calls it an outage, and what waited history, after two seconds.
            await gw.until(lambda: time.time_ns() - gw.status("mqtt").since > 2_200_000_000)
            broker.start()
            await gw.until(lambda: subscriber.subscriptions == 2)
            await door.open()
            await gw.until(lambda: gw.state("mqtt") == "up")
            await emit(80)
            await gw.until(lambda: gw.ledger("mqtt").pending == 0)
            await gw.until(lambda: len(set(_times(subscriber, NAMES[0]))) == sent, what="all heard")
            before, after = (
                _times(subscriber, NAMES[0])[:killed],
                _times(subscriber, NAMES[0])[killed:],
            )
            assert sorted({*before, *after}) == [T + i for i in range(sent)]
            assert before == [T + i for i in range(killed)]
            live = _times(subscriber, NAMES[0], historical=False)[killed:]
            history = _times(subscriber, NAMES[0], historical=True)
            assert live == sorted(set(live))
            assert history == sorted(set(history))
            assert len(history) >= 80
            assert gw.ledger("mqtt").delivered == gw.ledger("mqtt").taken == sent
            assert gw.held("mqtt") == 0
    door.close()


async def test_a_refused_message_is_not_delivered(tmp_path: Path) -> None:
    """MQTT 5: a PUBACK with a failure code breaks the link and says which topic and why;
    the sample stays, and is delivered once the broker lets it pass.
    """
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite test/mqtt/status\ntopic read #\ntopic readwrite test/feeder1\n")
    field = Emitter(name="field")
    broker = Broker(tmp_path, f"acl_file {acl}")
    with broker.running(), Subscriber(broker.endpoint).listening() as subscriber:
        async with running([field], [_sink(broker)], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("mqtt") == "up")
            await field.emit([NAMES[0]], [1.0], DEVICE, T, every=True)
            await gw.until(lambda: gw.ledger("mqtt").delivered == 1)
            await field.emit([NAMES[2]], [2.0], DEVICE, T, every=True)
            await gw.until(lambda: gw.counters("mqtt").get("refused", 0) >= 1)
            words = "refused a message to 'test/feeder2': Not authorized"
            await gw.until(lambda: words in gw.status("mqtt").error)
            assert (gw.ledger("mqtt").delivered, gw.ledger("mqtt").pending) == (1, 1)
            acl.write_text("topic readwrite #\n")
            broker.reload()
            await gw.until(lambda: gw.ledger("mqtt").delivered == 2)
            await gw.until(lambda: _times(subscriber, NAMES[2]) == [T])


async def test_a_wrong_password_is_said_and_a_right_one_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused CONNACK ends the attempt at once, with the broker's reason."""
    passwords = tmp_path / "passwords"
    # PBKDF2-SHA512, as mosquitto_passwd writes it.
    salt = bytes(12)
    key = base64.b64encode(hashlib.pbkdf2_hmac("sha512", b"right", salt, 101)).decode()
    passwords.write_text(f"gw:$7$101${base64.b64encode(salt).decode()}${key}\n")
    broker = Broker(tmp_path, f"password_file {passwords}")
    with broker.running():
        for version in ("5", "3.1.1"):
            wrong = _sink(broker, username="gw", password="wrong", version=version)
            async with running([], [wrong], "name\n", data=tmp_path) as gw:
                await gw.until(lambda: gw.state("mqtt") == "down")
                assert "refused the connection: Not authorized" in gw.status("mqtt").error
        right = _sink(broker, username="gw", password="right")
        with caplog.at_level(logging.DEBUG):
            async with running([], [right], "name\n", data=tmp_path) as gw:
                await gw.until(lambda: gw.state("mqtt") == "up")
        assert "right" not in caplog.text


async def test_messages_above_the_limit_are_split(
    tmp_path: Path, broker: Broker, subscriber: Subscriber
) -> None:
    """A batch that is larger than max_message comes in several messages, all there, in order."""
    field = Emitter(name="field")
    sink = _sink(broker, max_message="2kB", topic="{gateway}")
    async with running([field], [sink], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "up")
        n = 1000
        await field.emit([NAMES[0]] * n, np.arange(n), DEVICE, T + np.arange(n), every=True)
        await gw.until(lambda: gw.ledger("mqtt").delivered == n)

        def heard() -> list[int]:
            return [t for _, p in _payloads(subscriber, "test") for t in p["time"] if t >= T]

        subscriber.heard[:] = [h for h in subscriber.heard if h.topic == "test"]
        await gw.until(lambda: len(heard()) == n)
        assert heard() == [T + i for i in range(n)]
        assert max(len(h.payload) for h in subscriber.heard) < 2000
        assert gw.counters("mqtt")["messages"] == len(subscriber.heard) > n * 50 / 2000


async def test_the_brokers_own_packet_limit_is_kept(tmp_path: Path) -> None:
    """MQTT 5: a Maximum Packet Size in the CONNACK is below max_message, and rules."""
    broker = Broker(tmp_path, "max_packet_size 1500", "message_size_limit 1500")
    field = Emitter(name="field")
    with broker.running(), Subscriber(broker.endpoint).listening() as subscriber:
        async with running([field], [_sink(broker)], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("mqtt") == "up")
            n = 500
            await field.emit([NAMES[0]] * n, np.arange(n), DEVICE, T + np.arange(n), every=True)
            await gw.until(lambda: len(_times(subscriber, NAMES[0])) == n)
            assert _times(subscriber, NAMES[0]) == [T + i for i in range(n)]
            assert gw.counters("mqtt").get("disconnects", 0) == 0


async def test_a_limit_no_sample_fits_is_said(tmp_path: Path) -> None:
    """A broker that takes less than one sample is an error with both numbers."""
    broker = Broker(tmp_path, "max_packet_size 100")
    with broker.running():
        field = Emitter(name="field")
        async with running([field], [_sink(broker)], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("mqtt") == "down")
            assert "a packet may have 100" in gw.status("mqtt").error


async def test_retained_is_the_last_live_message(tmp_path: Path, broker: Broker) -> None:
    """With `retain: live` one who subscribes later gets each topic's last message."""
    field = Emitter(name="field")
    sink = _sink(broker, retain="live", topic="{name}")
    async with running([field], [sink], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "up")
        for i in range(3):
            await field.emit([NAMES[0]], [float(i)], DEVICE, T + i, every=True)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 3)
        with Subscriber(broker.endpoint, NAMES[0]).listening() as late:
            await gw.until(lambda: late.heard)
        assert [(json.loads(h.payload)["time"], h.retain) for h in late.heard] == [([T + 2], True)]


async def test_the_receive_maximum_is_kept(tmp_path: Path) -> None:
    """MQTT 5 clause 3.3.4: a broker that takes one message at a time is never sent two;
    it would disconnect with reason 0x93.
    """
    broker = Broker(tmp_path, "max_inflight_messages 1")
    field = Emitter(name="field")
    with broker.running(), Subscriber(broker.endpoint).listening() as subscriber:
        async with running([field], [_sink(broker, topic="{name}")], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("mqtt") == "up")
            for i in range(100):
                await field.emit(NAMES, [1, 1, 1], DEVICE, T + i, every=True)
            await gw.until(lambda: gw.ledger("mqtt").delivered == 300)
            assert gw.counters("mqtt").get("disconnects", 0) == 0
            await gw.until(lambda: len(_payloads(subscriber, "feeder")) == 300)
