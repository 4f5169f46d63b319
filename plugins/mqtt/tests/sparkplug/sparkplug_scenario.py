"""One long day of an edge node, with everything that the specification speaks of, on record."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_mqtt import SparkplugSink
from gateway_mqtt.sparkplug.octets import Payload, read
from gateway_mqtt.sparkplug.testing import Heard, Host
from gateway_mqtt.testing import Broker
from sparkplug_recorder import SUBSCRIBE, Connection, Recorder

from gateway import Quality, Reconnect
from gateway.testing import Emitter, running

GROUP, NODE, HOST = "plant", "north", "scada"
POINTS = (
    "name,kind,unit,description,field.at,yard.at,command.model,sp.type\n"
    "feeder1.voltage,analog,kV,bus voltage,x,,setpoint,\n"
    "feeder1.breaker,status,,,x,,latch,\n"
    "feeder1.never,analog,A,,x,,,\n"
    "yard.steps,counter,,,,x,,Int32\n"
    "yard.switch,double,,,,x,,\n"
)
SOON = Reconnect(min=0.05, max=0.1)
SECOND = 1_000_000_000


@dataclass
class Capture:
    """What an independent subscriber heard, and what went over the wire.

    marks: how much had been heard as something began.
    """

    version: str
    connections: list[Connection]
    heard: list[Heard]
    marks: dict[str, int] = field(default_factory=dict)
    state_topics: dict[str, int] = field(default_factory=dict)
    started: int = 0
    ended: int = 0
    commands: list[tuple[int, float]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    emitted: dict[str, list[float]] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[tuple[Heard, Payload]]:
        return [(each, read(each.octets)) for each in self.heard if each.kind in kinds]

    def between(self, first: str, last: str) -> list[Heard]:
        return self.heard[self.marks[first] : self.marks[last]]


async def scenario(folder: Path, version: str) -> Capture:
    """Run it; about ten seconds."""
    with Broker(folder).running() as broker, Host(broker.endpoint, HOST).listening() as host:
        recorder = Recorder(broker.port)
        await recorder.start()
        capture = Capture(version, recorder.connections, host.heard, started=time.time_ns())
        try:
            await _first_day(capture, folder, version, host, recorder)
            await _second_day(capture, folder, version, host, recorder)
        finally:
            await recorder.stop()
        capture.heard = list(host.heard)
        capture.ended = time.time_ns()
        return capture


def _sink(recorder: Recorder, version: str) -> SparkplugSink:
    return SparkplugSink.model_validate(
        {
            "name": "sp",
            "broker": f"127.0.0.1:{recorder.port}",
            "version": version,
            "group": GROUP,
            "node": NODE,
            "primary_host": HOST,
            "role": "operator",
            "reconnect": SOON,
        }
    )


async def _first_day(
    capture: Capture, folder: Path, version: str, host: Host, recorder: Recorder
) -> None:
    field, yard = (
        Emitter(name="field", obeys=True, reconnect=SOON),
        Emitter(name="yard", reconnect=SOON),
    )
    capture.emitted["voltage"] = sent = []
    moment = time.time_ns() - 3600 * SECOND

    def mark(name: str) -> None:
        capture.marks[name] = len(host.heard)

    def heard(kind: str, since: str, device: str = "", count: int = 1) -> bool:
        found = host.of(kind, since=capture.marks[since])
        return sum(not device or each.device == device for each in found) >= count

    async def voltage(*values: float, source: Emitter = field) -> None:
        nonlocal moment
        times = []
        for value in values:
            moment += SECOND
            times.append(moment)
            sent.append(value)
        await source.emit(["feeder1.voltage"] * len(values), list(values), 0, times, every=True)

    async with running([field, yard], [_sink(recorder, version)], POINTS, data=folder) as gw:

        async def subscribed(number: int) -> None:
            await gw.until(
                lambda: (
                    len(recorder.connections) >= number
                    and any(p.type == SUBSCRIBE for p in recorder.connections[number - 1].packets)
                ),
                what=f"connection {number} subscribed",
            )

        async def proved() -> None:
            await gw.until(lambda: gw.ledger("sp").pending == 0, what="all is delivered")
            # The broker has it; the host is told by it, a moment later.
            last = recorder.connections[-1].published[-1]
            await gw.until(
                lambda: any(last.octets == each.octets for each in reversed(host.heard)),
                what="the host has heard the last of it",
            )

        # The host is not there yet; another one is, and ours was.
        await field.emit(["feeder1.breaker"], [0], 0, moment, every=True)
        await voltage(11.0)
        await yard.emit(["yard.steps", "yard.switch"], [-5, 2], 0, moment, every=True)
        await subscribed(1)
        state = 1_000_000
        host.state(True, state, "somebody-else")
        host.state(False, state)
        mark("waiting")
        host.state(True, state + 10)
        mark("online")
        await gw.until(lambda: gw.state("sp") == "up")

        mark("data")
        for number in range(300):
            await voltage(30.0 + number / 100)
            await proved()
        await voltage(12.5, 12.6, 12.7)
        await field.emit(
            ["feeder1.breaker"], [1], int(Quality.QUESTIONABLE | Quality.INACCURATE), moment
        )
        await yard.emit(["yard.steps", "yard.switch"], [-6, 1], 0, moment, every=True)
        await proved()

        mark("lost")
        yard.lose()
        await gw.until(lambda: heard("DDEATH", "lost", "yard"), what="DDEATH")
        mark("back")
        await yard.emit(["yard.steps"], [-7], 0, moment + 1, every=True)
        await gw.until(lambda: heard("DBIRTH", "back", "yard"), what="DBIRTH")
        await yard.emit(["yard.switch"], [1], 0, moment + 2, every=True)
        await proved()

        mark("rebirth")
        host.rebirth(GROUP, NODE)
        await gw.until(lambda: heard("DBIRTH", "rebirth", count=2), what="births anew")
        mark("reborn")
        await voltage(12.8)
        await proved()

        mark("commands")
        topic = f"spBv1.0/{GROUP}/DCMD/{NODE}/field"
        breaker = _alias(capture, "feeder1/breaker")
        host.command(topic, {"alias": breaker, "boolean_value": True})
        await gw.until(lambda: len(field.commands) == 1)
        host.command(topic, {"name": "feeder1/voltage", "double_value": 12.9}, qos=1)
        await gw.until(lambda: len(field.commands) == 2)
        capture.commands = [(each.point, each.value) for each in field.commands]
        await field.emit(["feeder1.breaker"], [1], 0, moment, every=True)
        await voltage(12.9)
        await proved()

        # An old STATE says nothing; a new one ends the session.
        mark("outdated")
        host.state(False, state)
        await gw.until(lambda: gw.counters("sp").get("outdated_states") == 1)
        await voltage(13.0)
        await proved()
        mark("offline")
        host.state(False, state + 20)
        await subscribed(2)
        mark("away")
        capture.state_topics["away"] = len(recorder.connections[1].packets)
        await gw.until(lambda: gw.state("sp") != "up")
        for number in range(5):
            await voltage(14.0 + number)
        # The gateway takes what waits for more than two seconds for history.
        last = time.time_ns()
        await gw.until(lambda: time.time_ns() > last + 3 * SECOND)
        mark("again")
        host.state(True, state + 30)
        await gw.until(lambda: gw.state("sp") == "up")
        await proved()

        mark("cut")
        recorder.cut()
        await voltage(20.0, 21.0)
        await gw.until(lambda: heard("NBIRTH", "cut"), what="births after the cut")
        await voltage(22.0)
        await proved()
        capture.counters = gw.counters("sp")
        mark("stop")


async def _second_day(
    capture: Capture, folder: Path, version: str, host: Host, recorder: Recorder
) -> None:
    capture.marks["second day"] = len(host.heard)
    field, yard = Emitter(name="field"), Emitter(name="yard")
    async with running([field, yard], [_sink(recorder, version)], POINTS, data=folder) as gw:
        await gw.until(lambda: gw.state("sp") == "up")
        await gw.until(lambda: gw.ledger("sp").pending == 0)


def _alias(capture: Capture, name: str) -> Any:
    for _, payload in capture.of("DBIRTH"):
        for metric in payload.metrics:
            if metric.name == name:
                return metric.alias
    raise LookupError(name)
