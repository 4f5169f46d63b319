"""Frames against published ones and another dissector."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from gateway_dnp3.link import Control, Frame, FrameError, Function, Reader, encode
from gateway_dnp3.link.control import CONTROLS
from gateway_dnp3.link.frame import size

UP = """
C1 E3 81 96 00 02 01 28 01 00 00 00 01 02 01 28 01 00 01 00 01 02 01 28 01 00 02 00 01 02 01 28
01 00 03 00 01 20 02 28 01 00 00 00 01 00 00 20 02 28 01 00 01 00 01 00 00 01 01 01 00 00 03 00
00 1E 02 01 00 00 01 00 01 00 00 01 00 00
"""

PUBLISHED = [
    # octets, dir, function, fcb, fcv or dfc, destination, source, user data
    # opendnp3, cpp/tests/unit/TestLinkFrame.cpp
    ("05 64 05 C0 01 00 00 04 E9 21", True, "RESET_LINK_STATES", 0, 0, 1, 1024, ""),
    ("05 64 05 49 01 00 00 04 D2 36", False, "REQUEST_LINK_STATUS", 0, 0, 1, 1024, ""),
    ("05 64 05 00 00 04 01 00 19 A6", False, "ACK", 0, 0, 1024, 1, ""),
    ("05 64 05 10 00 04 01 00 8B 0C", False, "ACK", 0, 1, 1024, 1, ""),
    ("05 64 05 80 01 00 00 04 53 11", True, "ACK", 0, 0, 1, 1024, ""),
    ("05 64 05 90 01 00 00 04 C1 BB", True, "ACK", 0, 1, 1, 1024, ""),
    ("05 64 05 40 00 04 01 00 A3 96", False, "RESET_LINK_STATES", 0, 0, 1024, 1, ""),
    ("05 64 14 F3 01 00 00 04 0A 3B C0 C3 01 3C 02 06 3C 03 06 3C 04 06 3C 01 06 9A 12",
     True, "CONFIRMED_USER_DATA", 1, 1, 1, 1024, "C0 C3 01 3C 02 06 3C 03 06 3C 04 06 3C 01 06"),
    ("05 64 53 73 00 04 01 00 03 FC C1 E3 81 96 00 02 01 28 01 00 00 00 01 02 01 28 05 24 01 00 01 "
     "00 01 02 01 28 01 00 02 00 01 02 01 28 B4 77 01 00 03 00 01 20 02 28 01 00 00 00 01 00 00 20 "
     "A5 25 02 28 01 00 01 00 01 00 00 01 01 01 00 00 03 00 2F AC 00 1E 02 01 00 00 01 00 01 00 00 "
     "01 00 00 16 ED", False, "CONFIRMED_USER_DATA", 1, 1, 1024, 1, UP),
    # a dissection by Wireshark, automatak-dnp3 mailing list, 19 February 2015
    ("05 64 05 C0 04 00 64 00 9A 89", True, "RESET_LINK_STATES", 0, 0, 4, 100, ""),
]  # fmt: skip


def published(row: tuple[str, bool, str, int, int, int, int, str]) -> tuple[bytes, Frame]:
    octets, master, function, fcb, fcv, destination, source, data = row
    control = Control(Function[function], master, bool(fcb), bool(fcv))
    return bytes.fromhex(octets), Frame(control, destination, source, bytes.fromhex(data))


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row[2]} {len(row[0]) // 3 + 1}")
def test_published(row: tuple[str, bool, str, int, int, int, int, str]) -> None:
    """A published frame is read as it is meant, whole, octet by octet and with another after it,
    and is written again octet for octet."""
    octets, frame = published(row)

    assert encode(frame) == octets
    assert Reader().feed(octets) == [frame]
    assert Reader().feed(octets + octets) == [frame, frame]
    reader = Reader()
    assert [found for octet in octets for found in reader.feed(bytes((octet,)))] == [frame]
    assert reader.errors.total() == reader.held == 0


def test_control_octets() -> None:
    """Each of the 256 octets means one thing, and is written again as it was."""
    assert [control.octet for control in CONTROLS] == list(range(256))
    assert len(set(CONTROLS)) == 256
    # IEEE 1815-2012 figure 9-3: DIR, PRM, FCB, FCV/DFC, function code.
    assert CONTROLS[0xF3] == Control(Function.CONFIRMED_USER_DATA, True, True, True)
    assert CONTROLS[0x1B] == Control(Function.LINK_STATUS, False, False, True)
    assert (CONTROLS[0x1B].prm, CONTROLS[0x1B].dfc) == (False, True)
    assert (CONTROLS[0xF3].prm, CONTROLS[0xF3].dfc) == (True, False)
    assert CONTROLS[0xC1].function == 0x41  # reserved


@pytest.mark.parametrize(
    ("length", "octets"), [(5, 10), (6, 13), (21, 28), (22, 31), (37, 46), (255, 292)]
)
def test_size(length: int, octets: int) -> None:
    """LEN tells the octets of the frame: 10, the data, and a check for each 16 of them begun."""
    assert size(length) == octets


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (Frame(Control(Function.ACK, True), 1, 70000), "address 70000, not 0..65535, at octet 6"),
        (Frame(Control(Function.ACK, True), -1, 1), "address -1, not 0..65535, at octet 4"),
        (
            Frame(Control(Function.UNCONFIRMED_USER_DATA, True), 1, 2, bytes(251)),
            "251 octets of user data, not 0..250, at octet 10",
        ),
    ],
)
def test_refused(frame: Frame, sentence: str) -> None:
    """A frame that cannot be is refused with what is wrong, where, and what is allowed."""
    with pytest.raises(FrameError) as error:
        encode(frame)

    assert str(error.value) == sentence


def test_text() -> None:
    """A frame is a line for who looks at a trace."""
    assert str(published(PUBLISHED[7])[1]) == (
        "master 1024 → 1 CONFIRMED_USER_DATA FCB FCV, 15 octets"
    )
    assert str(published(PUBLISHED[3])[1]) == "outstation 1 → 1024 ACK DFC"
    assert str(Frame(CONTROLS[0xC1], 1, 2)) == "master 2 → 1 function 0x41"


LOOKED_BEHIND = {Function.TEST_LINK_STATES, Function.NACK, Function.NOT_SUPPORTED}


def pcap(frames: list[bytes]) -> bytes:
    """A capture of frames in UDP datagrams, each from and to port 20000."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)  # raw IP
    for number, frame in enumerate(frames):
        udp = struct.pack(">HHHH", 20000, 20000, 8 + len(frame), 0) + frame
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                         bytes((127, 0, 0, 1)), bytes((127, 0, 0, 1)))  # fmt: skip
        out += struct.pack("<IIII", number, 0, len(ip + udp), len(ip + udp)) + ip + udp
    return out


def test_tshark_reads_our_frames(tmp_path: Path) -> None:
    """The DNP3 dissector of tshark reads each control octet that we send as it is meant, every
    length of data included, and finds all checks good and nothing malformed."""
    tshark = shutil.which("tshark")
    assert tshark is not None, "tshark is missing: apt-get install tshark"
    frames = [
        Frame(Control(function, master, fcb and function & 0x40 > 0, fcv), 65519, 3)
        for function in Function
        if function not in (Function.CONFIRMED_USER_DATA, Function.UNCONFIRMED_USER_DATA)
        for master in (True, False)
        for fcb in (True, False)
        for fcv in (True, False)
    ]
    # First segments of fragments that have more: what they say is not looked at.
    frames += [
        Frame(Control(Function.UNCONFIRMED_USER_DATA, True), octets, 1, b"\x40" + bytes(octets))
        for octets in range(1, 250)
    ]
    capture = tmp_path / "frames.pcap"
    capture.write_bytes(pcap([encode(frame) for frame in frames]))
    fields = ("dnp3.len", "dnp3.ctl", "dnp3.dst", "dnp3.src", "dnp.hdr.CRC.status",
              "dnp.data_chunk.CRC.status", "_ws.malformed")  # fmt: skip
    found = subprocess.run(
        [tshark, "-r", str(capture), "-T", "fields", "-E", "separator=|"]
        + [part for field in fields for part in ("-e", field)],
        check=True,
        capture_output=True,
        text=True,
    )

    rows = found.stdout.splitlines()
    for row, frame in zip(rows, frames, strict=True):
        length, control, destination, source, header, chunks, malformed = row.split("|")
        assert int(length) == 5 + len(frame.data)
        assert int(control, 0) == frame.control.octet
        assert (int(destination), int(source)) == (frame.destination, frame.source)
        assert header == "1", row
        assert chunks == ",".join("1" for _ in range(0, len(frame.data), 16))
        # The dissector looks for data behind functions that never have any (packet-dnp.c, 4.0).
        assert malformed == "" or frame.control.function in LOOKED_BEHIND
