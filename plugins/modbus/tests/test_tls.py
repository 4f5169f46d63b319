"""Modbus/TCP Security while certificates are renewed and revoked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gateway_modbus import listener
from gateway_modbus.server import ModbusServer

from gateway.testing import Emitter, free_port, running
from gateway.testing.authority import Authority

READ = bytes.fromhex("0001 0000 0006 01 03 0000 0001")
ANSWER = bytes.fromhex("0001 0000 0005 01 03 02 0901")
"""Register 0 is 2305 (V1.1b3 clause 6.3)."""
POINTS = "name,field.at,scada.register,scada.type\nfeeder1.voltage,x,0,uint16\n"


class Master:
    """A session of Modbus/TCP Security that asks for register 0."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self) -> bytes:
        async with asyncio.timeout(5):
            self._writer.write(READ)
            return await self._reader.readexactly(len(ANSWER))

    @property
    def serial(self) -> str:
        """Of the gateway's certificate."""
        certificate = self._writer.get_extra_info("peercert")
        return str(certificate["serialNumber"])


@contextlib.asynccontextmanager
async def master(folder: Path, port: int, name: str) -> AsyncIterator[Master]:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        yield Master(reader, writer)
    finally:
        writer.transport.abort()


def slave(folder: Path, port: int, **tls: Path) -> ModbusServer:
    files = {
        "ca": folder / "ca.pem",
        "certificate": folder / "gateway.pem",
        "key": folder / "gateway.key",
    }
    return ModbusServer.model_validate(
        {"name": "scada", "listen": f"127.0.0.1:{port}", "transport": "tls", "tls": files | tls}
    )


async def test_who_never_greets_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that connects and does not begin TLS loses its connection in bounded time."""
    monkeypatch.setattr(listener, "HANDSHAKE_TIMEOUT", 0.05)
    Authority(tmp_path).issue("gateway", "127.0.0.1")
    port, field = free_port(), Emitter(name="field")
    async with running([field], [slave(tmp_path, port)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("scada") == "up")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_a_slave_renews_and_revokes_while_masters_read(tmp_path: Path) -> None:
    """Who was let in reads on; who comes next meets the new certificate, or is refused."""
    authority = Authority(tmp_path)
    authority.issue("gateway", "127.0.0.1")
    authority.issue("scada")
    lost = authority.issue("lost")
    port, field = free_port(), Emitter(name="field")
    scada = slave(tmp_path, port, crl=authority.revoke())
    async with running([field], [scada], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("scada") == "up" and gw.state("field") == "up")
        await field.emit(["feeder1.voltage"], [2305.0])
        async with master(tmp_path, port, "scada") as first, master(tmp_path, port, "lost") as old:
            assert await first.ask() == ANSWER
            assert await old.ask() == ANSWER
            renewed = authority.issue("gateway", "127.0.0.1")
            authority.revoke(lost)
            for _ in range(2):
                await gw.engine.certificates.look()
            async with master(tmp_path, port, "scada") as second:
                assert await second.ask() == ANSWER
                assert int(second.serial, 16) == renewed.serial_number
            # With TLS 1.3 a client hears behind its own handshake that it is refused.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with master(tmp_path, port, "lost") as refused:
                    assert await refused.ask() == b"never"
            await gw.until(lambda: gw.counters("scada").get("tls_refused") == 1)
            assert await first.ask() == ANSWER
            assert int(first.serial, 16) != renewed.serial_number
        assert gw.counters("scada").get("disconnects", 0) == 0
