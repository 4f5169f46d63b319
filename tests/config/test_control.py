"""The command columns of the point list: what the cells mean, and each mistake at its cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from gateway import (
    Control,
    ControlModel,
    Point,
    Pulse,
    SelectRule,
    Source,
    SourceContext,
    hookimpl,
)
from gateway.host import Host
from gateway.model.configuration import Configuration

Check = Callable[[str | bytes], list[str]]
Load = Callable[[str | bytes], Configuration]


def test_all_columns(load_csv: Load) -> None:
    """Each column arrives in its field of `Control`."""
    setpoint, breaker, valve = load_csv(
        "name,kind,meter1.index,command.model,command.select,command.select_timeout,"
        "command.timeout,command.low,command.high,command.step,command.interval,command.on_time,"
        "command.off_time,command.count,command.interlock,command.feedback,"
        "command.feedback_timeout,command.feedback_band\n"
        "f1.p,analog,1,setpoint,none,,5s,-10,10.5,2,1min,,,,not f1.q or f1.p < 3,f1.p,2s,0.25\n"
        "f1.q,status,2,trip_close,forward,1min,,,,,,,,,,f1.q,,\n"
        "f1.v,status,3,pulse,local,,,,,,,500ms,250ms,3,,,,\n"
    ).points

    assert setpoint.command == Control(
        model=ControlModel.SETPOINT,
        timeout=5.0,
        low=-10.0,
        high=10.5,
        step=2.0,
        interval=60.0,
        interlock="not f1.q or f1.p < 3",
        feedback="f1.p",
        feedback_timeout=2.0,
        feedback_band=0.25,
    )
    assert breaker.command == Control(
        model=ControlModel.TRIP_CLOSE,
        select=SelectRule.FORWARD,
        select_timeout=60.0,
        feedback="f1.q",
    )
    assert valve.command is not None
    assert valve.command.select is SelectRule.LOCAL
    assert valve.command.pulse == Pulse(0.5, 0.25, 3)


def test_rows_without_command_cells_are_measurements(load_csv: Load) -> None:
    """Empty cells are as if the columns were not there; a row with one cell is commanded."""
    first, second = load_csv(
        "name,meter1.index,command.model,command.low\na,1,,\nb,2,setpoint,\n"
    ).points

    assert first.command is None
    assert second.command == Control(model=ControlModel.SETPOINT)


def test_rows_with_the_same_cells_share_a_control(load_csv: Load) -> None:
    """Controls are frozen, so a list with one rule for thousands of points holds one instance."""
    first, second = load_csv("name,meter1.index,command.model\na,1,setpoint\nb,2,setpoint\n").points

    assert first.command is second.command


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "name,meter1.index,command.modl\na,1,\n",
            ["1:19: found the unknown column 'command.modl', allowed: command.model, command.sel"],
        ),
        (
            "name,meter1.index,comand.model\na,1,\n",
            ["1:19: found a column of the unknown link 'comand', allowed: broker, meter1, meter2, "
             "scada and command; did you mean 'command'?"],
        ),
        (
            "name,meter1.index,command.low,command.model\na,1,5,\n",
            ["2:7: command.model: the cell is empty, allowed: latch, pulse, trip_close, setpoint"],
        ),
        (
            "name,meter1.index,command.low\na,1,5\n",
            ["2:5: command.model: the cell is empty, allowed: latch, pulse, trip_close, setpoint"],
        ),
        (
            "name,meter1.index,command.model\na,1,setpiont\n",
            ["2:5: command.model: found 'setpiont', allowed: latch, pulse, trip_close, setpoint; "
             "did you mean 'setpoint'?"],
        ),
        (
            "name,meter1.index,command.model,command.low\na,1,setpoint,nan\n",
            ["2:14: command.low: found 'nan', allowed: finite numbers"],
        ),
        (
            "name;meter1.index;command.model;command.step\na;1;setpoint;0,5\n",
            ["2:14: command.step: found '0,5', allowed: a number above 0; write decimals with a"],
        ),
        (
            "name,meter1.index,command.model,command.timeout\na,1,setpoint,5\n",
            ["2:14: command.timeout: found '5': a duration is a number with ms, s, min, h or d"],
        ),
        (
            "name,meter1.index,command.model,command.timeout\na,1,setpoint,0s\nb,2,setpoint,2h\n",
            ["2:14: command.timeout: found '0s', allowed: a duration above 0ms",
             "3:14: command.timeout: found '2h', allowed: a duration of at most 1h"],
        ),
        (
            "name,kind,meter1.index,command.model,command.on_time\na,status,1,pulse,0s\n",
            ["2:18: command.on_time: found '0s', allowed: a duration above 0ms"],
        ),
        (
            "name,kind,meter1.index,command.model,command.on_time\na,status,1,pulse,\n",
            ["2:18: command: the model pulse needs command.on_time"],
        ),
        (
            "name,meter1.index,command.model,command.high,command.low\na,1,setpoint,5,6\n",
            ["2:16: command: command.low 6 is above command.high 5"],
        ),
        (
            "name,kind,meter1.index,command.model,command.low\na,status,1,latch,5\n",
            ["2:18: command: command.low is of the model setpoint, not of latch"],
        ),
        (
            "name,kind,meter1.index,command.model\na,analog,1,latch\n",
            ["2:12: command.model: found latch for a point of kind analog, allowed: setpoint"],
        ),
        (
            "name,kind,meter1.index,command.model\na,counter,1,trip_close\nb,double,2,setpoint\n"
            "c,status,3,setpoint\nd,counter,4,setpoint\ne,double,5,trip_close\n",
            ["2:13: command.model: found trip_close for a point of kind counter, allowed: setpoint",
             "3:12: command.model: found setpoint for a point of kind double, allowed: latch, puls",
             "4:12: command.model: found setpoint for a point of kind status, allowed: latch, pul"],
        ),
        (
            "name,kind,meter1.index,command.model,command.count,command.off_time,"
            "command.feedback_timeout,command.feedback_band\na,status,1,latch,2,1s,1s,1\n",
            ["2:18: command.count: this does nothing without the model pulse",
             "2:20: command.off_time: this does nothing without the model pulse",
             "2:23: command.feedback_timeout: this does nothing without command.feedback",
             "2:26: command.feedback_band: this does nothing without command.feedback"],
        ),
        (
            "name,kind,meter1.index,command.model,command.feedback,command.feedback_band\n"
            "a,status,1,latch,a,1\n",
            ["2:20: command.feedback_band: this does nothing without the model setpoint"],
        ),
        (
            "name,unit,command.model\na,V,setpoint\n",
            ["2:1: a has no source: fill the columns of one, allowed: meter1, meter2"],
        ),
    ],
)  # fmt: skip
def test_mistakes(check_csv: Check, text: str, problems: list[str]) -> None:
    """Each mistake is named at its line and column, counted by hand."""
    found = check_csv(text)

    assert len(found) == len(problems), found
    for one, beginning in zip(found, problems, strict=True):
        assert one.startswith(f"points.csv:{beginning}"), one


LIST = """\
name,kind,meter1.index,command.model,command.interlock,command.feedback
q1,double,1,trip_close,§
earthed,status,2,,,
u,analog,3,,,
n,counter,4,,,
"""


@pytest.mark.parametrize(
    "cells",
    [
        "not earthed and u < 50 and q1 = open,q1",
        "'earthed' and _health.meter1.up and _health.gateway.clock_synchronised,earthed",
        "n != u and earthed = 1,",
        "_health.scada.pending < 5,",
    ],
)
def test_points_of_a_command(load_csv: Load, cells: str) -> None:
    """Interlock and feedback may name the point itself, others, and in interlocks health points."""
    assert load_csv(LIST.replace("§", cells)).points[0].command is not None


@pytest.mark.parametrize(
    ("cells", "place", "sentence"),
    [
        ("not,", 24, "interlock: in its column 4: the expression ends here, allowed: a point, not"),
        ("earthed xor u,", 24, "interlock: in its column 9: found 'xor', allowed: = or !=, < <= "),
        ("not erthed,", 24, "interlock: found 'erthed', but there is no point of this name; did y"),
        ("u = open.5,", 24, "interlock: found 'open.5', but there is no point of this name"),
        ("_health.meter9.up,", 24, "interlock: found '_health.meter9.up', but there is no point"),
        ("_own.meter1.up,", 24, "interlock: found '_own.meter1.up', but there is no point"),
        ("u,", 24, "interlock: u is of kind analog: it stands beside a number, or another point"),
        ("earthed or not n,", 24, "interlock: n is of kind counter: it stands beside a number"),
        ("q1,", 24, "interlock: q1 is of kind double: it stands beside open or closed, with ="),
        ("q1 = 2,", 24, "interlock: q1 is of kind double: it stands beside open or closed"),
        ("n = q1,", 24, "interlock: q1 is of kind double: it stands beside open or closed"),
        ("earthed = closed,", 24, "interlock: earthed is of kind status: open and closed are of"),
        (
            ",erthed",
            25,
            "feedback: found 'erthed', but there is no point of this name; did you mean",
        ),
        (",u", 25, "feedback: found 'u', whose kind is analog, allowed: status or double"),
        (",_health.meter1.up", 25, "feedback: found '_health.meter1.up', but there is no point"),
    ],
)
def test_points_that_a_command_cannot_have(
    check_csv: Check, cells: str, place: int, sentence: str
) -> None:
    """What a cell says of another point is held against that point."""
    (problem,) = check_csv(LIST.replace("§", cells))

    assert problem.startswith(f"points.csv:2:{place}: command.{sentence}")


def test_a_setpoint_is_followed_by_a_number(check_csv: Check) -> None:
    """The feedback of a setpoint is an analog or counter point."""
    text = "name,kind,meter1.index,command.model,command.feedback\np,,1,setpoint,s\ns,status,2,,\n"

    assert check_csv(text) == [
        "points.csv:2:15: command.feedback: found 's', whose kind is status, "
        "allowed: analog or counter"
    ]


def test_points_of_another_list(site: Any) -> None:
    """Interlock and feedback may name points of a list that is read later."""
    site.write(
        {
            "gateway.yaml": "gateway: {name: north}\npoints: [one.csv, two.csv]\n"
            "sources: [{name: meter1, type: acme, host: h}]\n",
            "one.csv": "name,kind,meter1.index,command.model,command.interlock,command.feedback\n"
            "a,status,1,latch,not b,c\n",
            "two.csv": "name,kind,meter1.index\nb,status,2\nc,double,3\n",
        }
    )
    assert len(site.load().points) == 3

    site.write({"two.csv": "name,kind,meter1.index\nb,double,2\n"})
    assert [one.split(": ")[:2] for one in site.problems()] == [
        ["one.csv:2:18", "command.interlock"],
        ["one.csv:2:24", "command.feedback"],
    ]


def test_a_link_cannot_be_called_command(site: Any) -> None:
    """The name is told at its place, and the columns are left alone: what they mean is unknown."""
    site.write(
        {
            "gateway.yaml": "gateway: {name: north}\npoints: points.csv\n"
            "sources:\n  - {name: command, type: acme, host: h}\n",
            "points.csv": "name,command.index\na,1\n",
        }
    )

    assert site.problems() == [
        "gateway.yaml:4:12: name: found 'command', but the columns command.… of the point list "
        "say how points are commanded; allowed: any other name"
    ]


@pytest.mark.parametrize("name", ["audit", "gateway", "local"])
def test_names_that_are_taken(site: Any, name: str) -> None:
    """The gateway's own names for folders, health points and clients are no link's."""
    site.write(
        {
            "gateway.yaml": "gateway: {name: north}\npoints: points.csv\n"
            f"sources:\n  - {{name: {name}, type: acme, host: h}}\n",
            "points.csv": f"name,{name}.index\na,1\n",
        }
    )

    (problem,) = site.problems()
    assert problem.startswith(f"gateway.yaml:4:12: name: found '{name}', but ")


def test_many_unknown_names_are_told_in_time(check_csv: Check) -> None:
    """A list of thousands of wrong names is checked without looking for a likely one for each."""
    rows = "".join(f"point{i},status,1,latch,pint{i}\n" for i in range(1, 400))
    found = check_csv("name,kind,meter1.index,command.model,command.feedback\n" + rows)

    assert sum("there is no point of this name" in one for one in found) == 399
    assert sum("did you mean" in one for one in found) == 20


class ProbePoint(Point):
    at: str


class Probe(Source):
    Point = ProbePoint
    type: Literal["probe"]

    async def run(self, ctx: SourceContext) -> None:
        raise NotImplementedError


class ProbePlugin:
    @hookimpl
    def gateway_components(self) -> list[type[Source]]:
        return [Probe]


def test_a_source_that_takes_no_commands(site: Any) -> None:
    """A commanded row of such a source is named at its cell, with the source's name and type."""
    site.host = Host({"probe": ProbePlugin()})
    site.write(
        {
            "gateway.yaml": "gateway: {name: north}\npoints: points.csv\n"
            "sources: [{name: probe1, type: probe}]\n",
            "points.csv": "name,command.model,probe1.at\na,setpoint,x\nb,,x\n",
        }
    )

    assert site.problems() == [
        "points.csv:2:3: command.model: probe1 (probe) takes no commands; "
        "leave the columns command.… empty"
    ]
