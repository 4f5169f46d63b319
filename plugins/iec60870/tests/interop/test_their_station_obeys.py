"""The source `iec104.client` and a station of c104, which nobody here wrote: what it is commanded.

c104 ends no direct command (ACT-TERM), so that their rows say `termination` false.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import CommandStatus, Operation, Quality

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import verdict
from their_station import CA, LINK, Bench, bench

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import point

S = CommandStatus
COLUMNS = (
    "name", "kind", "command.model", "command.select", "command.timeout", "rtu.ca", "rtu.ioa",
    "rtu.control_ioa", "rtu.control_type", "rtu.qualifier", "rtu.time_tag", "rtu.termination",
    "rtu.operate",
)  # fmt: skip


def table(*rows: dict[str, object]) -> str:
    """Return a point list with a row for each of these."""
    head = ",".join(COLUMNS) + "\n"
    lines = [
        ",".join(
            str(row.get(name.removeprefix("rtu."), row.get(name.removeprefix("command."), "")))
            for name in COLUMNS
        )
        for row in rows
    ]
    return head + "\n".join(lines) + "\n"


class Order(NamedTuple):
    """A command: its types without and with time tag, how it is asked for, what must arrive."""

    types: tuple[str, str]
    control_type: str
    kind: str
    model: str
    value: float
    arrives: float
    qualifier: int


ORDERS = [
    Order(("C_SC_NA_1", "C_SC_TA_1"), "single", "status", "latch", 1, 1, 1),
    Order(("C_DC_NA_1", "C_DC_TA_1"), "double", "double", "trip_close", 1, 2, 2),
    Order(("C_RC_NA_1", "C_RC_TA_1"), "step", "status", "latch", 0, 1, 3),
    Order(("C_SE_NA_1", "C_SE_TA_1"), "normalised", "analog", "setpoint", -0.5, -0.5, 5),
    Order(("C_SE_NB_1", "C_SE_TB_1"), "scaled", "analog", "setpoint", -32768, -32768, 0),
    Order(("C_SE_NC_1", "C_SE_TC_1"), "float", "analog", "setpoint", 1.25, 1.25, 127),
    Order(("C_BO_NA_1", "C_BO_TA_1"), "bitstring", "analog", "setpoint", 2**32 - 2, 2**32 - 2, 0),
]


@pytest.mark.parametrize("tagged", [False, True], ids=["plain", "tagged"])
async def test_every_command(tmp_path: Path, trace: pytest.LogCaptureFixture, tagged: bool) -> None:
    """Value, qualifier, time and originator arrive, directly and with a select before."""
    rows, points = [], []
    for at, order in enumerate(ORDERS, start=1):
        name = order.types[tagged]
        for select in (False, True):
            if select and order.control_type == "bitstring":
                continue  # There is no select of bitstrings.
            ioa = at + 100 * select
            points.append(point(ioa, name, **({"mode": "select"} if select else {})))
            rows.append(
                {
                    "name": f"{name}_{select}",
                    "kind": order.kind,
                    "model": order.model,
                    "control_ioa": ioa,
                    "control_type": order.control_type,
                    "qualifier": "" if order.control_type == "bitstring" else order.qualifier,
                    "time_tag": str(tagged).lower(),
                    "termination": str(select).lower(),
                    "operate": "select" if select else "direct",
                }
            )
    async with bench(tmp_path, table(*rows), *points, originator=9) as b:
        for row in rows:
            order = next(one for one in ORDERS if one.control_type == row["control_type"])
            answer = await b.collector.ask(str(row["name"]), order.value)
            assert answer.status is S.SUCCESS, answer
            heard = await b.station.event("command", ioa=row["control_ioa"])
            assert {name: heard[name] for name in ("type", "value", "cause", "originator")} == {
                "type": order.types[tagged],
                "value": order.arrives,
                "cause": 6,
                "originator": 9,
            }
            assert heard["extra"] == order.qualifier
            if tagged:
                assert abs(heard["time"] - time.time() * 1000) < 10_000
            said = [
                asdu[-1 - 7 * tagged] >> 7
                for asdu in b.line.asdus(*range(45, 65), outward=True)
                if asdu[6] == row["control_ioa"]
            ]
            if order.control_type != "bitstring":
                assert said == ([1, 0] if row["operate"] == "select" else [0])
    verdict(b.line, tmp_path, trace, LINK, controlling=True)


SWITCH = {"kind": "status", "model": "latch", "timeout": "400ms", "termination": "false"}


async def answer_with(b: Bench, ioa: int, how: str) -> None:
    await b.station.ask("answer", ca=CA, ioa=ioa, **{"with": how})


async def test_what_is_not_done(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Refused, not answered, not known there: the client is told, and nothing is sent twice."""
    rows = table(
        SWITCH | {"name": "direct", "control_ioa": 1},
        SWITCH | {"name": "selected", "control_ioa": 2, "operate": "select", "termination": "true"},
        SWITCH | {"name": "endless", "control_ioa": 1, "termination": "true"},
        SWITCH | {"name": "nowhere", "control_ioa": 99},
        SWITCH | {"name": "other_type", "control_ioa": 1, "control_type": "double"},
    )
    points = [point(1, "C_SC_NA_1"), point(2, "C_SC_NA_1", mode="select")]
    async with bench(tmp_path, rows, *points) as b:
        for how, name, status in (
            ("success", "endless", S.TIMEOUT),
            # c104 says 7 negative first, and then 47 or 44.
            ("success", "nowhere", S.REFUSED),
            ("success", "other_type", S.REFUSED),
            ("failure", "direct", S.REFUSED),
            ("failure", "selected", S.REFUSED),
            ("none", "direct", S.TIMEOUT),
            # It says that it has ended what it has not confirmed.
            ("none", "selected", S.TIMEOUT),
            ("success", "direct", S.SUCCESS),
            ("success", "selected", S.SUCCESS),
        ):
            for ioa in (1, 2):
                await answer_with(b, ioa, how)
            before = len(b.line.asdus(45, 46, outward=True))
            assert (await b.collector.ask(name, 1)).status is status, (how, name)
            said = b.line.asdus(45, 46, outward=True)[before:]
            assert len(said) == (2 if name == "selected" else 1)
        assert b.gw.state(LINK) == "up"
    read = verdict(b.line, tmp_path, trace, LINK, controlling=True)
    assert {("45", "47", "0"), ("46", "44", "0"), ("45", "7", "1")} <= {
        (row[0], row[3], row[4]) for row in read
    }


async def test_a_select_is_forwarded(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Their station holds it; the state that it returns (cause 11) is a sample each time."""
    switch = SWITCH | {"timeout": "10s", "termination": "true", "select": "forward"}
    rows = table(switch | {"name": "switch", "ioa": 10, "control_ioa": 2})
    points = [point(10, "M_SP_NA_1"), point(2, "C_SC_NA_1", mode="select", returns=10)]
    async with bench(tmp_path, rows, *points) as b:
        me = (await b.collector.context()).client("me")
        for number, value in enumerate((1, 0, 0), start=1):
            for operation in (Operation.SELECT, Operation.EXECUTE):
                answer = await b.collector.ask("switch", value, operation, me)
                assert answer.status is S.SUCCESS, answer
                heard = len(b.station.named("command"))
                assert heard == number - (operation is Operation.SELECT)
            await b.gw.until(
                lambda n=number: len(b.line.asdus(1, outward=False)) == n + 1  # and interrogated
            )
        await b.gw.until(lambda: len(b.rows("switch")) == 4)
        assert [row[:2] for row in b.rows("switch")][1:] == [(1, Quality.GOOD), (0, 0), (0, 0)]
        assert (await b.collector.ask("switch", 1, Operation.SELECT, me)).status is S.SUCCESS
        # lib60870 takes a deactivation, and confirms it with cause 7 and not 9.
        assert (await b.collector.ask("switch", 1, Operation.CANCEL, me)).status is S.REFUSED
    read = verdict(b.line, tmp_path, trace, LINK, controlling=True)
    assert [row[3] for row in read if row[0] == "1"] == ["20", "11", "11", "11"]
    assert ("45", "8") in {(row[0], row[3]) for row in read}
