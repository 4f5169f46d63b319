"""Many points: what a node costs."""

from __future__ import annotations

import time

from asyncua import ua
from asyncua.server.address_space import AddressSpace, NodeData
from gateway_opcua.nodes import plant
from gateway_opcua.tree import grow

from gateway import Definition, LinkPoint


def planted(count: int) -> tuple[AddressSpace, float]:
    """Return an address space with points in one folder, and the CPU seconds it took."""
    points = [
        LinkPoint(number, Definition(f"substation.p{number:05d}", unit="V", low=0, high=400), None)
        for number in range(count)
    ]
    aspace = AddressSpace()
    objects = ua.NodeId(ua.ObjectIds.ObjectsFolder)  # type: ignore[attr-defined,arg-type]
    aspace[objects] = NodeData(objects)
    start = time.process_time()
    nodes = plant(aspace, grow(points), "test", 2, lambda *_: ua.DataValue())
    assert len(nodes) == count
    return aspace, time.process_time() - start


def test_ten_thousand_points_in_one_folder_cost_as_much_each_as_one_thousand() -> None:
    """The time is linear: with the library's way a node of ten thousand costs ten times as much."""
    planted(1_000)
    small = min(planted(1_000)[1] for _ in range(3)) / 1_000
    large = min(planted(10_000)[1] for _ in range(2)) / 10_000
    assert large < 4 * small


def test_attributes_are_made_when_they_are_asked_for() -> None:
    """A node that nobody reads holds neither attributes nor references."""
    aspace, _ = planted(100)
    node = aspace[ua.NodeId("substation.p00007", 2)]  # type: ignore[arg-type]
    assert not {"attributes", "references"} & set(vars(node))
    assert ua.AttributeIds.Value in node.attributes  # type: ignore[attr-defined]
    folder = aspace[ua.NodeId("substation/", 2)]  # type: ignore[arg-type]
    assert len([ref for ref in folder.references if ref.IsForward]) == 101
