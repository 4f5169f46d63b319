"""The simulated device, read by pymodbus, and the sample that reads it."""

from __future__ import annotations

import asyncio
import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.follower import Follower, Follows
from gateway_modbus.server import ModbusServer
from gateway_modbus.signal import Counter, Ramp, Sine, Toggle, Walk, seeded, value_at
from gateway_modbus.simulator import ModbusSimulator
from gateway_modbus.source import Modbus
from pymodbus.client import AsyncModbusTcpClient
from yaml import safe_load

from gateway import Quality
from gateway.testing import free_port, running

HERE = Path(__file__).parent.parent


def device(port: int, *registers: dict[str, Any], **more: Any) -> ModbusSimulator:
    return ModbusSimulator.model_validate(
        {"name": "device", "listen": f"127.0.0.1:{port}", "registers": registers} | more
    )


def constant(value: float) -> dict[str, Any]:
    return {"shape": "constant", "value": value}


async def test_pymodbus_reads(tmp_path: Path) -> None:
    """The client of pymodbus reads types, orders, scale, bits, gaps and refusals."""
    port = free_port()
    simulator = device(
        port,
        {"register": 10, "type": "float32", "signal": constant(230.5)},
        {"register": 12, "type": "int32", "order": "CDAB", "signal": constant(-70000)},
        {"register": 16, "type": "int16", "scale": 0.1, "signal": constant(-12.34)},
        {"register": 17, "type": "bit", "bit": 9, "signal": constant(1)},
        {"register": 17, "type": "bit", "bit": 0, "signal": constant(1)},
        {"table": "discrete", "register": 3, "signal": constant(1)},
        {"table": "input", "register": 0, "unit": 9, "signal": constant(7)},
    )
    async with running([simulator], data=tmp_path) as gw:
        await gw.until(lambda: gw.state("device") == "up")
        async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=3) as client:
            kind = client.DATATYPE
            found = (await client.read_holding_registers(10, count=8, device_id=1)).registers
            assert client.convert_from_registers(found[:2], kind.FLOAT32) == 230.5
            assert client.convert_from_registers(found[2:4], kind.INT32, "little") == -70000
            assert found[4:6] == [0, 0]
            assert client.convert_from_registers(found[6:7], kind.INT16) == -123
            assert found[7] == 0x0201
            assert (await client.read_discrete_inputs(3, count=1, device_id=1)).bits[0]
            assert (await client.read_input_registers(0, count=1, device_id=9)).registers == [7]
            for read, code in (
                (client.read_holding_registers(9, count=1, device_id=1), 2),
                (client.read_holding_registers(17, count=2, device_id=1), 2),
                (client.read_coils(0, count=1, device_id=1), 2),
                (client.read_holding_registers(10, count=1, device_id=2), 11),
                (client.write_register(9, 1, device_id=1), 2),
            ):
                assert (await read).exception_code == code


async def test_pymodbus_writes(tmp_path: Path) -> None:
    """What the client of pymodbus writes stays, beside signals that go on; the rest is refused."""
    port = free_port()
    ramp = {"shape": "ramp", "low": 1, "high": 60000, "period": "1s"}
    simulator = device(
        port,
        {"register": 0, "signal": ramp},
        {"register": 1, "signal": ramp},
        {"register": 2, "type": "bit", "bit": 0, "signal": constant(1)},
        {"register": 2, "type": "bit", "bit": 15, "signal": constant(1)},
        {"table": "coil", "register": 4, "signal": constant(1)},
        {"table": "coil", "register": 5, "signal": constant(1)},
        {"table": "input", "register": 0, "signal": constant(1)},
        update="10ms",
    )
    async with running([simulator], data=tmp_path) as gw:
        await gw.until(lambda: gw.state("device") == "up")
        async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=3) as client:
            await client.write_register(0, 4711)
            await client.mask_write_register(address=2, and_mask=0x7FFF, or_mask=0)
            await client.write_coils(4, [False, True])
            await client.write_coil(5, False)
            seen = set()
            for _ in range(20):
                found = (await client.read_holding_registers(0, count=3)).registers
                assert (found[0], found[2]) == (4711, 0x0001)
                seen.add(found[1])
                await asyncio.sleep(0.01)
            assert len(seen) > 5
            assert (await client.read_coils(4, count=2)).bits[:2] == [False, False]
            both = await client.readwrite_registers(
                read_address=0, read_count=2, address=0, values=[1, 2]
            )
            assert both.registers == [1, 2]
            for write, code in (
                (client.write_register(3, 1), 2),
                (client.write_registers(2, [1, 1]), 2),
                (client.write_coil(6, True), 2),
                (client.write_coil(4, True, device_id=9), 11),
            ):
                assert (await write).exception_code == code
            assert gw.counters("device")["writes"] == 5


def test_follower() -> None:
    """A value follows its output after its time; trip and close are momentary."""
    plain = Follower(Follows(register=0, after=0.2))
    assert plain.start(1.0, 0.0) == 1.0
    plain.moved(1.0, 0.0, 0.0)
    plain.moved(1.1, 5.0, 0.0)
    assert [plain.at(t) for t in (1.0, 1.15, 1.25, 1.25, 1.5)] == [None, None, 0.0, None, 5.0]

    breaker = Follower(Follows(register=0, trip=1, after=0.1))
    assert breaker.start(0.0, 0.0) == 0.0
    breaker.moved(1.0, 1.0, 0.0)
    breaker.moved(1.05, 0.0, 0.0)
    assert [breaker.at(t) for t in (1.05, 1.1, 2.0)] == [None, 1.0, None]
    breaker.moved(3.0, 1.0, 1.0)
    breaker.moved(3.0, 0.0, 1.0)
    breaker.moved(3.0, 0.0, 0.0)
    assert breaker.at(4.0) == 0.0


@pytest.mark.parametrize(
    ("register", "sentence"),
    [
        ({"register": 0}, "a signal, or follows another"),
        ({"register": 0, "signal": constant(1), "follows": {"register": 0}}, "and not both"),
        ({"register": 0, "follows": {"register": 7}}, "follows coil 7, which is no register"),
    ],
)
def test_follows_what_is_there(register: dict[str, Any], sentence: str) -> None:
    """A register that follows nothing, or what is not there, is refused."""
    with pytest.raises(ValueError, match=sentence):
        device(502, register)


async def test_outage(tmp_path: Path) -> None:
    """A device that drops off and comes back: its points turn old and recover."""
    port = free_port()
    simulator = device(
        port,
        {"register": 0, "signal": constant(5)},
        outage={"every": "1s", "for": "500ms"},
    )
    meter = Modbus.model_validate(
        {"name": "meter", "host": "127.0.0.1", "port": port, "poll": "50ms"}
        | {"reconnect": {"min": "50ms", "max": "100ms"}}
    )
    points = "name,meter.register\na,0\n"
    async with running([simulator, meter], points=points, data=tmp_path) as gw:
        for _ in range(2):
            await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
            await gw.until(lambda: gw.sample("a").quality == Quality.INVALID | Quality.OLD_DATA)
            assert gw.sample("a").value == 5
        assert gw.counters("device")["outages"] >= 2


async def test_fault(tmp_path: Path) -> None:
    """A device that is always busy gives questionable values only after the retries."""
    port = free_port()
    simulator = device(
        port,
        {"register": 0, "signal": constant(5)},
        fault={"exception": 6, "share": 0.5},
        seed=3,
    )
    meter = Modbus.model_validate(
        {"name": "meter", "host": "127.0.0.1", "port": port, "poll": "20ms", "busy_pause": "1ms"}
        | {"busy_retries": 20}
    )
    points = "name,meter.register\na,0\n"
    async with running([simulator, meter], points=points, data=tmp_path) as gw:
        await gw.until(lambda: gw.counters("meter").get("exceptions", 0) >= 20)
        assert gw.sample("a").quality == Quality.GOOD


def values(shape: Any, *seconds: float, seed: str = "7") -> list[float]:
    signal = shape.start(seeded(seed))
    return [value_at(shape, signal, at) for at in seconds]


def test_sine() -> None:
    """A quarter of the period is the top, a phase of 90 degrees begins there."""
    shape = Sine(shape="sine", mean=230.0, amplitude=4.0, period=8.0)
    ahead = Sine(shape="sine", mean=230.0, amplitude=4.0, period=8.0, phase=90.0)

    assert values(shape, 0.0, 2.0, 4.0, 6.0) == pytest.approx([230, 234, 230, 226])
    assert values(ahead, 0.0, 4.0) == pytest.approx([234, 226])


def test_ramp_and_counter() -> None:
    """A ramp begins again after its period; a counter goes on."""
    assert values(Ramp(shape="ramp", low=10, high=20, period=4.0), 0, 1, 3, 4, 6) == [
        10, 12.5, 17.5, 10, 15,
    ]  # fmt: skip
    counter = Counter(shape="counter", start_at=1000.0, per_hour=3600.0)
    assert values(counter, 0, 1, 10, 3600) == [1000, 1001, 1010, 4600]


def test_toggle() -> None:
    """In each minute the breaker is open once, for five seconds, and closed otherwise."""
    shape = Toggle(shape="toggle", normal=1, every=60.0, away=5.0)
    seconds = [n / 10 for n in range(6000)]
    found = values(shape, *seconds)

    for minute in range(10):
        part = found[minute * 600 : (minute + 1) * 600]
        assert part.count(0.0) == pytest.approx(50, abs=1)
        assert sum(a != b for a, b in itertools.pairwise(part)) == 2
        assert part[:60] == [1.0] * 60


def test_walk() -> None:
    """A walk stays in its bounds, moves, and is the same for the same seed."""
    shape = Walk(shape="walk", low=40, high=60, step=5, every=1.0)
    first = values(shape, *range(500))

    assert 40 <= min(first) < max(first) <= 60
    assert first == values(shape, *range(500))
    assert first != values(shape, *range(500), seed="8")


def test_noise() -> None:
    """Noise has the standard deviation that was asked for."""
    shape = Ramp(shape="ramp", low=0, high=0, noise=2.0)
    found = values(shape, *range(4000))
    mean = sum(found) / len(found)

    assert abs(mean) < 0.15
    assert math.sqrt(sum((v - mean) ** 2 for v in found) / len(found)) == pytest.approx(2, rel=0.05)


async def test_sample(tmp_path: Path) -> None:
    """The sample runs: device, meter and slave, and a master reads the device's values back."""
    text = (HERE / "sample.yaml").read_text()
    there, slave = free_port(), free_port()
    sample = safe_load(text.replace("15020", str(there)).replace("15021", str(slave)))
    meter, simulator = sample["sources"]
    (scada,) = sample["sinks"]
    async with running(
        [Modbus.model_validate(meter), ModbusSimulator.model_validate(simulator)],
        [ModbusServer.model_validate(scada)],
        HERE / "sample.csv",
        data=tmp_path,
    ) as gw:
        names = [f"feeder1.{n}" for n in ("voltage_a", "current_a", "energy", "breaker", "local")]
        await gw.until(lambda: all(gw.sample(n).quality == Quality.GOOD for n in names))
        assert 226 < gw.sample("feeder1.voltage_a").value < 234
        assert 40 <= gw.sample("feeder1.current_a").value <= 160
        assert gw.sample("feeder1.energy").value >= 120000
        async with AsyncModbusTcpClient("127.0.0.1", port=slave, timeout=3) as client:
            found = (await client.read_holding_registers(0, count=3, device_id=1)).registers
            bits = (await client.read_discrete_inputs(0, count=2, device_id=1)).bits
            assert 2260 < found[0] < 2340
            assert 40_000 <= found[1] << 16 | found[2] <= 160_000
            assert bits[1]
            # The switch of the second feeder is closed, and its position has followed.
            assert not (await client.write_coil(0, True)).isError()
            assert (await client.read_discrete_inputs(2, count=1)).bits[0]
            limit = client.convert_to_registers(150.0, client.DATATYPE.FLOAT32)
            assert not (await client.write_registers(20, limit)).isError()
            await gw.until(lambda: gw.sample("feeder2.limit").value == 150.0)
