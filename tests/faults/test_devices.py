"""The fault run, devices: one that misbehaves harms nobody else, and is welcome back."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from gateway_modbus import gateway_components
from gateway_modbus.testing import Act, ScriptedDevice, good

from gateway import Quality, Source
from gateway.testing import Collector, running

POLL = 0.1
"""Seconds between polls."""


def modbus(name: str, port: int) -> Source:
    source = next(c for c in gateway_components() if c.model_fields["type"].default == "modbus")
    assert issubclass(source, Source)
    return source.model_validate(
        {
            "name": name,
            "type": "modbus",
            "host": "127.0.0.1",
            "port": port,
            "poll": "100ms",
            "timeout": "300ms",
            "retries": 0,
            "reconnect": {"min": "50ms", "max": "200ms"},
        }
    )


class Counter:
    """The healthy device: its register 0 counts the reads, so that a lost one would show."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, request: bytes) -> Act:
        self.reads += 1
        return Act(good(request, struct.pack(">H", self.reads % 65536)))


def hangs(request: bytes) -> Act:
    """Half an answer, and then nothing more."""
    return Act(good(request)[:6], delay=0)


def garbage(request: bytes) -> Act:
    return Act(os.urandom(len(request) * 3))


def plausible_garbage(request: bytes) -> Act:
    """A well-formed answer with two registers, where one was asked for."""
    return Act(request[:4] + b"\x00\x07" + request[6:8] + b"\x04\x12\x34\x56\x78")


def resets(request: bytes) -> Act:
    return Act(reset=True)


@pytest.mark.parametrize("fault", [hangs, garbage, plausible_garbage, resets])
async def test_a_bad_device_beside_a_good_one(
    tmp_path: Path, fault: Callable[[bytes], Act]
) -> None:
    """No value of the bad one is ever good, none of the good one late or lost, both work again."""
    counter = Counter()
    healthy, faulty = ScriptedDevice(counter), ScriptedDevice()
    out = Collector(name="out")
    points = (
        "name,kind,meter.register,meter.type,broken.register,broken.type\n"
        "meter.count,counter,0,uint16,,\n"
        "broken.value,analog,,,7,uint16\n"
    )
    async with AsyncExitStack() as stack:
        for device in (healthy, faulty):
            await stack.enter_async_context(device.running())
        sources = [modbus("meter", healthy.port), modbus("broken", faulty.port)]
        gateway = await stack.enter_async_context(running(sources, [out], points, data=tmp_path))
        await gateway.until(lambda: gateway.sample("broken.value")[1:3] == (7.0, Quality.GOOD))

        await gateway.until(lambda: out.rows("broken")[-1:] == [gateway.sample("broken.value")])
        faulty.behaviour = fault
        began = len(out.rows("broken"))
        await gateway.until(lambda: gateway.sample("broken.value").quality != Quality.GOOD)
        reads = counter.reads
        await gateway.until(lambda: counter.reads >= reads + 30, what="thirty polls of the meter")
        during = out.rows("broken")[began:]

        faulty.behaviour = lambda request: Act(good(request))
        await gateway.until(lambda: gateway.sample("broken.value")[1:3] == (7.0, Quality.GOOD))
        status = gateway.status("meter")

    # What the device said while it was broken was never believed.
    assert all(row.quality & Quality.VALIDITY for row in during)
    assert {row.value for row in during} == {7.0}
    # Every read of the healthy one arrived, in order, and its polls kept their pace.
    counts = [row.value for row in out.rows("meter")]
    assert counts == [float(n + 1) for n in range(len(counts))]
    assert len(counts) >= counter.reads - 1
    assert status.counters["disconnects"] == 0
    gaps = sorted(b - a for a, b in zip(healthy.times, healthy.times[1:], strict=False))
    assert gaps[len(gaps) // 2] < 1.5 * POLL
