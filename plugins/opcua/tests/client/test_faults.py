"""What breaks in the field: cut and silent networks, servers that restart or forget."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asyncua import ua

from gateway import STALE

POINTS = "name,plc.node\np.a,nsu=urn:test:plant;s=a\np.b,nsu=urn:test:plant;s=b\n"


async def settled(linked: Any, name: str, value: float) -> None:
    gateway = linked.gateway

    def there() -> bool:
        rows = linked.sink.rows(name)
        return bool(rows) and rows[-1].value == value and rows[-1].quality & 3 == 0

    await gateway.until(there, 20, f"{name} is {value}")


async def acknowledged(linked: Any, plant: Any) -> None:
    """Wait until the server has nothing that the gateway has not acknowledged."""
    subscriptions = plant.server.iserver.subscription_service.subscriptions

    def done() -> bool:
        return all(not one._not_acknowledged_results for one in subscriptions.values())

    await linked.gateway.until(done, 10, "all notifications are acknowledged")


async def test_a_cut_loses_nothing(plant: Any, link: Any, proxy: Any) -> None:
    """What changes while the network is cut arrives afterwards, once, and in its order."""
    await plant.add("a", 0.0)
    await plant.add("b", 7.0)
    network = await proxy(plant.port)
    async with link(network.url, POINTS) as linked:
        gateway = linked.gateway
        await settled(linked, "p.a", 0.0)
        for value in (1.0, 2.0, 3.0):
            await plant.put("a", value)
        await settled(linked, "p.a", 3.0)
        await acknowledged(linked, plant)
        network.refuses = True
        network.cut()
        await gateway.until(lambda: gateway.state("plc") == "down")
        assert gateway.sample("p.b").quality & STALE == STALE
        for value in (4.0, 5.0, 6.0):
            await plant.put("a", value)
        network.refuses = False
        await settled(linked, "p.a", 6.0)
        await settled(linked, "p.b", 7.0)
        values = [row.value for row in linked.sink.rows("p.a") if row.quality & 3 == 0]
        assert values == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        assert gateway.counters("plc")["resumed"] == 1


async def test_a_gateway_that_restarts_loses_nothing(plant: Any, link: Any) -> None:
    """The subscription outlives the gateway: what changed meanwhile is there after its start."""
    await plant.add("a", 0.0)
    await plant.add("b", 7.0)
    async with link(plant.url, POINTS) as linked:
        await settled(linked, "p.a", 0.0)
        await settled(linked, "p.b", 7.0)
        await acknowledged(linked, plant)
    for value in (1.0, 2.0, 3.0):
        await plant.put("a", value)
    async with link(plant.url, POINTS) as linked:
        await settled(linked, "p.a", 3.0)
        values = [row.value for row in linked.sink.rows("p.a") if row.quality & 3 == 0]
        assert values == [1.0, 2.0, 3.0]
        await settled(linked, "p.b", 7.0)


async def test_a_gateway_that_is_killed_loses_nothing(plant: Any, link: Any) -> None:
    """After a crash the server still has what was not acknowledged, and its queue."""
    await plant.add("a", 0.0)
    await plant.add("b", 7.0)
    async with link(plant.url, POINTS) as linked:
        await settled(linked, "p.a", 0.0)
        file = next(linked.folder.rglob("subscription.json"))
        # The value may come from the read at the start, before both items are on the ticket.
        await linked.gateway.until(lambda: len(json.loads(file.read_text())["items"]) == 2)
        ticket = file.read_text()
    file.write_text(ticket)  # as it was before the end was noted
    for value in (1.0, 2.0, 3.0):
        await plant.put("a", value)
    async with link(plant.url, POINTS) as linked:

        def good() -> list[float]:
            return [row.value for row in linked.sink.rows("p.a") if row.quality & 3 == 0]

        # The read at the start may show the last value before the queue has come.
        await linked.gateway.until(lambda: good()[-3:] == [1.0, 2.0, 3.0])
        assert "lost_notifications" not in linked.gateway.counters("plc")


async def test_a_server_that_restarts_is_found_again(plant: Any, link: Any) -> None:
    """With another order of its namespaces, too: points name theirs by URI."""
    await plant.add("a", 1.0)
    await plant.add("b", 2.0)
    async with link(plant.url, POINTS) as linked:
        await settled(linked, "p.a", 1.0)
        await plant.stop()
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down")
        again = type(plant)(plant.port)
        await again.start(before=3)
        try:
            assert again.namespace != plant.namespace
            await again.add("a", 11.0)
            await again.add("b", 12.0)
            await settled(linked, "p.a", 11.0)
            await settled(linked, "p.b", 12.0)
        finally:
            await again.stop()


async def test_a_silent_network_is_noticed(plant: Any, link: Any, proxy: Any) -> None:
    """Nothing arrives, nothing is closed: the link goes down by its time-outs, and comes back."""
    await plant.add("a", 1.0)
    await plant.add("b", 2.0)
    network = await proxy(plant.port)
    fields = {"timeout": "500ms", "watch": "200ms", "connect_timeout": "1s"}
    async with link(network.url, POINTS, **fields) as linked:
        await settled(linked, "p.a", 1.0)
        network.muted = True
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down", 10)
        network.muted = False
        network.cut()
        await settled(linked, "p.a", 1.0)


async def test_a_session_that_the_server_forgot_is_made_anew(plant: Any, link: Any) -> None:
    """BadSessionIdInvalid: the link breaks once, and works with a new session."""
    await plant.add("a", 1.0)
    await plant.add("b", 2.0)
    async with link(plant.url, POINTS, watch="100ms") as linked:
        await settled(linked, "p.a", 1.0)
        for session in list(plant.server.iserver._external_sessions.values()):
            await session.close_session(True)
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down")
        await plant.put("a", 5.0)
        await settled(linked, "p.a", 5.0)


async def test_a_subscription_that_the_server_deleted_is_made_anew(plant: Any, link: Any) -> None:
    """BadNoSubscription, or a StatusChangeNotification, or silence: a new one is made."""
    await plant.add("a", 1.0)
    await plant.add("b", 2.0)
    async with link(plant.url, POINTS, timeout="500ms") as linked:
        await settled(linked, "p.a", 1.0)
        service = plant.server.iserver.subscription_service
        (number,) = service.subscriptions
        await service.delete_subscriptions([number])
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down", 15)
        await plant.put("a", 5.0)
        await settled(linked, "p.a", 5.0)
        assert list(service.subscriptions) != [number]


async def test_a_server_that_is_not_there_yet(plant: Any, link: Any) -> None:
    """The gateway starts first, tries again, and says why it is down."""
    await plant.stop()
    async with link(plant.url, POINTS, up=False) as linked:
        await linked.gateway.until(lambda: linked.gateway.state("plc") == "down")
        assert "Connection refused" in linked.gateway.status("plc").error
        again = type(plant)(plant.port)
        await again.start()
        try:
            await again.add("a", 1.0)
            await again.add("b", 2.0)
            await settled(linked, "p.a", 1.0)
        finally:
            await again.stop()


async def test_a_slow_server_breaks_nothing(
    plant: Any, link: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers that take long, but less than the time-out, do not bring the link down."""
    await plant.add("a", 1.0)
    await plant.add("b", 2.0)
    from asyncua.server.internal_session import InternalSession

    usual = InternalSession.read

    async def slow(self: Any, params: ua.ReadParameters) -> Any:
        await asyncio.sleep(0.3)
        return await usual(self, params)

    monkeypatch.setattr(InternalSession, "read", slow)
    async with link(plant.url, POINTS, watch="100ms", timeout="1s") as linked:
        await settled(linked, "p.a", 1.0)
        for value in (2.0, 3.0, 4.0):
            await plant.put("a", value)
            await asyncio.sleep(0.2)
        await settled(linked, "p.a", 4.0)
        assert linked.gateway.state("plc") == "up"
        assert linked.gateway.counters("plc").get("resumed", 0) == 0
