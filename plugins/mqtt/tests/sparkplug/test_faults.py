"""Broker, network and gateway fail in mid-stream: every sample arrives, history as history."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import SparkplugSink
from gateway_mqtt.sparkplug.testing import Host
from gateway_mqtt.testing import Broker
from sparkplug_recorder import Recorder

from gateway import Endpoint, Reconnect
from gateway.testing import Emitter, Running, running

POINTS = "name,field.at\nfeeder.count,x\n"
SOON = Reconnect(min=0.05, max=0.2)


def sink_at(port: int, **fields: Any) -> SparkplugSink:
    return SparkplugSink.model_validate(
        {
            "name": "sp",
            "broker": f"127.0.0.1:{port}",
            "primary_host": "scada",
            "select": ["feeder*"],
            "reconnect": SOON,
        }
        | fields
    )


class Stream:
    """Counts up, one sample after the other, until it is stopped."""

    def __init__(self, gateway: Running, field: Emitter) -> None:
        self.gateway, self._field = gateway, field
        self.sent = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            await self._field.emit(["feeder.count"], [self.sent + 1], 0, time.time_ns(), every=True)
            self.sent += 1
            await asyncio.sleep(0.003)

    async def more(self, number: int) -> None:
        until = self.sent + number
        await self.gateway.until(lambda: self.sent >= until)

    async def proved(self) -> None:
        await self.gateway.until(lambda: self.gateway.ledger("sp").pending == 0)


@contextlib.asynccontextmanager
async def stream(folder: Path, port: int, **fields: Any) -> AsyncIterator[Stream]:
    field = Emitter(name="field")
    async with running([field], [sink_at(port, **fields)], POINTS, data=folder) as gateway:
        yield Stream(gateway, field)


def values(host: Host, wanted: Callable[[Any], bool] = lambda metric: True) -> list[int]:
    return [
        int(metric.raw)
        for heard in host.of("DBIRTH", "DDATA")
        for metric in heard.payload.metrics
        if metric.raw is not None and wanted(metric)
    ]


async def all_heard(host: Host, most: int) -> None:
    """Wait until the host has every number up to the last."""
    async with asyncio.timeout(20):
        while set(range(1, most + 1)) - set(values(host)):
            await asyncio.sleep(0.1)


def nothing_is_lost(host: Host, most: int) -> None:
    """Every number was heard; the live ones, births included, never go back."""
    heard = values(host)
    assert set(range(1, most + 1)) <= set(heard)
    live = values(host, lambda metric: not metric.is_historical)
    assert live == sorted(live)


def in_order(host: Host) -> None:
    """Behind each NBIRTH history goes up, and no data comes before the births."""
    begun = [i for i, heard in enumerate(host.heard) if heard.kind == "NBIRTH"]
    for first, last in zip(begun, [*begun[1:], len(host.heard)], strict=True):
        session = host.heard[first:last]
        past = [
            metric.raw
            for heard in session
            if heard.kind == "DDATA"
            for metric in heard.payload.metrics
            if metric.is_historical
        ]
        assert past == sorted(past)
        kinds = [heard.kind for heard in session if heard.device]
        assert not kinds or kinds[0] == "DBIRTH"


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_the_broker_is_killed_and_comes_back(tmp_path: Path, version: str) -> None:
    """Three times in mid-stream, once for longer than the gateway calls live."""
    with (
        Broker(tmp_path).running() as broker,
        Host(broker.endpoint, primary=True).listening() as host,
    ):
        async with stream(tmp_path, broker.port, version=version) as at, at.running():
            for away in (0.1, 2.5, 0.1):
                await at.more(100)
                broker.kill()
                await asyncio.sleep(away)
                broker.start()
                await at.gateway.until(lambda: at.gateway.state("sp") == "up")
            await at.more(100)
            most = at.sent
            await all_heard(host, most)
            await at.proved()
        nothing_is_lost(host, most)
        in_order(host)
        assert values(host, lambda metric: metric.is_historical)


async def test_the_network_is_cut(tmp_path: Path) -> None:
    """Again and again in mid-stream; the broker speaks the will each time."""
    with (
        Broker(tmp_path).running() as broker,
        Host(broker.endpoint, primary=True).listening() as host,
    ):
        recorder = Recorder(broker.port)
        await recorder.start()
        async with stream(tmp_path, recorder.port) as at, at.running():
            for _ in range(8):
                await at.gateway.until(lambda: at.gateway.state("sp") == "up")
                await at.more(40)
                recorder.cut()
                await at.gateway.until(lambda: at.gateway.state("sp") != "up")
            await at.gateway.until(lambda: at.gateway.state("sp") == "up")
            await at.more(40)
            most = at.sent
            await all_heard(host, most)
            await at.proved()
        await recorder.stop()
        nothing_is_lost(host, most)
        in_order(host)
        assert len(host.of("NDEATH")) == 9


async def test_a_broker_that_proves_nothing_is_left(tmp_path: Path) -> None:
    """Connected, and silent: after ack_timeout a new connection, and all is sent again."""
    with (
        Broker(tmp_path).running() as broker,
        Host(broker.endpoint, primary=True).listening() as host,
    ):
        recorder = Recorder(broker.port)
        await recorder.start()
        async with stream(tmp_path, recorder.port, ack_timeout="500ms") as at, at.running():
            await at.gateway.until(lambda: at.gateway.state("sp") == "up")
            await at.more(50)
            recorder.mute = True
            await at.gateway.until(lambda: at.gateway.counters("sp").get("ack_timeouts") == 1)
            recorder.mute = False
            await at.gateway.until(lambda: at.gateway.state("sp") == "up")
            await at.more(50)
            most = at.sent
            await all_heard(host, most)
            await at.proved()
        await recorder.stop()
        nothing_is_lost(host, most)


async def test_a_host_that_was_gone_already_hears_it_again(tmp_path: Path) -> None:
    """What the broker took while nobody read it is held, and sent again behind the new births."""
    with Broker(tmp_path).running() as broker:
        wire = Recorder(broker.port)
        await wire.start()
        deaf = Host(Endpoint("127.0.0.1", wire.port), primary=True)
        listening = deaf.listening()
        await asyncio.to_thread(listening.__enter__)
        async with stream(tmp_path, broker.port, hold="60s") as at, at.running():
            await at.gateway.until(lambda: at.gateway.state("sp") == "up")
            await at.more(100)
            wire.mute = True
            await at.more(100)
            lost = at.sent
            wire.cut()
            await at.gateway.until(lambda: at.gateway.state("sp") == "down")
            assert lost not in values(deaf)
            wire.mute = False
            await at.gateway.until(lambda: at.gateway.state("sp") == "up")
            await at.more(20)
            most = at.sent
            await all_heard(deaf, most)
        await asyncio.to_thread(listening.__exit__, None, None, None)
        await wire.stop()
        nothing_is_lost(deaf, most)


GATEWAY = """
import asyncio, pathlib, sys, time
sys.path.insert(0, sys.argv[4])
from test_faults import POINTS, sink_at
from gateway.testing import Emitter, running

async def main():
    field, count = Emitter(name="field"), int(sys.argv[3])
    sink, data = sink_at(int(sys.argv[1])), pathlib.Path(sys.argv[2])
    async with running([field], [sink], POINTS, data=data):
        while True:
            count += 1
            await field.emit(["feeder.count"], [count], 0, time.time_ns(), every=True)
            print(count, flush=True)
            await asyncio.sleep(0.002)

asyncio.run(main())
"""


def test_the_gateway_is_killed(tmp_path: Path) -> None:
    """SIGKILL in mid-stream, four times: what it had custody of arrives all the same."""
    with (
        Broker(tmp_path).running() as broker,
        Host(broker.endpoint, primary=True).listening() as host,
    ):
        count = 0
        for round_ in range(5):
            process = subprocess.Popen(
                (
                    *(sys.executable, "-c", GATEWAY, str(broker.port), str(tmp_path / "data")),
                    *(str(count), str(Path(__file__).parent)),
                ),
                stdout=subprocess.PIPE,
                text=True,
            )
            assert process.stdout is not None
            try:
                for _ in range(150):
                    count = int(process.stdout.readline())
                if round_ == 4:
                    asyncio.run(all_heard(host, count))
            finally:
                process.kill()
                # What was printed before the kill was in custody, whether read or not.
                for line in process.stdout.read().splitlines():
                    count = int(line)
                process.wait(10)
                process.stdout.close()
        assert len(host.of("NDEATH")) >= 4
        births = [each.payload.named("bdSeq").raw for each in host.of("NBIRTH")]
        assert births == [0, 1, 2, 3, 4]
        in_order(host)
