"""Frames of C37.118.2 written field by field from the standard's tables, with `struct` alone.

Nothing here knows the gateway's codec; the examples of annex D hold this module to the standard.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass

DATA, HEADER, CONFIG_1, CONFIG_2, COMMAND, CONFIG_3 = 0, 1, 2, 3, 4, 5  # table 2
OFF, ON, SEND_HEADER, SEND_CONFIG_1, SEND_CONFIG_2, SEND_CONFIG_3 = 1, 2, 3, 4, 5, 6  # table 15
POLAR, FLOAT_PHASORS, FLOAT_ANALOGS, FLOAT_FREQUENCY = 1, 2, 4, 8  # FORMAT, table 9
SOC = 1_700_000_000


def frame(
    kind: int,
    idcode: int,
    body: bytes,
    soc: int = SOC,
    fraction: int = 0,
    time_quality: int = 0,
    version: int = 1,
) -> bytes:
    """SYNC, FRAMESIZE, IDCODE, SOC, FRACSEC, what the frame says, CHK (clause 6.2)."""
    head = struct.pack(
        ">BBHHII",
        *(0xAA, kind << 4 | version, 16 + len(body), idcode, soc),
        time_quality << 24 | fraction,
    )
    check = binascii.crc_hqx(head + body, 0xFFFF)  # x^16 + x^12 + x^5 + 1, from -1 (annex B)
    return head + body + struct.pack(">H", check)


@dataclass(frozen=True)
class Pmu:
    """A PMU of a configuration; phasors: name, current or not, PHUNIT in 1e-5 V or A."""

    name: str
    idcode: int
    phasors: Sequence[tuple[str, bool, int]] = ()
    analogs: Sequence[tuple[str, int]] = ()  # name, ANUNIT
    words: Sequence[tuple[Sequence[str], int, int]] = ()  # labels, normal, valid
    form: int = 0
    nominal: int = 50
    changes: int = 0


def text(name: str) -> bytes:
    return name.encode().ljust(16)


def config_2(
    idcode: int, pmus: Sequence[Pmu], rate: int = 50, base: int = 1_000_000, kind: int = CONFIG_2
) -> bytes:
    """Table 9."""
    body = struct.pack(">IH", base, len(pmus))
    for p in pmus:
        body += text(p.name) + struct.pack(
            ">5H", p.idcode, p.form, len(p.phasors), len(p.analogs), len(p.words)
        )
        labels = [label for word, _, _ in p.words for label in word]
        body += b"".join(
            map(text, [*(x[0] for x in p.phasors), *(a[0] for a in p.analogs), *labels])
        )
        for _, current, unit in p.phasors:
            body += struct.pack(">I", current << 24 | unit)
        for _, scale in p.analogs:
            body += struct.pack(">I", scale)
        for _, normal, valid in p.words:
            body += struct.pack(">HH", normal, valid)
        body += struct.pack(">HH", p.nominal == 50, p.changes)
    return frame(kind, idcode, body + struct.pack(">h", rate))


def long(name: str) -> bytes:
    """A name of configuration 3: its length, then its octets (clause 6.4, table 10)."""
    return bytes((len(name.encode()),)) + name.encode()


def config_3_body(pmus: Sequence[Pmu], rate: int = 50, base: int = 1_000_000) -> bytes:
    """Table 10 behind CONT_IDX."""
    body = struct.pack(">IH", base, len(pmus))
    for p in pmus:
        body += long(p.name) + struct.pack(">H", p.idcode) + bytes(16)
        body += struct.pack(">4H", p.form, len(p.phasors), len(p.analogs), len(p.words))
        labels = [label for word, _, _ in p.words for label in word]
        body += b"".join(
            map(long, [*(x[0] for x in p.phasors), *(a[0] for a in p.analogs), *labels])
        )
        for _, current, unit in p.phasors:  # PHSCALE, table 11: flags, scale, angle
            body += struct.pack(">HBBff", 0, 8 if current else 0, 0, unit / 1e5, 0.0)
        for _, scale in p.analogs:  # ANSCALE
            body += struct.pack(">ff", scale, 0.0)
        for _, normal, valid in p.words:
            body += struct.pack(">HH", normal, valid)
        body += struct.pack(">fff", 0.0, 0.0, 0.0) + b"M" + struct.pack(">ii", 20_000, 10_000)
        body += struct.pack(">HH", p.nominal == 50, p.changes)
    return body + struct.pack(">h", rate)


def config_3(idcode: int, pmus: Sequence[Pmu], rate: int = 50, pieces: int = 1) -> list[bytes]:
    """The frames of a configuration 3; CONT_IDX is 0 of a single one, else 1, 2 … and 0xffff."""
    body = config_3_body(pmus, rate)
    if pieces == 1:
        return [frame(CONFIG_3, idcode, b"\0\0" + body, version=2)]
    size = -(-len(body) // pieces)
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    numbers = [*range(1, len(parts)), 0xFFFF]
    return [
        frame(CONFIG_3, idcode, struct.pack(">H", number) + part, version=2)
        for number, part in zip(numbers, parts, strict=True)
    ]


def block(
    form: int = 0,
    stat: int = 0,
    phasors: Sequence[tuple[float, float]] = (),
    frequency: float = 0,
    rocof: float = 0,
    analogs: Sequence[float] = (),
    words: Sequence[int] = (),
) -> bytes:
    """What a PMU says in a data frame (table 5): numbers as they stand on the wire."""
    out = struct.pack(">H", stat)
    for a, b in phasors:
        if form & FLOAT_PHASORS:
            out += struct.pack(">ff", a, b)
        else:
            out += struct.pack(">Hh" if form & POLAR else ">hh", int(a), int(b))
    numbers = ">ff" if form & FLOAT_FREQUENCY else ">hh"
    out += struct.pack(numbers, frequency, rocof)
    for a in analogs:
        out += struct.pack(">f", a) if form & FLOAT_ANALOGS else struct.pack(">h", int(a))
    return out + struct.pack(f">{len(words)}H", *words)


def data(idcode: int, *blocks: bytes, soc: int = SOC, fraction: int = 0, quality: int = 0) -> bytes:
    return frame(DATA, idcode, b"".join(blocks), soc, fraction, quality)
