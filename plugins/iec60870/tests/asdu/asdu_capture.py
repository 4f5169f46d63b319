"""Puts ASDUs into a capture, as 104 or as 101 over TCP, and asks tshark what it makes of them."""

from __future__ import annotations

import csv
import io
import os
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from gateway_iec60870.asdu import IEC104, Sizes

PORT = 2404


def apdu(asdu: bytes, number: int = 0) -> bytes:
    """An I-frame of 104 (104 clause 5.1): start, length, N(S), N(R) = 0, ASDU."""
    return struct.pack("<BBHH", 0x68, 4 + len(asdu), number << 1, 0) + asdu


def ft12(asdu: bytes) -> bytes:
    """A frame of variable length (IEC 60870-5-2) with a link address of one octet."""
    user = b"\x53\x01" + asdu
    length = len(user)
    return bytes([0x68, length, length, 0x68, *user, sum(user) & 0xFF, 0x16])


def capture(path: Path, asdus: Sequence[bytes], sizes: Sizes) -> None:
    """Write a capture of raw IPv4 (link type 101) with one TCP segment for each ASDU."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        sequence = 1
        for number, asdu in enumerate(asdus):
            data = apdu(asdu, number) if sizes == IEC104 else ft12(asdu)
            tcp = struct.pack(">HHIIBBHHH", 40000, PORT, sequence, 1, 0x50, 0x18, 65535, 0, 0)
            sequence += len(data)
            packet = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), number, 0, 64, 6, 0,
                b"\x7f\0\0\1", b"\x7f\0\0\1",
            ) + tcp + data  # fmt: skip
            file.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)


def dissect(
    folder: Path, asdus: Sequence[bytes], *fields: str, sizes: Sizes = IEC104
) -> list[dict[str, list[str]]]:
    """The fields of each ASDU, as tshark reads them; `asdu.` stands for its own prefix."""
    path = folder / "asdus.pcap"
    capture(path, asdus, sizes)
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]
    if sizes == IEC104:
        command += ["-d", f"tcp.port=={PORT},iec60870_104"]
    else:
        command += ["-d", f"tcp.port=={PORT},iec60870_101"]
        for name, octets in (
            ("cot_len", sizes.cause),
            ("asdu_addr_len", sizes.address),
            ("asdu_ioa_len", sizes.object),
        ):
            command += ["-o", f"iec60870_101.{name}:{octets} octet"]
    for field in fields:
        command += ["-e", field.replace("asdu.", "iec60870_asdu.", 1)]
    text = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "TZ": "UTC"},
    ).stdout  # fmt: skip
    rows = csv.reader(io.StringIO(text), delimiter="|")
    return [
        {field: cell.split(";") if cell else [] for field, cell in zip(fields, row, strict=True)}
        for row in rows
    ]
