"""What `gateway check` says of a `dnp3.master` and its rows."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_dnp3.master.point import DnpPoint
from gateway_dnp3.master.source import DnpMaster
from pydantic import ValidationError

from gateway import Control, Definition, Kind, LinkPoint

BASE: dict[str, Any] = {"name": "rtu", "host": "10.0.0.1", "outstation": 10}

WRONG = [
    ({"host": None}, "transport tcp needs host, or listen"),
    ({"port": 0}, "port 0 is not a port"),
    ({"port": 70000}, "port 70000 is not a port"),
    ({"listen": "0.0.0.0:20000"}, "either host and port, or listen"),
    ({"host": None, "listen": "0.0.0.0:20000", "transport": "udp"}, "listen is for transport tcp"),
    ({"host": None, "listen": "0.0.0.0:20000", "allow": ["10.0.0"]}, "a network is 10.0.0.0/24"),
    ({"allow": ["10.0.0.0/8"]}, "allow needs listen"),
    ({"tls": {}}, "tls needs transport tls"),
    ({"host": None, "listen": "0.0.0.0:1", "transport": "tls"}, "tls_server is for transport tls"),
    ({"transport": "serial", "port": "/dev/ttyS0"}, "neither host nor listen"),
    ({"transport": "serial", "host": None}, "transport serial needs port"),
    ({"outstation": 1}, "address 1 is the gateway's and the outstation's"),
    ({"outstation": 65520}, "less than or equal to 65519"),
    ({"unsolicited": [0]}, "unsolicited"),
    ({"polls": [{"every": "1s"}]}, "classes or a type, one of them"),
    ({"polls": [{"every": "1s", "classes": [1], "type": "counter"}]}, "one of them"),
    ({"polls": [{"every": "1s", "type": "counter", "first": 3}]}, "first and last come together"),
    ({"polls": [{"every": "1s", "type": "counter", "first": 3, "last": 2}]}, "first 3 is above"),
    ({"polls": [{"every": "1s", "type": "iin"}]}, "type iin is none of"),
    ({"assign": [{"class": 1}]}, "an assignment needs a type"),
    ({"integrity": "0"}, "integrity"),
]


@pytest.mark.parametrize(("fields", "sentence"), WRONG)
def test_a_wrong_field(fields: dict[str, Any], sentence: str) -> None:
    """It is refused with what is allowed."""
    with pytest.raises(ValidationError) as error:
        DnpMaster.model_validate({k: v for k, v in (BASE | fields).items() if v is not None})
    assert sentence in str(error.value)


def test_manners() -> None:
    """What the YAML says is what is done."""
    source = DnpMaster.model_validate(
        BASE
        | {
            "unsolicited": [1, 2],
            "integrity": "never",
            "polls": [
                {"every": "10s", "classes": [2, 3]},
                {"every": "5s", "type": "analog_input", "first": 0, "last": 299, "outstation": 11},
            ],
            "assign": [{"class": 2, "type": "counter"}],
            "freeze": {"every": "15min", "clear": True},
        }
    )
    manners = source.manners(10)
    assert manners.event is None
    assert manners.integrity is None
    assert manners.unsolicited == (1, 2)
    assert [scan.objects.hex() for scan in manners.scans] == ["3c03063c0406"]
    assert [one.hex() for one in manners.assign] == ["3c0306140006"]
    assert manners.freeze is not None
    assert manners.freeze.clear
    # Group 30, variation 0, 16-bit start and stop: 0 and 299.
    assert [scan.objects.hex() for scan in source.manners(11).scans][1] == "1e00010000" + "2b01"


def point(number: int = 0, kind: str = "analog", model: str = "", **columns: Any) -> LinkPoint:
    more: dict[str, Any] = {"on_time": 1.0} if model == "pulse" else {}
    select = columns.pop("select", "none")
    command = Control.model_validate({"model": model, "select": select} | more) if model else None
    address = DnpPoint.model_validate(columns)
    return LinkPoint(number, Definition(f"p{number}", Kind(kind), command=command), address)


ROWS = [
    ({"index": 1, "type": "octet_string"}, "type", "octet strings have no place"),
    ({"index": 1, "type": "binary_input"}, "type", "kind analog cannot be a binary_input"),
    ({"index": 1, "kind": "double", "type": "counter"}, "type", "only one of analog or counter"),
    ({}, "index", "no index"),
    ({"index": 16, "kind": "status", "type": "iin"}, "index", "0 (IIN1.0) to 15 (IIN2.7)"),
    ({"index": 1, "outstation": 1}, "outstation", "1 is the gateway's own address"),
    ({"index": 1, "control_index": 1}, "control_index", "only a point with columns command"),
    ({"model": "setpoint", "index": 1, "control_index": 1}, "control_type", "one of int16"),
    ({"model": "setpoint", "index": 1, "control_type": "crob"}, "control_type", "model setpoint"),
    ({"kind": "status", "model": "latch", "index": 1}, "control_index", "may be another one"),
    ({"kind": "status", "model": "latch", "control_type": "int16"}, "control_type", "model latch"),
    ({"kind": "status", "model": "latch", "control_index": 1, "trip_time": "1s"}, "trip_time",
     "of the model trip_close, not of latch"),
    ({"kind": "status", "model": "pulse", "control_type": "cold_restart", "select": "forward"},
     "control_type", "cannot be selected"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "field", "sentence"), ROWS)
def test_a_wrong_row(columns: dict[str, Any], field: str, sentence: str) -> None:
    """It is named by its column, and only it."""
    source = DnpMaster.model_validate(BASE)
    good = point(1, "analog", index=1)
    wrong = point(2, **columns)
    found = [one for one in source.check_points([good, wrong]) if one[2].find("already") < 0]
    assert [(one.name, column) for one, column, _ in found] == [("p2", field)]
    assert sentence in found[0][2]


def test_one_index_twice() -> None:
    """The same index of the same type of the same outstation is one point only."""
    source = DnpMaster.model_validate(BASE)
    points = [
        point(1, index=3),
        point(2, index=3, outstation=10),
        point(3, index=3, outstation=11),
        point(4, index=3, type="analog_output_status"),
        point(5, "counter", index=3),
    ]
    found = list(source.check_points(points))
    assert [(one.name, field, text) for one, field, text in found] == [
        ("p2", "index", "analog_input 3 of outstation 10 is p1 already")
    ]
