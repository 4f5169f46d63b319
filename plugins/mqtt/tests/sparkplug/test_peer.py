"""Another implementation reads what the node says, and is understood: pysparkplug 0.6.1.

It needs paho-mqtt 1, the plugin paho-mqtt 2: `make setup-test` gives it an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt.packet import Publish
from gateway_mqtt.sparkplug.command import Commands, Wanted
from gateway_mqtt.sparkplug.datatype import DataType
from gateway_mqtt.sparkplug.tree import Device, Metric
from sparkplug_scenario import Capture, scenario

from gateway import Definition, Kind, LinkPoint

PEER = Path(__file__).parents[4] / ".venv/peer/bin/python"

TYPES = {
    "i8": DataType.INT8,
    "i32": DataType.INT32,
    "i64": DataType.INT64,
    "u16": DataType.UINT16,
    "double": DataType.DOUBLE,
    "boolean": DataType.BOOLEAN,
}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return asyncio.run(scenario(tmp_path_factory.mktemp("day"), "5"))


@pytest.fixture(scope="module")
def answer(capture: Capture) -> list[Any]:
    """What the peer says of the whole day, and its commands."""
    lines = [f"{each.kind} {each.device} {each.octets.hex()}\n" for each in capture.heard]
    script = Path(__file__).with_name("sparkplug_peer.py")
    done = subprocess.run(
        (PEER, script), input="".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_peer_reads_the_same(capture: Capture, answer: list[Any]) -> None:
    """Every message of the day: sequence number, names by alias, types, values, times, flags."""
    known: dict[str, dict[int, tuple[str, int]]] = {}
    for each, (kind, device, seq, metrics) in zip(capture.heard, answer, strict=False):
        assert (kind, device) == (each.kind, each.device)
        payload = each.payload
        assert seq == payload.seq
        if kind.endswith("BIRTH"):
            known[device] = {
                m.alias: (m.name or "", m.datatype or 0) for m in payload.metrics if m.alias
            }
        expected = []
        for m in payload.metrics:
            name, datatype = known[device].get(m.alias or 0, (m.name, m.datatype))
            expected.append(
                [
                    *(name, datatype, m.value(datatype), m.timestamp),
                    *(bool(m.is_historical), bool(m.is_null)),
                ]
            )
        assert metrics == expected


def test_the_peer_is_understood(answer: list[Any]) -> None:
    """Commands as the peer writes them: every type, negative numbers in the bits of their type."""
    metrics = []
    for number, (name, datatype) in enumerate(TYPES.items()):
        kind = Kind.STATUS if datatype is DataType.BOOLEAN else Kind.ANALOG
        point = LinkPoint(number, Definition(name, kind), None)
        metrics.append(Metric(point, name, number + 1, datatype))
    commands = Commands("g", "n", [Device("", ()), Device("d", tuple(metrics))], 30.0)
    for name, value, octets in answer[-len(TYPES) :]:
        message = Publish("spBv1.0/g/DCMD/n/d", bytes.fromhex(octets), 0, False, False, 0, b"")
        (wanted,) = commands.read(message, time.time_ns())
        assert isinstance(wanted, Wanted), wanted
        assert (wanted.metric.name, wanted.value) == (name, float(value))
