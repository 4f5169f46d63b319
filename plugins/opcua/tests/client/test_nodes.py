"""Nodes that are not there, paths, polling, deadbands, double points and full queues."""

# mypy: disable-error-code="attr-defined,no-untyped-call,arg-type"

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asyncua import ua

from gateway import Quality

NS = "nsu=urn:test:plant;s="
NOT_THERE = Quality.INVALID | Quality.BAD_REFERENCE


async def test_a_node_that_is_not_there_stops_no_other(
    plant: Any, link: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is invalid with badReference, counted, named once, and found when it comes."""
    await plant.add("a", 1.0)
    points = (
        "name,plc.node,plc.path\n"
        f"p.a,{NS}a,\n"
        f"p.late,{NS}late,\n"
        "p.foreign,nsu=urn:nobody;s=a,\n"
        f"p.path,,/Objects/{plant.namespace}:late\n"
    )
    async with link(plant.url, points, retry="200ms") as linked:
        gateway = linked.gateway
        await gateway.until(lambda: gateway.sample("p.a").value == 1.0)
        for name in ("p.late", "p.foreign", "p.path"):
            assert gateway.sample(name).quality & NOT_THERE == NOT_THERE
        assert gateway.counters("plc")["unresolved"] == 3
        lines = [one.message for one in caplog.records if "nodes that are not there" in one.message]
        assert len(lines) == 1
        assert f"p.late ({NS}late): BadNodeIdUnknown" in lines[0]
        assert "the server has no namespace urn:nobody; it has " in lines[0]
        assert "BadNoMatch" in lines[0]
        await plant.add("late", 5.0)
        await gateway.until(lambda: gateway.sample("p.late").value == 5.0)
        await gateway.until(lambda: gateway.sample("p.path").value == 5.0)
        assert gateway.sample("p.late").quality & 3 == Quality.GOOD
        assert gateway.state("plc") == "up"


@pytest.mark.parametrize("reading", ["monitored", "polled"])
async def test_paths_and_node_ids_lead_to_the_same(plant: Any, link: Any, reading: str) -> None:
    """A folder, a name with a dot in it, and both notations of a namespace."""
    number = plant.namespace
    folder = await plant.server.nodes.objects.add_folder(number, "Bay.1")
    node = await folder.add_variable(
        ua.NodeId("v", number), ua.QualifiedName("U/L1", number), 230.5
    )
    points = (
        "name,plc.node,plc.path\n"
        f"p.id,{NS}v,\n"
        f"p.index,,/Objects/{number}:Bay&.1/{number}:U&/L1\n"
        "p.uri,,/Objects/nsu=urn:test:plant;Bay&.1/nsu=urn:test:plant;U&/L1\n"
        f"p.component,,/Objects/{number}:Bay&.1<HasComponent>{number}:U&/L1\n"
    )
    async with link(plant.url, points, reading=reading, poll="100ms") as linked:
        names = ("p.id", "p.index", "p.uri", "p.component")
        sample = linked.gateway.sample
        await linked.gateway.until(lambda: all(sample(name).value == 230.5 for name in names))
        await node.write_value(231.5)
        await linked.gateway.until(lambda: all(sample(name).value == 231.5 for name in names))


async def test_one_point_is_polled_among_monitored_ones(plant: Any, link: Any) -> None:
    """By its own period; what it read is good, and a node that is not there is not."""
    await plant.add("a", 1.0)
    await plant.add("b", 2.0)
    points = f"name,plc.node,plc.poll\np.a,{NS}a,\np.b,{NS}b,50ms\np.c,{NS}c,50ms\n"
    async with link(plant.url, points) as linked:
        sample = linked.gateway.sample
        await linked.gateway.until(lambda: sample("p.b").value == 2.0)
        await plant.put("b", 3.0)
        await linked.gateway.until(lambda: sample("p.b").value == 3.0)
        assert sample("p.c").quality & NOT_THERE == NOT_THERE
        (subscription,) = plant.server.iserver.subscription_service.subscriptions.values()
        assert len(subscription.monitored_item_srv._monitored_items) == 1


async def test_a_polled_link_comes_back(plant: Any, link: Any, proxy: Any) -> None:
    """Without any subscription: the reads fail, and go on with the next connection."""
    await plant.add("a", 1.0)
    network = await proxy(plant.port)
    points = f"name,plc.node\np.a,{NS}a\n"
    async with link(network.url, points, reading="polled", poll="50ms") as linked:
        gateway = linked.gateway
        await gateway.until(lambda: gateway.sample("p.a").value == 1.0)
        network.cut()
        await gateway.until(lambda: gateway.state("plc") == "down")
        await plant.put("a", 2.0)
        await gateway.until(lambda: gateway.sample("p.a").value == 2.0)
        assert not list(linked.folder.rglob("subscription.json"))


async def test_a_boolean_is_a_double_point(plant: Any, link: Any) -> None:
    """IEC 61850-7-3 Dbpos: off is 1 and on is 2; an integer is taken as it is."""
    await plant.add("flag", True)
    await plant.add("dbpos", 3, ua.VariantType.UInt32)
    points = f"name,kind,plc.node\np.flag,double,{NS}flag\np.dbpos,double,{NS}dbpos\n"
    async with link(plant.url, points) as linked:
        sample = linked.gateway.sample
        await linked.gateway.until(lambda: sample("p.flag").value == 2)
        assert sample("p.dbpos").value == 3
        await plant.put("flag", False)
        await linked.gateway.until(lambda: sample("p.flag").value == 1)


async def test_deadbands_of_server_and_gateway(plant: Any, link: Any) -> None:
    """The column asks the server; the point's own is the gateway's; without, all is taken."""
    for name in ("all", "served", "own"):
        await plant.add(name, 0.0)
    points = (
        "name,deadband,plc.node,plc.deadband\n"
        f"p.all,,{NS}all,\np.served,,{NS}served,1\np.own,1,{NS}own,\n"
    )

    async with link(plant.url, points) as linked:
        await linked.gateway.until(lambda: len(linked.sink.rows("p.")) >= 3)
        for value in (0.5, 0.75, 2.0):
            for name in ("served", "own", "all"):
                await plant.put(name, value)
        await linked.gateway.until(
            lambda: (
                {row.name for row in linked.sink.rows("p.") if row.value == 2.0}
                == {"p.all", "p.served", "p.own"}
            )
        )
        found = {
            name: [row.value for row in linked.sink.rows(name) if row.quality & 3 == 0]
            for name in ("p.all", "p.served", "p.own")
        }
        assert found == {
            "p.all": [0.0, 0.5, 0.75, 2.0],
            "p.served": [0.0, 2.0],
            "p.own": [0.0, 2.0],
        }


async def test_a_full_queue_is_counted(
    serve: Any, link: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The server's Overflow bit: values were lost there, which one line and a counter say; the
    value that has the bit is as good as any.
    """
    points = "name,plc.node,plc.queue\nq,nsu=urn:grid-gateway:test:points;s=p,2\n"
    async with serve("name,field.at\np,x\n", keep="every") as served:
        await served.field.emit(["p"], [0.0])
        async with link(served.url.rstrip("/"), points, publishing="300ms") as linked:
            await linked.gateway.until(lambda: linked.gateway.sample("q").value == 0)
            for _ in range(2):
                await served.field.emit(["p"] * 5, [1, 2, 3, 4, 5], every=True)
                await asyncio.sleep(0.4)
            await linked.gateway.until(lambda: linked.gateway.sample("q").value == 5)
            assert linked.gateway.counters("plc")["queue_overflows"] == 2
            assert linked.gateway.sample("q").quality & 0x1FFF == Quality.GOOD
            assert sum("queues overflowed" in one.message for one in caplog.records) == 1
