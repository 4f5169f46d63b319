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

from gateway import Endpoint, LinkError, Quality
from gateway.testing import paused, running
from gateway.testing.contract import check_plugin

POINTS = "name,unit,oven.tag\noven.temperature,°C,T1\noven.flue,°C,T2\n"


class Device:
    """A thermometer on loopback that answers what it is told to."""

    def __init__(self) -> None:
        self.answers = {"T1": "181.5", "T2": "420"}
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
            writer.write(f"{self.answers[line.split()[1].decode()]}\n".encode())


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
