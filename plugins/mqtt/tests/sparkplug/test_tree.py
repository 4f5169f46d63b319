"""Devices, names, types: what a point list becomes, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import SparkplugSink
from gateway_mqtt.sparkplug.tree import Devices, Names, tree
from pydantic import ValidationError

from gateway import Definition, Kind, LinkPoint, Secret
from gateway.testing import Emitter, configured

POINTS = [
    LinkPoint(0, Definition("bay1.a.voltage", source="rtu"), None),
    LinkPoint(1, Definition("bay1.breaker", Kind.STATUS, source="rtu", model="F1/CSWI1.Pos"), None),
    LinkPoint(2, Definition("loose", Kind.DOUBLE, source="meter"), None),
    LinkPoint(3, Definition("_health.rtu.up", Kind.STATUS), None),
]


@pytest.mark.parametrize(
    ("devices", "names", "expected"),
    [
        (
            Devices.SOURCE,
            Names.NAME,
            {
                "": ["_health/rtu/up"],
                "rtu": ["bay1/a/voltage", "bay1/breaker"],
                "meter": ["loose"],
            },
        ),
        (
            Devices.PREFIX,
            Names.NAME,
            {"": ["loose", "_health/rtu/up"], "bay1": ["a/voltage", "breaker"]},
        ),
        (
            Devices.NONE,
            Names.MODEL,
            {"": ["bay1/a/voltage", "F1/CSWI1.Pos", "loose", "_health/rtu/up"]},
        ),
    ],
)
def test_points_become_metrics_of_devices(
    devices: Devices, names: Names, expected: dict[str, list[str]]
) -> None:
    """By source, by the first part of the name, or all of the node; the node comes first."""
    found = tree(POINTS, devices, names)
    assert {device.name: [m.name for m in device.metrics] for device in found} == expected
    assert found[0].name == ""
    aliases = {m.point.id: m.alias for device in found for m in device.metrics}
    assert aliases == {0: 1, 1: 2, 2: 3, 3: 4}


def _sink(**fields: Any) -> SparkplugSink:
    return SparkplugSink.model_validate({"name": "sp", "broker": "127.0.0.1:1883"} | fields)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.x,analog,x,,,Boolean,", "Boolean does not suit a point of kind analog; allowed are"),
        ("a.x,status,x,,,Double,", "Double does not suit a point of kind status; allowed are Bool"),
        ("a.x,analog,x,,,String,setpoint", "takes commands cannot be a String: use a number"),
        ("a.x,analog,x,,b/c,,", "a metric 'b/c' already: point b.c"),
        ("a.x,analog,x,,B/c,,", "but for upper and lower case"),
        ("a.x,analog,x,de/v,,,", "'de/v' is no name of a device: it has '/'"),
        ("a.x,analog,x,FIELD,,,", "the devices FIELD and field differ in case only"),
        ("a.x,analog,x,,,Int7,", "Int7"),
    ],
)
def test_a_row_that_cannot_be_is_refused(tmp_path: Path, row: str, said: str) -> None:
    """Unfit types, names that are taken, names that topics reserve: each at its cell."""
    text = "name,kind,field.at,sp.device,sp.metric,sp.type,command.model\nb.c,analog,x,,,,\n"
    with pytest.raises(ValueError, match=said.replace("(", "\\(")):
        configured([Emitter(name="field")], [_sink()], f"{text}{row}\n", tmp_path)


def test_names_of_the_node_itself_are_reserved(tmp_path: Path) -> None:
    """bdSeq and what begins with Node Control/ are Sparkplug's own, in the node's birth."""
    for name in ("bdSeq", "Node Control/Rebirth"):
        text = f"name,field.at,sp.metric\na.x,x,{name}\n"
        with pytest.raises(ValueError, match="a name that Sparkplug has for itself"):
            configured([Emitter(name="field")], [_sink(devices="none")], text, tmp_path)
        configured([Emitter(name="field")], [_sink()], text, tmp_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"group": "a/b"}, "it has '/'"),
        ({"node": "a+b"}, "'\\+'"),
        ({"node": ""}, "empty"),
        ({"node": "{device}"}, "it may name {gateway}, {link}"),
        ({"primary_host": "a#"}, "it has '#'"),
        ({"hold": "5s"}, "hold needs primary_host"),
        ({"devices": "bay"}, "'source', 'prefix' or 'none'"),
        ({"password": Secret("x")}, "a password needs its username"),
    ],
)
def test_a_field_that_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    """Each with what was found and what is allowed."""
    with pytest.raises(ValidationError, match=said):
        _sink(**fields)
