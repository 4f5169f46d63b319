"""The same reads and writes over TCP, TLS, RTU and RTU over TCP, against pymodbus as the device."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.library import LibraryConnection
from gateway_modbus.source import Modbus
from pymodbus.client import ModbusTcpClient
from pymodbus.framer import FramerRTU, FramerSocket, FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway import CommandStatus, Quality
from gateway.testing import Collector, running

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
async def tls_server(folder: Path, device: SimDevice) -> AsyncIterator[tuple[Any, int]]:
    """A device that wants a certificate of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "device.pem", folder / "device.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = ModbusTlsServer(
        device, framer=FramerType.TLS, address=("127.0.0.1", 0), sslctx=context
    )
    server.framer = FramerSocket
    async with serving(server) as port:
        yield server, port


def ours(folder: Path) -> dict[str, str]:
    return {
        "ca": str(folder / "ca.pem"),
        "certificate": str(folder / "gateway.pem"),
        "key": str(folder / "gateway.key"),
    }


async def test_tls(certificates: Path) -> None:
    """Over TLS with certificates on both sides every type arrives as pymodbus encoded it."""
    async with tls_server(certificates, device()) as (_, port):
        meter = source(transport="tls", host="127.0.0.1", port=port, tls=ours(certificates))
        await check(meter, certificates)


@pytest.mark.parametrize("wrong", ["ca", "ours"])
async def test_tls_refuses(certificates: Path, wrong: str) -> None:
    """A device of another authority, and a device that does not take our certificate: both down."""
    ours = "stranger" if wrong == "ours" else "gateway"
    tls = {
        "ca": str(certificates / ("stranger.pem" if wrong == "ca" else "ca.pem")),
        "certificate": str(certificates / f"{ours}.pem"),
        "key": str(certificates / f"{ours}.key"),
    }
    async with tls_server(certificates, device()) as (_, port):
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


# Name, kind, columns, setpoint, and what pymodbus says of it: function of the read, start, words.
WRITTEN: list[tuple[str, str, str, float, tuple[int, int, list[Any]]]] = [
    ("coil", "status", "coil,1,,,,", 1, (1, 1, [True])),
    ("coils", "status", "coil,2,,,,multiple", 1, (1, 2, [True])),
    ("single", "analog", "holding,0,int16,ABCD,,", -2, (3, 0, [0xFFFE])),
    ("several", "analog", "holding,1,uint16,ABCD,,multiple", 4711, (3, 1, [4711])),
    ("real", "analog", "holding,4,float32,CDAB,,", 230.625,
     (3, 4, ModbusTcpClient.convert_to_registers(230.625, KIND.FLOAT32, "little"))),
    ("long", "counter", "holding,8,int64,ABCD,,", -(2.0**40),
     (3, 8, ModbusTcpClient.convert_to_registers(-(2**40), KIND.INT64))),
    ("bit", "status", "holding,12,bit,ABCD,4,mask", 1, (3, 12, [0x0210])),
    ("other", "status", "holding,12,bit,ABCD,9,read-modify-write", 0, (3, 12, [0x0010])),
]  # fmt: skip
OUTPUTS = "\n".join(
    [
        "name,kind,command.model,meter.table,meter.register,meter.type,meter.order,meter.bit,"
        "meter.write_function",
        *(
            f"{name},{kind},{'latch' if kind == 'status' else 'setpoint'},{columns}"
            for name, kind, columns, _, _ in WRITTEN
        ),
        "",
    ]
)


async def command(meter: Modbus, server: Any, data: Path) -> None:
    """Command each point, and look into the registers of pymodbus."""
    scada = Collector(name="scada", role="operator")
    async with running([meter], [scada], OUTPUTS, data=data) as gw:
        await gw.until(lambda: gw.state("meter") == "up")
        for name, _, _, value, (function, start, expected) in WRITTEN:
            answer = await scada.ask(name, value)
            assert answer.status is CommandStatus.SUCCESS, (name, answer)
            found = await server.async_getValues(1, function, start, len(expected))
            assert found[: len(expected)] == expected, name


def outputs() -> SimDevice:
    """A device whose registers are 0, but for bit 9 of register 12."""
    return SimDevice(
        1,
        simdata=(
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[0] * 12 + [0x0200], datatype=DataType.REGISTERS)],
            [SimData(0, values=[0], datatype=DataType.REGISTERS)],
        ),
    )


@pytest.mark.parametrize("framing", [FramerType.SOCKET, FramerType.RTU])
async def test_commands(tmp_path: Path, framing: FramerType) -> None:
    """Over TCP, with either framing, pymodbus has in its registers what was commanded."""
    server = ModbusTcpServer(outputs(), framer=framing, address=("127.0.0.1", 0))
    transport = "tcp" if framing is FramerType.SOCKET else "rtu-over-tcp"
    async with serving(server) as port:
        meter = source(transport=transport, host="127.0.0.1", port=port)
        await command(meter, server, tmp_path)


async def test_commands_rtu(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """Over a serial line pymodbus has in its registers what was commanded."""
    async with line(tool, tmp_path) as (ours, theirs):
        server = ModbusSerialServer(outputs(), port=theirs, framer=FramerType.RTU, baudrate=19200)
        async with serving(server):
            await command(source(transport="rtu", port=ours, parity="none"), server, tmp_path)


async def test_commands_tls(certificates: Path) -> None:
    """Over TLS pymodbus has in its registers what was commanded."""
    async with tls_server(certificates, outputs()) as (server, port):
        meter = source(transport="tls", host="127.0.0.1", port=port, tls=ours(certificates))
        await command(meter, server, certificates)


async def test_commands_to_a_dead_line(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """A serial device that does not answer a write may have acted: time-out, and no second one."""
    async with line(tool, tmp_path) as (ours_, theirs):
        meter = source(transport="rtu", port=ours_, parity="none", timeout="200ms")
        scada = Collector(name="scada", role="operator")
        async with running([meter], [scada], OUTPUTS, data=tmp_path) as gw:
            server = ModbusSerialServer(outputs(), port=theirs, framer=FramerType.RTU)
            async with serving(server):
                await gw.until(lambda: gw.state("meter") == "up")
            heard = bytearray()
            deaf = os.open(theirs, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
            loop = asyncio.get_running_loop()
            loop.add_reader(deaf, lambda: heard.extend(os.read(deaf, 4096)))
            try:
                answer = await scada.ask("coil", 1)
                # Unit 1, function 5, coil 1 on, and its check as pymodbus computes it.
                frame = bytes.fromhex("0105 0001 FF00")
                frame += FramerRTU.compute_CRC(frame).to_bytes(2, "big")
                assert answer.status is CommandStatus.TIMEOUT
                before = len(heard)
                await gw.until(lambda: len(heard) > before + 16, what="polls go on")
                assert heard.count(frame) == 1
            finally:
                loop.remove_reader(deaf)
                os.close(deaf)
