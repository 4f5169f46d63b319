"""The fault run, commands: the wall clock is stepped under them, and they do not mind."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

from actuator import Actuator
from command_process import REGISTERS, links, point_list
from operators import Local, Master, Told, setpoints

from gateway.audit import records, verify
from gateway.engine import Clock
from gateway.engine.local import conversation
from gateway.testing import CommandSettings, free_ports, running

HOUR = 3600 * 10**9
STEPS = (HOUR, -HOUR, -25 * HOUR, 0, 400 * 24 * HOUR, 0)


class Stepped(Clock):
    """The wall clock, off by `by` ns."""

    by = 0

    def now(self) -> int:
        return super().now() + self.by


async def test_a_clock_that_is_stepped(tmp_path: Path) -> None:
    """By an hour, a day, a year, both ways: selections hold, no command is lost or done twice."""
    device, meter, clock = Actuator(), Actuator(), Stepped()
    await device.start()
    await meter.start()
    scada, ua = free_ports(2)
    sources, sinks = links(device.port, meter.port, scada, ua, timeout="10s")
    sinks = [sink for sink in sinks if sink.name == "scada"]
    text = point_list(timeout="20s")
    values, chance, stop = setpoints(), random.Random(1), asyncio.Event()
    points = tuple(REGISTERS)
    clients = [
        Master(scada, dict(list(REGISTERS.items())[:3]), True, values, chance, 0.01),
        Local(tmp_path, points[:3], values, chance, 0.01),
    ]
    async with running(
        sources, sinks, text, data=tmp_path, clock=clock, commands=CommandSettings(rate=1000)
    ) as gateway:
        await gateway.until(
            lambda: {one.state.value for one in gateway.engine.links.values()} == {"up"}
        )
        tasks = [asyncio.create_task(one.run(stop)) for one in clients]
        async with conversation(tmp_path) as operator:
            for number, by in enumerate(STEPS, 1_000_001):
                asked = {"point": points[3], "value": number}
                said = await operator.ask("command", operation="select", **asked)
                assert said["status"] == "success"
                clock.by = by
                done = [one.told(Told.DONE) for one in clients]
                await gateway.until(
                    lambda done=done: all(
                        one.told(Told.DONE) > before + 3
                        for one, before in zip(clients, done, strict=True)
                    )
                )
                said = await operator.ask("command", operation="execute", **asked)
                assert said["status"] == "success", said
        stop.set()
        await asyncio.gather(*tasks)
    await device.stop()
    await meter.stop()

    wishes = [wish for one in clients for wish in one.wishes]
    written = Counter(one.value for one in device.received)
    assert set(written.values()) == {1}
    done = {wish.value for wish in wishes if wish.told is Told.DONE}
    assert written.keys() == done | set(range(1_000_001, 1_000_001 + len(STEPS)))
    assert {wish.told for wish in wishes} <= {Told.DONE, Told.REFUSED}
    assert verify(tmp_path / "audit")
    steps = Counter(record.step for record in records(tmp_path / "audit"))
    assert steps["received"] == steps["ended"] + steps["refused"]
    assert steps["expired"] == 0
    times = [record.time for record in records(tmp_path / "audit")]
    assert times != sorted(times), "the clock went back, and the log says so"
