"""What a control centre's PDC sends and reads, with `struct`, from the tables of the standard.

IEEE C37.118.2-2011: table 2 (what all frames have), 5 and 6 (data), 8 and 9 (configuration 2),
15 (commands); annex B (CRC-CCITT).
"""

from __future__ import annotations

import binascii
import math
import struct
from dataclasses import dataclass, field

STOP, START, SEND_HEADER, SEND_CONFIG_1, SEND_CONFIG_2, SEND_CONFIG_3 = range(1, 7)
DATA, HEADER, CONFIG_1, CONFIG_2, COMMAND, CONFIG_3 = range(6)


def command(idcode: int, word: int) -> bytes:
    """Return a command frame."""
    head = struct.pack(">BBHHIIH", 0xAA, 0x42, 18, idcode, 1_767_225_600, 0, word)
    return head + binascii.crc_hqx(head, 0xFFFF).to_bytes(2)


def size(octets: bytes) -> int:
    """Return the size of the frame that begins there; 0 where that cannot be known yet."""
    assert octets[:1] in (b"", b"\xaa"), octets[:16].hex(" ")
    return struct.unpack(">H", octets[2:4])[0] if len(octets) >= 4 else 0


def kind(frame: bytes) -> int:
    """Return the kind of a whole frame, whose check holds."""
    assert size(frame) == len(frame)
    assert binascii.crc_hqx(frame[:-2], 0xFFFF) == int.from_bytes(frame[-2:])
    assert frame[1] & 0x0F == 2
    return frame[1] >> 4


@dataclass
class Pmu:
    """A PMU of a configuration."""

    station: str
    idcode: int
    form: int
    names: list[str]
    phasors: list[tuple[bool, float]]
    analogs: list[int]
    digitals: int
    masks: list[tuple[int, int]]
    nominal: int
    changes: int


@dataclass
class Config:
    """A configuration 1 or 2."""

    idcode: int
    base: int
    pmus: list[Pmu]
    rate: int


class _Cursor:
    def __init__(self, octets: bytes) -> None:
        self.octets, self.at = octets, 0

    def get(self, form: str) -> tuple:  # type: ignore[type-arg]
        form = ">" + form
        found = struct.unpack_from(form, self.octets, self.at)
        self.at += struct.calcsize(form)
        return found

    def one(self, form: str):  # type: ignore[no-untyped-def]
        return self.get(form)[0]

    def name(self) -> str:
        return self.one("16s").decode().rstrip(" \0")


def configuration(frame: bytes) -> Config:
    """Read a configuration 1 or 2."""
    assert kind(frame) in (CONFIG_1, CONFIG_2)
    (idcode,) = struct.unpack(">H", frame[4:6])
    c = _Cursor(frame[:-2])
    c.at = 14
    base, count = c.get("IH")
    pmus = []
    for _ in range(count):
        station = c.name()
        own, form, phasors, analogs, digitals = c.get("HHHHH")
        names = [c.name() for _ in range(phasors + analogs + 16 * digitals)]
        units = [c.one("I") for _ in range(phasors)]
        kinds = [c.one("i") for _ in range(analogs)]
        masks = [c.get("HH") for _ in range(digitals)]
        nominal, changes = c.get("HH")
        pmus.append(
            Pmu(
                station, own, form, names,
                [(bool(unit >> 24), (unit & 0xFFFFFF) * 1e-5) for unit in units],
                [k & 0xFFFFFF for k in kinds], digitals, masks,
                50 if nominal & 1 else 60, changes,
            )
        )  # fmt: skip
    rate = c.one("h")
    assert c.at == len(c.octets)
    return Config(idcode, base & 0xFFFFFF, pmus, rate)


@dataclass
class Block:
    """What a PMU says in a data frame; phasors as complex V or A."""

    stat: int
    phasors: list[complex]
    frequency: float
    rocof: float
    analogs: list[float]
    digitals: list[int]


@dataclass
class Data:
    """A data frame; seconds since the Unix epoch, UTC."""

    second: int
    fraction: float
    time_quality: int
    blocks: list[Block] = field(default_factory=list)

    @property
    def time(self) -> float:
        return self.second + self.fraction


def data(frame: bytes, config: Config) -> Data:
    """Read a data frame of this configuration."""
    assert kind(frame) == DATA
    c = _Cursor(frame[:-2])
    c.at = 4
    idcode, second, fraction = c.get("HII")
    assert idcode == config.idcode
    found = Data(second, (fraction & 0xFFFFFF) / config.base, fraction >> 24)
    for pmu in config.pmus:
        stat = c.one("H")
        phasors = [_phasor(c, pmu.form, scale) for _, scale in pmu.phasors]
        if pmu.form & 8:
            frequency, rocof = c.get("ff")
        else:
            frequency, rocof = (_short(c) for _ in range(2))
            frequency, rocof = pmu.nominal + frequency / 1000, rocof / 100
        analogs = [c.one("f") if pmu.form & 4 else _short(c) * scale for scale in pmu.analogs]
        digitals = [c.one("H") for _ in range(pmu.digitals)]
        found.blocks.append(Block(stat, phasors, frequency, rocof, analogs, digitals))
    assert c.at == len(c.octets)
    return found


def _short(c: _Cursor) -> float:
    value: int = c.one("h")
    return math.nan if value == -0x8000 else value


def _phasor(c: _Cursor, form: int, scale: float) -> complex:
    if form & 2:
        first, second = c.get("ff")
    elif form & 1:
        first, second = c.one("H") * scale, _short(c) / 10_000
    else:
        first, second = (_short(c) * scale for _ in range(2))
    if form & 1:
        return first * complex(math.cos(second), math.sin(second))
    return complex(first, second)
