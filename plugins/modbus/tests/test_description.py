"""Frames in words, and as Wireshark reads them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.description import describe_mbap, describe_rtu
from gateway_modbus.server import ModbusServer
from gateway_modbus.source import Modbus
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.testing import Emitter, dissected, free_port, running

POINTS = "name,field.at,scada.register,scada.type,meter.register,meter.type\n"
ROWS = POINTS + "voltage,x,10,float32,,\ncurrent,x,12,int16,,\nseen,,,,10,float32\n"
FIELDS = (
    "mbtcp.trans_id", "mbtcp.unit_id", "mbrtu.unit_id", "modbus.func_code",
    "modbus.reference_num", "modbus.word_cnt", "modbus.regval_uint16", "frame.comment",
    "frame.packet_flags_direction", "_ws.malformed",
)  # fmt: skip
TX, RX = "0x00000002", "0x00000001"


# The requests and answers of the examples in Modbus application protocol V1.1b3, section 6,
# with transaction 1 and unit 17.
@pytest.mark.parametrize(
    ("asks", "pdu", "said"),
    [
        (True, "01 0013 0013", "read 19 coils from 19"),
        (False, "01 03 CD6B05", "answer: coils 101100111101011010100000"),
        (True, "02 00C4 0016", "read 22 discrete inputs from 196"),
        (True, "03 006B 0003", "read 3 holding registers from 107"),
        (False, "03 06 022B 0000 0064", "answer: 3 holding registers, 0x022b 0x0000 0x0064"),
        (True, "04 0008 0001", "read 1 input register from 8"),
        (True, "05 00AC FF00", "write coil 172 = on"),
        (False, "05 00AC FF00", "written: coil 172 = on"),
        (True, "06 0001 0003", "write register 1 = 0x0003"),
        (True, "0F 0013 000A 02 CD01", "write 10 coils from 19 = 1011001110"),
        (False, "0F 0013 000A", "written: 10 coils from 19"),
        (True, "10 0001 0002 04 000A 0102", "write 2 registers from 1 = 0x000a 0x0102"),
        (False, "10 0001 0002", "written: 2 registers from 1"),
        (True, "16 0004 00F2 0025", "mask register 4: and 0x00f2, or 0x0025"),
        (
            True,
            "17 0003 0006 000E 0003 06 00FF 00FF 00FF",
            "write 3 registers from 14 = 0x00ff 0x00ff 0x00ff, "
            "then read 6 holding registers from 3",
        ),
        (False, "83 02", "function 3 refused: exception 2, illegal data address"),
        (True, "2B 0E 01 00", "function 43 request of 4 octets"),
    ],
)
def test_the_examples_of_the_standard(asks: bool, pdu: str, said: str) -> None:
    """Each is said in words, over TCP and over a serial line."""
    octets = bytes.fromhex(pdu)
    head = bytes.fromhex("0001 0000") + (len(octets) + 1).to_bytes(2, "big") + b"\x11"
    assert describe_mbap(head + octets, asks=asks) == f"{said}, unit 17, transaction 1"
    wrong = describe_rtu(b"\x11" + octets + b"\0\0", asks=asks)
    assert wrong == f"{said}, unit 17, its check is wrong"


def test_a_good_check() -> None:
    """The check of the frame in over serial line V1.02, appendix B: 02 07 41 12."""
    assert describe_rtu(bytes.fromhex("02 07 41 12"), asks=True) == (
        "function 7 request of 1 octet, unit 2"
    )


@given(st.binary(max_size=300), st.sampled_from(["tx", "rx"]), st.booleans())
@example(bytes(7), "rx", False)
def test_any_octets_are_one_line(frame: bytes, direction: str, serial: bool) -> None:
    """Whatever comes there is a line without an error, and of bounded length."""
    fields: dict[str, Any] = {"transport": "rtu-over-tcp"} if serial else {}
    link = Modbus.model_validate({"name": "meter", "host": "127.0.0.1", **fields})
    said = link.describe(direction, frame)
    assert said.isprintable()
    assert len(said) < 240


@pytest.mark.parametrize("transport", ["tcp", "tls", "rtu-over-tcp"])
async def test_wireshark_reads_what_passes(
    transport: str, tmp_path: Path, certificates: Path
) -> None:
    """Both ends of a link over TCP, TLS and RTU over TCP are dissected as what they are."""
    port = free_port()
    tls: dict[str, Any] = {}
    ends: list[dict[str, Any]] = [{}, {}]
    if transport == "tls":
        for end, name in zip(ends, ("gateway", "device"), strict=True):
            tls = {"certificate": f"{certificates}/{name}.pem", "key": f"{certificates}/{name}.key"}
            end["tls"] = tls | {"ca": f"{certificates}/ca.pem"}
    source = {"name": "meter", "host": "127.0.0.1", "port": port, "poll": "100ms"}
    sink = {"name": "scada", "listen": f"127.0.0.1:{port}"}
    meter = Modbus.model_validate(source | {"transport": transport} | ends[0])
    scada = ModbusServer.model_validate(sink | {"transport": transport} | ends[1])
    field = Emitter(name="field")
    async with running([field, meter], [scada], ROWS, data=tmp_path / "data") as gateway:
        await field.emit(["voltage"], [230.625])
        # 230.625 is 0x4366A000, and its words are 17254 and 40960.
        await gateway.until(lambda: gateway.sample("seen").value == 230.625)
        await asyncio.sleep(0.1)
        for link, ask, answer in (("meter", TX, RX), ("scada", RX, TX)):
            rows = await dissected(gateway, link, *FIELDS)
            asked = [row for row in rows if row["frame.packet_flags_direction"] == ask]
            answered = [row for row in rows if row["frame.packet_flags_direction"] == answer]
            unit = "mbrtu.unit_id" if transport == "rtu-over-tcp" else "mbtcp.unit_id"
            assert {(r[unit], r["modbus.func_code"]) for r in rows} == {("1", "3")}
            assert {(r["modbus.reference_num"], r["modbus.word_cnt"]) for r in asked} == {
                ("10", "2")
            }
            assert answered[-1]["modbus.regval_uint16"] == "17254,40960"
            assert "read 2 holding registers from 10, unit 1" in asked[0]["frame.comment"]
            assert "2 holding registers, 0x4366 0xa000" in answered[-1]["frame.comment"]
            assert {row["_ws.malformed"] for row in rows} == {""}
            if link == "meter":
                first = next(r for r in answered if r["modbus.regval_uint16"] == "17254,40960")
                assert first["frame.comment"].endswith("; 1 sample, 1 taken: seen")


@asynccontextmanager
async def slave_on_a_line() -> AsyncIterator[str]:
    """The path of a serial line with a slave that answers one read in two pieces."""
    ours, theirs = os.openpty()
    loop, asked = asyncio.get_running_loop(), bytearray()
    request = bytes.fromhex("01 03 000A 0002 E409")
    answer = bytes.fromhex("01 03 04 4366 A000 77A8")
    # Both checks by another implementation: pymodbus.framer.FramerRTU.compute_CRC.

    def hear() -> None:
        asked.extend(os.read(ours, 256))
        if bytes(asked) == request:
            asked.clear()
            os.write(ours, answer[:4])
            loop.call_later(0.02, os.write, ours, answer[4:])

    import tty

    tty.setraw(theirs)
    loop.add_reader(ours, hear)
    try:
        yield os.ttyname(theirs)
    finally:
        loop.remove_reader(ours)
        os.close(theirs)
        os.close(ours)


async def test_wireshark_reads_a_serial_line(tmp_path: Path) -> None:
    """A frame that came in pieces is one frame."""
    async with slave_on_a_line() as path:
        meter = Modbus.model_validate(
            {"name": "meter", "transport": "rtu", "port": path, "parity": "none", "poll": "200ms"}
        )
        rows = "name,meter.register,meter.type\nseen,10,float32\n"
        async with running([meter], [], rows, data=tmp_path / "data") as gateway:
            await gateway.until(lambda: gateway.sample("seen").value == 230.625)
            await asyncio.sleep(0.1)
            asked, answered, *_ = await dissected(gateway, "meter", *FIELDS)
            assert (asked["modbus.reference_num"], asked["modbus.word_cnt"]) == ("10", "2")
            assert (answered["mbrtu.unit_id"], answered["modbus.regval_uint16"]) == (
                "1",
                "17254,40960",
            )
            assert "1 sample, 1 taken: seen" in answered["frame.comment"]
