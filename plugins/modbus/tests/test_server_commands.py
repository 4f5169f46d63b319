"""The gateway as a slave that is written: by pymodbus, by mbpoll and by hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus import commands as plugin_commands
from gateway_modbus.server import ModbusServer
from gateway_modbus.write import WRITES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from gateway import CommandStatus
from gateway.testing import AccessSettings, CommandSettings, Emitter, Running, free_port, running

S = CommandStatus
POINTS = """\
name,kind,command.model,command.low,command.high,command.timeout,field.at,scada.table,scada.register,scada.type,scada.order,scada.bit,scada.scale,scada.offset
breaker,status,latch,,,,x,coil,0,,,,,
second,status,latch,,,,x,coil,1,,,,,
third,status,latch,,,,x,coil,2,,,,,
word,analog,setpoint,,,,x,holding,0,uint16,,,0.1,5
signed,analog,setpoint,,,,x,holding,1,int16,,,,
real,analog,setpoint,0,1000,,x,holding,2,float32,CDAB,,,
long,counter,setpoint,,,,x,holding,4,uint64,,,,
bcd,analog,setpoint,,,,x,holding,8,bcd16,,,,
alone,status,latch,,,,x,holding,9,bit,,3,,
left,status,latch,,,,x,holding,10,bit,,0,,
right,status,latch,,,,x,holding,10,bit,,9,,
swapped,status,latch,,,,x,holding,11,bit,BADC,4,,
double,double,latch,,,,x,holding,12,uint16,,,,
measured,analog,,,,,x,holding,13,uint16,,,,
slow,status,latch,,,300ms,x,coil,9,,,,,
shown,analog,,,,,x,input,0,uint16,,,,
"""


def slave(port: int, **more: Any) -> ModbusServer:
    fields = {"name": "scada", "listen": f"127.0.0.1:{port}", "role": "operator"}
    return ModbusServer.model_validate(fields | more)


class Bench:
    """A slave, and the device that its commands go to."""

    def __init__(self, gw: Running, field: Emitter, port: int, data: Path) -> None:
        self.gw = gw
        self.field = field
        self.port = port
        self.data = data

    async def told(self) -> list[tuple[str, float]]:
        """Return what the device was told, in order."""
        names = {point.id: point.name for point in (await self.field.context()).points}
        return [(names[command.point], command.value) for command in self.field.commands]

    def audit(self) -> list[dict[str, Any]]:
        """Return the records of the audit log."""
        return [
            json.loads(line)
            for path in sorted(self.data.rglob("*"))
            if path.is_file() and "audit" in str(path)
            for line in path.read_bytes().splitlines()
            if line.startswith(b"{")
        ]


@contextlib.asynccontextmanager
async def bench(data: Path, rate: float = 20, **more: Any) -> AsyncIterator[Bench]:
    port, field = free_port(), Emitter(name="field", obeys=True)
    commands = CommandSettings(rate=rate)
    async with running([field], [slave(port, **more)], POINTS, data=data, commands=commands) as gw:
        await gw.until(lambda: gw.state("scada") == gw.state("field") == "up")
        context = await field.context()
        await field.emit([point.name for point in context.points], [0] * len(context.points))
        yield Bench(gw, field, port, data)


class Master:
    """A connection on which a test writes frames by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._transaction = 0

    @classmethod
    async def connect(cls, port: int, **more: Any) -> Master:
        return cls(*await asyncio.open_connection("127.0.0.1", port, **more))

    def send(self, pdu: str, unit: int = 1) -> int:
        self._transaction += 1
        data = bytes.fromhex(pdu)
        self.writer.write(struct.pack(">HHHB", self._transaction, 0, len(data) + 1, unit) + data)
        return self._transaction

    async def answer(self) -> tuple[int, str]:
        """Return transaction and PDU of the next answer."""
        async with asyncio.timeout(10):
            head = await self.reader.readexactly(7)
            transaction, _, length, _ = struct.unpack(">HHHB", head)
            return transaction, (await self.reader.readexactly(length - 1)).hex().upper()

    async def ask(self, pdu: str, unit: int = 1) -> str:
        transaction = self.send(pdu, unit)
        found, answer = await self.answer()
        assert found == transaction
        return answer


async def test_pymodbus_writes(tmp_path: Path) -> None:
    """What the client of pymodbus writes arrives as values in the points' units."""
    async with bench(tmp_path, rate=1000) as b:
        client = AsyncModbusTcpClient("127.0.0.1", port=b.port, timeout=5)
        async with client:
            kind = client.DATATYPE
            real = client.convert_to_registers(230.625, kind.FLOAT32, "little")
            long = client.convert_to_registers(2**40 + 3, kind.UINT64)
            answers = [
                await client.write_coil(0, True),
                await client.write_coil(0, False),
                await client.write_coils(0, [True, False, True]),
                await client.write_register(0, 180),
                await client.write_register(1, 0xFFFE),
                await client.write_registers(2, real),
                await client.write_registers(4, long),
                await client.write_registers(0, [1, 2, *real]),
                await client.write_register(8, 0x1234),
                await client.write_register(9, 0x0008),
                await client.write_register(9, 0),
                await client.mask_write_register(address=10, and_mask=0xFFFE, or_mask=0x0001),
                await client.mask_write_register(address=10, and_mask=0xFDFE, or_mask=0x0200),
                await client.mask_write_register(address=11, and_mask=0xEFFF, or_mask=0x1000),
                await client.write_register(12, 2),
                await client.write_register(12, 1),
            ]
            both = await client.readwrite_registers(
                read_address=0, read_count=2, address=1, values=[7]
            )

        assert [answer.isError() for answer in (*answers, both)] == [False] * 17
        # 180 x 0.1 + 5 = 23; 1 x 0.1 + 5 = 5.1; a double point is 1 off and 2 on.
        told = await b.told()
        assert [name for name, _ in told] == [
            "breaker", "breaker", "breaker", "second", "third", "word", "signed", "real", "long",
            "word", "signed", "real", "bcd", "alone", "alone", "left", "left", "right", "swapped",
            "double", "double", "signed",
        ]  # fmt: skip
        assert [value for _, value in told] == pytest.approx(
            [1, 0, 1, 0, 1, 23, -2, 230.625, 2**40 + 3, 5.1, 2, 230.625, 1234, 1, 0, 1, 0, 1, 1, 1,
             0, 7], abs=1e-12,
        )  # fmt: skip
        assert len(both.registers) == 2


async def test_mbpoll_writes(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """mbpoll writes a coil and a float, counting from 1, and is told that it worked."""
    async with bench(tmp_path) as b:

        async def poll(*arguments: str) -> str:
            run = await asyncio.create_subprocess_exec(
                tool("mbpoll"), "-m", "tcp", "-p", str(b.port), "-a", "1", "-o", "5", "-1",
                *arguments,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            out, _ = await asyncio.wait_for(run.communicate(), 15)
            return out.decode()

        assert "Written 1 references." in await poll("-t", "0", "-r", "1", "127.0.0.1", "1")
        # Its float has the low word first, as this point has it.
        out = await poll("-t", "4:float", "-r", "3", "127.0.0.1", "12.5")
        assert "Written 1 references." in out
        assert "Illegal function" in await poll("-t", "4", "-r", "14", "127.0.0.1", "1")
        assert await b.told() == [("breaker", 1), ("real", 12.5)]


async def test_tshark_agrees(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """tshark finds nothing malformed in requests and answers, and the same fields as they have."""
    frames: list[tuple[bool, bytes]] = []
    async with bench(tmp_path) as b:
        master = await Master.connect(b.port)
        for pdu in ("05 0000 FF00", "0F 0000 0003 01 05", "06 0000 0001",
                    "10 0002 0002 04 0000 4148", "16 000A FFFE 0001",
                    "17 0000 0002 0001 0001 02 0007", "06 000D 0001"):  # fmt: skip
            transaction = master.send(pdu)
            data = bytes.fromhex(pdu)
            frames.append((True, struct.pack(">HHHB", transaction, 0, len(data) + 1, 1) + data))
            _, answer = await master.answer()
            data = bytes.fromhex(answer)
            frames.append((False, struct.pack(">HHHB", transaction, 0, len(data) + 1, 1) + data))
        master.writer.close()
    # One packet each: direction, time, bytes.
    dump = "".join(f"{'O' if out else 'I'} 0 {data.hex(' ')}\n" for out, data in frames)
    hexdump = "".join(
        f"{'O' if line[0] == 'O' else 'I'} 000000 {line[4:]}\n" for line in dump.splitlines()
    )
    (tmp_path / "in.txt").write_text(hexdump)
    making = await asyncio.create_subprocess_exec(
        tool("text2pcap"), "-q", "-D", "-T", "502,50000", str(tmp_path / "in.txt"),
        str(tmp_path / "out.pcap"),
    )  # fmt: skip
    assert await asyncio.wait_for(making.wait(), 30) == 0
    reading = await asyncio.create_subprocess_exec(
        tool("tshark"), "-r", str(tmp_path / "out.pcap"), "-d", "tcp.port==502,mbtcp", "-T",
        "fields", "-e", "mbtcp.trans_id", "-e", "modbus.func_code", "-e", "modbus.exception_code",
        "-e", "_ws.malformed", "-E", "separator=;",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(reading.communicate(), 60)
    found = [line.split(";") for line in out.decode().splitlines()]
    functions = ["5", "15", "6", "16", "22", "23", "6"]
    assert [row[1] for row in found] == [code for one in functions for code in (one, one)]
    assert [row[2] for row in found] == [""] * 13 + ["1"]
    assert all(not row[3] for row in found)


# What a master hears for each way in which a command can end: V1.1b3 section 7.
ENDS = [
    (S.SUCCESS, "05 0000 FF00"),
    (S.TIMEOUT, "85 0B"),
    (S.NO_INDICATION, "85 04"),
    (S.ALREADY_ACTIVE, "85 06"),
    (S.UNKNOWN_POINT, "85 02"),
    (S.NOT_SUPPORTED, "85 01"),
    (S.OUT_OF_RANGE, "85 03"),
    (S.UNREACHABLE, "85 0A"),
    (S.REFUSED, "85 04"),
    (S.DEVICE_LOCAL, "85 04"),
    (S.DEVICE_ERROR, "85 04"),
]


@pytest.mark.parametrize(("status", "answer"), ENDS)
async def test_ends(status: CommandStatus, answer: str, tmp_path: Path) -> None:
    """A device's word reaches the master as the exception that the standard has for it."""
    async with bench(tmp_path) as b:
        b.field.reply(lambda command: status)
        master = await Master.connect(b.port)
        assert await master.ask("05 0000 FF00") == answer.replace(" ", "")
        assert await b.told() == [("breaker", 1)]
        master.writer.close()


REFUSALS = [
    ("a measurement", "06 000D 0001", "86 01", S.NOT_SUPPORTED),
    ("a coil that is not there", "05 0003 FF00", "85 02", S.UNKNOWN_POINT),
    ("a coil neither on nor off", "05 0000 1234", "85 03", S.FORMAT_ERROR),
    ("coils beyond the last", "0F 0002 0002 01 03", "8F 02", S.UNKNOWN_POINT),
    ("no coils", "0F 0000 0000 00", "8F 03", S.FORMAT_ERROR),
    ("coils in the wrong count", "0F 0000 0003 02 0505", "8F 03", S.FORMAT_ERROR),
    ("an input register", "06 0000 0001 00", "86 03", S.FORMAT_ERROR),
    ("a register that is not there", "06 00FF 0001", "86 02", S.UNKNOWN_POINT),
    ("half a float", "06 0002 0001", "86 02", S.UNKNOWN_POINT),
    ("the other half", "06 0003 0001", "86 02", S.UNKNOWN_POINT),
    ("a value and a half", "10 0001 0002 04 0001 0002", "90 02", S.UNKNOWN_POINT),
    ("from the middle on", "10 0003 0005 0A" + "0000" * 5, "90 02", S.UNKNOWN_POINT),
    ("beyond the last", "10 000D 0002 04 0001 0001", "90 02", S.UNKNOWN_POINT),
    ("not a number", "10 0002 0002 04 0000 7FC0", "90 03", S.FORMAT_ERROR),
    ("infinity", "10 0002 0002 04 0000 7F80", "90 03", S.FORMAT_ERROR),
    ("above the limit", "10 0002 0002 04 4000 447A", "90 03", S.OUT_OF_RANGE),
    ("below the limit", "10 0002 0002 04 0000 BF80", "90 03", S.OUT_OF_RANGE),
    ("no decimal", "06 0008 12A4", "86 03", S.FORMAT_ERROR),
    ("another bit of its register", "06 0009 0001", "86 03", S.FORMAT_ERROR),
    ("a register of several bits", "06 000A 0001", "86 01", S.NOT_SUPPORTED),
    ("a mask on a number", "16 0000 FFFE 0001", "96 01", S.NOT_SUPPORTED),
    ("a mask on nothing", "16 00FF FFFE 0001", "96 02", S.UNKNOWN_POINT),
    ("a mask that changes nothing", "16 000A FFFF 0000", "96 03", S.FORMAT_ERROR),
    ("a mask on the bits of nobody", "16 000A FFFC 0003", "96 03", S.FORMAT_ERROR),
    ("a state that is none", "06 000C 0003", "86 03", S.OUT_OF_RANGE),
    ("a read of nothing", "17 00FF 0001 0001 0001 02 0001", "97 02", S.UNKNOWN_POINT),
]  # fmt: skip


@pytest.mark.parametrize(("name", "request_pdu", "answer", "status"), REFUSALS)
async def test_refusals(
    name: str, request_pdu: str, answer: str, status: CommandStatus, tmp_path: Path
) -> None:
    """What cannot be is refused in Modbus's words, is on record, and nothing is told the device."""
    async with bench(tmp_path) as b:
        master = await Master.connect(b.port)
        assert await master.ask(request_pdu) == answer.replace(" ", ""), name
        assert await b.told() == []
        assert b.gw.counters("scada")["commands_refused"] == 1
        master.writer.close()
    [record] = [one for one in b.audit() if one.get("step") == "refused"]
    assert record["status"] == status.value
    assert record["sink"] == "scada"
    assert record["address"].startswith("127.0.0.1:")
    assert record["detail"]


async def test_another_unit(tmp_path: Path) -> None:
    """A write to a unit that is not there is answered with 0x0B, or not at all, and on record."""
    for unknown in ("exception", "silence"):
        folder = tmp_path / unknown
        folder.mkdir()
        async with bench(folder, unknown_unit=unknown) as b:
            master = await Master.connect(b.port)
            master.send("05 0000 FF00", unit=9)
            read = master.send("01 0000 0001")
            assert await master.answer() == (read, "010100")
            if unknown == "exception":
                assert await master.answer() == (read - 1, "850B")
            else:
                await b.gw.until(lambda: b.gw.counters("scada").get("unknown_units"))
            assert await b.told() == []
            master.writer.close()
        assert [one["unit"] for one in b.audit() if one.get("step") == "refused"] == ["9"]


async def test_without_a_role(tmp_path: Path) -> None:
    """Without a role a master may read, and whatever it writes is refused."""
    async with bench(tmp_path, role=None) as b:
        master = await Master.connect(b.port)
        assert await master.ask("05 0000 FF00") == "8501"
        assert await master.ask("01 0000 0001") == "010100"
        assert await b.told() == []
        master.writer.close()


async def test_first_failure_ends_it(tmp_path: Path) -> None:
    """A write of several points goes on in order until one fails, and its exception is told."""
    async with bench(tmp_path) as b:
        b.field.reply(lambda command: S.SUCCESS if len(b.field.commands) < 2 else S.DEVICE_ERROR)
        master = await Master.connect(b.port)
        assert await master.ask("0F 0000 0003 01 07") == "8F04"
        assert await b.told() == [("breaker", 1), ("second", 1)]
        master.writer.close()


async def test_answer_comes_after_the_end(tmp_path: Path) -> None:
    """Nothing is answered while the device has not; others, and what this master asks besides,
    are not kept waiting; and what is above the bound is refused as busy."""
    async with bench(tmp_path, max_commands=2) as b:
        b.field.reply(lambda command: None)
        master, other = await Master.connect(b.port), await Master.connect(b.port)
        first = master.send("05 0000 FF00")
        second = master.send("05 0001 FF00")
        await b.gw.until(lambda: len(b.field.commands) == 2)
        third = master.send("05 0002 FF00")
        read = master.send("01 0000 0001")

        assert await master.answer() == (third, "8506")
        assert await master.answer() == (read, "010100")
        assert await other.ask("01 0000 0001") == "010100"
        assert await master.ask("05 0002 FF00") == "8506"
        assert b.gw.counters("scada")["commands_busy"] == 2
        await b.field.answer(b.field.commands[1], S.SUCCESS)
        assert await master.answer() == (second, "050001FF00")
        await b.field.answer(b.field.commands[0], S.DEVICE_ERROR, "the spring is not charged")
        assert await master.answer() == (first, "8504")
        for one in (master, other):
            one.writer.close()
    # The second one that was refused was of the same moment.
    busy = [one for one in b.audit() if one.get("status") == "rate_limited"]
    assert [one["request"] for one in busy] == ["050002ff00"]


async def test_command_timeout(tmp_path: Path) -> None:
    """A master that waits for a second is answered within it, whatever the device does."""
    async with bench(tmp_path, command_timeout="200ms") as b:
        b.field.reply(lambda command: None)
        master = await Master.connect(b.port)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await master.ask("0F 0000 0003 01 07") == "8F0B"
        assert 0.19 < loop.time() - began < 8
        # The rest is not tried.
        assert await b.told() == [("breaker", 1)]
        master.writer.close()


async def test_point_timeout(tmp_path: Path) -> None:
    """Without a time-out of the link, that of the point counts."""
    async with bench(tmp_path) as b:
        b.field.reply(lambda command: None)
        master = await Master.connect(b.port)
        assert await master.ask("05 0009 FF00") == "850B"
        master.writer.close()


async def test_master_leaves(tmp_path: Path) -> None:
    """Where the master goes away, what is under way ends, and what is to follow is left."""
    async with bench(tmp_path) as b:
        b.field.reply(lambda command: None)
        master = await Master.connect(b.port)
        master.send("0F 0000 0003 01 07")
        await b.gw.until(lambda: b.field.commands)
        master.writer.transport.abort()
        other = await Master.connect(b.port)
        await b.gw.until(lambda: b.gw.counters("scada")["requests"] >= 1)
        await b.field.answer(b.field.commands[0], S.SUCCESS)
        assert await other.ask("01 0000 0001") == "010100"
        assert await b.told() == [("breaker", 1)]
        other.writer.close()
    ended = [one for one in b.audit() if one.get("step") == "ended"]
    assert [(one["point"], one["status"]) for one in ended] == [("breaker", "success")]


async def test_rtu_over_tcp(tmp_path: Path) -> None:
    """With serial frames pymodbus writes as well; what has been overtaken is not answered."""
    async with bench(tmp_path, transport="rtu-over-tcp") as b:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=b.port, framer=FramerType.RTU, timeout=0.5, retries=0
        )
        async with client:
            assert not (await client.write_coil(0, True)).isError()
            assert (await client.write_register(13, 1)).exception_code == 1
        b.field.reply(lambda command: None)
        master = await Master.connect(b.port)
        # Coil 0 on, and a read of coil 1; checks as the serial line specification computes them.
        master.writer.write(bytes.fromhex("0105 0000 FF00 8C3A"))
        await b.gw.until(lambda: len(b.field.commands) == 2)
        master.writer.write(bytes.fromhex("0101 0001 0001 AC0A"))
        assert (await asyncio.wait_for(master.reader.readexactly(6), 5))[:4].hex() == "01010100"
        await b.field.answer(b.field.commands[1], S.SUCCESS)
        await b.gw.until(lambda: b.gw.counters("scada").get("late_answers") == 1)
        assert await b.told() == [("breaker", 1), ("breaker", 1)]
        master.writer.close()


async def test_certificate_is_the_user(certificates: Path) -> None:
    """Over TLS a master is who its certificate says, on record and in what it may."""
    port, field = free_port(), Emitter(name="field", obeys=True)
    tls = {
        "certificate": str(certificates / "device.pem"),
        "key": str(certificates / "device.key"),
        "ca": str(certificates / "ca.pem"),
    }
    scada = slave(port, transport="tls", tls=tls, role=None)
    access = AccessSettings.model_validate(
        {"certificates": [{"subject": "CN=gateway", "role": "operator"}]}
    )
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "gateway.pem", certificates / "gateway.key")
    async with running([field], [scada], POINTS, data=certificates, access=access) as gw:
        await gw.until(lambda: gw.state("scada") == gw.state("field") == "up")
        b = Bench(gw, field, port, certificates)
        master = await Master.connect(port, ssl=context)
        assert await master.ask("05 0000 FF00") == "050000FF00"
        assert await b.told() == [("breaker", 1)]
        master.writer.close()
    [record] = [one for one in b.audit() if one.get("step") == "ended"]
    assert "gateway" in record["user"]
    assert record["role"] == "operator"


GOOD = ("05 0000 FF00", "06 0000 0001", "0F 0000 0003 01 05", "10 0002 0002 04 0000 4148",
        "16 000A FFFE 0001", "17 0000 0002 0001 0001 02 0007")  # fmt: skip


async def test_malformed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good write that is too short or too long by any number of bytes gets exception 3, and the
    device hears nothing of it."""
    monkeypatch.setattr(plugin_commands, "PAUSE", 0.0)
    async with bench(tmp_path) as b:
        master = await Master.connect(b.port)
        for good in map(bytes.fromhex, GOOD):
            for pdu in (
                *(good[:length] for length in range(1, len(good))),
                *(good + bytes(length) for length in range(1, 6)),
            ):
                assert await master.ask(pdu.hex()) == f"{good[0] | 0x80:02X}03", pdu.hex()
        assert await b.told() == []
        master.writer.close()


async def test_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever follows the function code of a write, there is one answer, the echo or an exception,
    and the gateway goes on."""
    monkeypatch.setattr(plugin_commands, "PAUSE", 0.0)
    async with bench(tmp_path, rate=10_000) as b:
        master = await Master.connect(b.port)
        loop = asyncio.get_running_loop()

        async def ask(pdu: bytes) -> None:
            answer = bytes.fromhex(await master.ask(pdu.hex()))
            if answer[0] & 0x80:
                assert answer[0] == pdu[0] | 0x80
                assert answer[1] in (1, 2, 3)
            else:
                assert answer[0] == pdu[0]

        @settings(
            max_examples=300,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(
            st.sampled_from(sorted(WRITES)),
            # Often near the registers that are there.
            st.one_of(st.binary(max_size=40), st.binary(max_size=20).map(lambda end: b"\0" + end)),
        )
        def fuzz(function: int, data: bytes) -> None:
            pdu = bytes((function,)) + data
            asyncio.run_coroutine_threadsafe(ask(pdu), loop).result(10)

        await asyncio.to_thread(fuzz)
        assert await master.ask("01 0000 0001") in ("010100", "010101")
        assert b.gw.counters("scada").get("disconnects", 0) == 0
        master.writer.close()


def test_infinity_is_no_number() -> None:
    """The bytes that the refusals above take for no number and infinity are these."""
    assert math.isnan(struct.unpack(">f", bytes.fromhex("7FC00000"))[0])
    assert struct.unpack(">f", bytes.fromhex("7F800000"))[0] == math.inf
