"""NCMD and DCMD from a host over a real broker, to a device and its audit log."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import SparkplugSink
from gateway_mqtt.sparkplug.octets import write
from gateway_mqtt.sparkplug.testing import Host, now_ms
from gateway_mqtt.testing import Broker

from gateway import CommandStatus, Reconnect
from gateway.testing import Emitter, Running, running

POINTS = (
    "name,kind,field.at,command.model,command.low,command.high,sp.type\n"
    "bay.power,analog,x,setpoint,0,100,\n"
    "bay.step,analog,x,setpoint,,,Int8\n"
    "bay.switch,status,x,latch,,,\n"
    "bay.current,analog,x,,,,\n"
)
DCMD, NCMD = "spBv1.0/grid/DCMD/test/field", "spBv1.0/grid/NCMD/test"


@pytest.fixture
def host(broker: Broker) -> Iterator[Host]:
    with Host(broker.endpoint).listening() as host:
        yield host


class Bench:
    """A gateway whose device takes commands, and what its audit log says."""

    def __init__(self, gateway: Running, field: Emitter, folder: Path) -> None:
        self.gateway, self.field, self._folder = gateway, field, folder

    @property
    def records(self) -> list[dict[str, Any]]:
        files = sorted((self._folder / "audit").glob("*"))
        lines = [line for file in files for line in file.read_bytes().splitlines()]
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    async def answered(self, number: int) -> None:
        await self.gateway.until(
            lambda: (
                self.gateway.counters("sp").get("commands", 0)
                + self.gateway.counters("sp").get("commands_refused", 0)
                >= number
            ),
            what=f"{number} answers: {self.gateway.counters('sp')}",
        )


@contextlib.asynccontextmanager
async def bench(folder: Path, broker: Broker, **fields: Any) -> AsyncIterator[Bench]:
    sink = SparkplugSink.model_validate(
        {
            "name": "sp",
            "broker": str(broker.endpoint),
            "role": "operator",
            "reconnect": Reconnect(min=0.05, max=0.1),
        }
        | fields
    )
    field = Emitter(name="field", obeys=True)
    async with running([field], [sink], POINTS, data=folder) as gateway:
        await gateway.until(lambda: gateway.state("sp") == "up")
        await field.emit(["bay.power", "bay.switch"], [1, 0])
        await gateway.until(lambda: gateway.ledger("sp").pending == 0)
        yield Bench(gateway, field, folder)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize("qos", [0, 1])
async def test_a_command_reaches_the_device(
    tmp_path: Path, broker: Broker, host: Host, version: str, qos: int
) -> None:
    """By name and by alias, each type in its own field; what became of it comes as data."""
    async with bench(tmp_path, broker, version=version) as at:
        host.command(DCMD, {"name": "bay/power", "double_value": 42.5}, qos=qos)
        await at.answered(1)
        host.command(
            DCMD,
            {"alias": 2, "int_value": 0xFF, "datatype": 1},
            {"alias": 3, "boolean_value": True},
            qos=qos,
        )
        await at.answered(3)
        told = [(command.point, command.value) for command in at.field.commands]
        assert told == [(0, 42.5), (1, -1.0), (2, 1.0)]
        assert {command.client.address for command in at.field.commands} == {DCMD}
        await at.field.emit(["bay.power"], [42.5])
        await at.gateway.until(lambda: host.of("DDATA"))
    (data,) = host.of("DDATA")
    assert [(m.alias, m.raw) for m in data.payload.metrics] == [(1, 42.5)]


async def test_a_negative_number_is_read_in_8_bits_and_in_32(
    tmp_path: Path, broker: Broker, host: Host
) -> None:
    """Hosts write -2 in an Int8 both ways."""
    async with bench(tmp_path, broker) as at:
        host.command(DCMD, {"alias": 2, "int_value": 0xFE})
        await at.answered(1)
        host.command(DCMD, {"alias": 2, "int_value": 0xFFFF_FFFE})
        await at.answered(2)
        assert [command.value for command in at.field.commands] == [-2.0, -2.0]


POWER = {"name": "bay/power", "double_value": 5.0}
OLD = -60_000
REFUSED = [
    # What a host sends, the status, words of the sentence.
    (DCMD, [{"name": "bay/power", "boolean_value": True}], {}, "format_error", "double_value"),
    (DCMD, [{"name": "bay/power", "int_value": 5}], {}, "format_error", "double_value"),
    (DCMD, [{"name": "bay/switch", "double_value": 1}], {}, "format_error", "boolean_value"),
    (DCMD, [{"name": "bay/power", "string_value": "5"}], {}, "format_error", "string_value"),
    (DCMD, [{**POWER, "datatype": 9}], {}, "format_error", "datatype 9, where 10 "),
    (DCMD, [{"name": "bay/power"}], {}, "format_error", "no value"),
    (DCMD, [{"name": "bay/power", "is_null": True}], {}, "format_error", "no value"),
    (DCMD, [{"alias": 2, "int_value": 300}], {}, "format_error", "300, where -128 to 127"),
    (DCMD, [{"name": "bay/power", "double_value": math.nan}], {}, "format_error", ""),
    (DCMD, [{"name": "bay/power", "double_value": math.inf}], {}, "", ""),
    (DCMD, [{"name": "bay/power", "double_value": 100.5}], {}, "out_of_range", ""),
    (DCMD, [{"name": "bay/nothing", "double_value": 5}], {}, "unknown_point", "no such metric"),
    (DCMD, [{"alias": 77, "double_value": 5}], {}, "unknown_point", "no such metric"),
    (DCMD, [{"name": "bay/power", "alias": 2, "double_value": 5}], {}, "format_error", "alias 2"),
    (NCMD, [POWER], {}, "unknown_point", "no such metric"),
    (DCMD, [{"name": "bay/current", "double_value": 5}], {}, "not_supported", ""),
    (DCMD, [POWER], {"timestamp": None}, "format_error", "no time of sending"),
    (DCMD, [POWER], {"timestamp": OLD}, "format_error", "s ago, where 30 s are allowed"),
    (DCMD, [POWER], {"timestamp": -OLD}, "format_error", "ahead of this clock"),
    (DCMD, [{**POWER, "timestamp": OLD}], {}, "format_error", "meant for 6"),
    (DCMD, [], {}, "format_error", "no metric"),
    (DCMD, [POWER] * 1001, {}, "format_error", "more than 1000 metrics"),
    (
        NCMD,
        [{"name": "Node Control/Rebirth", "boolean_value": False}],
        {},
        "format_error",
        "only true",
    ),
]


@pytest.mark.parametrize(("topic", "metrics", "payload", "status", "words"), REFUSED)
async def test_what_cannot_be_is_refused_on_record(
    tmp_path: Path,
    broker: Broker,
    host: Host,
    topic: str,
    metrics: list[dict[str, Any]],
    payload: dict[str, Any],
    status: str,
    words: str,
) -> None:
    """Nothing reaches the device, the audit log says who, what and why, and it is counted."""
    metrics = [
        metric | ({"timestamp": now_ms() + metric["timestamp"]} if "timestamp" in metric else {})
        for metric in metrics
    ]
    if payload.get("timestamp"):
        payload = {"timestamp": now_ms() + payload["timestamp"]}
    async with bench(tmp_path, broker) as at:
        host.command(topic, *metrics, **payload)
        await at.answered(1)
        assert at.field.commands == []
        assert at.gateway.counters("sp")["commands_refused"] >= 1
    refused = [record for record in at.records if record.get("step") == "refused"]
    assert refused
    first = refused[0]
    assert topic in json.dumps(first)
    if status:
        assert first["status"] == status
        assert words in first["detail"]


@pytest.mark.parametrize("octets", [b"\xff\xff\xff", b"hello", write({"name": "x"})[:-1]])
async def test_a_payload_that_is_none_is_refused(
    tmp_path: Path, broker: Broker, host: Host, octets: bytes
) -> None:
    """Octets that are no payload of Sparkplug B end in a record, and the session goes on."""
    async with bench(tmp_path, broker) as at:
        host.say(DCMD, octets)
        await at.answered(1)
        host.command(DCMD, POWER)
        await at.answered(2)
        assert [command.value for command in at.field.commands] == [5.0]


async def test_the_same_message_again_is_not_carried_out_again(
    tmp_path: Path, broker: Broker, host: Host
) -> None:
    """A replay, octet by octet, is refused as a duplicate; the next command is not."""
    async with bench(tmp_path, broker) as at:
        octets = write(POWER, timestamp=now_ms(), seq=9)
        host.say(DCMD, octets, 1)
        await at.answered(1)
        host.say(DCMD, octets, 1)
        await at.answered(2)
        host.command(DCMD, POWER | {"double_value": 6.0})
        await at.answered(3)
        assert [command.value for command in at.field.commands] == [5.0, 6.0]
    assert "duplicate" in [record.get("status") for record in at.records]


async def test_what_the_broker_kept_is_not_carried_out(
    tmp_path: Path, broker: Broker, host: Host
) -> None:
    """A command with the retain flag would come again at each connection: it never counts."""
    host.say(DCMD, write(POWER, timestamp=now_ms()), 1, retain=True)
    host.say(NCMD, write({"name": "Node Control/Rebirth", "boolean_value": True}), 1, retain=True)
    async with bench(tmp_path, broker) as at:
        await at.answered(2)
        assert at.field.commands == []
        assert at.gateway.counters("sp")["commands_refused"] == 2
        assert "rebirths" not in at.gateway.counters("sp")


async def test_without_a_role_nobody_commands(tmp_path: Path, broker: Broker, host: Host) -> None:
    """A link without `role` may be read only; a rebirth is no command, and is done."""
    async with bench(tmp_path, broker, role=None) as at:
        host.command(DCMD, POWER)
        await at.answered(1)
        assert at.field.commands == []
        host.rebirth("grid", "test")
        await at.gateway.until(lambda: at.gateway.counters("sp").get("rebirths") == 1)
    assert "not_authorised" in [record.get("status") for record in at.records]
    assert len(host.of("NBIRTH")) == 2


async def test_a_device_that_refuses_is_on_record(
    tmp_path: Path, broker: Broker, host: Host
) -> None:
    """What the device says ends in the log and the counter; no data pretends otherwise."""
    async with bench(tmp_path, broker) as at:
        at.field.reply(lambda command: CommandStatus.DEVICE_LOCAL)
        host.command(DCMD, POWER)
        await at.answered(1)
        assert at.gateway.counters("sp")["commands_refused"] == 1
    assert "device_local" in [record.get("status") for record in at.records]
    assert host.of("DDATA") == []


async def test_a_metric_of_the_node_is_commanded_by_ncmd(
    tmp_path: Path, broker: Broker, host: Host
) -> None:
    """With `devices: none` every metric is the node's."""
    async with bench(tmp_path, broker, devices="none") as at:
        host.command(NCMD, POWER)
        await at.answered(1)
        assert [command.value for command in at.field.commands] == [5.0]
        await at.field.emit(["bay.power"], [5.0])
        await at.gateway.until(
            lambda: any(
                metric.raw == 5.0 for heard in host.of("NDATA") for metric in heard.payload.metrics
            )
        )


async def test_a_storm_of_rebirth_requests_is_a_few(
    tmp_path: Path, broker: Broker, host: Host
) -> None:
    """The first is done at once, the rest together a second later; data goes on between."""
    clock = asyncio.get_running_loop().time
    async with bench(tmp_path, broker) as at:
        begun = clock()
        for _ in range(50):
            host.rebirth("grid", "test")
        await at.gateway.until(lambda: at.gateway.counters("sp").get("rebirths") == 50)
        storm = clock() - begun
        await at.gateway.until(lambda: len(host.of("NBIRTH")) >= 2)
        value = 7.0
        while not host.of("DDATA"):  # a value that comes within a birth is in it
            await at.field.emit(["bay.power"], [value])
            value += 1.0
            await asyncio.sleep(0.1)
    # The start's, the one at once, and the rest together: one more for each second of the storm.
    assert 2 <= len(host.of("NBIRTH")) <= 3 + int(storm)
