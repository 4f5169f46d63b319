"""The thermometer source against a device on loopback, and the contract of the folder."""

from __future__ import annotations

import asyncio
import math
from dataclasses import astuple
from pathlib import Path

import pytest
from gateway_acme import FAULT, Acme, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway import CommandStatus, Endpoint, LinkError, Quality
from gateway.testing import Collector, configured, paused, running
from gateway.testing.contract import check_plugin

POINTS = """\
name,unit,scale,oven.tag,command.model,command.high,command.timeout
oven.temperature,°C,,T1,,,
oven.flue,°C,,T2,,,
oven.setpoint,°C,0.1,SETPOINT,setpoint,250,5s
"""


class Device:
    """A thermometer on loopback that answers what it is told to; None is silence."""

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {
            "T1": "181.5",
            "T2": "420",
            "SETPOINT": "1800",
            "SET": "OK",
        }
        self.told: list[str] = []
        self.address = Endpoint("127.0.0.1", 0)
        self._clients: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, *astuple(self.address))
        self.address = Endpoint(*self._server.sockets[0].getsockname())

    async def stop(self) -> None:
        self._server.close()
        for client in self._clients:
            client.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.append(writer)
        while line := await reader.readline():
            word, tag = line.decode().split()[:2]
            if word == "SET":
                self.told.append(line.decode())
            answer = self.answers["SET" if word == "SET" else tag]
            if answer is not None:
                writer.write(f"{answer}\n".encode())


@paused
async def test_values_and_faults_arrive(tmp_path: Path) -> None:
    """A number is a good value, and FAULT is a device failure that keeps the last value."""
    device = Device()
    await device.start()
    oven = Acme(name="oven", device=device.address)
    async with running([oven], [], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("oven.flue").value == 420.0)
        assert gateway.sample("oven.temperature").value == 181.5
        device.answers["T1"] = "FAULT"
        await gateway.until(lambda: gateway.sample("oven.temperature").quality == FAULT)
        assert gateway.sample("oven.temperature").value == 181.5
    await device.stop()


@paused
async def test_a_device_that_drops_off_and_comes_back(tmp_path: Path) -> None:
    """While the device is away its points are invalid and old, and good again when it is back."""
    device = Device()
    await device.start()
    oven = Acme(name="oven", device=device.address)
    async with running([oven], [], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("oven.flue").quality == Quality.GOOD)
        await device.stop()
        stale = Quality.INVALID | Quality.OLD_DATA
        await gateway.until(lambda: gateway.sample("oven.flue").quality == stale)
        await asyncio.sleep(60)
        await device.start()
        await gateway.until(lambda: gateway.sample("oven.flue").quality == Quality.GOOD, 120)
    await device.stop()


@paused
async def test_commands_are_answered(tmp_path: Path) -> None:
    """The device is told what it counts in; OK is success, and NO a refusal."""
    device = Device()
    await device.start()
    oven, master = Acme(name="oven", device=device.address), Collector(name="m", role="operator")
    async with running([oven], [master], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("oven.setpoint").value == 180.0)
        assert (await master.ask("oven.setpoint", 200.0)).status is CommandStatus.SUCCESS
        device.answers["SET"] = "NO"
        refused = await master.ask("oven.setpoint", 210.0)
        assert refused.status is CommandStatus.REFUSED
        assert refused.detail == "the device says NO to SETPOINT"
        assert (await master.ask("oven.setpoint", 260.0)).status is CommandStatus.OUT_OF_RANGE
        # (200 °C and 210 °C) / 0.1
        assert device.told == ["SET SETPOINT 2000.0\n", "SET SETPOINT 2100.0\n"]
    await device.stop()


@pytest.mark.parametrize("answer", [None, "MAYBE"], ids=["silence", "nonsense"])
@paused
async def test_a_command_without_an_answer_is_in_doubt(tmp_path: Path, answer: str | None) -> None:
    """It has timed out, the link begins anew, and the command is not sent again."""
    device = Device()
    device.answers["SET"] = answer
    await device.start()
    oven, master = Acme(name="oven", device=device.address), Collector(name="m", role="operator")
    async with running([oven], [master], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("oven.setpoint").quality == Quality.GOOD)
        assert (await master.ask("oven.setpoint", 200.0)).status is CommandStatus.TIMEOUT
        await gateway.until(lambda: gateway.state("oven") == "down")
        await gateway.until(lambda: gateway.state("oven") == "up")
        await gateway.until(lambda: gateway.sample("oven.setpoint").quality == Quality.GOOD)
        device.answers["SET"] = "OK"
        await asyncio.sleep(60)
        assert len(device.told) == 1
        assert (await master.ask("oven.setpoint", 190.0)).status is CommandStatus.SUCCESS
    await device.stop()


@paused
async def test_a_connection_that_breaks_during_a_command(tmp_path: Path) -> None:
    """What was sent is in doubt; while the device is away nothing is sent."""
    device = Device()
    device.answers["SET"] = None
    await device.start()
    oven, master = Acme(name="oven", device=device.address), Collector(name="m", role="operator")
    async with running([oven], [master], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("oven.setpoint").quality == Quality.GOOD)
        asked = asyncio.create_task(master.ask("oven.setpoint", 200.0))
        await gateway.until(lambda: device.told)
        await device.stop()
        assert (await asked).status is CommandStatus.TIMEOUT
        assert (await master.ask("oven.setpoint", 200.0)).status is CommandStatus.UNREACHABLE
        assert len(device.told) == 1


@paused
async def test_a_command_that_waited_too_long_is_not_sent(tmp_path: Path) -> None:
    """A probe that is slow to answer holds the line; a command whose time is over stays here."""
    device = Device()
    await device.start()
    points = POINTS.replace(",5s", ",500ms")
    oven, master = Acme(name="oven", device=device.address), Collector(name="m", role="operator")
    async with running([oven], [master], points, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("oven.setpoint").quality == Quality.GOOD)
        device.answers["T1"] = None
        await asyncio.sleep(1)
        late = await master.ask("oven.setpoint", 200.0)
        assert late.status is CommandStatus.TIMEOUT
        device.answers["T1"] = "181.5"
        await asyncio.sleep(60)
        assert device.told == []
    await device.stop()


@pytest.mark.parametrize(
    ("kind", "columns", "sentence"),
    [
        ("status", "latch,none", "found command.model latch, allowed: setpoint"),
        ("analog", "setpoint,forward", "found command.select forward, allowed: none, local"),
    ],
)
def test_what_the_device_cannot_do_is_refused(
    tmp_path: Path, kind: str, columns: str, sentence: str
) -> None:
    """A row that asks for more is named before anything connects."""
    oven = Acme(name="oven", device=Endpoint("127.0.0.1", 7000))
    points = f"name,kind,oven.tag,command.model,command.select\na,{kind},T1,{columns}\n"
    with pytest.raises(ValueError, match=sentence):
        configured([oven], [], points, tmp_path)


@given(st.binary(max_size=50))
def test_any_answer_is_a_value_a_fault_or_an_error(answer: bytes) -> None:
    """No answer crashes the source, and none but a whole line with a number is good."""
    try:
        value, quality = parse(answer)
    except LinkError:
        return
    assert answer.endswith(b"\n")
    assert quality == FAULT or math.isfinite(value)


@pytest.mark.parametrize("answer", [b"", b"12", b"12,5\n", b"nan\n", b"FAULT"])
def test_half_and_wrong_answers_break_the_link(answer: bytes) -> None:
    """An answer that is cut off or no number is an error that quotes it."""
    with pytest.raises(LinkError, match="not a number or FAULT"):
        parse(answer)


def test_the_folder_keeps_the_contract() -> None:
    """The folder is as every plugin's must be."""
    assert check_plugin(Path(__file__).parents[1]) == []
