"""The source against a real mosquitto and an independent device, under the real engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import JsonSink, MqttSource
from gateway_mqtt.testing import Broker, Device

from gateway import Quality, Reconnect
from gateway.testing import Collector, Emitter, Running, running

POINTS = (
    "name,kind,field.topic,field.path,field.on,field.off\n"
    "meter.voltage,analog,plant/meter,u[0],,\n"
    "meter.current,analog,plant/meter,i.a,,\n"
    "bay.breaker,status,plant/breaker,,CLOSED,OPEN\n"
)
SOON = Reconnect(min=0.05, max=0.1)
T = 1_700_000_000_000_000_000
OLD = Quality.INVALID | Quality.OLD_DATA


def _source(broker: Broker, /, **fields: Any) -> MqttSource:
    return MqttSource.model_validate(
        {"name": "field", "broker": str(broker.endpoint), "reconnect": SOON} | fields
    )


@contextlib.asynccontextmanager
async def _gateway(
    source: MqttSource, data: Path, points: str = POINTS
) -> AsyncIterator[tuple[Running, Collector]]:
    sink = Collector(name="out")
    async with running([source], [sink], points, data=data) as gw:
        await gw.until(lambda: gw.state("field") == "up")
        yield gw, sink


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_documents_become_samples(tmp_path: Path, broker: Broker, version: str) -> None:
    """Values stand where their paths say, with the device's time where it says one."""
    source = _source(broker, time_path="t", time="ms", version=version)
    async with _gateway(source, tmp_path) as (gw, sink):
        with Device(broker.endpoint).connected() as device:
            meter = {"u": [230.5], "i": {"a": 4}, "t": T // 10**6}
            device.publish("plant/meter", json.dumps(meter))
            device.publish("plant/breaker", '"CLOSED"')
            await gw.until(lambda: len(sink.rows("bay")) >= 1)
    rows = {row.name: row for row in sink.rows()[:3]}
    assert rows["meter.voltage"][1:] == (230.5, Quality.DEVICE_TIME, T)
    assert rows["meter.current"][1:] == (4.0, Quality.DEVICE_TIME, T)
    assert rows["bay.breaker"].value == 1.0


async def test_a_bad_message_is_said_once_and_costs_its_topic_only(
    tmp_path: Path, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Its points are invalid until it can be read again; one line each way, and a count."""
    caplog.set_level(logging.INFO)
    async with _gateway(_source(broker, max_message="80kB"), tmp_path) as (gw, _):
        with Device(broker.endpoint).connected() as device:
            device.publish("plant/breaker", '"OPEN"')
            device.publish("plant/meter", '{"u": [230], "i": {"a": 5}}')
            await gw.until(lambda: gw.sample("meter.voltage").value == 230)
            for bad in ("{", "\xff", '{"u": ["x"]}', "[1]" + " " * 81_000, "[" * 3_000_000):
                device.publish("plant/meter", bad)
            await gw.until(lambda: gw.counters("field").get("unreadable") == 5)
            await gw.until(lambda: gw.sample("meter.voltage").quality & Quality.INVALID)
            assert gw.sample("meter.voltage").value == 230
            assert gw.sample("bay.breaker")[1:3] == (0.0, Quality.GOOD)
            device.publish("plant/meter", '{"u": [231], "i": {"a": 5}}')
            await gw.until(lambda: gw.sample("meter.voltage")[1:3] == (231, Quality.GOOD))
        assert gw.counters("field").get("disconnects", 0) == 0
    said = [r.message for r in caplog.records if "plant/meter" in r.message]
    assert [line.split(":")[0] for line in said] == [
        "plant/meter cannot be read",
        "plant/meter can be read again",
    ]


async def test_what_comes_while_the_gateway_is_away_is_kept_by_the_broker(
    tmp_path: Path, broker: Broker
) -> None:
    """The session outlives the gateway: every message of QoS 1 arrives, once, in order."""
    with Device(broker.endpoint).connected() as device:
        for version in ("5", "3.1.1"):
            source = _source(broker, version=version, client_id=f"c{version}")
            data = tmp_path / version
            data.mkdir()
            async with _gateway(source, data) as (gw, _):
                device.publish("plant/breaker", '"OPEN"')
                await gw.until(lambda: gw.counters("field").get("messages") == 1)
            for i in range(50):
                device.publish("plant/breaker", '"CLOSED"' if i % 2 == 0 else '"OPEN"')
            async with _gateway(source, data) as (gw, sink):
                assert "session resumed" in gw.status("field").detail
                await gw.until(lambda: len(sink.rows("bay")) >= 50)
            values = [row.value for row in sink.rows("bay") if not row.quality & Quality.INVALID]
            # The one before them comes again where the gateway was stopped before it said so.
            assert values[-50:] == [1.0, 0.0] * 25
            assert values[:-50] in ([], [0.0])
    clean = _source(broker, session="0s", client_id="c5")
    async with _gateway(clean, tmp_path) as (gw, _):
        assert "session resumed" not in gw.status("field").detail


async def test_topics_that_nobody_wants_any_more_are_unsubscribed(
    tmp_path: Path, broker: Broker
) -> None:
    """A kept session remembers an old configuration; it is not heard for ever."""
    with Device(broker.endpoint).connected() as device:
        async with _gateway(_source(broker), tmp_path):
            pass
        device.publish("plant/meter", '{"u": [1]}')
        fewer = POINTS.splitlines(keepends=True)[0] + POINTS.splitlines(keepends=True)[3]
        async with _gateway(_source(broker), tmp_path, fewer) as (gw, _):
            await gw.until(lambda: gw.counters("field").get("unwanted") == 1)
            device.publish("plant/meter", '{"u": [2]}')
            device.publish("plant/breaker", '"OPEN"')
            await gw.until(lambda: gw.counters("field").get("messages") == 2)
            assert gw.counters("field")["unwanted"] == 1


@pytest.mark.parametrize(
    ("retained", "expected"),
    [
        ("questionable", (1.0, Quality.QUESTIONABLE | Quality.OLD_DATA)),
        ("good", (1.0, Quality.GOOD)),
        ("ignore", None),
    ],
)
async def test_what_a_retained_message_is_worth(
    tmp_path: Path, broker: Broker, retained: str, expected: tuple[float, Quality] | None
) -> None:
    """The broker says that it is an old one; a live one takes its place."""
    with Device(broker.endpoint).connected() as device:
        device.publish("plant/breaker", '"CLOSED"', retain=True)
        async with _gateway(_source(broker, retained=retained), tmp_path) as (gw, _):
            await gw.until(lambda: gw.counters("field").get("retained") == 1)
            if expected is None:
                assert gw.sample("bay.breaker").quality & Quality.INVALID
            else:
                await gw.until(lambda: gw.sample("bay.breaker")[1:3] == expected)
            device.publish("plant/breaker", '"OPEN"', retain=True)
            await gw.until(lambda: gw.sample("bay.breaker")[1:3] == (0.0, Quality.GOOD))


async def test_a_device_that_falls_silent_is_stale(tmp_path: Path, broker: Broker) -> None:
    """After its time it is old data, once; the next message brings it back, also an equal one."""
    points = POINTS.replace("field.off\n", "field.off,field.stale_after\n").replace(
        "OPEN\n", "OPEN,300ms\n"
    )
    points = "\n".join(f"{r}," if r.endswith(",,") else r for r in points.splitlines())
    async with _gateway(_source(broker), tmp_path, points) as (gw, _):
        with Device(broker.endpoint).connected() as device:
            device.publish("plant/meter", '{"u": [230], "i": {"a": 5}}')
            for expected in (1, 2):
                device.publish("plant/breaker", '"CLOSED"')
                await gw.until(lambda: gw.sample("bay.breaker")[1:3] == (1.0, Quality.GOOD))
                await gw.until(lambda: gw.sample("bay.breaker")[1:3] == (1.0, OLD))
                assert gw.counters("field")["silences"] == expected
            assert gw.sample("meter.voltage").quality == Quality.GOOD


async def test_a_device_that_says_it_is_away_is_stale_at_once(
    tmp_path: Path, broker: Broker
) -> None:
    """Its will at the availability topic, also the one that the broker kept; its retained values
    are old while it is away, and a live one is good.
    """
    points = (
        "name,kind,field.topic,field.availability\n"
        "pump.speed,analog,pump/speed,pump/state\n"
        "fan.speed,analog,fan/speed,fan/state\n"
    )
    words = {"online": "up", "offline": "down", "path": "state"}
    source = _source(broker, availability=words, retained="good")
    with Device(broker.endpoint).connected() as device:
        device.publish("pump/state", '{"state": "down"}', retain=True)
        device.publish("pump/speed", "1000", retain=True)
        device.publish("fan/speed", "500", retain=True)
        async with _gateway(source, tmp_path, points) as (gw, _):
            await gw.until(lambda: gw.sample("fan.speed")[1:3] == (500, Quality.GOOD))
            await gw.until(lambda: gw.sample("pump.speed")[1:3] == (1000, OLD))
            device.publish("pump/state", '{"state": "up"}', retain=True)
            device.publish("pump/speed", "1001", retain=True)
            await gw.until(lambda: gw.sample("pump.speed")[1:3] == (1001, Quality.GOOD))
            device.publish("pump/state", '{"state": "odd"}')
            device.publish("pump/state", '{"state": "down"}')
            await gw.until(lambda: gw.sample("pump.speed")[1:3] == (1001, OLD))
            assert gw.counters("field")["unreadable"] == 1
            assert gw.sample("fan.speed").quality == Quality.GOOD


async def test_a_broker_that_dies_makes_points_stale_and_comes_back(tmp_path: Path) -> None:
    """The values stay, as old data, and the first message after it counts again."""
    broker = Broker(tmp_path)
    with broker.running(), Device(broker.endpoint).connected() as device:
        async with _gateway(_source(broker), tmp_path) as (gw, _):
            device.publish("plant/breaker", '"CLOSED"')
            await gw.until(lambda: gw.sample("bay.breaker").quality == Quality.GOOD)
            for turn in (2, 3):
                broker.kill()
                await gw.until(lambda: gw.sample("bay.breaker")[1:3] == (1.0, OLD))
                broker.start()
                await gw.until(lambda: gw.state("field") == "up")
                await gw.until(lambda: device.connections == turn)  # noqa: B023
                device.publish("plant/breaker", '"CLOSED"')
                await gw.until(lambda: gw.sample("bay.breaker")[1:3] == (1.0, Quality.GOOD))


async def test_a_storm_of_retained_messages_is_taken(tmp_path: Path, broker: Broker) -> None:
    """Two thousand topics at once, at every start, in the order in which the broker gives them."""
    points = "name,field.topic\n" + "".join(f"p{i},storm/{i}\n" for i in range(2000))
    with Device(broker.endpoint).connected() as device:
        for i in range(2000):
            device.send(f"storm/{i}", str(i), retain=True)
        device.publish("storm/end", "1")
        source = _source(broker, retained="good", subscribe=["storm/#"])
        async with _gateway(source, tmp_path, points) as (gw, _):
            await gw.until(lambda: gw.counters("field").get("retained") == 2000, 30)
            await gw.until(lambda: gw.sample("p1999").value == 1999)
            assert all(gw.sample(f"p{i}").value == i for i in range(2000))


async def test_a_flood_of_qos_0_makes_the_broker_wait(tmp_path: Path, broker: Broker) -> None:
    """What comes faster than it can be taken fills no memory: reading stops, and goes on."""
    points = "name,field.topic\na,flood/a\n"
    async with _gateway(_source(broker), tmp_path, points) as (gw, _):
        with Device(broker.endpoint).connected() as device:
            # Values of 1 kB: 60 MB in all, far more than may wait.
            for i in range(60_000):
                device.send("flood/a", f"{i}" + " " * 1000, qos=0)
            await asyncio.to_thread(device.publish, "flood/a", "-1")
            await gw.until(lambda: gw.sample("a").value == -1, 60)
        assert gw.counters("field").get("disconnects", 0) == 0


async def test_one_gateway_hears_another(tmp_path: Path, broker: Broker) -> None:
    """Samples of `mqtt.json` are the same samples on the other side: value, quality, time; and
    what it kept during an outage is taken in, without staying as the present.
    """
    far = "name,kind,dev.at\nbay.u,analog,x\nbay.cb,status,x\n"
    near = (
        "name,kind,deadband,field.topic,field.path\n"
        "north.u,analog,,far/bay,bay.u\n"
        "bay.cb,status,,far/bay,\n"
    )
    field = Emitter(name="dev")
    sender = JsonSink.model_validate(
        {"name": "mqtt", "broker": str(broker.endpoint), "reconnect": SOON}
    )
    (tmp_path / "far").mkdir()
    async with (
        _gateway(_source(broker, format="grid-gateway"), tmp_path, near) as (gw, sink),
        running([field], [sender], far, data=tmp_path / "far", name="far") as other,
    ):
        await other.until(lambda: other.state("mqtt") == "up")
        flags = [int(Quality.DEVICE_TIME), int(Quality.DEVICE_TIME | Quality.QUESTIONABLE)]
        await field.emit(["bay.u", "bay.cb"], [11.5, 1], flags, [T, T + 1], every=True)
        await gw.until(lambda: gw.sample("north.u").value == 11.5)
        assert gw.sample("north.u")[2:] == (Quality.DEVICE_TIME, T)
        assert gw.sample("bay.cb")[1:] == (1.0, flags[1], T + 1)
        with Device(broker.endpoint).connected() as device:
            history = {
                "gateway": "far",
                "historical": True,
                "points": ["bay.u"] * 2,
                "values": [9.0, 10.0],
                "quality": ["good"] * 2,
                "time": [T - 2, T - 1],
            }
            device.publish("far/bay", json.dumps(history))
            await gw.until(lambda: gw.counters("field")["messages"] >= 2)
            await gw.until(lambda: len([r for r in sink.rows("north") if r.time < T]) == 2)
        assert gw.sample("north.u")[1:] == (11.5, Quality.DEVICE_TIME, T)
    kept = [(row.value, row.time) for row in sink.rows("north") if row.time <= T]
    assert kept[:3] == [(11.5, T), (9.0, T - 2), (10.0, T - 1)]
