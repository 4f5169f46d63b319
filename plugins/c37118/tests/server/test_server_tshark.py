"""All that the server sends, read by a dissector that nobody here wrote."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
import pdc_wire as wire
from pdc_bench import POINTS, Centre, station

PORT = 4713
PMUS = [
    {"idcode": 71, "station": "NORTH", "voltage_scale": 10, "current_scale": 0.5},
    {"idcode": 72, "station": "SOUTH", "numbers": "float", "phasors": "rectangular"}
    | {"latitude": 46.5, "longitude": 6.5, "elevation": 400.0, "service": "P"},
]
SECOND_PMU = """\
s.v,analog,kV,x,phasor/U L1/real,72
s.i,analog,kV,x,phasor/U L1/imaginary,72
s.f,analog,mHz,x,frequency,SOUTH
s.t,status,,x,stat/trigger,72
s.w,status,,x,digital/2/15,72
"""
VALUES = {"s.v": -120.0, "s.i": 50.0, "s.f": 50_125.0}
PHASOR = re.compile(
    r'Phasor #\d+: "([\w ]+?) *", *([-\d.]+)([VA]) ∠ *([-\d.]+)° alt *([-\d.]+)\+j *([-\d.]+)[VA]'
)


def capture(path: Path, frames: list[bytes]) -> None:
    """Write frames as UDP datagrams over raw IPv4 (link type 101)."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for second, octets in enumerate(frames):
            udp = struct.pack(">HHHH", PORT, PORT + 1, 8 + len(octets), 0) + octets
            home = b"\x7f\0\0\1"
            head = (0x45, 0, 20 + len(udp), second, 0, 64, 17, 0, home, home)
            packet = struct.pack(">BBHHHBBH4s4s", *head) + udp
            file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)


def tshark(path: Path, *words: str) -> str:
    command = ["tshark", "-r", str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


async def sent(folder: Path, config: int, **more: object) -> list[bytes]:
    """Return a header, a configuration and the data frames of 0.5 and 0.52 s."""
    points = POINTS.replace("wams.item", "wams.item,wams.pmu")
    points = "".join(line + ",\n" if "," in line[-20:] else line for line in points.splitlines())
    points = points.replace("wams.pmu,", "wams.pmu") + SECOND_PMU
    async with (
        station(folder, points, pmus=PMUS, idcode=7, **more) as s,
        Centre.at(s.port, 7) as centre,
    ):
        frames = [await centre.ask(wire.SEND_HEADER), await centre.ask(config)]
        await s.emit(0.1, {"p": 14.0, "breaker": 1, "earth": 1, "s.t": 1, "s.w": 1})
        centre.say(wire.START)
        await centre.frame()
        for at in (0.5, 0.52):
            await s.report(at, **VALUES)
        while True:
            frame = await centre.frame()
            if struct.unpack(">I", frame[10:14])[0] & 0xFFFFFF in (500_000, 520_000):
                frames.append(frame)
            if len(frames) == 4:
                return frames


@pytest.mark.parametrize(
    ("numbers", "phasors", "config"),
    [
        ("float", "polar", wire.SEND_CONFIG_2),
        ("float", "rectangular", wire.SEND_CONFIG_3),
        ("integer", "polar", wire.SEND_CONFIG_3),
        ("integer", "rectangular", wire.SEND_CONFIG_2),
    ],
)
@paused
async def test_frames(tmp_path: Path, numbers: str, phasors: str, config: int) -> None:
    """No frame has a mark, every check is right, and the values are those of the points."""
    frames = await sent(tmp_path, config, numbers=numbers, phasors=phasors)
    path = tmp_path / "stream.pcap"
    capture(path, frames)
    fields = ("_ws.expert.message", "_ws.malformed", "synphasor.checksum.status", "frame.protocols")
    words = [word for field in fields for word in ("-e", field)]
    lines = tshark(path, "-T", "fields", "-E", "separator=|", *words).splitlines()
    assert [line.split("|")[:3] for line in lines] == [["", "", "1"]] * 4
    assert all(line.endswith("synphasor") for line in lines)

    text = tshark(path, "-V")
    found = [
        (name, round(float(size)), unit, round(float(angle), 1))
        for name, size, unit, angle, *_ in PHASOR.findall(text)
    ]
    assert (
        found
        == [
            ("VA", pytest.approx(230_000, abs=10), "V", -30.0),
            ("IA", 400, "A", 90.0),
            # 120 kV to the left and 50 kV up: 130 kV at 180 - atan(5 / 12) degrees.
            ("U L1", 130_000, "V", 157.4),
        ]
        * 2
    )
    hertz = re.findall(r"Actual frequency value: ([\d.]+)|actual frequency: ([\d.]+)", text)
    assert [float(a or b) for a, b in hertz] == [pytest.approx(49.98, abs=1e-5), 50.125] * 2
    assert float(re.findall(r"Rate of change of frequency: ([-\d.]+)", text)[0]) == 0.25
    assert re.findall(r"Digital status word #\d: 0x(\w+)", text) == ["0009", "0000", "8000"] * 2
    assert re.findall(r"rigger detected: (\w+)", text) == ["No", "Trigger"] * 2
    assert text.count("Data error: Good measurement data, no errors") == 4


@paused
async def test_configuration_3(tmp_path: Path) -> None:
    """Place and class of a PMU are where the dissector looks for them,."""
    _, config, *_ = await sent(tmp_path, wire.SEND_CONFIG_3)
    path = tmp_path / "config.pcap"
    capture(path, [config])
    names = ("conf.pmu_latitude", "conf.pmu_longitude", "conf.pmu_elevation", "conf.svc_class")
    words = [word for name in names for word in ("-e", f"synphasor.{name}")]
    (line,) = tshark(path, "-T", "fields", "-E", "separator=|", *words).splitlines()
    # Infinite is what nobody has said (table 11).
    assert line == "inf,46.5|inf,6.5|inf,400|Monitoring,Protection"
    text = tshark(path, "-V")
    for name in ("NORTH", "SOUTH", "U L1", "breaker"):
        assert name in text
    assert "Rate of transmission: 50 frame(s) per second" in text
