"""The sheet's types and causes are those of the running station, no fewer and no more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.asdu import (
    LAYOUTS,
    Asdu,
    Cause,
    ClockSynchronisation,
    CounterInterrogation,
    DelayAcquisition,
    Interrogation,
    ReadRequest,
    Reset,
    TypeId,
    Use,
)
from gateway_iec60870.asdu import (
    Test as Patterned,
)
from gateway_iec60870.asdu import (
    TimedTest as Timed,
)

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from sheet_station import BARE, EVERYTHING, MORE, Check, Sheet, column

STATIONS = [(EVERYTHING, MORE), (BARE, {})]
COMMANDS = [kind for kind in TypeId if LAYOUTS[kind].use is Use.COMMAND]


@pytest.mark.parametrize(("rows", "more"), STATIONS, ids=["everything", "bare"])
def test_what_is_selected_has_causes(rows: str, more: dict[str, Any]) -> None:
    """The types with an X are those of the table of causes."""
    sheet = Sheet.of(rows, **more)
    assert sheet.selected == {kind for kind, _ in sheet.causes}


def test_a_station_with_everything_uses_all_that_it_can() -> None:
    """All types of process information but those of protection equipment, packed points and
    normalised values without quality; all commands; all of the system; no parameters, no files."""
    unused = {
        *range(TypeId.M_EP_TA_1, TypeId.M_ME_ND_1 + 1),
        *range(TypeId.M_EP_TD_1, TypeId.M_EP_TF_1 + 1),
        *range(TypeId.P_ME_NA_1, TypeId.F_SC_NB_1 + 1),
        # No row has these as events: with a short time tag.
        *(TypeId.M_BO_TA_1, TypeId.M_ME_TA_1, TypeId.M_ME_TB_1, TypeId.M_ME_TC_1),
    }
    assert Sheet.of(**MORE).selected == set(TypeId) - unused


async def exercise(check: Check, sheet: Sheet, *, whole: bool) -> None:
    """Do everything that makes a station say something.

    whole: whether it scans and may be restarted, too.
    """
    await check.hear()
    await happen(check, sheet)
    for qualifier in range(20, 37):
        await check.system(Interrogation(qualifier))
        await check.system(Interrogation(qualifier), ca=8)
    for request in range(1, 6):
        await check.system(CounterInterrogation(request))
        await check.system(CounterInterrogation(request), ca=8)
    for given in (Interrogation(), CounterInterrogation()):
        await check.system(given, Cause.DEACTIVATION)
    for row in sheet.objects:
        await check.system(ReadRequest(int(row["IOA"])), Cause.REQUEST, int(row["CA"]))
    await check.system(ClockSynchronisation(check.now))
    await check.system(Patterned())
    await check.system(Timed(1, check.now))
    await check.system(DelayAcquisition(5))
    await check.system(DelayAcquisition(5), Cause.SPONTANEOUS)
    for row in sheet.rows("Commands"):
        await command(check, row)
    await errors(check, sheet)
    if whole:
        await check.hear(60.0)
        await check.system(Reset())


async def happen(check: Check, sheet: Sheet) -> None:
    """Change each point, so that each that has events has one."""
    for value in (0.0, 1.0):
        await check.here.emit(**{row["name"]: value for row in sheet.objects})
        await check.hear()


async def command(check: Check, row: dict[str, str]) -> None:
    """Give a command each way: select, cancel, execute."""
    ca, ioa = int(row["CA"]), int(row["IOA"])
    for name in row["type"].split(", "):
        kind = TypeId[name]
        selectable = row["select"] != "none"
        for select, cause in (
            (selectable, Cause.ACTIVATION),
            (selectable, Cause.DEACTIVATION),
            (selectable, Cause.ACTIVATION),
            (False, Cause.ACTIVATION),
        ):
            if selectable or (select, cause) != (False, Cause.ACTIVATION):
                await check.command(kind, ca, ioa, 1, select=select, cause=cause)
        await check.command(kind, ca, ioa, 1, select=False)


def plain(kind: TypeId, ioa: int, cause: Cause, ca: int = 7) -> Asdu:
    """Return an ASDU with an object of zeros."""
    octets = LAYOUTS[kind].size
    # A segment of a file says in its fourth octet how many more it has.
    return Asdu(kind, cause, ca, ioa.to_bytes(3, "little") + bytes(4 if octets is None else octets))


async def errors(check: Check, sheet: Sheet) -> None:
    """Ask what each type of the control direction is refused for."""
    outputs = {
        TypeId[name]: (int(row["CA"]), int(row["IOA"]))
        for row in sheet.rows("Commands")
        for name in row["type"].split(", ")
    }
    for kind in sorted(sheet.selected - set(range(TypeId.C_SC_NA_1))):
        if kind == TypeId.M_EI_NA_1:
            continue
        right = Cause.REQUEST if kind == TypeId.C_RD_NA_1 else Cause.ACTIVATION
        wrong = Cause.ACTIVATION if kind == TypeId.C_RD_NA_1 else Cause.REQUEST
        for asdu, cause in (
            (plain(kind, 0, wrong), Cause.UNKNOWN_CAUSE),
            (plain(kind, 0, right, 99), Cause.UNKNOWN_ADDRESS),
            (plain(kind, 9999, right), Cause.UNKNOWN_OBJECT),
        ):
            answers = [one for one in await check.ask(asdu) if one.type == kind]
            assert [(one.cause, one.negative) for one in answers] == [(cause, True)], (kind, asdu)
        if kind in outputs:
            ca, ioa = next(at for other, at in outputs.items() if at != outputs[kind])
            (answer,) = await check.ask(plain(kind, ioa, right, ca))
            assert (answer.cause, answer.negative) == (Cause.UNKNOWN_TYPE, True), kind


@paused
@pytest.mark.parametrize(("rows", "more"), STATIONS, ids=["everything", "bare"])
async def test_what_is_said_is_what_is_claimed(
    tmp_path: Path, rows: str, more: dict[str, Any]
) -> None:
    """Where everything is done that a control centre can do, each type and cause of the table is
    said by one of the two sides, and the station says nothing else."""
    sheet = Sheet.of(rows, **more)
    async with Check.at(tmp_path, rows, **more) as check:
        await exercise(check, sheet, whole=bool(more))
        assert {(TypeId(kind), column(cause)) for kind, cause in check.seen} == sheet.causes


@paused
@pytest.mark.parametrize(("rows", "more"), STATIONS, ids=["everything", "bare"])
async def test_what_is_not_claimed_is_refused(
    tmp_path: Path, rows: str, more: dict[str, Any]
) -> None:
    """A type without a row: cause 44; a restart, a command to what takes none: see the sheet."""
    sheet = Sheet.of(rows, **more)
    async with Check.at(tmp_path, rows, **more) as check:
        await check.hear()
        unknown = [Asdu(kind, Cause.ACTIVATION, 7, bytes(8)) for kind in (0, 41, 90, 128, 255)]
        absent = [plain(kind, 1, Cause.ACTIVATION) for kind in set(TypeId) - sheet.selected]
        for asdu in [*unknown, *absent]:
            answers = [one for one in await check.ask(asdu) if one.type == asdu.type]
            nowhere = asdu.type in COMMANDS or asdu.type == TypeId.C_RP_NA_1
            cause = Cause.UNKNOWN_OBJECT if nowhere else Cause.UNKNOWN_TYPE
            assert answers == [asdu.answer(cause, True)]
        if TypeId.C_RP_NA_1 not in sheet.selected:
            (answer,) = await check.system(Reset())
            assert (answer.cause, answer.negative) == (Cause.ACTIVATION_CON, True)
