"""The source `iec104.client` and a station of c104, which nobody here wrote: what it is told.

Its commands are in test_their_station_obeys.py, its connections in test_their_station_lines.py.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import Quality

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import verdict
from their_station import CA, LINK, bench, interrogated

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import point, station

Q = Quality
TIME = 1_800_000_000_123
OV, EI, BL, SB, NT, IV = 0x01, 0x08, 0x10, 0x20, 0x40, 0x80
CARRY, ADJUSTED = 0x20, 0x40

# Flags as in IEC 60870-5-101:2003 clauses 7.2.6.1 to 7.2.6.4 and 7.2.6.9, and their meaning by
# IEC TS 61850-80-1.
STATE = {
    0: Q.GOOD,
    BL: Q.OPERATOR_BLOCKED,
    SB: Q.SUBSTITUTED,
    NT: Q.QUESTIONABLE | Q.OLD_DATA,
    IV: Q.INVALID,
    BL | SB | NT | IV: Q.INVALID | Q.OPERATOR_BLOCKED | Q.SUBSTITUTED | Q.OLD_DATA,
}
MEASURED = STATE | {OV: Q.QUESTIONABLE | Q.OVERFLOW}
PROTECTION = STATE | {EI: Q.GOOD}
TOTALS = {
    0: Q.GOOD,
    CARRY: Q.GOOD,
    ADJUSTED: Q.QUESTIONABLE | Q.INCONSISTENT,
    IV: Q.INVALID,
}
NONE = {0: Q.GOOD}


class Kind(NamedTuple):
    """One type: values that it takes, its flags, what stands beside the value."""

    name: str
    values: tuple[float, ...]
    flags: dict[int, Quality]
    kind: str = "analog"
    extra: int = 0

    @property
    def timed(self) -> bool:
        return self.name.split("_")[2].startswith("T")

    def said(self) -> list[tuple[float, int, int, Quality]]:
        """Every value without flags, and every flag: value, flags, extra, what they mean."""
        found = [(value, 0, self.extra, Q.GOOD) for value in self.values]
        found += [(self.values[0], flags, self.extra, meant) for flags, meant in self.flags.items()]
        if "_ST_" in self.name:
            # A tap changer on its way: the transient bit of VTI (7.2.6.5).
            found.append((self.values[1], 0, 1, Q.QUESTIONABLE | Q.INACCURATE))
        return found


TWO, FOUR = (1, 0), (1, 2, 0, 3)
STEPS, WORDS = (-64, -1, 0, 63), (1, 0xDEADBEEF, 0, 0xFFFFFFFF)
FRACTIONS, WHOLE = (-1, -0.5, 0, 1 - 2**-15), (-32768, -1, 0, 32767)
FLOATS, COUNTS = (-2.25, 0, 3.4028234663852886e38, 2.0**-126), (-(2**31), -5, 0, 2**31 - 1)
KINDS = [
    Kind("M_SP_NA_1", TWO, STATE, "status"),
    Kind("M_DP_NA_1", FOUR, STATE, "double"),
    Kind("M_ST_NA_1", STEPS, MEASURED),
    Kind("M_BO_NA_1", WORDS, NONE),
    Kind("M_ME_NA_1", FRACTIONS, MEASURED),
    Kind("M_ME_NB_1", WHOLE, MEASURED),
    Kind("M_ME_NC_1", FLOATS, MEASURED),
    Kind("M_IT_NA_1", COUNTS, TOTALS, "counter", 31),
    Kind("M_PS_NA_1", (0xA5A5, 0, 0xFFFF), MEASURED, extra=0x0101),
    Kind("M_ME_ND_1", FRACTIONS, NONE),
    Kind("M_SP_TB_1", TWO, STATE, "status"),
    Kind("M_DP_TB_1", FOUR, STATE, "double"),
    Kind("M_ST_TB_1", STEPS, MEASURED),
    Kind("M_BO_TB_1", WORDS, NONE),
    Kind("M_ME_TD_1", FRACTIONS, MEASURED),
    Kind("M_ME_TE_1", WHOLE, MEASURED),
    Kind("M_ME_TF_1", FLOATS, MEASURED),
    Kind("M_IT_TB_1", COUNTS, TOTALS, "counter", 3),
    Kind("M_EP_TD_1", FOUR, PROTECTION, "double", 77),
    Kind("M_EP_TE_1", (0x05, 0x3F, 0), PROTECTION, extra=65535),
    Kind("M_EP_TF_1", (0x03, 0x0F, 0), PROTECTION, extra=1),
]
"""All that c104 has; it has no types with CP24, 17 to 19 among them, and sends no quality with
bitstrings."""
UNASKED = ("M_IT", "M_PS", "M_ME_ND", "M_EP")
"""What c104 leaves out when it is interrogated."""
FIRST = 0x010203  # of the object addresses, whose octets are all different
AT = {kind.name: FIRST + number for number, kind in enumerate(KINDS)}
ROWS = "name,kind,rtu.ioa,rtu.bit\n" + "".join(
    f"{kind.name},{kind.kind},{AT[kind.name]},\n" for kind in KINDS
)
WORD_ROWS = "name,kind,rtu.ioa,rtu.bit\n" + "".join(
    f"{name}_{bit},status,{at},{bit}\n"
    for at, (name, bits) in enumerate(
        {"bo": (0, 31), "ps": (0, 15), "te": (0, 5), "tf": (0, 3)}.items(), start=1
    )
    for bit in bits
)


async def test_every_type(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Values to the ends of their ranges, every flag and the time of CP56, in their order."""
    points = [point(AT[kind.name], kind.name) for kind in KINDS]
    async with bench(tmp_path, ROWS, *points) as b:
        shown = [kind for kind in KINDS if not kind.name.startswith(UNASKED)]
        await b.gw.until(lambda: len(b.collector.rows()) == len(shown))
        begin, before = time.time_ns(), len(b.collector.rows())
        expected: list[tuple[str, float, Quality, int | None]] = []
        for kind in KINDS:
            for value, flags, extra, quality in kind.said():
                at = {"time": TIME + len(expected)} if kind.timed else {}
                await b.transmit(AT[kind.name], value, flags=flags, extra=extra, **at)
                seen = Q.DEVICE_TIME if kind.timed else Q.GOOD
                expected.append((kind.name, value, quality | seen, at.get("time")))
        await b.gw.until(lambda: len(b.collector.rows()) == before + len(expected), 20)
        rows = b.collector.rows()[before:]
        assert all(begin <= one.time <= time.time_ns() for one in rows if "_N" in one.name)
        assert expected == [
            (
                row.name,
                # Normalised values have 16 bits, and c104 makes them of a single.
                pytest.approx(row.value, abs=2**-24) if abs(row.value) < 1 else row.value,
                row.quality,
                None if "_N" in row.name else row.time // 10**6,
            )
            for row in rows
        ]
    read = verdict(b.line, tmp_path, trace, LINK, controlling=True)
    assert len([row for row in read if row[3] == "3"]) == len(expected) > 190


async def test_words_are_read_bit_by_bit(tmp_path: Path) -> None:
    """Bitstrings, packed single points, start events and output circuits of protection."""
    names = ("M_BO_TB_1", "M_PS_NA_1", "M_EP_TE_1", "M_EP_TF_1")
    points = [point(at, name) for at, name in enumerate(names, start=1)]
    async with bench(tmp_path, WORD_ROWS, *points) as b:
        for at, (low, high) in enumerate(((0, 31), (0, 15), (0, 5), (0, 3)), start=1):
            for value, flags, quality in (
                (1 << high, 0, Q.GOOD),
                (1, 0 if at == 1 else SB, Q.GOOD if at == 1 else Q.SUBSTITUTED),
            ):
                await b.transmit(at, value, flags=flags)
                name = ("bo", "ps", "te", "tf")[at - 1]
                expected = {f"{name}_{low}": value & 1, f"{name}_{high}": value >> high}

                def shown() -> dict[str, float]:
                    return {name: b.gw.sample(name).value for name in expected}  # noqa: B023

                await b.gw.until(lambda: shown() == expected)  # noqa: B023
                for name in expected:
                    assert b.gw.sample(name).quality & ~Q.DEVICE_TIME == quality


async def test_causes(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """What has happened counts each time; what is told besides counts where it is new."""
    rows = "name,kind,rtu.ioa\nbreaker,status,1\nenergy,counter,2\n"
    async with bench(tmp_path, rows, point(1, "M_SP_NA_1", value=1), point(2, "M_IT_NA_1")) as b:
        await b.gw.until(lambda: b.rows("breaker"))
        # Spontaneous, and back information of a remote and of a local command (7.2.3).
        for cause in (3, 11, 12):
            before = len(b.rows("breaker"))
            await b.transmit(1, 1, cause=cause)
            await b.gw.until(lambda n=before: len(b.rows("breaker")) == n + 1)
        # Cyclic, background, requested, interrogated by the station and by groups.
        for cause in (1, 2, 5, 20, 21, 36):
            await b.transmit(1, 1, cause=cause)
            await b.transmit(1, 0, cause=cause)
            await b.transmit(1, 1, cause=cause)
        await b.gw.until(lambda: len(b.rows("breaker")) == before + 1 + 2 * 6)
        # The counters of all and of group 4.
        for cause in (37, 41):
            await b.transmit(2, cause, cause=cause)
            await b.gw.until(lambda cause=cause: b.gw.sample("energy").value == cause)
    read = verdict(b.line, tmp_path, trace, LINK, controlling=True)
    assert {"3", "11", "12", "1", "2", "5", "20", "21", "36", "37", "41"} <= {r[3] for r in read}


async def test_what_it_is_asked(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Interrogations of two stations, counters, the clock, a test; all with our originator.

    Groups they do not have: the refusal is counted and said, and the rest goes on.
    """
    rows = "name,kind,rtu.ioa,rtu.ca\nbreaker,status,1,\nenergy,counter,2,\nother,status,1,48\n"
    theirs = {
        "stations": [
            station(CA, point(1, "M_SP_TB_1", value=1), point(2, "M_IT_NA_1", value=5, extra=3)),
            station(48, point(1, "M_SP_NA_1", value=1)),
        ]
    }
    settings = {
        "clock": "start",
        "counters": {"every": "1h"},
        "groups": [{"group": 1, "every": "500ms", "ca": CA}],
        "test": "300ms",
        "originator": 7,
    }
    async with bench(tmp_path, rows, theirs=theirs, **settings) as b:
        await b.gw.until(lambda: interrogated(b.line, 2))
        await b.gw.until(lambda: b.gw.sample("breaker").value and b.gw.sample("other").value)
        await b.gw.until(lambda: b.gw.sample("energy").value == 5)
        clock = await b.station.event("clock")
        assert abs(clock["time"] - time.time() * 1000) < 10_000
        await b.gw.until(lambda: len(b.line.asdus(107, outward=False)) > 1)
        await b.gw.until(lambda: b.gw.counters(LINK).get("refused"))
        await b.station.ask("initialized", ca=48)
        await b.gw.until(lambda: b.gw.counters(LINK).get("restarts") == 1)

        def ended(ca: int) -> int:
            asked = [one[2:5] for one in b.line.asdus(100, outward=False)]
            return asked.count(bytes((10, 7, ca)))

        await b.gw.until(lambda: ended(48) == 2)
    read = verdict(b.line, tmp_path, trace, LINK, controlling=True)
    assert {row[6] for row in read if int(row[0]) >= 100} == {"7"}
    heard = {(row[0], row[3], row[7]) for row in read}
    for ca in (str(CA), "48"):
        for kind, *causes in ((100, 6, 7, 10), (101, 6, 7, 10), (103, 6, 7), (107, 6, 7)):
            assert {(str(kind), str(cause), ca) for cause in causes} <= heard
    assert {("70", "4", "48"), ("15", "37", str(CA))} <= heard
    # The group.
    assert ("100", "7", "1") in {(row[0], row[3], row[4]) for row in read}
