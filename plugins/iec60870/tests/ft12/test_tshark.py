"""What we encode, read by a dissector that nobody here wrote."""

from __future__ import annotations

import csv
import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from gateway_iec60870.ft12 import Control, Frame, Function, Reader, encode, longest
from gateway_iec60870.ft12.control import WITH_DATA

POINT = bytes.fromhex("01 01 03 01 0700 01")
"""M_SP_NA_1 with a cause and a common address of one octet, and an object address of two."""

FIELDS = (
    "iec60870_101.header",
    "iec60870_101.length",
    "iec60870_101.num_user_octets",
    "iec60870_101.ctrlfield",
    "iec60870_101.ctrl_prm",
    "iec60870_101.ctrl_fcb",
    "iec60870_101.ctrl_fcv",
    "iec60870_101.ctrl_dfc",
    "iec60870_101.ctrl_func_pri_to_sec",
    "iec60870_101.ctrl_func_sec_to_pri",
    "iec60870_101.linkaddr",
    "iec60870_101.checksum",
    "iec60870_101.stopchar",
    "iec60870_asdu.typeid",
    "iec60870_asdu.causetx",
    "iec60870_asdu.addr",
    "iec60870_asdu.ioa",
    "_ws.malformed",
    "_ws.expert.message",
)

RTAC_SERIAL = 250
"""The link type of captures of serial lines, whose payload tshark can be told to read as 101."""


def dissect(path: Path, frames: list[bytes], octets: int) -> list[dict[str, list[str]]]:
    """What tshark reads in each frame."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RTAC_SERIAL))
        for second, data in enumerate(frames):
            packet = struct.pack(">IIBBH", second, 0, 1, 0, 0) + data
            file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)
    command = [
        tshark, "-r", str(path), "-d", "rtacser.data,iec60870_101",
        "-o", f"iec60870_101.linkaddr_len:{octets} octet",
        "-T", "fields", "-E", "separator=|", "-E", "aggregator=;",
        *(word for field in FIELDS for word in ("-e", field)),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = csv.reader(io.StringIO(done.stdout), delimiter="|")
    return [
        {name: cell.split(";") if cell else [] for name, cell in zip(FIELDS, row, strict=True)}
        for row in rows
    ]


@pytest.mark.parametrize("octets", [0, 1, 2])
def test_every_frame(octets: int, tmp_path: Path) -> None:
    """Every function, with every combination of its bits, is read as it was meant: control field,
    function, address, lengths, checksum, end, and the ASDU behind it."""
    address = (0, 200, 0x1234)[octets]
    frames = [
        Frame(Control(function, dir_, fcb, fcv), address, POINT if function in WITH_DATA else b"")
        for function in Function
        for dir_ in (False, True)
        for fcb in (False, True)
        for fcv in (False, True)
    ]
    rows = dissect(tmp_path / "all.pcap", [encode(one, octets) for one in frames], octets)

    assert len(rows) == len(frames)
    for frame, row in zip(frames, rows, strict=True):
        control = frame.control
        assert control is not None
        assert not row["_ws.malformed"]
        assert not row["_ws.expert.message"]
        start = 0x68 if frame.asdu else 0x10
        assert {int(one, 0) for one in row["iec60870_101.header"]} == {start}
        assert int(row["iec60870_101.ctrlfield"][0], 0) == control.octet
        assert int(row["iec60870_101.ctrl_prm"][0]) == control.prm
        if control.prm:
            assert int(row["iec60870_101.ctrl_fcb"][0]) == control.fcb
            assert int(row["iec60870_101.ctrl_fcv"][0]) == control.fcv
            function = int(row["iec60870_101.ctrl_func_pri_to_sec"][0])
        else:
            assert int(row["iec60870_101.ctrl_dfc"][0]) == control.dfc
            function = int(row["iec60870_101.ctrl_func_sec_to_pri"][0])
        assert function == control.function & 0x0F
        assert [int(one) for one in row["iec60870_101.linkaddr"]] == [address] * bool(octets)
        # The sum of what tshark has read, by 60870-5-1 clause 6.2.4.2.1, FT1.2, rule R5.
        summed = [int(row["iec60870_101.ctrlfield"][0], 0), address & 0xFF, address >> 8]
        assert int(row["iec60870_101.checksum"][0], 0) == sum([*summed, *frame.asdu]) & 0xFF
        assert row["iec60870_101.stopchar"] == ["0x16"]
        if frame.asdu:
            assert int(row["iec60870_101.length"][0]) == 1 + octets + len(POINT)
            found = [row[f"iec60870_asdu.{name}"] for name in ("typeid", "causetx", "addr", "ioa")]
            assert found == [["1"], ["3"], ["1"], ["7"]]


def test_the_longest(tmp_path: Path) -> None:
    """The longest ASDU leaves the lengths that tshark expects."""
    # M_SP_NA_1 with objects that follow each other: head of 4 octets, one address, 1 octet each.
    octets = 1
    count = 127
    asdu = bytes((1, 0x80 | count, 3, 1)) + b"\x01\x00" + bytes(count)
    [row] = dissect(
        tmp_path / "long.pcap", [encode(Frame(Control(Function.RESPOND), 1, asdu), octets)], octets
    )
    assert row["iec60870_101.length"] == ["135"]
    assert row["iec60870_asdu.ioa"] == [str(n) for n in range(1, count + 1)]
    assert not row["_ws.malformed"]
    assert len(asdu) <= longest(octets)


def test_what_it_refuses(tmp_path: Path) -> None:
    """It says so where a frame is cut: the oracle is awake, and our reader agrees."""
    whole = encode(Frame(Control(Function.RESPOND), 1, POINT), 1)
    [row] = dissect(tmp_path / "cut.pcap", [whole[:-4]], 1)
    assert row["_ws.malformed"] or row["_ws.expert.message"]
    assert Reader(1).feed(whole[:-4]) == []
