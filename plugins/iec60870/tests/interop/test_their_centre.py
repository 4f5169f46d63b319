"""The sink `iec104.server` and a control centre of c104, which nobody here wrote: what it is told.

Its commands are in test_their_centre_commands.py, its connections in test_their_centre_lines.py.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import Quality

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import tshark, verdict
from their_centre import CA, LINK, centre, controlled

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import C104Client, Event, point, station

Q = Quality
TIME = 1_800_000_000_123
OV, BL, SB, NT, IV = 0x01, 0x10, 0x20, 0x40, 0x80
ADJUSTED = 0x40

# The flags of IEC 60870-5-101:2003 clauses 7.2.6.1 to 7.2.6.3 and 7.2.6.9 for what they mean by
# IEC TS 61850-80-1.
STATE = {
    Q.GOOD: 0,
    Q.OPERATOR_BLOCKED: BL,
    Q.SUBSTITUTED: SB,
    Q.QUESTIONABLE | Q.OLD_DATA: NT,
    Q.INVALID: IV,
    Q.INVALID | Q.OPERATOR_BLOCKED | Q.SUBSTITUTED | Q.OLD_DATA: BL | SB | NT | IV,
}
MEASURED = STATE | {Q.QUESTIONABLE | Q.OVERFLOW: OV}
TOTALS = {
    Q.GOOD: 0,
    Q.INVALID: IV,
    Q.QUESTIONABLE | Q.INCONSISTENT: ADJUSTED,
    # There is no NT in BCR: an old reading must not be taken for a new one.
    Q.QUESTIONABLE | Q.OLD_DATA: IV,
}


class Kind(NamedTuple):
    """A type of the sink: the gateway's kind, the types without time, with CP24 and with CP56,
    values, and flags."""

    type: str
    kind: str
    ids: tuple[int, int, int]
    values: tuple[float, ...]
    flags: dict[Quality, int]


KINDS = [
    Kind("single", "status", (1, 2, 30), (1, 0), STATE),
    Kind("double", "double", (3, 4, 31), (1, 2, 0, 3), STATE),
    Kind("step", "analog", (5, 6, 32), (-64, -1, 0, 63), MEASURED),
    Kind("bitstring", "analog", (7, 8, 33), (1, 0xDEADBEEF, 0, 2**32 - 1), MEASURED),
    Kind("normalised", "analog", (9, 10, 34), (-1, -0.5, 0, 1 - 2**-15), MEASURED),
    Kind("scaled", "analog", (11, 12, 35), (-32768, -1, 0, 32767), MEASURED),
    Kind("float", "analog", (13, 14, 36), (-2.25, 0, 3.4028234663852886e38, 2.0**-126), MEASURED),
    Kind("totals", "counter", (15, 16, 37), (-(2**31), -5, 0, 2**31 - 1), TOTALS),
]
TAGS = ("none", "cp24", "cp56")
FIRST = 0x010203  # of the object addresses, whose octets are all different
AT = {
    (kind.type, tag): FIRST + 10 * number + TAGS.index(tag)
    for number, kind in enumerate(KINDS)
    for tag in TAGS
}
ROWS = "name,kind,field.at,scada.ioa,scada.type,scada.time\n" + "".join(
    f"{kind.type}_{tag},{kind.kind},x,{AT[kind.type, tag]},{kind.type},{tag}\n"
    for kind in KINDS
    for tag in TAGS
)


def values(client: C104Client) -> list[Event]:
    """Return the values that their centre heard."""
    return client.named("value")


async def test_every_type(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Values to the ends of their ranges, every flag and the time of CP56, in their order.

    c104 has no types with CP24: they are read by tshark only, and the rest goes on after them.
    """
    expected: list[Event] = []
    read: list[tuple[str, str]] = []
    async with controlled(tmp_path, ROWS, keep="every") as s, centre(s) as (client, line):
        await client.until(lambda _: client.named("initialized"))
        for kind in KINDS:
            rows = [(value, Q.GOOD, 0) for value in kind.values]
            rows += [(kind.values[0], quality, flags) for quality, flags in kind.flags.items()]
            if kind.type == "step":
                # A tap changer on its way: the transient bit of VTI (7.2.6.5).
                rows.append((kind.values[1], Q.QUESTIONABLE | Q.INACCURATE, 0))
            for (value, quality, flags), tag in product(rows, TAGS):
                at = TIME + len(read)
                s.put(f"{kind.type}_{tag}", value, quality | Q.DEVICE_TIME, at)
                read.append((str(kind.ids[TAGS.index(tag)]), str(AT[kind.type, tag])))
                if tag != "cp24":
                    expected.append(
                        {
                            "ca": CA,
                            "ioa": AT[kind.type, tag],
                            "value": pytest.approx(value, rel=1e-6),
                            "flags": flags,
                            "time": at if tag == "cp56" else None,
                            "extra": int(kind.type == "step" and Q.INACCURATE in quality),
                            "cause": 3,
                            "test": False,
                        }
                    )
        await s.emit_all()
        await client.until(lambda _: len(values(client)) >= len(expected))
        heard = [{name: event[name] for name in expected[0]} for event in values(client)]
        assert heard == expected
        await s.gw.until(lambda: not s.gw.held(LINK), 20)
    rows = verdict(line, tmp_path, trace, LINK, controlling=False)
    objects = [(row[0], ioa) for row in rows if row[3] == "3" for ioa in row[8].split(";")]
    assert objects == read


async def test_beyond_a_type(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """What a type cannot say is its nearest value, with overflow (OV, of totals IV); a test is in
    the cause, and a clock that is not set in the time."""
    rows = (
        # In the order of their types, as they have one time.
        ("step_none", 64, 63, OV),
        ("bitstring_none", -1, 0, OV),
        ("normalised_none", -1.5, -1, OV),
        ("scaled_none", 40000, 32767, OV),
        ("float_none", -1e39, -3.4028234663852886e38, OV),
        ("totals_none", 2**31, 2**31 - 1, IV),
    )
    async with controlled(tmp_path, ROWS, keep="every") as s, centre(s) as (client, line):
        for name, value, _, _ in rows:
            s.put(name, value)
        s.put("single_cp56", 1, Q.TEST | Q.DEVICE_TIME, TIME)
        s.put("single_cp56", 0, Q.CLOCK_NOT_SYNCHRONISED | Q.DEVICE_TIME, TIME)
        await s.emit_all()
        await client.until(lambda _: len(values(client)) >= len(rows) + 2)
        heard = [(event["value"], event["flags"], event["test"]) for event in values(client)]
        assert heard[:-2] == [(pytest.approx(to, rel=1e-6), flags, False) for *_, to, flags in rows]
        assert heard[-2:] == [(1, 0, True), (0, 0, False)]
    read = verdict(line, tmp_path, trace, LINK, controlling=False)
    assert [(row[3], row[5]) for row in read if row[0] == "30"] == [("3", "1"), ("3", "0")]
    path = tmp_path / "session.pcap"
    clock = tshark(path, "-T", "fields", "-e", "iec60870_asdu.cp56time.iv").split()
    assert clock == ["0", "1"]


COUNT = 300
MANY = "name,kind,field.at,scada.ioa,scada.type,scada.time,scada.group,scada.cycle\n" + "".join(
    f"p{n},analog,x,{1000 + n},scaled,none,{1 + n % 16},\n" for n in range(COUNT)
)


async def test_interrogations_among_events(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """However many events happen: what is interrogated is, for each object, the last event before
    it, and no event comes after a newer one."""
    async with controlled(tmp_path, MANY, keep="every") as s, centre(s) as (client, line):
        asked = asyncio.create_task(client.ask("interrogation", ca=CA))
        for turn in range(6):
            for n in range(COUNT):
                s.put(f"p{n}", turn)
            await s.emit_all()
            if turn == 2:
                assert (await asked)["done"]
                asked = asyncio.create_task(client.ask("interrogation", ca=CA))
        assert (await asked)["done"]
        assert (await client.ask("interrogation", ca=CA, qualifier=36))["done"]
        await client.until(lambda _: sum(one["cause"] == 3 for one in values(client)) == 6 * COUNT)
        latest: dict[int, float] = {}
        asked_for = {20: 0, 36: 0}
        for event in values(client):
            before = latest.get(event["ioa"], 0)
            if event["cause"] == 3:
                assert event["value"] == (before + 1 if event["ioa"] in latest else 0)
                latest[event["ioa"]] = event["value"]
            else:
                assert event["value"] == before
                asked_for[event["cause"]] += 1
        assert asked_for == {20: 2 * COUNT, 36: sum(n % 16 == 15 for n in range(COUNT))}
        assert set(latest.values()) == {5}
        assert "interrogations_early" not in s.gw.counters(LINK)
    read = verdict(line, tmp_path, trace, LINK, controlling=False)
    assert {"3", "20", "36"} <= {row[3] for row in read}


ASKED = """\
name,kind,field.at,scada.ioa,scada.ca,scada.type,scada.time,scada.group,scada.counter_group,scada.cycle
breaker,status,x,1,,,none,1,,
voltage,analog,x,2,,float,none,2,,
energy,counter,x,3,,,none,,1,
water,counter,x,4,,,none,,2,
other,status,x,1,8,,none,1,,
cyclic,analog,x,5,,scaled,none,,,200ms
"""


async def test_what_it_is_asked(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Stations and groups, counters and freezes, one object, the clock, a test; c104 takes each
    answer for the end of its request, and the originator of the request is in it."""
    names = ("M_SP_NA_1", "M_ME_NC_1", "M_IT_NA_1", "M_IT_NA_1")
    points = [point(ioa, name) for ioa, name in enumerate(names, start=1)]
    stations = [station(CA, *points), station(8, point(1, "M_SP_NA_1")), station(99)]
    more = {"stations": stations, "originator": 5}
    fields = {"background": "200ms"}
    async with controlled(tmp_path, ASKED, **fields) as s, centre(s, **more) as (client, line):
        await s.emit(breaker=1, voltage=230.5, energy=10, water=20, other=1, cyclic=7)
        await client.until(lambda _: len(values(client)) >= 6)

        async def ask(do: str, *expected: tuple[int, int, float, int], **what: int) -> None:
            before = len(client.events)
            assert (await client.ask(do, **what))["done"], (do, what)

            def told() -> list[tuple[int, int, float, int]]:
                return [
                    (one["ca"], one["ioa"], one["value"], one["cause"])
                    for one in client.events[before:]
                    if one["event"] == "value" and one["cause"] not in (1, 2, 3)
                ]

            await client.until(lambda _: len(told()) >= len(expected))
            assert sorted(told()) == sorted(expected)

        station_of = [(CA, 1, 1, 20), (CA, 2, 230.5, 20), (CA, 5, 7, 20)]
        await ask("interrogation", *station_of, ca=CA)
        await ask("interrogation", (8, 1, 1, 20), ca=8)
        await ask("interrogation", (CA, 2, 230.5, 22), ca=CA, qualifier=22)
        await ask("interrogation", ca=CA, qualifier=36)
        await ask("interrogation", *station_of, (8, 1, 1, 20), ca=0xFFFF)
        await ask("counters", (CA, 3, 10, 37), (CA, 4, 20, 37), ca=CA)
        await ask("counters", (CA, 4, 20, 39), ca=CA, qualifier=2)
        # Freeze without reset; what is read afterwards is what was frozen.
        await ask("counters", ca=CA, freeze=1)
        await s.emit(energy=11)
        await client.event("value", ioa=3, cause=3, value=11)
        await ask("counters", (CA, 3, 10, 38), ca=CA, qualifier=1)
        await ask("read", (CA, 2, 230.5, 5), ca=CA, ioa=2)
        await ask("clock", ca=CA)
        await ask("test", ca=CA)
        assert not (await client.ask("interrogation", ca=99))["done"]
        await client.until(lambda _: {1, 2} <= {one["cause"] for one in values(client)})
    read = verdict(line, tmp_path, trace, LINK, controlling=False)
    # Our answers have the originator of the request; what we say by ourselves has none.
    answers = {row[6] for row in read if row[3] not in ("1", "2", "3", "4")}
    assert answers == {"5"}
    assert {row[6] for row in read if row[3] in ("1", "2", "3", "4")} == {"0"}
    assert ("100", "46", "1") in {(row[0], row[3], row[4]) for row in read}
