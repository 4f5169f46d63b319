"""Custody against crashes: the broker keeps what the gateway has not taken, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gateway_mqtt import MqttSource
from gateway_mqtt.testing import Broker, Device, Subscriber

from gateway import Batch, CustodyRefused, Reconnect, SourceContext
from gateway.testing import Collector, running

# Kills itself when so many samples were emitted: before the gateway has the last of them, or after
# it has them and before the broker hears of it.
GATEWAY = """
import asyncio, os, pathlib, signal, sys
from gateway.testing import running
from gateway_mqtt import JsonSink, MqttSource

broker, data, where, limit = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])

class Mortal(MqttSource):
    async def run(self, ctx):
        emit, seen = ctx.emit, 0
        async def deadly(batch, *, every=False):
            nonlocal seen
            seen += len(batch)
            if seen >= limit and where == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            await emit(batch, every=every)
            if seen >= limit:
                os.kill(os.getpid(), signal.SIGKILL)
        ctx.emit = deadly
        await super().run(ctx)

async def main():
    source = Mortal(name="field", broker=broker)
    sink = JsonSink(name="mqtt", broker=broker, select=["v"])
    points = "name,deadband,field.topic\\nv,0,dev/v\\n"
    async with running([source], [sink], points, data=data):
        await asyncio.Event().wait()

asyncio.run(main())
"""
N = 400


def _values(subscriber: Subscriber) -> list[float]:
    return [
        value
        for heard in list(subscriber.heard)
        for value in json.loads(heard.payload)["values"]
        if value is not None
    ]


def test_killed_at_any_instant_nothing_is_lost(tmp_path: Path, broker: Broker) -> None:
    """SIGKILL around the hand-over, five times: every message of the device comes out of the
    gateway's other side, and the first time that each does is in the device's order.
    """

    def start(where: str, limit: int) -> subprocess.Popen[bytes]:
        arguments = (str(broker.endpoint), str(tmp_path), where, str(limit))
        return subprocess.Popen((sys.executable, "-c", GATEWAY, *arguments))

    with (
        Subscriber(broker.endpoint, "test/v").listening() as subscriber,
        Device(broker.endpoint).connected() as device,
    ):
        gateway = start("never", 10**9)
        try:
            # Once it has heard anything, there is a session.
            while -1 not in _values(subscriber):
                device.publish("dev/v", "-1")
            gateway.kill()
            gateway.wait()
            gateway = start("after", 1)
            for i in range(N):
                device.publish("dev/v", str(i))
            for where, limit in (("before", 30), ("after", 60), ("before", 1), ("after", 100)):
                assert gateway.wait(30) == -9
                gateway = start(where, limit)
            assert gateway.wait(30) == -9
            gateway = start("never", 10**9)
            subscriber.await_message(lambda heard: N - 1 in json.loads(heard.payload)["values"])
        finally:
            gateway.kill()
            gateway.wait()
    found = list(dict.fromkeys(_values(subscriber)))
    assert found == [float(i) for i in range(-1, N)]


async def test_what_the_gateway_refuses_the_broker_gives_again(
    tmp_path: Path, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Custody that is refused is not acknowledged: the link begins anew, and the message is back,
    marked as a duplicate.
    """
    refusals: list[int] = []

    class Refused(MqttSource):
        async def run(self, ctx: SourceContext) -> None:
            emit = ctx.emit

            async def full(batch: Batch, *, every: bool = False) -> None:
                if len(refusals) < 2:
                    refusals.append(len(batch))
                    raise CustodyRefused("the disk is full")
                await emit(batch, every=every)

            ctx.emit = full  # type: ignore[method-assign]
            await super().run(ctx)

    fields: dict[str, Any] = {"reconnect": Reconnect(min=0.05, max=0.1)}
    source = Refused.model_validate({"name": "field", "broker": str(broker.endpoint)} | fields)
    sink = Collector(name="out")
    async with running([source], [sink], "name,field.topic\nv,dev/v\n", data=tmp_path) as gw:
        await gw.until(lambda: gw.state("field") == "up")
        with Device(broker.endpoint).connected() as device:
            await asyncio.to_thread(device.publish, "dev/v", "5")
            await gw.until(lambda: gw.sample("v").value == 5)
        assert gw.counters("field")["duplicates"] >= 2
    assert "source field is down: the disk is full" in caplog.text


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_no_more_than_the_window_is_taken_without_custody(
    tmp_path: Path, version: str
) -> None:
    """The broker holds back what is beyond `inflight`: with MQTT 5 ours, else its own."""
    most = 7
    broker = Broker(tmp_path, *(["max_inflight_messages 7"] if version == "3.1.1" else []))
    taken = asyncio.Event()
    let = asyncio.Event()
    rows: list[int] = []

    class Slow(MqttSource):
        async def run(self, ctx: SourceContext) -> None:
            emit = ctx.emit

            async def slow(batch: Batch, *, every: bool = False) -> None:
                rows.extend(np.asarray(batch.value, int).tolist())
                taken.set()
                await let.wait()
                await emit(batch, every=every)

            ctx.emit = slow  # type: ignore[method-assign]
            await super().run(ctx)

    with broker.running(), Device(broker.endpoint).connected() as device:
        fields = {"broker": str(broker.endpoint), "inflight": most, "version": version}
        source = Slow.model_validate({"name": "field"} | fields)
        points = "name,field.topic\nv,dev/v\n"
        async with running([source], [Collector(name="out")], points, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("field") == "up")
            for i in range(50):
                await asyncio.to_thread(device.publish, "dev/v", str(i))
            await gw.until(lambda: len(rows) == most)
            # What follows was sent before what the window held: it would be here by now.
            await asyncio.to_thread(device.publish, "dev/v", "50")
            assert rows == list(range(most))
            let.set()
            await gw.until(lambda: gw.sample("v").value == 50)
        assert rows == list(range(51))
