"""The sink `iec104.server` and a control centre of c104, which nobody here wrote: its commands."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import CommandStatus

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import verdict
from tapped_line import TappedLine
from their_centre import CA, LINK, Station, centre, controlled

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import C104Client, point, station

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
from control_centre import Centre, octets

S = CommandStatus


class Order(NamedTuple):
    """A command: its types without and with time tag, the columns of its row, what c104 sends,
    and the value that the device must be told."""

    types: tuple[str, str]
    control_type: str
    kind: str
    model: str
    value: float
    qualifier: int
    arrives: float


ORDERS = [
    Order(("C_SC_NA_1", "C_SC_TA_1"), "single", "status", "latch", 1, 3, 1),
    Order(("C_DC_NA_1", "C_DC_TA_1"), "double", "status", "trip_close", 1, 1, 0),
    Order(("C_RC_NA_1", "C_RC_TA_1"), "step", "status", "trip_close", 2, 2, 1),
    Order(("C_SE_NA_1", "C_SE_TA_1"), "normalised", "analog", "setpoint", -0.5, 0, -0.5),
    Order(("C_SE_NB_1", "C_SE_TB_1"), "scaled", "analog", "setpoint", -32768, 0, -32768),
    Order(("C_SE_NC_1", "C_SE_TC_1"), "float", "analog", "setpoint", 1.25, 0, 1.25),
    Order(("C_BO_NA_1", "C_BO_TA_1"), "bitstring", "analog", "setpoint", 2**32 - 2, 0, 2**32 - 2),
]
SELECTS = ("none", "local", "forward")
HEAD = "name,kind,command.model,command.select,command.timeout,field.at,scada.ioa,"
HEAD += "scada.control_ioa,scada.control_type\n"
CASES = [
    (select, order, 100 + n + 1000 * m)
    for m, select in enumerate(SELECTS)
    for n, order in enumerate(ORDERS, start=1)
    # There is no select of bitstrings.
    if select == "none" or order.control_type != "bitstring"
]
"""How it is selected, the command, and its object address."""
ROWS = HEAD + "".join(
    f"{one.control_type}_{select},{one.kind},{one.model},{select},2s,x,{ioa - 100},{ioa},"
    f"{one.control_type}\n"
    for select, one, ioa in CASES
)


def answers(client: C104Client, ioa: int) -> list[tuple[int, bool, bool]]:
    """Return what came back to an object: cause, P/N, S/E."""
    return [
        (one["cause"], one["negative"], one["select"])
        for one in client.named("answer")
        if one["ioa"] == ioa
    ]


@pytest.mark.parametrize("tagged", [False, True], ids=["plain", "tagged"])
async def test_every_command(tmp_path: Path, trace: pytest.LogCaptureFixture, tagged: bool) -> None:
    """The device is told once, with or without a select before; confirmed, and ended."""
    points = [
        point(ioa, order.types[tagged], **({} if select == "none" else {"mode": "select"}))
        for select, order, ioa in CASES
    ]
    told: list[tuple[str, str, float]] = []
    async with controlled(tmp_path, ROWS) as s, centre(s, *points) as (client, line):
        for select, order, ioa in CASES:
            more = {"time": round(time.time() * 1000)} if tagged else {}
            assert await client.command(CA, ioa, order.value, extra=order.qualifier, **more)
            await client.until(lambda _, ioa=ioa: (10, False, False) in answers(client, ioa))
            name = f"{order.control_type}_{select}"
            if select == "forward":
                told.append((name, "select", order.arrives))
            told.append((name, "direct" if select == "none" else "execute", order.arrives))
            # c104 selects again where it has overlooked the confirmation.
            assert [one for one, _ in groupby(s.told)] == told
    verdict(line, tmp_path, trace, LINK, controlling=False)


async def say(s: Station, client: C104Client, line: TappedLine, **what: float) -> None:
    """Let c104 send a command once; on a busy machine it sends nothing now and then."""
    for _ in range(client.tries):
        before = len(line.asdus(*range(45, 65), outward=True))
        await client.ask("command", **what)
        with suppress(TimeoutError):
            await s.gw.until(
                lambda n=before: len(line.asdus(*range(45, 65), outward=True)) > n,
                timeout=client.pause,
            )
            return


REFUSED = (
    HEAD.replace("scada.ioa", "command.high,scada.ioa")
    + """\
switch,status,latch,none,300ms,x,,1,101,
guarded,status,latch,local,300ms,x,,2,102,
level,analog,setpoint,none,300ms,x,100,3,103,
"""
)
NOT_YET, OLD = 60_000, -60_000


async def test_what_is_refused(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """What is wrong with a command is told by its cause; the device hears of none of these."""
    points = [
        point(102, "C_SC_NA_1"),
        point(103, "C_SE_NC_1"),
        point(1, "C_SC_NA_1"),
        point(999, "C_SC_NA_1"),
        point(101, "C_DC_NA_1"),
    ]
    stations = {"stations": [station(CA, *points), station(99, point(101, "C_SC_NA_1"))]}
    cases: list[tuple[int, int, float, int, tuple[int, bool]]] = [
        (CA, 102, 1, 6, (7, True)),  # It must be selected before.
        (CA, 103, 100.5, 6, (7, True)),  # Its row says 100 at the most.
        (CA, 101, 2, 6, (44, True)),  # It is not commanded with this type.
        (CA, 102, 1, 3, (45, True)),
        (CA, 102, 1, 13, (45, True)),
        (99, 101, 1, 6, (46, True)),
        (CA, 999, 1, 6, (47, True)),
        (CA, 1, 1, 6, (47, True)),  # A measurement.
        (CA, 102, 1, 8, (9, True)),  # There is nothing to deactivate.
    ]
    async with (
        controlled(tmp_path, REFUSED) as s,
        centre(s, originator=5, command_timeout_ms=100, **stations) as (client, line),
    ):
        for ca, ioa, value, cause, answer in cases:
            before = len(client.named("answer"))
            await say(s, client, line, ca=ca, ioa=ioa, value=value, cause=cause)
            await client.until(lambda _, n=before: len(client.named("answer")) > n)
            (heard,) = client.named("answer")[before:]
            assert (heard["ca"], heard["ioa"]) == (ca, ioa)
            assert (heard["cause"], heard["negative"]) == answer
        assert s.told == []
    read = verdict(line, tmp_path, trace, LINK, controlling=False)
    assert {row[6] for row in read if row[0] in ("45", "46", "50")} == {"5"}


async def test_what_the_device_does(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """It refuses, it fails at it, it says nothing: each is an answer to their centre, in time."""
    points = [point(101, "C_SC_NA_1"), point(103, "C_SE_TC_1")]
    cases: list[tuple[CommandStatus | None, tuple[tuple[int, bool, bool], ...]]] = [
        (S.SUCCESS, ((7, False, False), (10, False, False))),
        (S.REFUSED, ((7, True, False),)),
        (S.DEVICE_ERROR, ((7, False, False), (10, True, False))),
        (None, ((7, True, False),)),
    ]
    async with controlled(tmp_path, REFUSED) as s, centre(s, *points) as (client, line):
        for status, expected in cases:
            s.field.reply(lambda _, status=status: status)
            before, begun = len(answers(client, 101)), time.monotonic()
            await say(s, client, line, ca=CA, ioa=101, value=1)
            await client.until(
                lambda _, n=before, more=expected: len(answers(client, 101)) >= n + len(more)
            )
            assert tuple(answers(client, 101)[before:]) == expected
            assert status is not None or time.monotonic() - begun >= 0.3
        assert len(s.told) == len(cases)
        # The time of a command may be 30 s from the gateway's.
        for off in (OLD, NOT_YET):
            at = round(time.time() * 1000) + off
            assert not await client.command(CA, 103, 1, time=at)
        assert len(s.told) == len(cases)
    verdict(line, tmp_path, trace, LINK, controlling=False)


# A body for each type that c104 cannot send, all of which a controlled station refuses; 101 tables
# 9 to 12: parameters, files, and the restart, which this link does not allow.
UNSAYABLE = [
    ("6e 01 06 00 07 00 01 00 00 00 40 01", 0x6C),  # P_ME_NA_1
    ("6f 01 06 00 07 00 01 00 00 e8 03 01", 0x6C),  # P_ME_NB_1
    ("70 01 06 00 07 00 01 00 00 00 00 80 3f 01", 0x6C),  # P_ME_NC_1
    ("71 01 06 00 07 00 01 00 00 01", 0x6C),  # P_AC_NA_1
    ("7a 01 0d 00 07 00 01 00 00 01 00 00 01", 0x6C),  # F_SC_NA_1
    ("69 01 06 00 07 00 00 00 00 01", 0x47),  # C_RP_NA_1
    ("68 01 06 00 07 00 00 00 00 aa 55", 0x07),  # C_TS_NA_1, of which c104 has the pattern wrong
    ("66 01 05 00 07 00 63 00 00", 0x6F),  # C_RD_NA_1 of an object that is not there
    ("66 01 06 00 07 00 01 00 00", 0x6D),  # C_RD_NA_1 with the cause of an activation
    ("67 01 03 00 07 00 00 00 00 00 00 00 0c 81 01 1a", 0x6D),  # C_CS_NA_1, spontaneous
]


async def test_what_c104_cannot_say(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Octets by hand, each answered by its mirror with the cause that says what is wrong."""
    async with controlled(tmp_path, REFUSED) as s, TappedLine(s.port).listening() as line:
        async with Centre.at(line.port) as hand:
            await hand.hear()  # the end of initialisation
            for asked, cause in UNSAYABLE:
                said = octets(asked)
                (heard,) = await hand.ask(said)
                assert heard == said[:2] + bytes((cause,)) + said[3:]
        assert s.told == []
    read = verdict(line, tmp_path, trace, LINK, controlling=False)
    assert {"44", "45", "47"} <= {row[3] for row in read}
