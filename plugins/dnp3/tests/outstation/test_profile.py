"""The device profile says what the outstation does, no less and no more."""

from __future__ import annotations

import itertools
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, Iin, class_objects, headers
from gateway_dnp3.objects import LAYOUTS, Qualifier, header

from gateway import LinkPoint
from gateway.testing import Emitter, configured, paused

sys.path.insert(0, str(Path(__file__).parent))
from station import POINTS, Master, Station, outstation, station

F = FunctionCode
REFUSED = Iin.NO_FUNC_CODE_SUPPORT | Iin.OBJECT_UNKNOWN | Iin.PARAMETER_ERROR
CONTROLS = (F.SELECT, F.OPERATE, F.DIRECT_OPERATE, F.DIRECT_OPERATE_NR)
UNANSWERED = (F.DIRECT_OPERATE_NR, F.IMMED_FREEZE_NR, F.FREEZE_CLEAR_NR)
INDEX = {12: 7, 40: 3, 41: 3}
"""Outputs that there are; of all else there is index 0."""
FORMS = {1: "<i", 2: "<h", 3: "<f", 4: "<d"}


@dataclass(frozen=True)
class Claim:
    """That a function takes an object with a qualifier, or the answer has it with these."""

    function: FunctionCode
    group: int = 0
    variation: int = 0
    qualifier: Qualifier | None = None


def text(rows: str = POINTS, **more: object) -> str:
    """The profile of the outstation of these tests."""
    link = outstation(20000, **more)
    found = configured([Emitter(name="field")], [link], rows, Path("/nowhere")).points
    points = [LinkPoint(i, one, one.addresses["scada"]) for i, one in enumerate(found)]
    return link.profile(points)


def implementation(text: str) -> list[tuple[str, str, str, str]]:
    """Group, variation, requests and responses of each row of the implementation table."""
    body = text.partition("## 2 Implementation table\n\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in body.splitlines()[2:]]
    return [(group, variation, asked, said) for group, variation, _, asked, said in rows]


def cells(cell: str) -> Iterator[tuple[int, Qualifier | None]]:
    """Function codes and qualifiers of a cell: `1 (read): 00, 06; 22: 06`."""
    for part in filter(None, cell.split("; ")):
        head, _, qualifiers = part.partition(": ")
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", re.sub(r"\([^)]*\)", "", head)):
            for code in range(int(first), int(last or first) + 1):
                if qualifiers in ("", "echo"):
                    yield code, None
                for one in re.findall(r"[0-9a-f]{2}", qualifiers if qualifiers != "echo" else ""):
                    yield code, Qualifier(int(one, 16))


def claims(rows: list[tuple[str, str, str, str]]) -> Iterator[Claim]:
    for group, variation, asked, _ in rows:
        # g0v254 asks for all attributes; each of them has a number of its own.
        for function, qualifier in cells(asked):
            if group == "-":
                yield Claim(F(function))
            else:
                number = 254 if group == "0" else int(variation)
                yield Claim(F(function), int(group), number, qualifier)


def contents(claim: Claim) -> bytes:
    """What follows the header."""
    group, variation = claim.group, claim.variation
    if claim.function in CONTROLS:
        if group == 12:
            return struct.pack("<BBIIB", 3, 1, 0, 0, 0)
        return struct.pack(f"{FORMS[variation]}B", 100, 0)
    if claim.function is F.WRITE:
        if group == 34:
            return struct.pack({1: "<H", 2: "<I", 3: "<f"}[variation], 1)
        return bytes(6) if group == 50 else b"\0"
    return b""


def objects(claim: Claim) -> bytes:
    """Objects of a request as annex A and clause 4.2.2.7 have them."""
    qualifier = claim.qualifier
    if qualifier is None:
        return b""
    index = INDEX.get(claim.group, 0)
    if claim.function is F.WRITE and claim.group == 80:
        index = 7
    data = contents(claim)
    found = bytes((claim.group, claim.variation, qualifier))
    match qualifier:
        case Qualifier.RANGE_8:
            found += bytes((index, index)) + data
        case Qualifier.RANGE_16:
            found += struct.pack("<HH", index, index) + data
        case Qualifier.ALL:
            pass
        case Qualifier.COUNT_8:
            found += bytes((1,)) + data
        case Qualifier.COUNT_16:
            found += struct.pack("<H", 1) + data
        case Qualifier.INDEX_8:
            found += bytes((1, index)) + data
        case Qualifier.INDEX_16:
            found += struct.pack("<HH", 1, index) + data
        case _:
            raise AssertionError(qualifier)
    if claim.function is F.ASSIGN_CLASS:
        # A class and points of a type, whichever of them is claimed.
        return found + header(1, 0) if claim.group == 60 else class_objects(2) + found
    return found


async def happen(s: Station, number: int) -> None:
    """Change each point, so that each has an event."""
    bit = number % 2
    await s.emit(breaker=bit, spare=bit, switch=1 + bit, horn=bit, voltage=number, limit=number,
                 energy=number)  # fmt: skip


def test_all_tables_are_there() -> None:
    """Identification, connection, link, application, unsolicited; objects; each point."""
    found = text(unsolicited=True)
    assert re.findall(r"^## (\d\.?\d?)", found, re.MULTILINE) == [
        "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2", "3",
    ]  # fmt: skip
    points = found.partition("## 3 Points")[2]
    for row in POINTS.splitlines()[1:]:
        assert f"| {row.partition(',')[0]} |" in points


def test_points_are_shown_as_they_are() -> None:
    """Class, variations and deadband of a point; model and select of an output."""
    points = text().partition("## 3 Points")[2]
    assert "| 0 | voltage |  |  | 2 | g30v5 | g32v7 |  |" in points
    assert "| 1 | spare |  |  | 1 | g1v2 | g2v2 |  |" in points
    assert "| g12v1 | 7 | switch | trip_close | 30s, local | 10s |" in points
    assert "| g12v1 | 2 | horn | pulse | not selected | 10s | PULSE_ON, PULSE_OFF; with " in points
    assert "| g41v1-4 | 3 | limit | setpoint | not selected | 10s | from 0 up to 500 |" in points


def test_limits_are_those_of_the_master() -> None:
    """0 to 500 at a scale of -10 and an offset of 50 is what the master calls -45 to 5."""
    scaled = POINTS.replace("x,1,,2,,3", "x,1,,2,-10,3").replace(
        "scada.control_index\n", "scada.control_index,scada.offset\n"
    )
    scaled = "".join(
        line + (",50\n" if line.startswith("limit") else "\n" if "offset" in line else ",\n")
        for line in scaled.splitlines()
    )
    points = text(scaled, command_timeout="4s").partition("## 3 Points")[2]
    assert "| limit | setpoint | not selected | 4s | from -45 up to 5 |" in points


@paused
@pytest.mark.parametrize("unsolicited", [False, True])
@pytest.mark.parametrize("restart", [False, True])
async def test_what_it_claims_is_answered(
    tmp_path: Path, *, unsolicited: bool, restart: bool
) -> None:
    """No request of the implementation table is refused; those without an answer have none."""
    more = {"unsolicited": unsolicited, "restart": restart}
    found = sorted(
        claims(implementation(text(**more))),
        key=lambda one: one.function in (F.COLD_RESTART, F.WARM_RESTART),
    )
    assert len(found) > 250
    async with station(tmp_path, **more) as s:
        wrong = []
        master_block = Master.at(s.port)
        master = await master_block.__aenter__()
        await happen(s, 1)
        for claim in found:
            if claim.function is F.WRITE and (claim.group, claim.variation) == (50, 3):
                await master.ask(F.RECORD_CURRENT_TIME)
            if claim.function in UNANSWERED:
                request = Fragment.request(claim.function, objects(claim), 0)
                await master.send(request)
                # The next answer that comes is that to the next question.
                assert (await master.ask(F.DELAY_MEASURE)).control.sequence == master.sequence
                continue
            answer = await master.ask(claim.function, objects(claim))
            assert answer.iin is not None
            if answer.iin & REFUSED:
                wrong.append((claim, answer.iin & REFUSED))
            if claim.function in (F.COLD_RESTART, F.WARM_RESTART):
                await master_block.__aexit__(None, None, None)
                await s.gw.until(lambda: s.gw.state("scada") == "up", timeout=60)
                master_block = Master.at(s.port)
                master = await master_block.__aenter__()
        await master_block.__aexit__(None, None, None)
        assert wrong == []


@paused
async def test_what_it_does_not_claim_is_refused(tmp_path: Path) -> None:
    """Every other function is IIN2.0; every other object has nothing to show, or is IIN2.1."""
    rows = implementation(text())
    known = list(claims(rows))
    functions = {one.function for one in known}
    readable = {(one.group, one.variation) for one in known if one.function is F.READ}
    async with station(tmp_path) as s, Master.at(s.port) as master:
        await happen(s, 1)
        # 12 and 33 are never answered (clause 4.4: functions without an acknowledgement).
        for code in range(2, 34):
            if code not in set(map(int, functions)) and code in set(map(int, F)) - {12, 33}:
                answer = await master.ask(F(code), class_objects(1))
                assert answer.iin is not None
                assert answer.iin & Iin.NO_FUNC_CODE_SUPPORT, F(code)
        others = {*LAYOUTS, *((group, 0) for group, _ in LAYOUTS)} - readable
        for group, variation in sorted(others):
            if group in (0, 60):
                continue
            answer = await master.ask(F.READ, header(group, variation))
            assert answer.iin is not None
            assert answer.iin & REFUSED or not answer.objects, (group, variation)


@paused
async def test_answers_are_as_claimed(tmp_path: Path) -> None:
    """Each variation that can be read comes back as itself, with a qualifier of its row."""
    rows = implementation(text())
    async with station(tmp_path) as s, Master.at(s.port) as master:
        await happen(s, 0)
        await master.ask(F.IMMED_FREEZE, header(20, 0))
        count = itertools.count(1)
        seen = 0
        for group, variation, asked, said in rows:
            if not said or not asked.startswith("1 (read)") or group == "0":
                continue
            allowed = {qualifier for _, qualifier in cells(said)}
            await happen(s, next(count))
            answer = await master.ask(F.READ, header(int(group), int(variation)))
            kinds = {(one.group, one.variation, one.qualifier) for one in headers(answer)}
            kinds = {one for one in kinds if one[0] != 51}
            assert {one[:2] for one in kinds} == {(int(group), int(variation))}, kinds
            assert {one[2] for one in kinds} <= allowed
            seen += 1
        assert seen > 45
