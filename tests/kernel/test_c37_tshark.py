"""The frames of C37.118.2 that we write, read by a dissector that nobody here wrote."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gateway.kernel import (
    AnalogChannel,
    Command,
    Configuration,
    DataLayout,
    DigitalWord,
    Frame,
    FrameKind,
    PhasorChannel,
    PmuConfiguration,
)

Vectors = npt.NDArray[np.complex128]

PORT = 4713
SECOND = 1_700_000_000
FORMATS = ("polar", "float_phasors", "float_analogs", "float_frequency")
FIELDS = (
    "_ws.expert.message",
    "_ws.malformed",
    "synphasor.checksum.status",
    "synphasor.frtype",
    "synphasor.data.conf_frame",
)
# In our order: magnitude and unit, angle, real and imaginary part.
PHASOR = re.compile(
    r'Phasor #\d+: "(\w+) *", *([-\d.]+)([VA]) ∠ *([-\d.]+)° alt *([-\d.]+)\+j *([-\d.]+)[VA]'
)


def capture(path: Path, frames: list[bytes]) -> None:
    """Write a capture of raw IPv4 (link type 101): a UDP datagram for each frame, from the port
    that its IDCODE says, so that streams are told apart."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for second, data in enumerate(frames):
            udp = data[4:6] + struct.pack(">HHH", PORT, 8 + len(data), 0) + data
            ip = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), second, 0, 64, 17, 0,
                b"\x7f\0\0\1", b"\x7f\0\0\1",
            )  # fmt: skip
            packet = ip + udp
            file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)


def tshark(path: Path, *words: str) -> str:
    command = ["tshark", "-r", str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def marks(path: Path, *fields: str) -> list[list[str]]:
    words = [word for field in (*FIELDS, *fields) for word in ("-e", field)]
    lines = tshark(path, "-T", "fields", "-E", "separator=|", *words).splitlines()
    return [line.split("|") for line in lines]


def stream(number: int, turn: float = 0.0) -> Configuration:
    """Return a stream of two PMUs, whose formats are the bits of the number and their opposites."""
    formats: list[dict[str, Any]] = [
        {name: bool(number >> i & 1) for i, name in enumerate(FORMATS)}
    ]
    formats.append({name: not on for name, on in formats[0].items()})
    return Configuration(
        7000 + number,
        tuple(
            PmuConfiguration(
                f"Station {p}",
                100 + p,
                phasors=tuple(
                    PhasorChannel(f"{'VI'[i % 2]}{i}", 0.5, i % 2 == 1, 4, turn * i)
                    for i in range(4)
                ),
                analogs=(AnalogChannel("P", 2.0, kind=1), AnalogChannel("Q", 2.0, kind=2)),
                digitals=(DigitalWord(tuple(f"bit {p} {i}" for i in range(16)), 0x00F0, 0xFFFF),),
                nominal=50 if p else 60,
                changes=3,
                service="P",
                window=40_000,
                delay=20_000,
                latitude=46.5,
                longitude=6.5,
                elevation=400.0,
                **form,
            )
            for p, form in enumerate(formats)
        ),
        50,
    )


def data_of(configuration: Configuration, vector: Vectors) -> list[bytes]:
    """Return two data frames with these phasors."""
    layout = DataLayout(configuration)
    rows = layout.rows(2)
    rows.count = 2
    rows.time[:] = SECOND * 10**9 + np.array([0, 20_000_000])
    for p, pmu in enumerate(configuration.pmus):
        of = slice(4 * p, 4 * p + 4)
        one, two = (np.abs, np.angle) if pmu.polar else (np.real, np.imag)
        rows.phasor[:, of, 0], rows.phasor[:, of, 1] = one(vector[:, of]), two(vector[:, of])
    rows.frequency[:], rows.rocof[:] = [60.25, 49.875], [-0.5, 1.25]
    rows.analog[:] = [10, -20, 30, -40]
    rows.digital[:] = [[0x1234, 0xFEDC]] * 2
    octets, unfit = layout.pack(rows)
    assert unfit == 0
    return [octets[: layout.size], octets[layout.size :]]


@pytest.mark.parametrize("kind", [FrameKind.CONFIG_1, FrameKind.CONFIG_2, FrameKind.CONFIG_3])
def test_streams(tmp_path: Path, kind: FrameKind) -> None:
    """Every format, by every configuration: no mark, and the values that we meant."""
    rng = np.random.default_rng(kind)
    turn = 0.5 if kind == FrameKind.CONFIG_3 else 0.0
    streams = [stream(number, turn) for number in range(16)]
    vector = rng.uniform(1000, 9000, (16, 2, 8)) * np.exp(1j * rng.uniform(-3, 3, (16, 2, 8)))
    frames = []
    for configuration, values in zip(streams, vector, strict=True):
        frames += [configuration.encode(kind, SECOND), *data_of(configuration, values)]
    path = tmp_path / "streams.pcap"
    capture(path, frames)

    found = marks(path, "synphasor.fracsec_raw")
    assert [line[:3] for line in found] == [["", "", "1"]] * 48
    assert [line[5] for line in found] == ["0", "0", "20000"] * 16
    if kind == FrameKind.CONFIG_1:  # by which it reads no data
        assert {line[4] for line in found} == {""}
        return
    assert [line[4] for line in found] == [
        of for i in range(16) for of in ("", f"{3 * i + 1}", f"{3 * i + 1}")
    ]
    text = tshark(path, "-V")
    phasors = PHASOR.findall(text)
    for (name, magnitude, unit, degrees, _, _), value in zip(phasors, vector.ravel(), strict=True):
        assert unit == {"V": "V", "I": "A"}[name[0]]
        assert float(magnitude) == pytest.approx(abs(value), abs=0.5)
        off = float(degrees) - np.degrees(np.angle(value))
        assert (off + 180) % 360 - 180 == pytest.approx(0, abs=0.05)
    hertz = re.findall(r"Actual frequency value: ([\d.]+)|actual frequency: ([\d.]+)", text)
    assert [float(a or b) for a, b in hertz] == [60.25, 49.875] * 32
    rocof = re.findall(r"Rate of change of frequency: ([-\d.]+)", text)
    assert [float(value) for value in rocof] == [-0.5, 1.25] * 32
    assert re.findall(r"Digital status word #1: 0x(\w+)", text) == ["1234", "fedc"] * 32
    if kind == FrameKind.CONFIG_3:
        analogs = re.findall(r'Analog value #\d: "[PQ]", ([-\d.]+)', text)
        assert [float(value) for value in analogs] == [10, -20, 30, -40] * 32


def test_configuration_3_says(tmp_path: Path) -> None:
    """Place, class, window and delay, names and scales are where the dissector looks for them."""
    path = tmp_path / "config.pcap"
    capture(path, [stream(0).encode(FrameKind.CONFIG_3)])
    names = ("station_name", "conf.pmu_latitude", "conf.pmu_longitude", "conf.pmu_elevation")
    more = ("conf.svc_class", "conf.window", "conf.grp_dly", "conf.cfgcnt")
    scales = ("conf.phasor_scale_factor", "conf.analog_scale_factor", "rate_of_transmission")

    (line,) = marks(path, *(f"synphasor.{name}" for name in (*names, *more, *scales)))
    assert line[5:] == [
        "Station 0,Station 1", "46.5,46.5", "6.5,6.5", "400,400", "Protection,Protection",
        "40000,40000", "20000,20000", "3,3", ",".join(["0.5"] * 8), ",".join(["2"] * 4), "50",
    ]  # fmt: skip


def test_commands_and_headers(tmp_path: Path) -> None:
    """Each command is the one that the dissector names, and a header is its text."""
    path = tmp_path / "commands.pcap"
    frames = [Frame(FrameKind.COMMAND, 1, c.body()).encode() for c in Command]
    frames.append(Frame(FrameKind.COMMAND, 1, Command.EXTENDED.body(b"abcd")).encode())
    frames.append(Frame(FrameKind.HEADER, 1, b"A PMU").encode())
    capture(path, frames)

    found = marks(path, "synphasor.command")
    assert [line[:3] for line in found] == [["", "", "1"]] * len(frames)
    assert [int(line[5], 16) for line in found[:7]] == [*Command]
    assert [int(line[3], 16) for line in found] == [4] * 8 + [1]
    text = tshark(path, "-V")
    for words in ("data transmission off", "data transmission on", "send HDR frame"):
        assert words in text
