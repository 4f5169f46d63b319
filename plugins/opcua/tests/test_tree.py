"""Folders and names from the point list."""

from __future__ import annotations

import pytest
from gateway_opcua import OpcUaServer, ServerPoint
from gateway_opcua.tree import Folder, grow, place
from gateway_opcua.unit import UNECE, unit

from gateway import Control, ControlModel, Definition, Kind, LinkPoint


def point(number: int, name: str, model: str = "", node: str | None = None) -> LinkPoint:
    return LinkPoint(number, Definition(name, model=model), ServerPoint(node=node))


@pytest.mark.parametrize(
    ("name", "model", "path"),
    [
        ("feeder1.voltage_a", "", ("feeder1", "voltage_a")),
        ("voltage", "", ("voltage",)),
        ("x", "Feeder1/MMXU1.PhV.phsA", ("Feeder1", "MMXU1", "PhV", "phsA")),
        ("x", "F1/CB1.XCBR1.Pos", ("F1", "CB1", "XCBR1", "Pos")),
        ("_health.ua.up", "", ("_health", "ua", "up")),
    ],
)
def test_a_point_stands_where_its_model_says(name: str, model: str, path: object) -> None:
    """The object reference of IEC 61850-7-2 is split at / and at dots; else the dotted name."""
    assert place(point(1, name, model)) == path


def test_points_share_their_folders() -> None:
    """Each folder is there once, and a point beside a folder of its own name is no conflict."""
    root = grow([point(1, "a.b.c"), point(2, "a.b.d"), point(3, "a.b"), point(4, "e")])
    assert shape(root) == {"a": {"b": {"c": None, "d": None}, "b!": None}, "e": None}


def shape(folder: Folder) -> dict[str, object]:
    found: dict[str, object] = {name: shape(below) for name, below in folder.folders.items()}
    for leaf in folder.points:
        found[leaf.name + "!" * (leaf.name in folder.folders)] = None
    return found


def test_one_node_id_belongs_to_one_point() -> None:
    """Two points that claim a node id are named before anything starts."""
    sink = OpcUaServer(name="ua")
    points = [point(1, "a"), point(2, "b", node="a"), point(3, "c")]
    (found,) = sink.check_points(points)
    assert found[0] is points[1]
    assert found[1:] == (
        "node",
        "node id a is that of a already; each point needs its own, in its column `node`",
    )


def test_methods_keep_their_node_ids() -> None:
    """A point that claims the node of a method is named; an equal ending alone is no claim."""
    sink = OpcUaServer(name="ua")
    breaker = Definition("b", Kind.STATUS, command=Control(model=ControlModel.LATCH))
    points = [
        LinkPoint(1, breaker, None),
        point(2, "x", node="b/Commands"),
        point(3, "y", node="b/Commands/Select"),
        point(4, "z", node="/Operator/Block"),
        point(5, "c/Commands"),
        point(6, "d", node="b/CommandsOfMine"),
    ]
    assert [(one.name, sentence) for one, _, sentence in sink.check_points(points)] == [
        (
            name,
            f"node id {node} is that of {whose} already; "
            "each point needs its own, in its column `node`",
        )
        for name, node, whose in [
            ("x", "b/Commands", "the commands of b"),
            ("y", "b/Commands/Select", "the commands of b"),
            ("z", "/Operator/Block", "the operator's methods"),
        ]
    ]


def test_unit_ids_are_those_of_the_standard() -> None:
    """OPC 10000-8, 5.6.3 and UNECE_to_OPCUA.csv of the OPC Foundation give these numbers."""
    known = {"°C": 4408652, "V": 5655636, "A": 4279632, "Hz": 4740186, "%": 20529, "kWh": 4937544}
    assert {text: unit(text)[0] for text in known} == known
    assert unit("furlong") == (-1, "furlong", "furlong")


def test_common_codes_are_two_or_three_characters() -> None:
    """As UNECE recommendation 20 defines them."""
    assert {len(code) for code, _ in UNECE.values()} <= {2, 3}
