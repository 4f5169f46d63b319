"""The substation of configs/iec104.yaml: c104 as its control centre, DNP3 and OPC UA beside it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.client.client import Client
from dnp3.master import DefaultSOEHandler, Master, MasterConfig, MasterTcpRunner
from pymodbus.client import AsyncModbusTcpClient

from gateway.testing import free_ports

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins" / "iec60870" / "tests" / "partner"))
from c104_process import C104Client, point, station
from wiretap import PORT, Wiretap

pytestmark = pytest.mark.timeout(300)
GATEWAY = str(Path(sys.executable).with_name("gateway"))
SCADA, DNP, OPC_UA, BAY, LINE, CONTACTS = 24041, 24042, 24043, 24044, 24045, 15026
PATIENCE = 60.0
CENTRE = station(
    1,
    point(1100, "C_DC_NA_1", mode="select"),
    point(1201, "C_DC_NA_1", mode="select"),
    point(1301, "C_DC_NA_1", mode="select"),
    point(1220, "C_SE_NB_1"),
)
OFF, ON = 1, 2
"""The states of a double command and of double points (101 clause 7.2.6.2)."""


def shown(at: int, value: float) -> Callable[[list[dict[str, Any]]], bool]:
    """Whether the latest that the control centre has heard of an object is this value."""

    def wanted(events: list[dict[str, Any]]) -> bool:
        values = [one["value"] for one in events if one["event"] == "value" and one["ioa"] == at]
        return values[-1:] == [value]

    return wanted


async def commanded(data: Path, *words: str) -> str:
    """Run `gateway command`, and return what it says."""
    process = await asyncio.create_subprocess_exec(
        GATEWAY, "command", str(data), *words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode()


async def test_breakers_are_operated_over_104_and_101(
    copied: Callable[[str], Any], start: Callable[[Path], Any], tmp_path: Path
) -> None:
    """Values, events and commands pass both ways through all protocols; tshark has no remark."""
    config = copied("iec104.yaml")
    tapped = free_ports(3)
    taps = {
        "bay": Wiretap(tapped[0], config.ports[BAY]),
        "line": Wiretap(tapped[1], config.ports[LINE]),
        "centre": Wiretap(tapped[2], config.ports[SCADA]),
    }
    for one, port in ((taps["bay"], BAY), (taps["line"], LINE)):
        config.replace(f"    port: {config.ports[port]}\n", f"    port: {one.port}\n")
    async with AsyncExitStack() as stack:
        for one in taps.values():
            await stack.enter_async_context(one.listening())
        gateway = start(config.path)
        data = tmp_path / "data0"
        await asyncio.to_thread(gateway.until, r"4/4 sources up, 6/6 sinks up")
        device = AsyncModbusTcpClient("127.0.0.1", port=config.ports[CONTACTS], retries=0)
        assert await device.connect()
        stack.callback(device.close)

        async def closed(breaker: int) -> bool:
            answer = await device.read_discrete_inputs(breaker, count=1)
            return bool(answer.bits[0])

        centre = await stack.enter_async_context(
            C104Client(port=tapped[2], stations=[CENTRE], patience=PATIENCE)
        )
        client = await stack.enter_async_context(
            Client(f"opc.tcp://127.0.0.1:{config.ports[OPC_UA]}")
        )
        log = DefaultSOEHandler()
        master = await stack.enter_async_context(
            MasterTcpRunner(
                Master(handler=log, config=MasterConfig(address=100, outstation_address=1024)),
                "127.0.0.1",
                config.ports[DNP],
            )
        )
        await centre.event("state", state="open")
        await centre.ask("interrogation", ca=1)
        for at, value in ((100, OFF), (201, 0), (301, 0), (400, 3), (220, 100)):
            await centre.until(shown(at, value))

        # From the control centre to a feeder terminal, over 101.
        assert await centre.command(1, 1201, ON)
        await centre.until(shown(201, 1))
        assert await closed(1)
        # At the machine, to the transformer bay over 104 and the other terminal over 101.
        for name in ("t1.breaker", "f2.breaker"):
            said = await commanded(data, name, "1", "--select")
            assert f"execute {name} 1: success" in said, said
        await centre.until(shown(100, ON))
        await centre.until(shown(301, 1))
        assert await closed(0)
        assert await closed(2)
        assert await centre.command(1, 1201, OFF)
        await centre.until(shown(201, 0))
        assert not await closed(1)

        # A set point, and one beyond its limits.
        assert await centre.command(1, 1220, 130)
        assert (await device.read_holding_registers(40, count=1)).registers == [130]
        assert not await centre.command(1, 1220, 300)
        assert (await device.read_holding_registers(40, count=1)).registers == [130]

        # The same values at the others.
        async with asyncio.timeout(PATIENCE):
            while len(log.binary_inputs) < 3 or not log.binary_inputs[3].value:
                await master.integrity_poll()
        assert not log.binary_inputs[1].value
        assert log.analog_inputs[3].value == 130
        assert await read(client, "f2.breaker") is True
        assert await read(client, "f1.breaker") is False
        assert await read(client, "f1.pickup") == 130
        assert 60 <= await read(client, "f1.current") <= 240
        await master.close()
        assert await asyncio.to_thread(gateway.end) == 0, gateway.stderr
    assert "Traceback" not in gateway.stderr

    for name, protocol in (("bay", "104"), ("line", "101"), ("centre", "104")):
        path = tmp_path / f"{name}.pcap"
        taps[name].write(path)
        words = ("-d", f"tcp.port=={PORT},iec60870_{protocol}", "-Y")
        wrong = "_ws.malformed || _ws.expert.severity >= 0x600000"
        assert dissected(path, *words, wrong) == []
        rows = dissected(
            path, *words, "iec60870_asdu.typeid == 46", "-T", "fields", "-e",
            "iec60870_asdu.causetx", "-e", "iec60870_asdu.nega",
        )  # fmt: skip
        # A segment may have several frames.
        causes = [cause for row in rows for cause in row.split("\t")[0].split(",")]
        assert not any("1" in row.split("\t")[1] for row in rows), rows
        # Select and execute of each: both confirmed, the execute terminated. Where c104 overlooks
        # a confirmation, as it does on a busy machine, it selects once more.
        breakers = {"bay": 1, "line": 3, "centre": 2}[name]
        asked, confirmed, terminated = (causes.count(cause) for cause in ("6", "7", "10"))
        assert asked == confirmed >= 2 * breakers, causes
        assert terminated >= breakers, causes


async def read(client: Client, name: str) -> Any:
    """Return the value of a node."""
    node = client.get_node(ua.NodeId(name, 2))
    return await node.read_value()


def dissected(path: Path, *words: str) -> list[str]:
    """Return what tshark prints."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    done = subprocess.run(
        [tshark, "-r", str(path), *words], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()
