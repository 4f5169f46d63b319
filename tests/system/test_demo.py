"""The demo substation: devices, gateway and OPC UA client over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

pytestmark = pytest.mark.timeout(300)
DEVICE1, INVERTER, OPC_UA = 15021, 15023, 4840
NEVER = datetime(1601, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def client(port: int) -> AsyncIterator[Client]:
    """An OPC UA client that asks for no security."""
    async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=10) as connected:
        yield connected


class Shown(NamedTuple):
    """What a client sees of a point."""

    value: Any
    good: bool
    time: datetime


async def read(ua_client: Client, point: str) -> Shown:
    """Read a point's value, status and source time."""
    node = ua_client.get_node(f"ns=2;s={point}")
    data = await node.read_data_value(raise_on_bad_status=False)
    return Shown(
        data.Value.Value if data.Value else None,
        data.StatusCode is None or data.StatusCode.is_good(),
        data.SourceTimestamp.replace(tzinfo=UTC) if data.SourceTimestamp else NEVER,
    )


async def until(
    ua_client: Client, point: str, holds: Callable[[Shown], bool], seconds: float = 30.0
) -> Shown:
    """Read a point until a condition on it holds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not holds(shown := await read(ua_client, point)):
        assert loop.time() < deadline, f"{point} stayed at {shown}"
        await asyncio.sleep(0.1)
    return shown


def good(shown: Shown) -> bool:
    return shown.good


async def test_values_are_those_of_the_devices(
    copied: Callable[[str], Any], start: Callable[[Path], Any]
) -> None:
    """What a client reads over OPC UA is what another Modbus master reads from the device."""
    demo = copied("demo.yaml")
    start(demo.path).until(r"6/6 sources up, 1/1 sinks up")
    async with client(demo.ports[OPC_UA]) as reader:
        await until(reader, "feeder1.energy", good)
        master = AsyncModbusTcpClient("127.0.0.1", port=demo.ports[DEVICE1])
        assert await master.connect()
        answer = await master.read_holding_registers(3040, count=4, device_id=1)
        wh = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in answer.registers), "big")
        master.close()
        shown = await read(reader, "feeder1.energy")
        # 82 kWh in an hour are 0.023 kWh in a second, and the poll is a second old at most.
        assert abs(wh * 0.001 - shown.value) < 0.2

        master = AsyncModbusTcpClient("127.0.0.1", port=demo.ports[INVERTER])
        assert await master.connect()
        answer = await master.read_input_registers(73, count=1, device_id=126)
        master.close()
        shown = await read(reader, "pv.dc_voltage")
        assert abs(answer.registers[0] * 0.1 - shown.value) < 8.0

        for point, low, high in (
            ("feeder1.voltage_a", 226, 236),
            ("feeder1.power_factor", 0.9, 1.0),
            ("feeder2.voltage_c", 226, 234),
            ("feeder2.current_b", 20, 90),
            ("feeder2.frequency", 49.9, 50.1),
            ("pv.temperature", 30, 60),
        ):
            shown = await until(reader, point, good)
            assert low <= shown.value <= high, point
            assert timedelta(0) <= datetime.now(UTC) - shown.time < timedelta(seconds=60), point


async def test_a_client_sees_changes(
    copied: Callable[[str], Any], start: Callable[[Path], Any]
) -> None:
    """A client that monitors a current is told of new values as they come."""
    demo = copied("demo.yaml")
    start(demo.path).until(r"6/6 sources up, 1/1 sinks up")
    seen: list[float] = []
    changed = asyncio.Event()

    class Changes:
        def datachange_notification(self, node: object, value: float, data: object) -> None:
            seen.append(value)
            if len(set(seen)) >= 3:
                changed.set()

    async with client(demo.ports[OPC_UA]) as reader:
        await until(reader, "feeder1.current_a", good)
        subscription = await reader.create_subscription(200, Changes())
        await subscription.subscribe_data_change(reader.get_node("ns=2;s=feeder1.current_a"))
        async with asyncio.timeout(30):
            await changed.wait()
        await subscription.delete()


async def test_a_meter_that_drops_off_and_comes_back(
    copied: Callable[[str], Any], start: Callable[[Path], Any]
) -> None:
    """While meter2 is away its points are not good, the others are; then it is good again."""
    demo = copied("demo.yaml")
    demo.replace("outage: {every: 45s, for: 8s}", "outage: {every: 8s, for: 4s}")
    gateway = start(demo.path)
    gateway.until(r"6/6 sources up, 1/1 sinks up")
    async with client(demo.ports[OPC_UA]) as reader:
        before = await until(reader, "feeder2.breaker", good)
        await until(reader, "feeder2.breaker", lambda shown: not shown.good)
        assert (await read(reader, "feeder1.breaker")).good
        after = await until(reader, "feeder2.breaker", good)
        assert after.time > before.time
    gateway.until(r"meter2 down")
    down = gateway.stderr.count("source meter2 is down")
    assert down >= 1
    assert gateway.stderr.count("source meter2 is back") in (down - 1, down)
    assert gateway.end() == 0
    assert "Traceback" not in gateway.stderr


async def test_a_breaker_trips(copied: Callable[[str], Any], start: Callable[[Path], Any]) -> None:
    """The breaker of feeder 1 opens and closes again, and the client sees both."""
    demo = copied("demo.yaml")
    demo.replace(
        "{shape: toggle, normal: 1, every: 60s, away: 6s}",
        "{shape: toggle, normal: 1, every: 10s, away: 4s}",
    )
    start(demo.path).until(r"6/6 sources up, 1/1 sinks up")
    async with client(demo.ports[OPC_UA]) as reader:
        await until(reader, "feeder1.breaker", lambda shown: shown.value is True)
        await until(reader, "feeder1.breaker", lambda shown: shown.value is False)
        await until(reader, "feeder1.breaker", lambda shown: shown.value is True)
