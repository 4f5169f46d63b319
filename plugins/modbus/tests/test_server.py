"""The gateway as a slave, read by mbpoll, by pymodbus and by hand."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.server import ModbusServer
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from gateway import Quality
from gateway.testing import Emitter, Running, configured, free_port, running

POINTS = """\
name,kind,field.at,scada.table,scada.register,scada.type,scada.order,scada.bit,scada.scale,scada.unit
volts,analog,x,,0,uint16,,,0.1,
amps,analog,x,,1,float32,,,,
energy,counter,x,,3,uint64,CDAB,,,
deep,analog,x,,7,int16,,,,
breaker,status,x,,8,bit,,0,,
local,status,x,,8,bit,,9,,
high,status,x,coil,4,,,,,
low,status,x,coil,5,,,,,
far,analog,x,input,65535,int16,,,,7
"""
NAMES = ["volts", "amps", "energy", "deep", "breaker", "local", "high", "low", "far"]
VALUES = [230.46, 12.5, 2.0**40 + 3, -70000.0, 1, 1, 1, 0, -5]


def slave(port: int, **more: Any) -> ModbusServer:
    return ModbusServer.model_validate({"name": "scada", "listen": f"127.0.0.1:{port}"} | more)


async def fill(gw: Running, field: Emitter) -> None:
    await gw.until(lambda: gw.state("scada") == "up")
    await field.emit(NAMES, VALUES)
    await gw.until(lambda: gw.sample("far").quality == Quality.GOOD)


async def test_pymodbus_reads(tmp_path: Path) -> None:
    """The client of pymodbus reads what was emitted, scaled, rounded and saturated."""
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(port)], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=3) as client:
            found = (await client.read_holding_registers(0, count=9, device_id=1)).registers
            assert found[0] == 2305
            kind = client.DATATYPE
            assert client.convert_from_registers(found[1:3], kind.FLOAT32) == 12.5
            energy = client.convert_from_registers(found[3:7], kind.UINT64, "little")
            assert energy == 2**40 + 3
            assert client.convert_from_registers(found[7:8], kind.INT16) == -32768
            assert found[8] == 0x0201
            coils = await client.read_coils(4, count=2, device_id=1)
            assert coils.bits[:2] == [True, False]
            far = await client.read_input_registers(65535, count=1, device_id=7)
            assert far.registers == [0xFFFB]
            # A part of a value is what those registers hold.
            part = await client.read_holding_registers(2, count=2, device_id=1)
            assert part.registers == found[2:4]


async def test_mbpoll_reads(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """mbpoll reads the same registers, which it counts from 1."""
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(port)], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        run = await asyncio.create_subprocess_exec(
            tool("mbpoll"), "-m", "tcp", "-p", str(port), "-a", "1", "-t", "4:hex",
            "-r", "1", "-c", "9", "-1", "127.0.0.1",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(run.communicate(), 10)
        found = re.findall(r"\[\d+\]:\s+0x([0-9A-F]{4})", out.decode())
        wire = struct.pack(">H f", 2305, 12.5).hex().upper()
        assert "".join(found[:3]) == wire, out.decode()
        # 2**40 + 3 with the words reversed.
        assert found[3:9] == ["0003", "0000", "0100", "0000", "8000", "0201"]


REFUSALS = [
    ("beyond the last register", "0001 0000 0006 01 03 0008 0002", "83 02"),
    ("a hole", "0001 0000 0006 01 01 0003 0002", "81 02"),
    ("a table that is not there", "0001 0000 0006 01 02 0000 0001", "82 02"),
    ("too many", "0001 0000 0006 01 03 0000 007E", "83 03"),
    ("none", "0001 0000 0006 01 03 0000 0000", "83 03"),
    ("another unit", "0001 0000 0006 02 03 0000 0001", "83 0B"),
    ("write a coil", "0001 0000 0006 01 05 0004 FF00", "85 01"),
    ("write a register", "0001 0000 0006 01 06 0000 0001", "86 01"),
    ("write registers", "0001 0000 0009 01 10 0000 0001 02 0001", "90 01"),
    ("a function that nobody knows", "0001 0000 0002 01 63", "E3 01"),
    ("no function", "0001 0000 0001 01", None),
    ("an answer", "0001 0000 0003 01 83 02", "83 01"),
]


@pytest.mark.parametrize(("name", "request_frame", "answer"), REFUSALS)
async def test_refusals(name: str, request_frame: str, answer: str | None, tmp_path: Path) -> None:
    """What cannot be read is refused with the code of the standard; nothing can be written."""
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(port)], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes.fromhex(request_frame))
        found = await asyncio.wait_for(reader.read(100), 5)
        if answer is None:
            assert found == b""
        else:
            assert found[7:] == bytes.fromhex(answer), name
            assert found[:4] == bytes.fromhex("00010000")
        writer.close()


async def test_pipelined_in_order(tmp_path: Path) -> None:
    """Thirty requests in one segment, and then one byte at a time, get thirty answers in order."""
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(port)], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = b"".join(
            struct.pack(">HHHBBHH", n, 0, 6, 1, 3, n % 3, 1 + n % 5) for n in range(30)
        )
        for pieces in ([asked], [asked[n : n + 1] for n in range(len(asked))]):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            for n in range(30):
                head = await asyncio.wait_for(reader.readexactly(9), 5)
                count = 1 + n % 5
                assert head == struct.pack(">HHHBBB", n, 0, 3 + 2 * count, 1, 3, 2 * count)
                await reader.readexactly(2 * count)
        writer.close()


INVALID = [
    # voltage as uint16 / 0.1, current as float32, deep as int16, with the values from before
    ("last", "0901 41480000 8000"),
    ("nan", "0901 7fc00000 8000"),
    ("sentinel", "ffff 7fc00000 8000"),
    ("exception", None),
]


@pytest.mark.parametrize(("when", "registers"), INVALID)
async def test_when_invalid(when: str, registers: str | None, tmp_path: Path) -> None:
    """A master reads of an invalid point what the field `when_invalid` says."""
    port, field = free_port(), Emitter(name="field")
    sink = slave(port, when_invalid=when)
    async with running([field], [sink], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        await field.stale(NAMES)
        await gw.until(lambda: gw.sample("deep").quality & Quality.VALIDITY == Quality.INVALID)
        async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=3) as client:
            found = await client.read_holding_registers(0, count=8, device_id=1)
            if registers is None:
                assert found.exception_code == 4
                return
            words = found.registers[:3] + found.registers[7:8]
            assert struct.pack(">4H", *words).hex() == registers.replace(" ", "")


async def test_never_had_a_value(tmp_path: Path) -> None:
    """Before the first sample integers read 0 and floats NaN."""
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(port)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("scada") == "up")
        async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=3) as client:
            found = (await client.read_holding_registers(0, count=3, device_id=1)).registers
            assert found[0] == 0
            assert math.isnan(
                float(client.convert_from_registers(found[1:], client.DATATYPE.FLOAT32))
            )


async def test_rtu_over_tcp(tmp_path: Path) -> None:
    """With serial frames over TCP pymodbus reads the same; a bad check gets no answer."""
    port, field = free_port(), Emitter(name="field")
    sink = slave(port, transport="rtu-over-tcp")
    async with running([field], [sink], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU, timeout=3)
        async with client:
            found = await client.read_holding_registers(0, count=1, device_id=1)
            assert found.registers == [2305]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes.fromhex("01 03 0000 0001 0000"))
        await gw.until(lambda: gw.counters("scada").get("bad_frames") == 1)
        # The check of this request as manuals print it: 84 0A.
        writer.write(bytes.fromhex("01 03 0000 0001 840A"))
        assert (await asyncio.wait_for(reader.readexactly(7), 5))[:5] == bytes.fromhex("0103020901")
        writer.close()


async def test_bounds(tmp_path: Path) -> None:
    """One client too many is turned away, an idle one is dropped, garbage is dropped."""
    port, field = free_port(), Emitter(name="field")
    sink = slave(port, max_clients=2, idle="300ms")
    async with running([field], [sink], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("scada") == "up")
        first = await asyncio.open_connection("127.0.0.1", port)
        second = await asyncio.open_connection("127.0.0.1", port)
        second[1].write(b"GET / HTTP/1.1\r\n\r\n")
        assert await asyncio.wait_for(_end(second[0]), 5) == b""
        second = await asyncio.open_connection("127.0.0.1", port)
        third = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(_end(third[0]), 5) == b""
        assert await asyncio.wait_for(_end(first[0]), 5) == b""
        counters = gw.counters("scada")
        assert (counters["clients_refused"], counters["bad_frames"]) == (1, 1)
        assert counters["clients_idle"] >= 1
        for _, writer in (first, second, third):
            writer.close()


async def _end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(100)
    except ConnectionError:
        return b""


def test_two_points_in_one_place(tmp_path: Path) -> None:
    """Two points that claim the same register are refused by name, line and column."""
    field = Emitter(name="field")
    rows = "name,field.at,scada.register,scada.type\na,x,5,float32\nb,x,6,uint16\n"
    with pytest.raises(ValueError, match="b and a both claim holding 6 of unit 1") as found:
        configured([field], [slave(502)], rows, tmp_path)
    assert "points.csv:3:5:" in str(found.value)
    # Two bits of one register are two places.
    bits = "name,kind,field.at,scada.register,scada.type,scada.bit\n"
    configured([field], [slave(502)], f"{bits}a,status,x,5,bit,0\nb,status,x,5,bit,15\n", tmp_path)


async def test_reads_cost_nothing_until_then(tmp_path: Path) -> None:
    """Nothing is delivered to a slave; its ledger balances all the same."""
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(port)], POINTS, data=tmp_path) as gw:
        await fill(gw, field)
        for n in range(20):
            await field.emit(NAMES, [value + n for value in VALUES])
        ledger = gw.ledger("scada")
        assert ledger.delivered == 0
        assert ledger.taken == ledger.delivered + ledger.coalesced + sum(
            ledger.dropped.values()
        ) + gw.held("scada")


def test_settings() -> None:
    """TLS needs its certificates, and a point needs a scale."""
    with pytest.raises(ValueError, match="go together"):
        slave(502, transport="tls")
    with pytest.raises(ValueError, match="scale 0"):
        ModbusServer.Point.model_validate({"register": 1, "scale": 0})


def trusting(folder: Path, name: str | None) -> ssl.SSLContext:
    """Return the context of a client that trusts our authority and shows a certificate, or none."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if name is not None:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


async def test_tls_serves_who_has_a_certificate(certificates: Path) -> None:
    """Over TLS the answer is the one of V1.1b3 6.3; without a certificate there is none."""
    port, field = free_port(), Emitter(name="field")
    tls = {
        "certificate": str(certificates / "device.pem"),
        "key": str(certificates / "device.key"),
        "ca": str(certificates / "ca.pem"),
    }
    scada = slave(port, transport="tls", tls=tls)

    async def ask(name: str | None) -> bytes:
        ours = trusting(certificates, name)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ours)
        writer.write(bytes.fromhex("0001 0000 0006 01 03 0000 0001"))
        try:
            return await asyncio.wait_for(reader.readexactly(11), 5)
        finally:
            writer.close()

    async with running([field], [scada], POINTS, data=certificates) as gw:
        await fill(gw, field)
        answer = await ask("gateway")
        # TLS 1.3 tells a client that it is refused only after the client's own handshake.
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await ask(None)

    assert answer == bytes.fromhex("0001 0000 0005 01 03 02") + (2305).to_bytes(2, "big")
