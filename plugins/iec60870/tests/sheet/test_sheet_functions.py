"""The sheet's functions and point lists hold for the running station."""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.asdu import (
    LAYOUTS,
    Asdu,
    Cause,
    ClockSynchronisation,
    Columns,
    CounterInterrogation,
    Interrogation,
    ReadRequest,
    TypeId,
    Use,
    decode,
)

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from sheet_station import BARE, EVERYTHING, MORE, REFUSED, TAKEN, Check, Row, Sheet, numbers

FUNCTIONS = (
    "Station initialisation",
    "Cyclic data transmission",
    "Read procedure",
    "Spontaneous transmission",
    "Double transmission",
    "Station interrogation",
    "Clock synchronisation",
    "Command transmission",
    "Transmission of integrated totals",
    "Parameter loading",
    "Parameter activation",
    "Test procedure",
    "File transfer",
    "Background scan",
    "Acquisition of transmission delay",
)


GROUPS = r"^Global$|^General request counter$|[Gg]roup \d+$"


def measured(heard: list[Asdu], cause: int | None = None) -> list[Asdu]:
    """Return the ASDUs with measurements, of one cause."""
    return [
        one
        for one in heard
        if LAYOUTS[one.type].use is Use.MEASUREMENT and cause in (None, one.cause)
    ]


def columns(check: Check, heard: list[Asdu]) -> list[tuple[int, Columns]]:
    return [(one.address, decode(one, check.sizes)) for one in heard]


def count(heard: list[Asdu], cause: int) -> int:
    return sum(one.count for one in measured(heard, cause))


def test_all_tables_are_there() -> None:
    """104:2006 clause 9: its six subclauses, its selections of ASDUs, all of its functions."""
    titles = Sheet.of().titles
    assert [one for one in titles if one.startswith("9.")] == [
        "9.1 System or device",
        "9.2 Network configuration",
        "9.3 Physical layer",
        "9.4 Link layer",
        "9.5 Application layer",
        "9.6 Basic application functions",
    ]
    begin = titles.index("9.6 Basic application functions") + 1
    assert tuple(titles[begin : begin + len(FUNCTIONS)]) == FUNCTIONS
    assert titles[begin + len(FUNCTIONS) :][:3] == [
        "Time-outs",
        "Maximum number of outstanding I format APDUs",
        "Port number, redundant connections, security",
    ]


@paused
async def test_initialisation(tmp_path: Path) -> None:
    """M_EI_NA_1 with COI 0 of each common address; not again on the next connection."""
    said = Sheet.of(**MORE).said("Transmission mode and addresses",
                                 "Common address of ASDU: two octets")  # fmt: skip
    async with Check.at(tmp_path, **MORE) as check:
        ended = [one for one in await check.hear() if one.type == TypeId.M_EI_NA_1]
        assert [(one.address, one.body) for one in ended] == [(7, bytes(4)), (8, bytes(4))]
        assert [float(one.address) for one in ended] == numbers(said)


@paused
async def test_interrogations(tmp_path: Path) -> None:
    """Global and each group show as many objects as the sheet says; so do counters."""
    sheet = Sheet.of(**MORE)
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        for title, first, make in (
            ("Station interrogation", 20, lambda n: Interrogation(20 + n)),
            ("Transmission of integrated totals", 37, lambda n: CounterInterrogation(n or 5)),
        ):
            rows = [row for row in sheet.rows(title) if re.search(GROUPS, row["function"])]
            assert len(rows) == (17 if first == 20 else 5)
            for number, row in enumerate(rows):
                found = 0
                for ca in (7, 8):
                    heard = await check.system(make(number), ca=ca)
                    found += count(heard, first + number)
                assert found == int((numbers(row["in this station"]) or [0])[0]), row
                assert bool(found) is bool(row["used"]), row


@paused
async def test_points_are_as_listed(tmp_path: Path) -> None:
    """Read: type and address of each row; changed: the type of its events, once, or none at all;
    and the number becomes the value by the formula of the row."""
    sheet = Sheet.of(**MORE)
    rows = sheet.objects
    assert len(rows) == 19
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        for row in rows:
            ca, ioa = int(row["CA"]), int(row["IOA"])
            for value in (0.0, 1.0):
                await check.here.emit(**{row["name"]: value})
                events = measured(await check.hear(), Cause.SPONTANEOUS)
                assert [TypeId(one.type).name for one in events] == [row["event"]] * bool(
                    row["event"]
                ), row
                shown = columns(check, events)
                (read,) = measured(await check.system(ReadRequest(ioa), Cause.REQUEST, ca), 5)
                assert TypeId(read.type).name == row["interrogated"]
                shown += columns(check, [read])
                for address, one in shown:
                    assert (address, one.object.tolist()) == (ca, [ioa])
                    # A scaled value of 2 A is off by an ampere at the most.
                    near = 1.01 if row["interrogated"] == "M_ME_NB_1" else 0.01
                    assert formula(row, one) == pytest.approx(value, abs=near), row


def formula(row: Row, shown: Columns) -> float:
    """Return the value in the unit, as the sheet says that it is made of the number."""
    number = float(shown.value[0])
    if row["interrogated"] == "M_DP_NA_1" and row["name"] == "tie":
        return number - 1
    cell = row["value in the unit"]
    if not cell:
        return number
    scale, *offset = numbers(cell.replace("- ", "-"))
    return number * scale + sum(offset)


@paused
async def test_scans_come_with_their_periods(tmp_path: Path) -> None:
    """Cyclic and background objects: as many in a minute as periods and numbers of the sheet say;
    what is not in the list of causes is in neither."""
    sheet = Sheet.of(**MORE)
    cycles = sheet.said("Cyclic data transmission", "Cyclic data transmission")
    assert cycles == "every 5s: 1 object, every 10s: 1 object"
    scan = sheet.said("Background scan", "Background scan")
    assert scan.startswith("every 1min: ")
    async with Check.at(tmp_path, **MORE) as check:
        heard = await check.hear(60.0)
        assert count(heard, Cause.PERIODIC) == 60 // 5 + 60 // 10
        assert count(heard, Cause.BACKGROUND) == numbers(scan)[1]
        for cause in (Cause.PERIODIC, Cause.BACKGROUND):
            listed = {
                (int(row["CA"]), int(row["IOA"]))
                for row in sheet.objects
                if str(cause.value) in row["causes"].split(", ")
            }
            found = {
                (ca, ioa)
                for ca, one in columns(check, measured(heard, cause))
                for ioa in one.object.tolist()
            }
            assert found == listed


@paused
async def test_the_clock_is_not_set(tmp_path: Path) -> None:
    """C_CS_NA_1 with a time of a day ago is confirmed with the gateway's; events go on as before.
    The day of the week stands in the time tag: 2026-01-01 is a Thursday (4)."""
    sheet = Sheet.of()
    assert not sheet.used("Clock synchronisation")["Clock synchronisation"]
    async with Check.at(tmp_path) as check:
        await check.hear()
        (answer,) = await check.system(ClockSynchronisation(check.now - 86_400_000))
        minute, day = answer.body[3 + 2] & 0x3F, answer.body[3 + 4]
        assert (answer.cause, answer.negative, minute, day) == (7, False, 0, 1 | 4 << 5)


@pytest.mark.parametrize(
    ("zone", "summer"), [("UTC", False), ("Europe/Berlin", True), ("Asia/Kolkata", False)]
)
def test_summer_time(zone: str, summer: bool) -> None:
    """The SU bit is used where the zone has a summer time."""
    sheet = Sheet.of(time_zone=zone)
    assert sheet.used("Clock synchronisation")["SU bit (summer time) used"] is summer
    assert zone in sheet.said("Clock synchronisation", "Zone of the time tags")


# Commands


def outputs(sheet: Sheet) -> list[tuple[Row, TypeId, int, int]]:
    return [
        (row, TypeId[name], int(row["CA"]), int(row["IOA"]))
        for row in sheet.rows("Commands")
        for name in row["type"].split(", ")
    ]


def wide(row: Row) -> bool:
    """Whether a row is a set point."""
    return row["model"] == "setpoint"


@paused
async def test_commands_are_taken_as_listed(tmp_path: Path) -> None:
    """Each qualifier of a row is taken, and no other; a select is needed where the row says so, and
    possible where it does not say `none`."""
    found = outputs(Sheet.of(**MORE))
    assert len(found) == 2 * 10
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        for row, kind, ca, ioa in found:
            needed, possible = row["select"].startswith("needed"), row["select"] != "none"
            taken = [int(one) for one in numbers(row["qualifier"])]
            bits = 7 if wide(row) else 5
            for qualifier in (0, 1, 2, 3, 4, (1 << bits) - 1) if possible else (0,):
                if needed:
                    assert await check.command(kind, ca, ioa, 1, qualifier=qualifier) != TAKEN
                if possible:
                    answers = await check.command(
                        kind, ca, ioa, 1, select=True, qualifier=qualifier
                    )
                    assert (answers == TAKEN[:1]) is (qualifier in taken), (row, qualifier)
                    assert answers in (TAKEN[:1], [(Cause.ACTIVATION_CON, True)])
                answers = await check.command(kind, ca, ioa, 1, qualifier=qualifier)
                assert (answers == TAKEN) is (qualifier in taken or not possible), (row, answers)


@paused
async def test_direct_commands_are_taken_as_listed(tmp_path: Path) -> None:
    """A direct command ends well where no select is needed, and only there."""
    found = outputs(Sheet.of(**MORE))
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        for row, kind, ca, ioa in found:
            needed = row["select"].startswith("needed")
            assert await check.command(kind, ca, ioa, 1) == (REFUSED if needed else TAKEN), row


@paused
async def test_set_points_have_the_limits_that_are_listed(tmp_path: Path) -> None:
    """The ends of the range are taken, what is one beyond them is not."""
    found = [one for one in outputs(Sheet.of(**MORE)) if one[0]["takes"].startswith("from")]
    assert {row["name"]: numbers(row["takes"]) for row, *_ in found} == {
        "ratio": [-1, 1],
        "current": [-52, 47],  # (-100 - 5) / 2 and (100 - 5) / 2, which are no whole numbers
        "word": [0, 2**32 - 1],
        "limit": [-45, 5],  # (500 - 50) / -10 and (0 - 50) / -10
    }
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        for row, kind, ca, ioa in found:
            low, high = numbers(row["takes"])
            select = row["select"].startswith("needed")
            for value, allowed in ((low, 1), (high, 1), (low - 1, 0), (high + 1, 0)):
                if row["name"] in ("ratio", "word") and not allowed:
                    continue  # what the octets cannot say
                answers = await check.command(kind, ca, ioa, value, select=select)
                if select and allowed:
                    answers = await check.command(kind, ca, ioa, value)
                assert answers == (TAKEN if allowed else REFUSED), (row, value)


@paused
async def test_commands_are_answered_within_the_time_that_is_listed(tmp_path: Path) -> None:
    """A device that is silent ends in a negative answer at that time, and not before."""
    more = MORE | {"command_timeout": "4s"}
    sheet = Sheet.of(**more)
    async with Check.at(tmp_path, **more) as check:
        await check.hear()
        check.here.field.reply(lambda _: None)
        row, kind, ca, ioa = outputs(sheet)[0]
        assert row["answered within"] == "4s"
        assert await check.command(kind, ca, ioa, 1) == []
        assert await check.hear(3.4) == []
        (answer,) = await check.hear(0.2)
        assert (answer.cause, answer.negative) == (7, True)


@paused
async def test_late_commands(tmp_path: Path) -> None:
    """A time tag may be off by the maximum delay of the sheet, and not by more."""
    title = "Supervision of maximum delay of commands and set point commands"
    said = Sheet.of(**MORE).said("Command transmission", title)
    seconds = numbers(said)[0]
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        for late, answers in ((seconds - 1, TAKEN), (seconds + 1, REFUSED)):
            for off in (late, -late):
                assert await check.command(TypeId.C_SC_TA_1, 7, 1, 1, late=off) == answers


@paused
async def test_who_may_not_command(tmp_path: Path) -> None:
    """Without a role and without certificates nobody commands: the sheet has no commands, and those
    that the rows would take are refused."""
    more: dict[str, Any] = MORE | {"role": None}
    sheet = Sheet.of(**more)
    assert sheet.said("Command transmission", "Who may command").startswith("nobody")
    assert outputs(sheet) == []
    assert not any(sheet.used("Command transmission").values())
    assert not {kind for kind in sheet.selected if LAYOUTS[kind].use is Use.COMMAND}
    async with Check.at(tmp_path, **more) as check:
        await check.hear()
        for _, kind, ca, ioa in outputs(Sheet.of(**MORE)):
            assert await check.command(kind, ca, ioa, 1) == REFUSED


def test_who_may_command() -> None:
    """Whoever shows a certificate, where one is asked for; anybody, with the role of the link."""
    files = {"certificate": "a.pem", "key": "a.key"}
    certificate = "who shows a certificate that `access` knows"
    for role, tls, words in (
        ("operator", None, "anybody, with the role operator"),
        ("operator", files, "anybody, with the role operator"),
        (None, files | {"ca": "ca.pem"}, certificate),
        ("operator", files | {"ca": "ca.pem"}, f"{certificate}; anybody, with the role operator"),
    ):
        sheet = Sheet.of(role=role, tls=tls)
        assert sheet.said("Command transmission", "Who may command") == words
        assert len(outputs(sheet)) == 2 * 10


ONLY = """\
name,kind,command.model,command.on_time,field.at,scada.ioa,scada.cycle,scada.long_pulse
a,status,{model},{on_time},x,1,10s,{long}
"""


@pytest.mark.parametrize(
    ("rows", "qualifiers"),
    [
        (EVERYTHING, [0, 1, 2, 3]),
        (BARE, []),
        # 101 clause 7.2.6.26: 0 none, 1 short pulse, 2 long pulse, 3 persistent output.
        (ONLY.format(model="latch", on_time="", long=""), [0, 3]),
        (ONLY.format(model="pulse", on_time="1s", long=""), [0, 1]),
        (ONLY.format(model="pulse", on_time="1s", long="2s"), [0, 1, 2]),
    ],
    ids=["everything", "nothing", "latch", "pulse", "long pulse"],
)
def test_functions_of_commands_are_those_of_the_list(rows: str, qualifiers: list[int]) -> None:
    """Direct, selected and the qualifiers are marked where a row of the list has them."""
    sheet = Sheet.of(rows)
    listed = sheet.rows("Commands")
    switches = [row for row in listed if not wide(row)]
    free = [row for row in listed if not row["select"].startswith("needed")]
    assert list(sheet.used("Command transmission").values())[:9] == [
        any(not wide(row) for row in free),
        any(wide(row) for row in free),
        any(row["select"] != "none" for row in switches),
        any(wide(row) and row["select"] != "none" for row in listed),
        any(map(wide, listed)),
        *(qu in qualifiers for qu in range(4)),
    ]
    assert {qu for row in switches for qu in numbers(row["qualifier"])} == set(qualifiers)


@paused
async def test_spontaneous_is_what_has_events(tmp_path: Path) -> None:
    """As many objects report changes as the sheet says; a cyclic one does not."""
    for rows, events in ((EVERYTHING, 17), (ONLY.format(model="latch", on_time="", long=""), 0)):
        sheet = Sheet.of(rows)
        used = sheet.used("Spontaneous transmission")
        assert used["Spontaneous transmission"] is bool(events)
        kept = [numbers(item)[0] for item in used if item.startswith("of ")]
        assert sum(kept) == events
        async with Check.at(tmp_path / str(events), rows) as check:
            await check.hear()
            found = 0
            for row in sheet.objects:
                await check.here.emit(**{row["name"]: 1.0})
                found += count(await check.hear(), Cause.SPONTANEOUS)
            assert found == events


# Totals


def reading(heard: list[Asdu]) -> list[int]:
    """Return the readings of the object 900."""
    return [
        struct.unpack("<i", one.body[3:7])[0]
        for one in measured(heard)
        if one.type in (TypeId.M_IT_NA_1, TypeId.M_IT_TB_1) and one.body[:3] == b"\x84\x03\0"
    ]


@paused
async def test_modes_of_totals(tmp_path: Path) -> None:
    """A and B: what the device says is reported, and read; C: what is frozen stays, and is read;
    D: nothing is reported by itself; reset: they count from there, for this control centre."""
    sheet = Sheet.of(**MORE)
    used = sheet.used("Transmission of integrated totals")
    # Modes A to D; read, freeze, freeze with reset, reset; all, and the groups 1 to 4.
    assert [*used.values()][:4] == [True, True, True, False]
    assert [*used.values()][4:] == [True] * 4 + [True] + [True, False, False, True]
    async with Check.at(tmp_path, **MORE) as check:
        await check.hear()
        await check.here.emit(energy=5)
        assert reading(await check.hear()) == [5]
        assert reading(await check.system(CounterInterrogation())) == [5]
        assert reading(await check.system(CounterInterrogation(freeze=1))) == []
        await check.here.emit(energy=8)
        assert reading(await check.hear()) == [8]
        assert reading(await check.system(CounterInterrogation())) == [5]
        assert reading(await check.system(CounterInterrogation(freeze=2))) == []
        assert reading(await check.system(CounterInterrogation())) == [8]
        await check.here.emit(energy=10)
        assert reading(await check.hear()) == [2]
        assert await check.system(CounterInterrogation(freeze=3))
        await check.here.emit(energy=11)
        assert reading(await check.hear()) == [1]
