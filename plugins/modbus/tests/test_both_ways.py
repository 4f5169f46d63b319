"""A master writes to the gateway, the gateway to a device, and the breaker moves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.server import ModbusServer
from gateway_modbus.simulator import ModbusSimulator
from gateway_modbus.source import Modbus
from pymodbus.client import AsyncModbusTcpClient

from gateway import Quality
from gateway.testing import CommandSettings, Running, free_ports, running

POINTS = """\
name,kind,scale,command.model,command.timeout,command.on_time,command.interlock,command.feedback,command.feedback_timeout,command.low,command.high,meter.table,meter.register,meter.type,meter.bit,meter.poll,meter.trip_register,meter.trip_time,scada.table,scada.register,scada.type
line.command,status,,latch,2s,,not line.earthed,line.position,2s,,,coil,0,,,never,,,coil,0,
line.position,status,,,,,,,,,,discrete,0,,,10s,,,discrete,0,
line.earthed,status,,,,,,,,,,holding,20,bit,3,50ms,,,discrete,1,
bus.breaker,status,,trip_close,2s,,,bus.position,2s,,,coil,4,,,never,5,50ms,coil,1,
bus.position,status,,,,,,,,,,discrete,4,,,10s,,,discrete,4,
raise,status,,pulse,2s,50ms,,,,,,coil,6,,,,,,coil,2,
level,analog,0.1,setpoint,2s,,,level.measured,2s,0,100,holding,0,int16,,10s,,,holding,0,float32
level.measured,analog,0.1,,,,,,,,,input,0,int16,,10s,,,input,0,float32
flag,status,,latch,2s,,,,,,,holding,20,bit,9,10s,,,holding,9,bit
"""
DEVICE: dict[str, Any] = {
    "registers": [
        {"table": "coil", "register": 0, "signal": {"shape": "constant", "value": 0}},
        {"table": "coil", "register": 1, "signal": {"shape": "constant", "value": 0}},
        {"table": "coil", "register": 4, "signal": {"shape": "constant", "value": 0}},
        {"table": "coil", "register": 5, "signal": {"shape": "constant", "value": 0}},
        {"table": "coil", "register": 6, "signal": {"shape": "constant", "value": 0}},
        {"table": "discrete", "register": 0, "follows": {"register": 0, "after": "200ms"}},
        {"table": "discrete", "register": 4,
         "follows": {"register": 4, "trip": 5, "after": "100ms"}},
        {"register": 0, "type": "int16", "signal": {"shape": "constant", "value": 50}},
        {"table": "input", "register": 0, "type": "int16",
         "follows": {"table": "holding", "register": 0, "after": "100ms"}},
        {"register": 20, "type": "bit", "bit": 3, "signal": {"shape": "constant", "value": 0}},
        {"register": 20, "type": "bit", "bit": 9, "signal": {"shape": "constant", "value": 0}},
    ]
}  # fmt: skip


class station:  # noqa: N801 - a block of a test
    """A device, a gateway, and the masters' clients of both."""

    def __init__(self, data: Path, **more: Any) -> None:
        port, scada = free_ports(2)
        self._links: Any = (
            [
                ModbusSimulator.model_validate(
                    {"name": "device", "listen": f"127.0.0.1:{port}"} | DEVICE | more
                ),
                Modbus.model_validate(
                    {"name": "meter", "host": "127.0.0.1", "port": port, "poll": "50ms"}
                ),
            ],
            [
                ModbusServer.model_validate(
                    {"name": "scada", "listen": f"127.0.0.1:{scada}", "role": "operator"}
                )
            ],
        )
        self._data = data
        self.master = AsyncModbusTcpClient("127.0.0.1", port=scada, timeout=5)
        self.direct = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5)

    async def __aenter__(self) -> tuple[Running, AsyncModbusTcpClient, AsyncModbusTcpClient]:
        commands = CommandSettings(rate=1000)
        self._gateway = running(*self._links, POINTS, data=self._data, commands=commands)
        gw = await self._gateway.__aenter__()
        await gw.until(lambda: gw.state("meter") == gw.state("scada") == "up")
        await gw.until(lambda: gw.sample("level.measured").quality == Quality.GOOD)
        await gw.until(lambda: gw.sample("line.earthed").quality == Quality.GOOD)
        await self.master.connect()
        await self.direct.connect()
        return gw, self.master, self.direct

    async def __aexit__(self, *exc: Any) -> None:
        self.master.close()
        self.direct.close()
        await self._gateway.__aexit__(*exc)


async def test_breaker(tmp_path: Path) -> None:
    """A coil written at the gateway is a coil in the device, and the answer comes with the
    breaker's position, 200 ms later, although it is polled only every 10 s."""
    async with station(tmp_path) as (_, master, direct):
        loop = asyncio.get_running_loop()
        for wanted in (True, False, True):
            began = loop.time()
            assert not (await master.write_coil(0, wanted)).isError()
            assert 0.2 <= loop.time() - began < 8.0
            assert (await direct.read_coils(0, count=1)).bits[0] is wanted
            assert (await master.read_discrete_inputs(0, count=1)).bits[0] is wanted


async def test_trip_and_close(tmp_path: Path) -> None:
    """A breaker with a coil each for trip and close follows, and both coils are off afterwards."""
    async with station(tmp_path) as (gw, master, direct):
        for wanted in (True, False, True):
            assert not (await master.write_coil(1, wanted)).isError()
            assert gw.sample("bus.position").value == wanted
            assert (await direct.read_coils(4, count=2)).bits[:2] == [False, False]


async def test_setpoint(tmp_path: Path) -> None:
    """A float at the gateway is a scaled integer in the device, and its measurement follows."""
    async with station(tmp_path) as (gw, master, direct):
        kind = master.DATATYPE
        registers = master.convert_to_registers(12.3, kind.FLOAT32)
        assert not (await master.write_registers(0, registers)).isError()
        assert (await direct.read_holding_registers(0, count=1)).registers == [123]
        assert gw.sample("level.measured").value == pytest.approx(12.3)
        await gw.until(lambda: gw.sample("level").value == pytest.approx(12.3))
        # 100.1 is above command.high.
        registers = master.convert_to_registers(100.1, kind.FLOAT32)
        assert (await master.write_registers(0, registers)).exception_code == 3
        assert (await direct.read_holding_registers(0, count=1)).registers == [123]


async def test_bit_and_pulse(tmp_path: Path) -> None:
    """A bit is set beside its neighbour, and a pulse is over when the answer comes."""
    async with station(tmp_path) as (gw, master, direct):
        assert not (await direct.write_register(20, 0x0001)).isError()
        assert not (await master.write_register(9, 1)).isError()
        assert (await direct.read_holding_registers(20, count=1)).registers == [0x0201]
        await gw.until(lambda: gw.sample("flag").value == 1)
        writes = gw.counters("device")["writes"]
        assert not (await master.write_coil(2, True)).isError()
        assert gw.counters("device")["writes"] == writes + 2
        assert (await direct.read_coils(6, count=1)).bits[0] is False


async def test_interlock(tmp_path: Path) -> None:
    """Where the line is earthed the breaker is not closed, and the master hears exception 4."""
    async with station(tmp_path) as (gw, master, direct):
        await direct.mask_write_register(address=20, and_mask=0xFFF7, or_mask=0x0008)
        await gw.until(lambda: gw.sample("line.earthed").value == 1)
        assert (await master.write_coil(0, True)).exception_code == 4
        assert (await direct.read_coils(0, count=1)).bits[0] is False


async def test_stuck_breaker(tmp_path: Path) -> None:
    """Where the breaker does not move within its time, the master hears exception 4."""
    rows = [dict(one) for one in DEVICE["registers"]]
    rows[5] = {"table": "discrete", "register": 0, "follows": {"register": 0, "after": "1min"}}
    async with station(tmp_path, registers=rows) as (_, master, direct):
        assert (await master.write_coil(0, True)).exception_code == 4
        assert (await direct.read_coils(0, count=1)).bits[0] is True


async def test_device_refuses(tmp_path: Path) -> None:
    """What the device says no to, the master hears in the same word."""
    fault = {"exception": 3, "share": 1, "functions": [5]}
    async with station(tmp_path, fault=fault) as (gw, master, _):
        assert (await master.write_coil(0, True)).exception_code == 3
        assert gw.counters("meter")["exceptions"] == 1
