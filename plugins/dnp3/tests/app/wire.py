"""Puts fragments into a capture and asks tshark what it makes of them."""

from __future__ import annotations

import csv
import io
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from gateway_dnp3.app import RESPONSES, Fragment
from gateway_dnp3.link import Control, Frame, Function, encode
from gateway_dnp3.transport import count, split

PORT = 20000
MASTER, OUTSTATION = 1, 10


def datagrams(fragment: Fragment, sequence: int = 0) -> Iterable[bytes]:
    """The link frames of a fragment."""
    answers = fragment.function in RESPONSES
    control = Control(Function.UNCONFIRMED_USER_DATA, not answers)
    to, by = (MASTER, OUTSTATION) if answers else (OUTSTATION, MASTER)
    for segment in split(fragment.encode(), sequence):
        yield encode(Frame(control, to, by, segment))


def capture(path: Path, fragments: Iterable[Fragment]) -> None:
    """Write a capture of raw IPv4 (link type 101) with one UDP datagram for each frame."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        sequences = {False: 0, True: 0}
        for second, fragment in enumerate(fragments):
            answers = fragment.function in RESPONSES
            sequence = sequences[answers]
            sequences[answers] = sequence + count(len(fragment.encode()))
            for data in datagrams(fragment, sequence):
                ports = (PORT, 40000) if answers else (40000, PORT)
                udp = struct.pack(">HHHH", *ports, 8 + len(data), 0) + data
                ip = struct.pack(
                    ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), second & 0xFFFF, 0, 64, 17, 0,
                    b"\x7f\0\0\1", b"\x7f\0\0\1",
                )  # fmt: skip
                packet = ip + udp
                file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)


def dissect(path: Path, *fields: str) -> list[dict[str, list[str]]]:
    """The fields of each packet, as tshark reads them."""
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]
    for field in fields:
        command += ["-e", field]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = csv.reader(io.StringIO(text), delimiter="|")
    return [
        {field: cell.split(";") if cell else [] for field, cell in zip(fields, row, strict=True)}
        for row in rows
    ]
