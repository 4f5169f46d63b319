"""Files of ours as tshark and capinfos read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import Dissector
from gateway.trace import Packet, Writer

TIME = 1_767_268_800_123_456_789
QUERY = bytes.fromhex("0007 0000 0006 01 03 000a 0002")
"""Transaction 7: unit 1, holding registers, two from 10 (Modbus V1.1b3, 6.3)."""
ANSWER = bytes.fromhex("0007 0000 0007 01 03 04 4366 a000")
DISCOVERY = bytes.fromhex(
    "ffffffffffff 02005e000001 0806 0001 0800 06 04 000102005e000001 c0000201 000000000000 c0000202"
)
"""ARP (RFC 826): who has 192.0.2.2? Tell 192.0.2.1."""


def read(file: Path, *fields: str) -> list[list[str]]:
    """What tshark finds in each packet."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    wanted = [word for field in fields for word in ("-e", field)]
    printed = subprocess.run(
        [tshark, "-r", str(file), "-T", "fields", *wanted],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [line.split("\t") for line in printed.stdout.splitlines()]


def test_what_is_said_of_a_packet_is_there(tmp_path: Path) -> None:
    """Time to the nanosecond, direction, interface, comment, length, and what is missing."""
    path = tmp_path / "a.pcapng"
    with path.open("wb") as file:
        writer = Writer(file, "a test")
        first = writer.interface("meter1", "modbus", None)
        second = writer.interface("meter2", "acme", None)
        writer.packet(second, Packet(TIME, "tx", b"abc", 3, "somewhere", "says ångström → x"))
        writer.packet(first, Packet(TIME + 1, "rx", b"abcd", 9, dropped=5))
    assert read(
        path, "frame.time_epoch", "frame.interface_name", "frame.interface_description",
        "frame.packet_flags_direction", "frame.comment", "frame.len", "frame.cap_len",
    ) == [
        ["1767268800.123456789", "meter2", "acme", "0x00000002", "says ångström → x", "3", "3"],
        ["1767268800.123456790", "meter1", "modbus", "0x00000001", "", "9", "4"],
    ]  # fmt: skip


def test_the_section_is_sound(tmp_path: Path) -> None:
    """capinfos, which is strict, reads it to its end, and finds the application."""
    path = tmp_path / "a.pcapng"
    with path.open("wb") as file:
        writer = Writer(file, "grid-gateway 1.2.3")
        one = writer.interface("a", "b", None)
        for size in range(9):
            writer.packet(one, Packet(TIME, "rx", bytes(size), size, comment="x" * size))
    printed = subprocess.run(
        [shutil.which("capinfos") or "capinfos", str(path)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "Number of packets:   9" in printed
    assert "Capture application: grid-gateway 1.2.3" in printed


@pytest.mark.parametrize(
    ("peer", "serves", "ends"),
    [
        ("192.0.2.7:15020", False, ["0.0.0.0", "192.0.2.7", "502", "", ""]),
        ("192.0.2.7:40001", True, ["192.0.2.7", "0.0.0.0", "502", "", ""]),
        ("[2001:db8::7]:502", False, ["", "", "502", "::", "2001:db8::7"]),
        ("/dev/ttyS0", False, ["", "", "502", "", ""]),
        ("", False, ["", "", "502", "", ""]),
    ],
)
def test_who_asks_whom(tmp_path: Path, peer: str, serves: bool, ends: list[str]) -> None:
    """The well-known port is that of the side that serves; addresses are there where known."""
    path = tmp_path / "a.pcapng"
    ask, answer = ("rx", "tx") if serves else ("tx", "rx")
    with path.open("wb") as file:
        writer = Writer(file, "a test")
        one = writer.interface("meter1", "modbus", Dissector("mbtcp", port=502, serves=serves))
        writer.packet(one, Packet(TIME, ask, QUERY, len(QUERY), peer))
        writer.packet(one, Packet(TIME, answer, ANSWER, len(ANSWER), peer))
    fields = (
        "modbus.func_code", "modbus.reference_num", "modbus.word_cnt", "modbus.regval_uint16",
        "exported_pdu.ipv4_src", "exported_pdu.ipv4_dst", "exported_pdu.dst_port",
        "exported_pdu.ipv6_src", "exported_pdu.ipv6_dst",
    )  # fmt: skip
    asked, answered = read(path, *fields)
    assert asked == ["3", "10", "2", "", *ends]
    # tshark finds the query of this transaction, and so the numbers of the registers.
    assert answered[3] == "17254,40960"


def test_ethernet_frames_are_written_as_they_are(tmp_path: Path) -> None:
    """A link with whole Ethernet frames is an interface of Ethernet, in the same file."""
    path = tmp_path / "a.pcapng"
    with path.open("wb") as file:
        writer = Writer(file, "a test")
        lan = writer.interface("merging", "sv", Dissector("sv", ethernet=True))
        meter = writer.interface("meter1", "modbus", Dissector("mbtcp", port=502))
        writer.packet(lan, Packet(TIME, "rx", DISCOVERY, len(DISCOVERY)))
        writer.packet(meter, Packet(TIME, "tx", QUERY, len(QUERY)))
    assert read(path, "arp.dst.proto_ipv4", "eth.src", "modbus.reference_num") == [
        ["192.0.2.2", "02:00:5e:00:00:01", ""],
        ["", "", "10"],
    ]


def test_a_dissector_in_a_table(tmp_path: Path) -> None:
    """Where Wireshark has no name for it, it is found in its table."""
    path = tmp_path / "a.pcapng"
    startdt = bytes.fromhex("68 04 07 00 00 00")
    with path.open("wb") as file:
        writer = Writer(file, "a test")
        reader = Dissector("iec60870_104", port=2404, table="tcp.port")
        writer.packet(writer.interface("rtu", "", reader), Packet(TIME, "tx", startdt, 6))
    assert read(path, "iec60870_104.utype") == [["0x00000001"]]
