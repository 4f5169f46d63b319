"""C37.118: STAT of a PMU with one input and one analog, from `c37118.client` to `c37118.server`."""

from __future__ import annotations

import binascii
import struct
from typing import ClassVar

import numpy as np
from gateway_c37118.client.columns import Columns
from gateway_c37118.client.places import find_places
from gateway_c37118.client.point import C37Point
from gateway_c37118.server.alignment import Aligned
from gateway_c37118.server.frames import Frames
from gateway_c37118.server.places import places
from gateway_c37118.server.point import C37ServerPoint
from gateway_c37118.server.settings import Coordinates, Numbers, PmuSettings
from gateway_c37118.server.stream import stream_of

from gateway import Definition, Kind, LinkPoint
from gateway.c37118 import (
    AnalogChannel,
    Configuration,
    DataLayout,
    DigitalWord,
    PmuConfiguration,
    quality_of,
    stat_of,
)

SECOND = 1_700_000_000
CONFIGURATION = Configuration(
    7,
    (
        PmuConfiguration(
            "S", 7, analogs=(AnalogChannel("A"),), digitals=(DigitalWord(("B",) * 16),)
        ),
    ),
    50,
)
ITEMS = {"status": "digital/1/0", "analog": "analog/1", "counter": "analog/1"}


class C37118:
    """IEEE C37.118.2-2011: bits of STAT (table 7), and the time quality of the frame (table 3)."""

    STAT: ClassVar[dict[str, int]] = {
        "ERROR_1": 0x4000,
        "ERROR_2": 0x8000,
        "ERROR_3": 0xC000,
        "TRIGGER": 0x0800,
        "CHANGING": 0x0400,
        "MODIFIED": 0x0200,
        **{f"PMU_TQ_{code}": code << 6 for code in range(1, 7)},
    }
    TIME: ClassVar[dict[str, int]] = {f"TQ_{code}": code for code in range(1, 12)}
    ERRORS = ("", "ERROR_1", "ERROR_2", "ERROR_3")

    def of(self, kind: str, word: str) -> int:
        stat, time = (np.array([bits], dtype) for bits, dtype in self._octets(word))
        return int(quality_of(stat, time)[0])

    def say(self, kind: str, quality: int) -> str:
        return self._word(int(stat_of(np.array([quality], np.uint16))[0]))

    def read(self, kind: str, word: str) -> int:
        (stat, _), (time, _) = self._octets(word)
        return received(kind, stat, time)

    def write(self, kind: str, quality: int) -> str:
        return self._word(sent(kind, quality))

    def _octets(self, word: str) -> tuple[tuple[int, type], tuple[int, type]]:
        parts = [part for part in word.split() if part != "-"]
        stat = sum(self.STAT.get(part, 0) for part in parts)
        time = sum(self.TIME.get(part, 0) for part in parts)
        assert all(part in self.STAT or part in self.TIME for part in parts)
        return (stat, np.uint16), (time, np.uint8)

    def _word(self, stat: int) -> str:
        word = f"{self.ERRORS[stat >> 14]} {'MODIFIED' if stat & self.STAT['MODIFIED'] else ''}"
        return word.strip() or "-"


def received(kind: str, stat: int, time_quality: int = 0) -> int:
    """Return what the client makes of a data frame with this STAT."""
    body = struct.pack(">HhhhH", stat, 0, 0, 1, 1)
    head = struct.pack(">BBHHIB3x", 0xAA, 0x01, 16 + len(body), 7, SECOND, time_quality)
    octets = head + body + binascii.crc_hqx(head + body, 0xFFFF).to_bytes(2)
    layout = DataLayout(CONFIGURATION)
    rows = layout.rows(1)
    layout.unpack(octets, rows)
    point = LinkPoint(0, Definition("point"), C37Point(item=ITEMS[kind]))
    found, _ = find_places([point], CONFIGURATION)
    batch = Columns(found).batch(rows, np.zeros(1, np.intp))
    assert batch.value.tolist() == [1.0]
    return int(batch.quality[0])


def sent(kind: str, quality: int) -> int:
    """Return STAT of the server's data frame with one point of this quality."""
    of_kind = {"status": Kind.STATUS, "analog": Kind.ANALOG, "counter": Kind.COUNTER}[kind]
    point = LinkPoint(0, Definition("point", of_kind), C37ServerPoint(item=ITEMS[kind]))
    pmu = PmuSettings(idcode=7, station="S", numbers=Numbers.FLOAT, phasors=Coordinates.POLAR)
    stream = stream_of(places([point], [pmu]), [pmu], idcode=7, rate=50, nominal=50)
    aligned = Aligned(
        SECOND * 10**9,
        np.ones(1),
        np.array([quality], np.uint16),
        np.zeros(1, np.bool_),
        np.zeros(1, np.bool_),
    )
    octets = Frames(stream).pack(aligned)
    assert octets[:2] == b"\xaa\x01" or octets[:2] == b"\xaa\x02"
    return int.from_bytes(octets[14:16])
