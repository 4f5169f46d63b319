"""Subscriptions over a socket, with asyncua's client."""

# mypy: disable-error-code="attr-defined,arg-type,call-arg"

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from gateway import STALE, Quality

VOLTAGE, POWER, BREAKER = "feeder1.voltage_a", "feeder1.power", "feeder1.breaker"
OVERFLOW = 0x480
INTERVAL = 60  # ms


def node(client: Any, name: str) -> Any:
    return client.get_node(f"ns=2;s={name}")


def create(name: str, handle: int, **more: Any) -> ua.MonitoredItemCreateRequest:
    """A request for one item with parameters that asyncua's subscription does not offer."""
    given: dict[str, Any] = {"ClientHandle": handle, "SamplingInterval": 0.0, "QueueSize": 1}
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=ua.NodeId(name, 2), AttributeId=ua.AttributeIds.Value),
        MonitoringMode=more.pop("mode", ua.MonitoringMode.Reporting),
        RequestedParameters=ua.MonitoringParameters(**given | {"DiscardOldest": True} | more),
    )


async def items(client: Any, subscription: Any, *requests: Any) -> list[Any]:
    params = ua.CreateMonitoredItemsParameters(
        SubscriptionId=subscription.subscription_id,
        TimestampsToReturn=ua.TimestampsToReturn.Both,
        ItemsToCreate=list(requests),
    )
    return list(await client.uaclient.create_monitored_items(params))


async def test_only_monitored_points_are_delivered(serve: Any, connect: Any, changes: Any) -> None:
    """The gateway hands over what a client monitors, from its first item to its last."""
    async with serve() as served, connect(served.url) as client:
        gw, field = served.gateway, served.field
        subscription = await client.create_subscription(INTERVAL, changes)
        handle = await subscription.subscribe_data_change(node(client, POWER))
        await gw.until(lambda: changes.of(POWER) == [None])
        before = gw.ledger("ua").taken
        for step in range(1, 4):
            await field.emit([VOLTAGE, POWER, BREAKER], [step, step, step % 2])
            await gw.until(lambda step=step: changes.of(POWER)[-1] == step)
        assert changes.of(POWER) == [None, 1.0, 2.0, 3.0]
        assert gw.ledger("ua").taken - before == 3
        assert gw.ledger("ua").delivered == 3
        await subscription.unsubscribe(handle)
        await field.emit([VOLTAGE, POWER], [9, 9])
        assert gw.ledger("ua").taken - before == 3


async def test_a_session_that_ends_stops_the_delivery(
    serve: Any, connect: Any, changes: Any
) -> None:
    """When the client leaves, its points cost nothing again."""
    async with serve() as served:
        gw, field = served.gateway, served.field
        async with connect(served.url) as client:
            subscription = await client.create_subscription(INTERVAL, changes)
            await subscription.subscribe_data_change(node(client, POWER))
            await field.emit([POWER], [1])
            await gw.until(lambda: 1.0 in changes.of(POWER))
        taken = gw.ledger("ua").taken
        await field.emit([POWER], [2])
        assert gw.ledger("ua").taken == taken


async def test_status_and_time_come_with_the_value(serve: Any, connect: Any, changes: Any) -> None:
    """Quality is shown as StatusCode, also when only it has changed; a Bad value is null."""
    async with serve() as served, connect(served.url) as client:
        gw, field = served.gateway, served.field
        await field.emit([POWER, BREAKER], [5.0, 1])
        subscription = await client.create_subscription(INTERVAL, changes)
        await subscription.subscribe_data_change([node(client, POWER), node(client, "Feeder1.CB1")])
        await gw.until(lambda: changes.of("Feeder1.CB1") == [True])
        for quality, code, value in [
            (STALE, ua.StatusCodes.UncertainNoCommunicationLastUsableValue, 5.0),
            (Quality.INVALID | Quality.FAILURE, ua.StatusCodes.BadDeviceFailure, None),
        ]:
            await field.stale([POWER], quality)
            await gw.until(lambda code=code: changes.codes(POWER)[-1] == code)
            assert changes.of(POWER)[-1] == value
        await field.emit([POWER], [5.0])
        await gw.until(lambda: changes.codes(POWER)[-1] == ua.StatusCodes.Good)
        times = [row[3] for row in changes.rows]
        assert all(time.year > 2020 for time in times)


async def test_a_queue_overflows_as_the_standard_says(
    serve: Any, connect: Any, changes: Any
) -> None:
    """Of five changes between two publishes a queue of three keeps the last, the first marked."""
    async with serve(keep="every") as served, connect(served.url) as client:
        gw, field = served.gateway, served.field
        subscription = await client.create_subscription(400, changes)
        await subscription.subscribe_data_change(
            node(client, POWER), queuesize=3, sampling_interval=0
        )
        await gw.until(lambda: changes.of(POWER) == [None])
        await field.emit([POWER] * 5, [1, 2, 3, 4, 5], every=True)
        await gw.until(lambda: len(changes.of(POWER)) == 4)
        assert changes.of(POWER)[1:] == [3.0, 4.0, 5.0]
        assert changes.codes(POWER)[1:] == [OVERFLOW, 0, 0]
        assert gw.counters("ua")["overflows"] == 2


async def test_filters_are_checked_and_used(serve: Any, connect: Any, changes: Any) -> None:
    """Absolute and percent deadbands work on numbers, and are refused where they make no sense."""
    codes = ua.StatusCodes

    def deadband(kind: Any, width: float) -> Any:
        return ua.DataChangeFilter(
            Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=kind, DeadbandValue=width
        )

    absolute, percent = ua.DeadbandType.Absolute, ua.DeadbandType.Percent
    async with serve() as served, connect(served.url) as client:
        subscription = await client.create_subscription(INTERVAL, changes)
        results = await items(
            client,
            subscription,
            create(POWER, 1, Filter=deadband(absolute, 5.0), QueueSize=9),
            create(VOLTAGE, 2, Filter=deadband(percent, 10.0)),
            create(POWER, 3, Filter=deadband(percent, 10.0)),  # no low and high
            create(VOLTAGE, 4, Filter=deadband(percent, 101.0)),
            create("Feeder1.CB1", 5, Filter=deadband(absolute, 1.0)),
            create(VOLTAGE, 6, Filter=ua.EventFilter()),
            create("nowhere", 7),
            create(POWER, 8, QueueSize=100_000),
            create(POWER, 9, QueueSize=0),
        )
        assert [result.StatusCode.value for result in results] == [
            codes.Good,
            codes.Good,
            codes.BadDeadbandFilterInvalid,
            codes.BadDeadbandFilterInvalid,
            codes.BadFilterNotAllowed,
            codes.BadMonitoredItemFilterUnsupported,
            codes.BadNodeIdUnknown,
            codes.Good,
            codes.Good,
        ]
        assert [result.RevisedQueueSize for result in results[-2:]] == [100, 1]
        modified = await client.uaclient.modify_monitored_items(
            ua.ModifyMonitoredItemsParameters(
                SubscriptionId=subscription.subscription_id,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToModify=[
                    ua.MonitoredItemModifyRequest(
                        MonitoredItemId=number,
                        RequestedParameters=ua.MonitoringParameters(
                            ClientHandle=1, SamplingInterval=250.0, QueueSize=7
                        ),
                    )
                    for number in (results[0].MonitoredItemId, 999_999)
                ],
            )
        )
        assert [(m.StatusCode.value, m.RevisedQueueSize) for m in modified] == [
            (codes.Good, 7),
            (codes.BadMonitoredItemIdInvalid, 0),
        ]
        assert modified[0].RevisedSamplingInterval == 250.0


async def test_what_clients_may_take_is_bounded(serve: Any, connect: Any, changes: Any) -> None:
    """Items, subscriptions and the publishing interval have their limits, and say so."""
    fields = {"max_monitored_items": 2, "max_subscriptions": 1, "min_publishing_interval": "200ms"}
    async with serve(**fields) as served, connect(served.url) as client:
        subscription = await client.create_subscription(1, changes)
        assert subscription.parameters.RequestedPublishingInterval == 200.0  # as revised
        results = await items(
            client, subscription, *[create(POWER, handle) for handle in range(1, 4)]
        )
        assert [result.StatusCode.name for result in results] == [
            "Good",
            "Good",
            "BadTooManyMonitoredItems",
        ]
        # default sampling (-1) is the publishing interval, which shows what it has become
        await client.uaclient.delete_monitored_items(
            ua.DeleteMonitoredItemsParameters(
                SubscriptionId=subscription.subscription_id,
                MonitoredItemIds=[results[0].MonitoredItemId],
            )
        )
        (again,) = await items(client, subscription, create(POWER, 5, SamplingInterval=-1.0))
        assert (again.StatusCode.name, again.RevisedSamplingInterval) == ("Good", 200.0)
        with pytest.raises(ua.uaerrors.BadTooManySubscriptions):
            await client.create_subscription(100, changes)


async def test_many_changes_come_in_messages_of_the_size_that_was_asked_for(
    serve: Any, connect: Any
) -> None:
    """MaxNotificationsPerPublish splits a publish, and nothing is lost on the way."""
    points = "name,field.at\n" + "".join(f"p{n:03d},x\n" for n in range(250))
    sizes: list[int] = []
    seen: dict[int, float] = {}

    def publish(result: Any) -> None:
        for part in result.NotificationMessage.NotificationData or []:
            sizes.append(len(part.MonitoredItems))
            seen.update({one.ClientHandle: one.Value.Value.Value for one in part.MonitoredItems})

    async with serve(points) as served, connect(served.url) as client:
        names = [f"p{n:03d}" for n in range(250)]
        await served.field.emit(names, range(250))
        created = await client.uaclient.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=INTERVAL,
                RequestedLifetimeCount=1000,
                RequestedMaxKeepAliveCount=10,
                MaxNotificationsPerPublish=100,
                PublishingEnabled=True,
            ),
            callback=publish,
        )
        params = ua.CreateMonitoredItemsParameters(
            SubscriptionId=created.SubscriptionId,
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ItemsToCreate=[create(name, n) for n, name in enumerate(names)],
        )
        await client.uaclient.create_monitored_items(params)
        await served.gateway.until(lambda: len(seen) == 250)
        assert max(sizes) <= 100
        await served.field.emit(names, range(1000, 1250))
        await served.gateway.until(lambda: seen == {n: 1000.0 + n for n in range(250)})


async def test_other_nodes_can_be_monitored_too(serve: Any, connect: Any, changes: Any) -> None:
    """The server's clock and a point's property come through the same subscription."""
    async with serve() as served, connect(served.url) as client:
        subscription = await client.create_subscription(INTERVAL, changes)
        clock = client.get_node(ua.ObjectIds.Server_ServerStatus_CurrentTime)
        unit = node(client, f"{VOLTAGE}/EngineeringUnits")
        await subscription.subscribe_data_change([clock, unit, node(client, POWER)])
        await served.gateway.until(
            lambda: len(changes.of(str(ua.ObjectIds.Server_ServerStatus_CurrentTime))) >= 2
        )
        assert changes.of(f"{VOLTAGE}/EngineeringUnits")[0].UnitId == 0x564C54
        assert changes.of(POWER) == [None]
