"""What two stations say to each other, read by a dissector that nobody here wrote."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from gateway_iec60870.apci import ApciSettings, Session, Turn

sys.path.insert(0, str(Path(__file__).parent))
from apdu_wire import octets

PORT = 2404

SINGLE = bytes.fromhex("1E 01 03 00 01 00 01 00 00 01 00 00 00 0A 05 06 1A")
"""M_SP_TB_1, spontaneous, common address 1, object 1, on, 5 June 2026 10:00 (101, 7.3.1.22)."""

INTERROGATION = bytes.fromhex("64 01 06 00 01 00 00 00 00 14")
"""C_IC_NA_1, activation, station interrogation (101, 7.3.4.1)."""


class Capture:
    """A capture of raw IPv4 (link type 101): one TCP connection, a segment for each write."""

    def __init__(self) -> None:
        self.data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
        self.sent = {True: 1, False: 1}
        self.packets = 0

    def add(self, payload: bytes, *, controlling: bool) -> None:
        """The controlling station, or the other one, writes."""
        ports = (40000, PORT) if controlling else (PORT, 40000)
        numbers = (self.sent[controlling], self.sent[not controlling])
        self.sent[controlling] += len(payload)
        tcp = struct.pack(">HHIIBBHHH", *ports, *numbers, 0x50, 0x18, 8192, 0, 0) + payload
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), self.packets & 0xFFFF, 0x4000, 64, 6, 0,
            b"\x7f\0\0\1" if controlling else b"\x7f\0\0\2",
            b"\x7f\0\0\2" if controlling else b"\x7f\0\0\1",
        )  # fmt: skip
        packet = ip + tcp
        self.data += struct.pack("<IIII", self.packets, 0, len(packet), len(packet)) + packet
        self.packets += 1

    def dissect(self, path: Path, *arguments: str) -> str:
        """What tshark prints."""
        path.write_bytes(self.data)
        command = ["tshark", "-r", str(path), *arguments]
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return found.stdout


class Talk:
    """Two sessions whose frames go into a capture, whole writes as they are made."""

    def __init__(self) -> None:
        settings = ApciSettings(k=200, w=8)
        self.ends = {
            controlling: Session(settings, controlling=controlling, now=0.0)
            for controlling in (True, False)
        }
        self.capture = Capture()
        self.expected: list[str] = []  # each frame, as we say it, in the order of the capture

    def says(self, controlling: bool, turn: Turn) -> None:
        """Carry what a turn has to the other end, and what comes of it, until nothing does."""
        assert not turn.broken
        if not turn.frames:
            return
        data = b"".join(turn.frames)
        self.capture.add(data, controlling=controlling)
        answer = self.ends[not controlling].receive(data, 0.0)
        self.expected += [str(frame) for frame in answer.heard]
        self.says(not controlling, answer)


@pytest.fixture(scope="module")
def talk() -> Talk:
    """Start, both directions past 8 and past 127, tests, stop, and start again."""
    one = Talk()
    master, station = one.ends[True], one.ends[False]
    one.says(True, master.start(0.0))
    one.says(True, master.send([INTERROGATION], 0.0))
    one.says(False, station.confirm(1, 0.0))
    for _ in range(20):
        one.says(False, station.send([SINGLE] * 7, 0.0))
        one.says(True, master.confirm(7, 0.0))
    one.says(True, master.test(0.0))
    one.says(False, station.test(0.0))
    one.says(True, master.acknowledge())
    one.says(True, master.stop(0.0))
    one.says(True, master.start(0.0))
    one.says(True, master.send([INTERROGATION] * 3, 0.0))
    one.says(False, station.confirm(3, 0.0))
    one.says(False, station.acknowledge())
    return one


def test_nothing_is_malformed(talk: Talk, tmp_path: Path) -> None:
    """No packet has a malformed mark, and all are IEC 104 to the last octet."""
    text = talk.capture.dissect(tmp_path / "talk.pcap", "-V")
    assert "Malformed" not in text
    assert "IEC 60870-5-104" in text
    marked = talk.capture.dissect(tmp_path / "talk.pcap", "-Y", "_ws.malformed || _ws.expert")
    assert marked == ""


def test_the_same_frames(talk: Talk, tmp_path: Path) -> None:
    """tshark reads the type of each frame, its numbers and the function of each U frame."""
    text = talk.capture.dissect(
        tmp_path / "talk.pcap", "-V", "-O", "iec60870_104,iec60870_asdu", "-Y", "iec60870_104"
    )
    found = []
    send = ""
    kind = ""
    for line in (line.strip() for line in text.splitlines()):
        value = line.partition(": ")[2]
        if "Type: " in line and "= Type" in line:
            kind = value.split()[0]
        elif "= UType: " in line:
            found.append(f"U {value.split(' (')[0]}")
        elif "= Tx: " in line:
            send = value
        elif "= Rx: " in line:
            found.append(f"S N(R) {value}" if kind == "S" else f"I N(S) {send} N(R) {value}")
    ours = [frame.partition(",")[0] for frame in talk.expected]
    assert len(ours) > 150
    assert found == ours


def test_the_dissector_can_tell(tmp_path: Path) -> None:
    """The oracle says so where a frame is none: its silence above means something."""
    capture = Capture()
    capture.add(octets("STARTDT"), controlling=True)
    capture.add(bytes.fromhex("68 0B 00 00 00 00 1E 01 03 00 01 00 01"), controlling=False)
    assert "Malformed" in capture.dissect(tmp_path / "bad.pcap", "-V")
