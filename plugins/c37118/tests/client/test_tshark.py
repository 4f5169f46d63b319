"""The commands that we send, read by a dissector that nobody here wrote."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
from pathlib import Path

from gateway_c37118.client.source import C37Client

from gateway.testing import held, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import c37_octets as c37
from c37_device import tcp_device

FIELDS = (
    "synphasor.idcode_stream_source", "synphasor.command", "synphasor.version",
    "synphasor.checksum.status", "_ws.expert.message",
)  # fmt: skip


def capture(path: Path, frames: list[bytes]) -> None:
    """Write raw IPv4 (link type 101), a UDP datagram to port 4713 for each frame."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for second, data in enumerate(frames):
            udp = struct.pack(">HHHH", 40000, 4713, 8 + len(data), 0) + data
            ip = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), second, 0, 64, 17, 0,
                b"\x7f\0\0\1", b"\x7f\0\0\1",
            )  # fmt: skip
            packet = ip + udp
            file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)


@paused
async def test_commands(tmp_path: Path) -> None:
    """Off, header, configuration 3 and 2, on, off: each with its stream, time and a right check."""
    pmu = c37.Pmu("North", 4711)
    async with tcp_device({c37.SEND_CONFIG_2: [c37.config_2(4711, [pmu])]}) as device:
        source = C37Client.model_validate(
            {
                "name": "pmu", "host": "127.0.0.1", "port": device.port, "idcode": 4711,
                "configuration": 3, "header": True, "attempts": 1, "timeout": "1s",
            }
        )  # fmt: skip
        async with running([source], [], "name,pmu.item\nf,frequency\n", data=tmp_path):
            await device.until(1, 3, 6, 5, 2)
        await device.until(1, 3, 6, 5, 2, 1)
    path = tmp_path / "commands.pcap"
    capture(path, device.commands)
    command = ["tshark", "-r", str(path), "-d", "udp.port==4713,synphasor", "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    with held():
        text = await asyncio.to_thread(subprocess.check_output, command, text=True, timeout=60)
    # Stream, CMD, version of SYNC, the check is good, and nothing that tshark has to say to it.
    assert [line.split("\t") for line in text.splitlines()] == [
        ["4711", f"0x{cmd:04x}", version, "1", ""]
        for cmd, version in ((1, "1"), (3, "1"), (6, "2"), (5, "1"), (2, "1"), (1, "1"))
    ]
    # The clock of a paused test begins at 2026-01-01 00:00:00 UTC.
    assert {octets[6:9] for octets in device.commands} == {(1_767_225_600).to_bytes(4)[:3]}
