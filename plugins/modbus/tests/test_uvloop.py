"""The event loop that the gateway runs on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvloop
from gateway_modbus.server import ModbusServer
from gateway_modbus.simulator import ModbusSimulator
from gateway_modbus.source import Modbus

from gateway import Quality
from gateway.testing import free_port, running


def test_device_meter_and_slave(tmp_path: Path) -> None:
    """On uvloop, whose transports are its own, a value goes from a device to a master."""
    there, slave = free_port(), free_port()
    links = (
        ModbusSimulator.model_validate(
            {"name": "device", "listen": f"127.0.0.1:{there}"}
            | {"registers": [{"register": 4, "signal": {"shape": "constant", "value": 4711}}]}
        ),
        Modbus.model_validate(
            {"name": "meter", "host": "127.0.0.1", "port": there, "poll": "50ms"}
        ),
    )
    scada = ModbusServer.model_validate({"name": "scada", "listen": f"127.0.0.1:{slave}"})
    points = "name,meter.register,scada.register\na,4,9\n"

    async def check() -> bytes:
        async with running(links, [scada], points, data=tmp_path) as gw:
            await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
            reader, writer = await asyncio.open_connection("127.0.0.1", slave)
            writer.write(bytes.fromhex("0001 0000 0006 01 03 0009 0001"))
            answer = await asyncio.wait_for(reader.readexactly(11), 5)
            writer.close()
            return answer

    assert uvloop.run(check()) == bytes.fromhex("0001 0000 0005 01 03 02 1267")
