"""The same reads over TCP, TLS, RTU and RTU over TCP, against pymodbus as the device."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.library import LibraryConnection
from gateway_modbus.source import Modbus
from pymodbus.client import ModbusTcpClient
from pymodbus.framer import FramerSocket, FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway import Quality
from gateway.testing import running

KIND = ModbusTcpClient.DATATYPE
VALUES: list[tuple[str, Any, float]] = [
    ("int16", KIND.INT16, -12345),
    ("uint16", KIND.UINT16, 54321),
    ("int32", KIND.INT32, -1234567890),
    ("uint32", KIND.UINT32, 3456789012),
    ("int64", KIND.INT64, -(2**52) - 1),
    ("uint64", KIND.UINT64, 2**53 - 1),
    ("float32", KIND.FLOAT32, 230.625),
    ("float64", KIND.FLOAT64, -49.98765432109),
]


def registers() -> tuple[list[int], list[str], dict[str, float]]:
    """Registers as pymodbus encodes the values, each in two word orders, and the point list."""
    words: list[int] = []
    rows: list[str] = []
    expected: dict[str, float] = {}
    for kind, data_type, value in VALUES:
        for order, word_order in (("ABCD", "big"), ("CDAB", "little")):
            name = f"{kind}_{order.lower()}"
            rows.append(f"{name},holding,{len(words)},{kind},{order},")
            words += ModbusTcpClient.convert_to_registers(value, data_type, word_order)  # type: ignore[arg-type]
            expected[name] = value
    rows.append(f"bit9,holding,{len(words)},bit,,9")
    rows.append(f"bit8,holding,{len(words)},bit,,8")
    words.append(0x0200)
    expected |= {"bit9": 1, "bit8": 0}
    rows += [f"coil{n},coil,{n},,," for n in range(10)]
    rows += [f"discrete{n},discrete,{n},,," for n in range(3)]
    rows.append("input,input,3,uint16,,")
    expected |= {f"coil{n}": n % 3 == 0 for n in range(10)}
    expected |= {f"discrete{n}": n == 1 for n in range(3)}
    expected["input"] = 4711
    return words, rows, expected


def device() -> SimDevice:
    words, _, _ = registers()
    return SimDevice(
        1,
        simdata=(
            [SimData(0, values=[n % 3 == 0 for n in range(16)], datatype=DataType.BITS)],
            [SimData(0, values=[n == 1 for n in range(16)], datatype=DataType.BITS)],
            [SimData(0, values=words, datatype=DataType.REGISTERS)],
            [SimData(0, values=[0, 0, 0, 4711], datatype=DataType.REGISTERS)],
        ),
    )


def points() -> str:
    _, rows, _ = registers()
    return "\n".join(
        ["name,meter.table,meter.register,meter.type,meter.order,meter.bit", *rows, ""]
    )


def source(**more: Any) -> Modbus:
    settings = {"name": "meter", "poll": "50ms", "timeout": "500ms"}
    return Modbus.model_validate(settings | {"reconnect": {"min": "50ms", "max": "100ms"}} | more)


async def check(meter: Modbus, data: Path) -> None:
    _, _, expected = registers()
    async with running([meter], points=points(), data=data) as gw:
        await gw.until(lambda: all(gw.sample(name).quality == Quality.GOOD for name in expected))
        assert {name: gw.sample(name).value for name in expected} == expected
        assert gw.state("meter") == "up"


@contextlib.asynccontextmanager
async def serving(server: Any) -> AsyncIterator[int]:
    await server.serve_forever(background=True)
    try:
        yield (
            server.transport.sockets[0].getsockname()[1]
            if hasattr(server.transport, "sockets")
            else 0
        )
    finally:
        await server.shutdown()


async def test_tcp(tmp_path: Path) -> None:
    """Over TCP every type arrives as pymodbus encoded it."""
    async with serving(ModbusTcpServer(device(), address=("127.0.0.1", 0))) as port:
        await check(source(host="127.0.0.1", port=port), tmp_path)


async def test_rtu_over_tcp(tmp_path: Path) -> None:
    """Over TCP with serial frames every type arrives as pymodbus encoded it."""
    server = ModbusTcpServer(device(), framer=FramerType.RTU, address=("127.0.0.1", 0))
    async with serving(server) as port:
        meter = source(transport="rtu-over-tcp", host="127.0.0.1", port=port)
        await check(meter, tmp_path)


@contextlib.asynccontextmanager
async def line(tool: Callable[[str], str], folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Two ends of a serial line."""
    ends = folder / "a", folder / "b"
    socat = await asyncio.create_subprocess_exec(
        tool("socat"), *(f"pty,raw,echo=0,link={end}" for end in ends)
    )
    try:
        async with asyncio.timeout(5):
            while not all(end.exists() for end in ends):
                await asyncio.sleep(0.01)
        yield str(ends[0]), str(ends[1])
    finally:
        socat.terminate()
        await socat.wait()


async def test_rtu(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """Over a serial line every type arrives as pymodbus encoded it."""
    async with line(tool, tmp_path) as (ours, theirs):
        server = ModbusSerialServer(device(), port=theirs, framer=FramerType.RTU, baudrate=19200)
        async with serving(server):
            meter = source(transport="rtu", port=ours, parity="none")
            await check(meter, tmp_path)


async def test_rtu_line_goes_dead(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """A serial device that falls silent makes its points old, and is good when it is back."""
    async with line(tool, tmp_path) as (ours, theirs):
        meter = source(transport="rtu", port=ours, parity="none", timeout="100ms")
        async with running([meter], points=points(), data=tmp_path) as gw:
            for _ in range(2):
                server = ModbusSerialServer(device(), port=theirs, framer=FramerType.RTU)
                async with serving(server):
                    await gw.until(lambda: gw.sample("input").quality == Quality.GOOD)
                await gw.until(
                    lambda: gw.sample("input").quality == Quality.INVALID | Quality.OLD_DATA
                )
                assert gw.sample("input").value == 4711


async def test_no_serial_port(tmp_path: Path) -> None:
    """A serial port that is not there is a link that is down, with a sentence that names it."""
    meter = source(transport="rtu", port=str(tmp_path / "nothing"))
    async with running([meter], points=points(), data=tmp_path) as gw:
        await gw.until(lambda: gw.counters("meter").get("disconnects", 0) >= 1)
        assert gw.state("meter") == "down"


@contextlib.asynccontextmanager
async def tls_device(folder: Path) -> AsyncIterator[int]:
    """A device that wants a certificate of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "device.pem", folder / "device.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = ModbusTlsServer(
        device(), framer=FramerType.TLS, address=("127.0.0.1", 0), sslctx=context
    )
    server.framer = FramerSocket
    async with serving(server) as port:
        yield port


async def test_tls(certificates: Path) -> None:
    """Over TLS with certificates on both sides every type arrives as pymodbus encoded it."""
    async with tls_device(certificates) as port:
        tls = {
            "ca": str(certificates / "ca.pem"),
            "certificate": str(certificates / "gateway.pem"),
            "key": str(certificates / "gateway.key"),
        }
        await check(source(transport="tls", host="127.0.0.1", port=port, tls=tls), certificates)


@pytest.mark.parametrize("wrong", ["ca", "ours"])
async def test_tls_refuses(certificates: Path, wrong: str) -> None:
    """A device of another authority, and a device that does not take our certificate: both down."""
    ours = "stranger" if wrong == "ours" else "gateway"
    tls = {
        "ca": str(certificates / ("stranger.pem" if wrong == "ca" else "ca.pem")),
        "certificate": str(certificates / f"{ours}.pem"),
        "key": str(certificates / f"{ours}.key"),
    }
    async with tls_device(certificates) as port:
        meter = source(transport="tls", host="127.0.0.1", port=port, tls=tls)
        async with running([meter], points=points(), data=certificates) as gw:
            await gw.until(lambda: gw.counters("meter").get("disconnects", 0) >= 2)
            assert gw.state("meter") == "down"
            assert gw.sample("input").quality & Quality.VALIDITY == Quality.INVALID
            if wrong == "ca":
                assert "certificate is not good: self-signed" in gw.status("meter").error


async def test_stopping_is_never_missed(tmp_path: Path) -> None:
    """Cancelled in the very moment that a port cannot be opened, the link ends all the same."""

    async def opening() -> None:
        task = asyncio.current_task()
        assert task is not None
        # What the library leaves behind where it drops the cancellation.
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        await LibraryConnection.open_serial(
            Door(),  # type: ignore[arg-type]
            str(tmp_path / "nothing"), baud=9600, parity="N", stop_bits=1, timeout=1, pause=0,
        )  # fmt: skip

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(opening())


class Door:
    """What the transport needs of a context until it is connected."""

    tracing = False
