"""Frames of 104 and 101 in words, and as Wireshark reads them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.iec101.master import Iec101Master
from gateway_iec60870.iec101.slave import Iec101Slave
from gateway_iec60870.iec104.client import Iec104Client
from gateway_iec60870.iec104.server import Iec104Server
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.testing import Emitter, dissected, free_port, running
from gateway.testing.authority import Authority

HEAD = ("iec60870_asdu.typeid", "iec60870_asdu.causetx", "iec60870_asdu.addr", "iec60870_asdu.ioa")
FIELDS = (*HEAD, "iec60870_asdu.float", "frame.comment", "_ws.malformed")
ROWS = """\
name,kind,field.at,station.ioa,station.type,rtu.ioa
level,analog,x,700,float,
seen,analog,,,,700
"""
CLIENT = Iec104Client(name="rtu", host="127.0.0.1")
WIDE: dict[str, Any] = {"cause_octets": 2, "ca_octets": 2, "ioa_octets": 3}
MASTER: dict[str, Any] = {"name": "rtu", "port": "/dev/null", "ca": 1}


# IEC 60870-5-104:2006 5.1 and 5.3 for the APCI, IEC 60870-5-101:2003 7.2 and 7.3 for the ASDU.
@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("68 04 07 00 00 00", "U STARTDT act"),
        ("68 04 01 00 0A 00", "S N(R) 5"),
        (
            "68 1A 18 00 0A 00 0D 02 03 00 0A 00 BC0200 00004841 00 BD0200 0000803F 91",
            "I(12,5) ASDU 13 M_ME_NC_1 COT 3 spontaneous CA 10, 2 objects: 700 = 12.5, "
            "701 = 1 IV BL OV",
        ),
        (
            "68 0E 02 00 00 00 64 01 06 00 01 00 000000 14",
            "I(1,0) ASDU 100 C_IC_NA_1 COT 6 activation CA 1, 1 object 0: 14",
        ),
        (
            "68 0E 04 00 02 00 2D 01 C7 07 01 00 010000 81",
            "I(2,1) ASDU 45 C_SC_NA_1 COT 7 activation_con negative test OA 7 CA 1, select 1 = 1",
        ),
        (
            "68 12 06 00 02 00 0F 01 25 00 01 00 840300 39300000 C1",
            "I(3,1) ASDU 15 M_IT_NA_1 COT 37 counters CA 1, 1 object: 900 = 12345 IV CA",
        ),
        (
            "68 0E 00 00 00 00 0D 02 03 00 0A 00 BC0200 00",
            "I(0,0) no ASDU: octet 10 of the ASDU: found 4 octets of objects, "
            "allowed: 16 for 2 of M_ME_NC_1",
        ),
    ],
)
def test_frames_of_104(octets: str, said: str) -> None:
    """Numbers, type, cause, addresses, values and quality are said."""
    assert CLIENT.describe("rx", bytes.fromhex(octets)) == said


# 60870-5-1 6.2.4.2 and 60870-5-2 for the frame.
@pytest.mark.parametrize(
    ("octets", "sizes", "said"),
    [
        ("E5", {}, "single character E5"),
        ("10 5B 01 5C 16", {}, "to 1 REQUEST_CLASS_2 FCV"),
        ("10 5B 01 5D 16", {}, "to 1 REQUEST_CLASS_2 FCV, its checksum is wrong"),
        (
            "68 0B 0B 68 08 01 01 01 03 01 0200 01 12 16",
            {},
            "from 1 RESPOND, no ASDU",
        ),
        (
            "68 09 09 68 08 01 01 01 03 01 0200 01 12 16",
            {},
            "from 1 RESPOND, ASDU 1 M_SP_NA_1 COT 3 spontaneous CA 1, 1 object: 2 = 1",
        ),
        (
            "68 0C 0C 68 08 01 01 01 03 00 0100 020000 01 12 16",
            WIDE,
            "from 1 RESPOND, ASDU 1 M_SP_NA_1 COT 3 spontaneous CA 1, 1 object: 2 = 1",
        ),
    ],
)
def test_frames_of_101(octets: str, sizes: dict[str, Any], said: str) -> None:
    """The same, with the octets of the fields that the line has agreed on."""
    frame = bytearray(bytes.fromhex(octets))
    if said.endswith("no ASDU"):
        assert Iec101Master.model_validate(MASTER).describe("rx", bytes(frame)) == (
            "no frame of FT1.2"
        )
        return
    assert Iec101Master.model_validate(MASTER | sizes).describe("rx", bytes(frame)) == said


@given(st.binary(max_size=255), st.binary(max_size=248))
@example(b"", b"")
def test_any_octets_are_one_line(frame: bytes, body: bytes) -> None:
    """Whatever comes there is a line without an error, and of bounded length."""
    line = Iec101Master.model_validate(MASTER)
    inside = b"\x08\x01" + body
    asdu = b"\x68" + bytes((4 + len(body), 0, 0, 0, 0)) + body
    ft12 = bytes((0x68, len(inside), len(inside), 0x68)) + inside + bytes((sum(inside) & 0xFF, 22))
    for said in (
        CLIENT.describe("rx", frame),
        CLIENT.describe("rx", asdu),
        line.describe("tx", frame),
        line.describe("tx", ft12),
    ):
        assert said.isprintable()
        assert len(said) < 400


def tls(folder: Path) -> list[dict[str, Any]]:
    """The files of a client and of a server."""
    authority = Authority(folder)
    for name in ("client", "server"):
        authority.issue(name, "127.0.0.1")
    return [
        {
            "tls": {
                "ca": str(folder / "ca.pem"),
                "certificate": str(folder / f"{name}.pem"),
                "key": str(folder / f"{name}.key"),
            }
        }
        for name in ("client", "server")
    ]


@pytest.mark.parametrize("secure", [False, True])
async def test_wireshark_reads_104(secure: bool, tmp_path: Path) -> None:
    """Both ends are dissected, in plain and over TLS, and say what tshark finds."""
    port = free_port()
    client, server = tls(tmp_path) if secure else ({}, {})
    wait = {"reconnect": {"min": "50ms", "max": "100ms"}}
    rtu = {"name": "rtu", "host": "127.0.0.1", "port": port, "ca": 10}
    station = {"name": "station", "listen": f"127.0.0.1:{port}", "ca": 10}
    await _check(
        tmp_path,
        Iec104Client.model_validate(rtu | client | wait),
        Iec104Server.model_validate(station | server),
        10,
    )


async def test_wireshark_reads_101(tmp_path: Path) -> None:
    """The same of 101 over TCP; Wireshark is told where it is, as the document says."""
    port = free_port()
    wait = {"reconnect": {"min": "50ms", "max": "100ms"}}
    rtu = {"name": "rtu", "transport": "tcp", "host": "127.0.0.1", "port": port, "ca": 10}
    station = {"name": "station", "transport": "tcp", "listen": f"127.0.0.1:{port}", "ca": 10}
    await _check(
        tmp_path,
        Iec101Master.model_validate(rtu | {"class_2": "50ms"} | wait),
        Iec101Slave.model_validate(station),
        10,
        "iec60870_101.tcp.port:60870",
    )


async def _check(data: Path, rtu: Any, station: Any, address: int, *settings: str) -> None:
    field = Emitter(name="field")
    async with running([field, rtu], [station], ROWS, data=data / "data") as gw:
        await gw.until(lambda: gw.state("rtu") == "up", timeout=20)
        await field.emit(["level"], [12.5])
        await gw.until(lambda: gw.sample("seen").value == 12.5)
        await asyncio.sleep(0.1)
        for link in ("rtu", "station"):
            rows = await dissected(gw, link, *FIELDS, settings=settings)
            assert {row["_ws.malformed"] for row in rows} == {""}
            seen = [row for row in rows if row["iec60870_asdu.float"] == "12.5"]
            assert seen
            for row in seen:
                kind, cause, ca, ioa = (int(row[name]) for name in HEAD)
                assert (kind, ca, ioa) in ((13, address, 700), (36, address, 700))
                assert f"ASDU {kind} M_ME_" in row["frame.comment"]
                assert f"COT {cause} " in row["frame.comment"]
                assert f"CA {ca}, 1 object: {ioa} = 12.5" in row["frame.comment"]
            if link == "rtu":
                # Of the frame, or of one that came before its samples were handed on.
                assert any(row["frame.comment"].endswith("taken: seen") for row in rows), rows
