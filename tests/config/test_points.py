"""The point list: what the cells mean, and each mistake with its place and its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import Deadband, DeadbandKind, Keep, Kind, SinkPoint
from gateway.config import ConfigError, point_list
from gateway.model.configuration import Configuration

Check = Callable[[str | bytes], list[str]]
Load = Callable[[str | bytes], Configuration]


def test_all_columns(load_csv: Load) -> None:
    """Each column arrives in its field, each cell of a link in the link's own type."""
    (point,) = load_csv(
        "name,kind,unit,description,model,scale,offset,low,high,rate,deadband,"
        "meter1.index,meter1.type,meter1.factor,scada.slot,scada.keep\n"
        'f1.u_a,analog,kV,"L1, to ""earth""",F1/MMXU1.PhV.phsA,0.1,-2,0,500,10,1%,'
        "7,float32,2.5,3,every\n"
    ).points

    assert (point.name, point.kind, point.unit) == ("f1.u_a", Kind.ANALOG, "kV")
    assert (point.description, point.model) == ('L1, to "earth"', "F1/MMXU1.PhV.phsA")
    assert (point.scale, point.offset) == (0.1, -2.0)
    assert (point.low, point.high, point.rate) == (0.0, 500.0, 10.0)
    assert point.deadband == Deadband(5.0)
    assert point.source == "meter1"
    assert set(point.addresses) == {"meter1", "scada"}
    meter: Any = point.addresses["meter1"]
    assert (meter.index, meter.wire, meter.factor, meter.tag) == (7, "float32", 2.5, None)
    scada: Any = point.addresses["scada"]
    assert (scada.slot, scada.keep) == (3, Keep.EVERY)


def test_defaults(load_csv: Load) -> None:
    """An empty cell is as if the column were not there."""
    with_cells, without = (
        load_csv("name,kind,scale,low,deadband,meter1.index,meter1.type\na,,,,,1,\n").points[0],
        load_csv("name,meter1.index\na,1\n").points[0],
    )

    assert with_cells == without
    assert (without.kind, without.scale, without.deadband) == (Kind.ANALOG, 1.0, Deadband(0.0))
    assert (without.low, without.high, without.rate) == (-math.inf, math.inf, math.inf)


@pytest.mark.parametrize(
    ("cell", "deadband"),
    [
        ("", Deadband(0.0)),
        ("0", Deadband(0.0)),
        ("0.5", Deadband(0.5)),
        ("1%", Deadband(2.0)),
        ("0.5 %", Deadband(1.0)),
        ("5s", Deadband(5.0, DeadbandKind.INTEGRATED)),
        ("always", Deadband(-1.0)),
    ],
)
def test_deadbands(load_csv: Load, cell: str, deadband: Deadband) -> None:
    """Percent is of high - low, here 200; a number with s is integrated; always is every sample."""
    (point,) = load_csv(f"name,low,high,deadband,meter1.index\na,-100,100,{cell},1\n").points

    assert point.deadband == deadband


def test_a_sink_that_only_keeps(load_csv: Load) -> None:
    """`<sink>.keep` alone is an address; a row without it has none at that sink."""
    first, second = load_csv("name,meter1.index,broker.keep\na,1,latest\nb,2,\n").points

    assert first.addresses["broker"] == SinkPoint(keep=Keep.LATEST)
    assert "broker" not in second.addresses


@pytest.mark.parametrize(
    "text",
    [
        "name,unit,meter1.index\na,V,1\nb,A,2\n",
        "\ufeffname,unit,meter1.index\na,V,1\nb,A,2\n",
        "name;unit;meter1.index\na;V;1\nb;A;2\n",
        "name,unit,meter1.index\r\na,V,1\r\nb,A,2\r\n",
        "name,unit,meter1.index\ra,V,1\rb,A,2",
        '# the "list"\n\nname,unit,meter1.index\n#a,x,9\na,V,1\n,,\n  \nb,A,2\n#',
        '"name" , unit,"meter1.index"\n"a", V ,"1"\nb,"A",2,\n'.replace('"name" ,', '"name",'),
        "name,unit,meter1.index,,\na,V,1,,\nb,A,2,,\n",
        "meter1.index,name,unit\n1,a,V\n2,b,A\n",
    ],
)
def test_spellings_of_one_list(load_csv: Load, text: str) -> None:
    """BOM, delimiter, line ends, comments, quotes, blanks and order do not change the points."""
    points = load_csv(text).points

    assert [(p.name, p.unit, p.addresses["meter1"].index) for p in points] == [  # type: ignore[attr-defined]
        ("a", "V", 1),
        ("b", "A", 2),
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["1:1: the point list is empty"]),
        ("# only\n\n", ["1:1: the point list is empty"]),
        ("kind,meter1.index\nstatus,1\n", ["1:1: the column 'name' is missing"]),
        ("name\tkind\na\tb\n", ["1:1: found the unknown column", "1:1: the column 'name' is mi"]),
        ("name,knd,meter1.index\na,,1\n", ["1:6: found the unknown column 'knd', allowed: name"]),
        ("name,name,meter1.index\na,,1\n", ["1:6: found the column 'name' twice"]),
        ("name,,meter1.index\na,x,1\n", ["1:6: found a column without a name that has cells"]),
        ("name,meter1.indx\na,1\n", ["1:6: found the unknown column 'meter1.indx', allowed: met"]),
        ("name,meter1.index,meter9.index\na,1,\n", ["1:19: found a column of the unknown link"]),
        ("name,meter1.index,broker.slot\na,1,\n", ["1:19: found the unknown column 'broker.slo"]),
        ("name,meter1.index\n,1\n", ["2:1: the name is empty"]),
        ("name,meter1.index\na b,1\n", ["2:1: found the name 'a b', allowed: parts of letters"]),
        ("name,meter1.index\na..b,1\n", ["2:1: found the name 'a..b', allowed: parts"]),
        ("name,meter1.index\nä,1\n", ["2:1: found the name 'ä', allowed: parts"]),
        ("name,meter1.index\na._b,1\n", ["2:1: found the name 'a._b', but parts that begin wi"]),
        ("name,meter1.index\n" + "a" * 201 + ",1\n", ["2:1: found a name of 201 characters, al"]),
        ("name,meter1.index\na,1\nb,2\na,3\n", ["4:1: found the point 'a' again, first in line 2"]),
        ("name,kind,meter1.index\na,Analog,1\n", ["2:3: kind: found 'Analog', allowed: analog, "]),
        ("name,scale,meter1.index\na,x,1\n", ["2:3: scale: found 'x', allowed: a number"]),
        ("name,scale,meter1.index\na,0,1\n", ["2:3: scale: found '0', allowed: a number other"]),
        ("name;scale;meter1.index\na;0,5;1\n", ["2:3: scale: found '0,5', allowed: a number; wri"]),
        ("name,offset,meter1.index\na,nan,1\n", ["2:3: offset: found 'nan', allowed: a number"]),
        ("name,rate,meter1.index\na,-1,1\n", ["2:3: rate: found '-1', allowed: a number above 0"]),
        ("name,low,high,meter1.index\na,5,5,1\n", ["2:5: high: found 5, allowed: above low, wh"]),
        ("name,deadband,meter1.index\na,x,1\n", ["2:3: deadband: found 'x', allowed: 0.5"]),
        ("name,deadband,meter1.index\na,-1,1\n", ["2:3: deadband: found '-1', allowed: 0.5"]),
        ("name,deadband,meter1.index\na,1%,1\n", ["2:3: deadband: found '1%' without a range"]),
        ("name,unit\na,V\n", ["2:1: a has no source: fill the columns of one, allowed: meter1, m"]),
        (
            "name,meter1.index,meter2.index\na,1,2\n",
            ["2:5: found addresses at two sources, 'meter1' and 'meter2', allowed: one"],
        ),
        (
            "name,meter1.index,meter1.type\na,x,float\n",
            [
                "2:3: meter1.index: found 'x', allowed: a whole number from 0 to 999",
                "2:5: meter1.type: found 'float', allowed: float32, uint16; did you mean 'float32",
            ],
        ),
        (
            "name,meter1.type,meter1.index\na,float32,\n",
            ["2:11: meter1.index: the cell is empty, allowed: a whole number from 0 to 999"],
        ),
        ("name,meter1.type\na,float32\n", ["2:3: meter1.index: the cell is empty, allowed: a wh"]),
        ("name,meter1.index,meter1.tag\na,1,x\n", ["2:5: meter1.tag: found 'x', allowed: text t"]),
        (
            'name,meter1.index,meter1.factor\na,1,"0,5"\n',
            ["2:5: meter1.factor: found '0,5', allowed: a number above 0; write decimals with a"],
        ),
        (
            "name,meter1.index,scada.keep\na,1,all\n",
            ["2:5: scada.keep: found 'all', allowed: every, latest"],
        ),
        ("name,meter1.index\na,1,x\n", ["2:5: found the cell 'x' beyond the last column; the he"]),
        ('name,meter1.index\n"a,1\nb,2\n', ["2:1: found a quote that is never closed"]),
        ('name,meter1.index\na,"1\nb,2\n', ["2:3: found a quote that is never closed"]),
        ('name,meter1.index\n"a"x,1\n', ["2:1: found text behind a closing quote in this row"]),
        (
            "name,meter1.index\na,1\n#\n" + "b" * 1_000_001 + ",1\n",
            ["4:1: a cell of this row is longer than 1000000 characters"],
        ),
        (
            'name,meter1.index\n"a",1\n' + "b" * 1_000_001 + ",1\n",
            ["3:1: a cell of this row is longer than 1000000 characters"],
        ),
        ("name,meter1.index\na\0,1\n", ["2:2: found a NUL character, allowed: text"]),
        (
            'name,description,meter1.index\na,"two\nlines",1\n\n# c\nb,"x, ""y"" z",-1\n',
            ["6:16: meter1.index: found '-1', allowed: a whole number from 0 to 999"],
        ),
        (
            'name,description,meter1.index,scada.slot\na,"two\nlines",x,y\n',
            ["3:8: meter1.index: found 'x'", "3:10: scada.slot: found 'y', allowed: a whole num"],
        ),
    ],
)
def test_mistakes(check_csv: Check, text: str, problems: list[str]) -> None:
    """Each mistake is named at its physical line and character column, counted by hand."""
    found = check_csv(text)

    assert len(found) == len(problems), found
    for one, beginning in zip(found, problems, strict=True):
        assert one.startswith(f"points.csv:{beginning}"), one


def test_not_utf8(check_csv: Check) -> None:
    """A list saved in another encoding is named with the place of the first strange byte."""
    assert check_csv(b"name,unit,meter1.index\na,\xb0C,1\n") == [
        "points.csv:2:3: found the byte 0xb0, which is not UTF-8; save the file as UTF-8"
    ]


def test_several_lists(site: Any) -> None:
    """A list per device is one point list; names are unique over all of them."""
    site.write(
        {
            "gateway.yaml": "gateway: {name: north}\npoints: [one.csv, two.csv]\n"
            "sources: [{name: meter1, type: acme, host: h}]\n",
            "one.csv": "name,meter1.index\na,1\n",
            "two.csv": "name;meter1.index\nb;2\n",
        }
    )
    assert [point.name for point in site.load().points] == ["a", "b"]

    site.write({"two.csv": "name;meter1.index\na;2\n"})
    assert site.problems() == [
        f"two.csv:2:1: found the point 'a' again, first in {site.folder}/one.csv, line 2".replace(
            f"{site.folder}/", ""
        )
    ]


def test_links_check_their_points(check_csv: Check) -> None:
    """What a link finds wrong among its points is reported at the cell of the later one."""
    found = check_csv(
        "name,unit,meter1.index,meter2.index\na,V,1,\nb,V,,1\nc,V,01,\nd,V,1,\n",
    )

    assert found == [
        "points.csv:4:5: meter1: found index 1 again, first at a",
        "points.csv:5:5: meter1: found index 1 again, first at a",
    ]


def test_many_problems_are_bounded(check_csv: Check) -> None:
    """A column that is wrong a million times does not fill the memory with sentences."""
    found = check_csv("name,kind,meter1.index\n" + "".join(f"p{i},x,1\n" for i in range(3_000)))

    assert len(found) == 1_001
    assert found[-1].endswith("… and 2000 more problems in this file")


def test_equal_cells_are_one_address(load_csv: Load) -> None:
    """Addresses are frozen, so rows with the same cells share one: a list takes less memory."""
    first, second = load_csv("name,meter1.index,broker.keep\na,1,latest\nb,2,latest\n").points

    assert first.addresses["broker"] is second.addresses["broker"]


def test_a_list_as_text(host: Any) -> None:
    """Links made in Python can be given a point list as text."""
    meter = host.component("acme").cls(name="m", type="acme", host="h")

    (point,) = point_list("name,m.index\na,5\n", [meter])
    assert point.addresses["m"].index == 5  # type: ignore[attr-defined]

    with pytest.raises(ConfigError) as raised:
        point_list("name,m.index\na,x\n", [meter], Path("here.csv"))
    assert str(raised.value) == (
        "here.csv:2:3: m.index: found 'x', allowed: a whole number from 0 to 999"
    )
