"""The bay of configs/commands.yaml: commanded over OPC UA and at the machine, read over Modbus."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import BadInvalidState, BadOutOfRange, BadRequestNotAllowed
from pymodbus.client import AsyncModbusTcpClient

pytestmark = pytest.mark.timeout(300)
GATEWAY = Path(sys.executable).with_name("gateway")
DEVICE, OPC_UA, PLC = 15024, 4841, 1503
BREAKER, EARTHING_SWITCH, TAP_RAISE = 0, 1, 4


class Bay:
    """The running gateway with an OPC UA client, and a master of its own at the device."""

    def __init__(
        self,
        gateway: Any,
        data: Path,
        client: Client,
        device: AsyncModbusTcpClient,
        plc: int,
    ) -> None:
        self.gateway = gateway
        self.plc = plc
        self.data = data
        self.client = client
        self.device = device

    async def call(self, point: str, method: str, *values: float) -> str:
        """Call a method of a point, and return the number of the transaction."""
        node = self.client.get_node(f"ns=2;s={point}/Commands")
        status, number = await node.call_method(f"2:{method}", *values)
        assert status == "success"
        return str(number)

    async def position(self, switch: int) -> bool:
        """Read what the device itself shows."""
        answer = await self.device.read_discrete_inputs(switch, count=1, device_id=1)
        return bool(answer.bits[0])

    async def driven(self, output: int) -> bool:
        """Wait until an output of the device is on."""
        async with asyncio.timeout(30):
            while not (await self.device.read_coils(output, count=1)).bits[0]:
                await asyncio.sleep(0.02)
        return True

    async def dead(self) -> None:
        """Wait until the gateway has seen that there is no voltage any more."""
        node = self.client.get_node("ns=2;s=e01.voltage")
        async with asyncio.timeout(30):
            while await node.read_value() > 1:
                await asyncio.sleep(0.05)

    async def command(self, *words: str) -> tuple[int, str]:
        """Run `gateway WORDS`, and return its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            GATEWAY, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, printed.decode()

    async def records(self, *filters: str) -> list[dict[str, Any]]:
        code, printed = await self.command("audit", "show", str(self.data), "--json", *filters)
        assert code == 0
        return [json.loads(line) for line in printed.splitlines()]


@asynccontextmanager
async def bay(
    copied: Callable[[str], Any], start: Callable[[Path], Any], folder: Path
) -> AsyncIterator[Bay]:
    config = copied("commands.yaml")
    points = folder / "commands.csv"
    # Long enough to be seen by somebody who has to wait for the processor.
    points.write_text(points.read_text().replace("pulse,,500ms", "pulse,,3s"))
    gateway = start(config.path)
    gateway.until(r"2/2 sources up, 2/2 sinks up, 8 points(?! \(\d+ invalid)")
    device = AsyncModbusTcpClient("127.0.0.1", port=config.ports[DEVICE], retries=0)
    assert await device.connect()
    async with Client(f"opc.tcp://127.0.0.1:{config.ports[OPC_UA]}", timeout=20) as client:
        yield Bay(gateway, folder / "data0", client, device, config.ports[PLC])
    device.close()


async def test_a_bay_is_operated_and_nothing_else(
    copied: Callable[[str], Any], start: Callable[[Path], Any], tmp_path: Path
) -> None:
    """OPC UA closes the breaker, earths the cable and meets the interlock; all of it is proven."""
    async with bay(copied, start, tmp_path) as e01:
        data = str(e01.data)
        assert not await e01.position(BREAKER)
        with pytest.raises(BadInvalidState):
            await e01.call("e01.breaker", "Execute", True)
        closing = await e01.call("e01.breaker", "Select", True)
        assert await e01.call("e01.breaker", "Execute", True) == closing
        assert await e01.position(BREAKER)

        with pytest.raises(BadRequestNotAllowed):
            await e01.call("e01.earthing_switch", "Select", True)
        assert not await e01.position(EARTHING_SWITCH)

        code, printed = await e01.command("command", data, "e01.breaker", "0", "--select")
        assert (code, "execute e01.breaker 0: success" in printed) == (0, True)
        assert not await e01.position(BREAKER)

        await e01.dead()
        earthing = await e01.call("e01.earthing_switch", "Select", True)
        assert await e01.call("e01.earthing_switch", "Execute", True) == earthing
        assert await e01.position(EARTHING_SWITCH)

        code, printed = await e01.command("command", data, "e01.breaker", "1", "--select")
        assert (code, "interlocked" in printed) == (1, True)
        with pytest.raises(BadRequestNotAllowed):
            await e01.call("e01.breaker", "Select", True)
        assert not await e01.position(BREAKER)

        assert [one["step"] for one in await e01.records("--id", closing)] == [
            "received",
            "ended",
            "received",
            "forwarded",
            "answered",
            "indicated",
            "ended",
        ]
        refused = await e01.records("--status", "interlocked")
        assert [(one["point"], one["sink"]) for one in refused] == [
            ("e01.earthing_switch", "ua"),
            ("e01.breaker", "local"),
            ("e01.breaker", "ua"),
        ]
        assert {one["point"] for one in await e01.records("--step", "forwarded")} == {
            "e01.breaker",
            "e01.earthing_switch",
        }
        assert (await e01.command("audit", "verify", data))[0] == 0
        assert e01.gateway.end() == 0, e01.gateway.stderr
        assert (await e01.command("audit", "verify", data))[0] == 0
        assert "Traceback" not in e01.gateway.stderr


async def test_a_master_moves_the_limit_and_the_tap(
    copied: Callable[[str], Any], start: Callable[[Path], Any], tmp_path: Path
) -> None:
    """A Modbus master's write is answered when the device shows the limit; a switch is refused."""
    async with bay(copied, start, tmp_path) as e01:
        master = AsyncModbusTcpClient("127.0.0.1", port=e01.plc, retries=0, timeout=20)
        assert await master.connect()
        assert not (await master.write_register(40, 2600, device_id=1)).isError()
        # The device's own register: 260 kW in steps of 0.1 kW, and the controller's beside it.
        assert (await e01.device.read_holding_registers(40, count=1)).registers == [2600]
        assert (await e01.device.read_input_registers(20, count=1)).registers == [2600]
        too_far = await master.write_register(40, 4000, device_id=1)
        assert (too_far.isError(), too_far.exception_code) == (True, 3)
        pulsed, seen = await asyncio.gather(
            master.write_coil(TAP_RAISE, True, device_id=1), e01.driven(TAP_RAISE)
        )
        assert (pulsed.isError(), seen) == (False, True)
        assert not (await e01.device.read_coils(TAP_RAISE, count=1)).bits[0]
        switch = await master.write_coil(0, True, device_id=1)
        assert (switch.isError(), switch.exception_code) == (True, 2)
        assert not await e01.position(BREAKER)
        master.close()

        limit = e01.client.get_node("ns=2;s=e01.power_limit")
        with pytest.raises(BadOutOfRange):
            await limit.write_value(ua.DataValue(ua.Variant(620.0)))
        await limit.write_value(ua.DataValue(ua.Variant(310.0)))
        assert (await e01.device.read_input_registers(20, count=1)).registers == [3100]
