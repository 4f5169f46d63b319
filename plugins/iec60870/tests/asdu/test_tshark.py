"""What we encode, read by a dissector that nobody here wrote."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    Activation,
    Asdu,
    Cause,
    ClockSynchronisation,
    Columns,
    Command,
    CounterInterrogation,
    EndOfInitialisation,
    Interrogation,
    Parameter,
    Reset,
    Sizes,
    System,
    decode,
    encode,
    encode_command,
    encode_events,
    encode_parameter,
    encode_system,
    parse,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_capture import dissect
from asdu_examples import everything
from asdu_published import COMMANDS, FILES, MEASUREMENTS, PARAMETERS, RESERVED, SYSTEM, TIME, asdu

EXPERT = ("_ws.expert.message", "_ws.malformed")
HEAD = ("typeid", "sq", "numix", "causetx", "nega", "test", "oa", "addr")
FIELDS = tuple(f"asdu.{name}" for name in HEAD)

RAW = {*range(17, 21), 38, 39, 40, 102, 104, 106, 107, 113, *range(120, 128)}
"""What tshark 4.0 shows as octets after the first object address."""


def addresses_of(one: Asdu) -> list[str]:
    """The object addresses that tshark shows, taken from where the octets stand."""
    first = int.from_bytes(one.body[:3], "little")
    if one.type in RAW:
        return [str(first)]
    if one.sequence:
        return [str(first + n) for n in range(one.count)]
    size = len(one.body) // one.count
    return [
        str(int.from_bytes(one.body[at : at + 3], "little")) for at in range(0, len(one.body), size)
    ]


def test_tshark_finds_nothing_wrong(tmp_path: Path) -> None:
    """No ASDU is malformed or draws a remark, and its head says what ours says."""
    given = everything()
    assert {one.type for one in given} == set(LAYOUTS)
    octets = [one.encode(IEC104) for one in given]
    found = dissect(tmp_path, octets, *FIELDS, "asdu.ioa", "asdu.rawdata", *EXPERT)
    expected = [
        {
            "asdu.typeid": [str(one.type)],
            "asdu.sq": [str(int(one.sequence))],
            "asdu.numix": [str(one.count)],
            "asdu.causetx": [str(one.cause)],
            "asdu.nega": [str(int(one.negative))],
            "asdu.test": [str(int(one.test))],
            "asdu.oa": [str(one.originator)],
            "asdu.addr": [str(one.address)],
            "asdu.ioa": addresses_of(one),
            "asdu.rawdata": [one.body[3:].hex()] if one.type in RAW and one.body[3:] else [],
            "_ws.expert.message": [],
            "_ws.malformed": [],
        }
        for one in given
    ]
    assert found == expected


def test_the_octets_by_hand_are_those_that_tshark_reads(tmp_path: Path) -> None:
    """The tables of the other tests are no fancy of ours: tshark finds nothing wrong in them."""
    octets = [asdu(kind, f"05 01 02 {element}") for kind, element, *_ in MEASUREMENTS]
    octets += [asdu(kind, f"05 01 02 {element}", cause=6) for kind, element, *_ in COMMANDS]
    octets += [asdu(given.type, text, cause=6) for text, given in SYSTEM]
    octets += [asdu(given.type, text, cause=6) for text, given in PARAMETERS]
    octets += [asdu(given.type, text, cause=13) for text, given in FILES]
    rows = dissect(tmp_path, octets, "asdu.typeid", *EXPERT)
    assert [row["asdu.typeid"] for row in rows] == [[str(one[0])] for one in octets]
    assert not any(row[name] for row in rows for name in EXPERT)


QDS = {"qds.ov": 0x01, "qds.bl": 0x10, "qds.sb": 0x20, "qds.nt": 0x40, "qds.iv": 0x80}
VALUES = {
    "siq.spi": (1, 2, 30),
    "diq.dpi": (3, 4, 31),
    "vti.v": (5, 6, 32),
    "bitstring": (7, 8, 33),
    "normval": (9, 10, 34, 21),
    "scalval": (11, 12, 35),
    "float": (13, 14, 36),
    "bcr.count": (15, 16, 37),
}
STATE = {"bl": 0x10, "sb": 0x20, "nt": 0x40, "iv": 0x80}
COUNTER = {"bcr.cy": 0x20, "bcr.ca": 0x40, "bcr.iv": 0x80}


def flags_of(kind: int) -> dict[str, int]:
    """The names of the quality bits of a type, and where they stand."""
    if kind in VALUES["siq.spi"] or kind in VALUES["diq.dpi"]:
        element = "siq" if kind in VALUES["siq.spi"] else "diq"
        return {f"{element}.{name}": bit for name, bit in STATE.items()}
    if kind in VALUES["bcr.count"]:
        return COUNTER
    return {} if kind == 21 else QDS


@pytest.mark.parametrize("name", VALUES)
def test_tshark_reads_our_values(tmp_path: Path, name: str) -> None:
    """Value, flags and the second half of an element are those of the tables by hand."""
    given = [
        one for one in MEASUREMENTS if one[0] in VALUES[name] and (one[0], one[1]) not in RESERVED
    ]
    octets = []
    for kind, _, value, flags, time, clock, extra in given:
        columns = Columns.of(kind, 5, value, flags, time, clock, extra)
        octets += encode_events([(columns, np.zeros(1, int))], IEC104, cause=3, address=10)
    bits = sorted({bit for kind in VALUES[name] for bit in flags_of(kind)})
    fields = [f"asdu.{one}" for one in (name, *bits, "vti.t", "bcr.sq")]
    rows = dissect(tmp_path, octets, *fields, *EXPERT)
    for (kind, _, value, flags, _, _, extra), row in zip(given, rows, strict=True):
        (text,) = row[f"asdu.{name}"]
        if name == "bitstring":  # tshark shows the octets in their order
            assert int(text, 16).to_bytes(4, "big") == int(value).to_bytes(4, "little")
        else:
            assert float(text) == pytest.approx(value, rel=1e-6)
        expected = {
            f"asdu.{bit}": [str(int(flags & mask > 0))] for bit, mask in flags_of(kind).items()
        }
        assert {field: row[field] for field in expected} == expected
        if kind in (5, 6, 32):
            assert row["asdu.vti.t"] == [str(extra)]
        if kind in (15, 16, 37):
            assert row["asdu.bcr.sq"] == [str(extra)]


def test_tshark_reads_our_times(tmp_path: Path) -> None:
    """The calendar of tshark, its pivot 70, the day of the week and the flags."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = [
        epoch,
        datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        datetime(2000, 2, 29, 12, tzinfo=UTC),
        datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC),
        datetime(2024, 2, 29, tzinfo=UTC),
        datetime(2037, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2069, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    ]
    times = [(one - epoch) // timedelta(milliseconds=1) for one in moments]
    columns = Columns.of(30, np.arange(len(times)), 0, 0, times)
    octets = encode_events([(columns, np.arange(len(times)))], IEC104, cause=3, address=10)
    (row,) = dissect(tmp_path, octets, "asdu.cp56time", "asdu.cp56time.dow", *EXPERT)
    found = [datetime.strptime(text[:-7], "%b %d, %Y %H:%M:%S.%f") for text in row["asdu.cp56time"]]
    assert [one.replace(tzinfo=UTC) for one in found] == moments
    assert row["asdu.cp56time.dow"] == [str(one.isoweekday()) for one in moments]


@pytest.mark.parametrize(("clock", "name"), [(0x80, "iv"), (0x40, "su"), (0x20, "gen"), (0, "")])
def test_tshark_reads_our_flags_of_time(tmp_path: Path, clock: int, name: str) -> None:
    """Each flag stands where tshark looks for it, also in a command."""
    columns = Columns.of(36, 5, 1, 0, TIME, clock)
    body = encode_command(Command(58, 5, 1, time=TIME, clock=clock), IEC104)
    octets = encode_events([(columns, np.zeros(1, int))], IEC104, cause=3, address=10)
    octets.append(Asdu(58, 6, 10, body).encode(IEC104))
    fields = {f"asdu.cp56time.{one}": [str(int(one == name))] for one in ("iv", "su", "gen")}
    parts = {"ms": 20123, "min": 13, "hour": 22, "day": 14, "month": 11, "year": 23}
    fields |= {f"asdu.cp56time.{one}": [str(number)] for one, number in parts.items()}
    assert dissect(tmp_path, octets, *fields) == [fields, fields]


def test_tshark_reads_our_short_times(tmp_path: Path) -> None:
    """CP24: milliseconds, minute and IV."""
    columns = Columns.of(14, [5, 6], 1, 0, [800_123, TIME], [0, 0x80])
    octets = encode_events([(columns, np.arange(2))], IEC104, cause=3, address=10)
    fields = {
        "asdu.cp24time.ms": ["20123"] * 2,
        "asdu.cp24time.min": ["13"] * 2,
        "asdu.cp24time.iv": ["0", "1"],
    }
    assert dissect(tmp_path, octets, *fields) == [fields]


ACTIONS: list[tuple[Command, dict[str, float]]] = [
    (Command(45, 5, 1, True, 3), {"sco.on": 1, "sco.qu": 3, "sco.se": 1}),
    (Command(58, 5, 0, False, 1, TIME), {"sco.on": 0, "sco.qu": 1, "sco.se": 0}),
    (Command(46, 5, 2, True, 31), {"dco.on": 2, "dco.qu": 31, "dco.se": 1}),
    (Command(47, 5, 1, False, 2), {"rco.up": 1, "rco.qu": 2, "rco.se": 0}),
    (Command(48, 5, -0.5, True, 127), {"normval": -0.5, "qos.ql": 127, "qos.se": 1}),
    (Command(49, 5, -1000, False, 1), {"scalval": -1000, "qos.ql": 1, "qos.se": 0}),
    (Command(63, 5, 10, True, 2, TIME), {"float": 10, "qos.ql": 2, "qos.se": 1}),
]
OTHERS: list[tuple[System | Parameter | Activation, dict[str, float]]] = [
    (Interrogation(21), {"qoi": 21}),
    (CounterInterrogation(5, 2), {"rqt": 5, "frz": 2}),
    (Reset(2), {"qrp": 2}),
    (EndOfInitialisation(2, True), {"coi_r": 2, "coi_i": 1}),
    (ClockSynchronisation(TIME, 0x40), {"cp56time.min": 13, "cp56time.su": 1}),
    (Parameter(110, 5, -0.5, 0x42), {"normval": -0.5, "qpm.kpa": 2, "qpm.lpc": 1, "qpm.pop": 0}),
    (Parameter(112, 5, 10, 0x81), {"float": 10, "qpm.kpa": 1, "qpm.lpc": 0, "qpm.pop": 1}),
]


def test_tshark_reads_our_commands(tmp_path: Path) -> None:
    """Value, qualifier and select of each; qualifiers of system information and parameters."""
    octets, expected = [], []
    for action, fields in ACTIONS:
        octets.append(Asdu(action.type, 6, 10, encode_command(action, IEC104)).encode(IEC104))
        expected.append(fields)
    for given, fields in OTHERS:
        if isinstance(given, (Parameter, Activation)):
            body = encode_parameter(given, IEC104)
        else:
            body = encode_system(given, IEC104)
        octets.append(Asdu(given.type, 6, 10, body).encode(IEC104))
        expected.append(fields)
    names = sorted({f"asdu.{name}" for fields in expected for name in fields})
    for fields, row in zip(expected, dissect(tmp_path, octets, *names), strict=True):
        found = {name: float(row[f"asdu.{name}"][0]) for name in fields}
        assert found == fields


@pytest.mark.parametrize("octets", list(product((1, 2), (1, 2), (1, 2, 3))), ids=str)
def test_tshark_reads_all_sizes(tmp_path: Path, octets: tuple[int, int, int]) -> None:
    """As frames of 101, whose fields may be shorter.

    Types with octets enough after the last object address: where that address has one octet,
    tshark 4.0 asks for three octets from it on and calls anything less a short ASDU.
    """
    sizes = Sizes(*octets)
    given = []
    for kind in (30, 36, 37, 13, 15):
        columns = Columns.of(kind, [5, 6, sizes.last, 9], [1, 0, 1, 1], 0x80, TIME)
        given += encode(columns, sizes, cause=3, address=sizes.broadcast, originator=7)
    for qualifier in (20, 36):
        body = encode_system(ClockSynchronisation(TIME, 0, qualifier), sizes)
        given.append(Asdu(103, Cause.ACTIVATION, 1, body))
    found = dissect(
        tmp_path, [one.encode(sizes) for one in given], *FIELDS, "asdu.ioa", "asdu.cp56time.ms",
        *EXPERT, sizes=sizes,
    )  # fmt: skip
    for one, row in zip(given, found, strict=True):
        assert not row[EXPERT[0]]
        assert not row[EXPERT[1]]
        assert row["asdu.typeid"] == [str(one.type)]
        assert row["asdu.numix"] == [str(one.count)]
        assert row["asdu.causetx"] == [str(one.cause)]
        assert row["asdu.addr"] == [str(one.address)]
        assert row["asdu.oa"] == ([str(one.originator)] if sizes.cause == 2 else [])
        expected = ["5", "6", str(sizes.last), "9"] if one.type != 103 else [str(one.body[0])]
        assert row["asdu.ioa"] == expected
        tags = one.count if LAYOUTS[one.type].time.value else 0
        assert row["asdu.cp56time.ms"] == ["20123"] * tags


def test_tshark_reads_a_long_run_of_events(tmp_path: Path) -> None:
    """Two types in turn and in runs: every object, in order."""
    random = np.random.default_rng(7)
    kinds = random.choice([30, 36], 600, p=[0.8, 0.2])
    parts = [
        (Columns.of(kind, np.flatnonzero(kinds == kind), 1, 0, TIME), np.flatnonzero(kinds == kind))
        for kind in (30, 36)
    ]
    octets = encode_events(parts, IEC104, cause=3, address=10)
    rows = dissect(tmp_path, octets, "asdu.typeid", "asdu.ioa", *EXPERT)
    assert [int(one) for row in rows for one in row["asdu.ioa"]] == list(range(600))
    assert not any(row[name] for row in rows for name in EXPERT)
    types = [int(row["asdu.typeid"][0]) for row in rows for _ in row["asdu.ioa"]]
    assert types == kinds.tolist()
    assert sum(len(decode(parse(one, IEC104), IEC104)) for one in octets) == 600
