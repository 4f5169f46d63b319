"""Many points: what a node costs."""

# mypy: disable-error-code="attr-defined,arg-type"

from __future__ import annotations

import time
from typing import Any

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
    objects = ua.NodeId(ua.ObjectIds.ObjectsFolder)
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


async def test_a_large_folder_is_browsed_in_parts(serve: Any, connect: Any) -> None:
    """Of 2,500 points each comes once, at most 1,000 in an answer, or fewer if asked for."""
    names = [f"p{number:04d}" for number in range(2_500)]
    points = "name,field.at\n" + "".join(f"bay.{name},x\n" for name in names)
    async with serve(points) as served, connect(served.url) as client:
        folder = client.get_node("ns=2;s=bay/")
        assert [node.nodeid.Identifier for node in await folder.get_children()] == [
            f"bay.{name}" for name in names
        ]
        for asked, expected in [(0, [1000, 1000, 500]), (900, [900, 900, 700])]:
            sizes = []
            (part,) = await client.uaclient.browse(
                ua.BrowseParameters(
                    RequestedMaxReferencesPerNode=asked,
                    NodesToBrowse=[
                        ua.BrowseDescription(
                            NodeId=folder.nodeid,
                            BrowseDirection=ua.BrowseDirection.Forward,
                            ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasComponent),
                            ResultMask=63,
                        )
                    ],
                )
            )
            sizes.append(len(part.References))
            while point := part.ContinuationPoint:
                more = ua.BrowseNextParameters(
                    ReleaseContinuationPoints=False, ContinuationPoints=[point]
                )
                (part,) = await client.uaclient.browse_next(more)
                sizes.append(len(part.References))
            assert sizes == expected
        (gone,) = await client.uaclient.browse_next(
            ua.BrowseNextParameters(ContinuationPoints=[b"guess"])
        )
        assert gone.StatusCode.value == ua.StatusCodes.BadContinuationPointInvalid


def test_attributes_are_made_when_they_are_asked_for() -> None:
    """A node that nobody reads holds neither attributes nor references."""
    aspace, _ = planted(100)
    node = aspace[ua.NodeId("substation.p00007", 2)]
    assert not {"attributes", "references"} & set(vars(node))
    assert ua.AttributeIds.Value in node.attributes
    folder = aspace[ua.NodeId("substation/", 2)]
    assert len([ref for ref in folder.references if ref.IsForward]) == 101
