"""Subscriptions whose items on points are columns; everything else stays asyncua's.

The library keeps objects: about 100 µs for each change of each item, most of it copies.
Here a publish is encoded from columns and handed to the library as an encoded ExtensionObject.
"""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.server.subscription_service import SubscriptionService
from asyncua.ua.ua_binary import struct_to_binary

from gateway_opcua.items import Item, Items, Mode, Trigger
from gateway_opcua.monitor import Monitor
from gateway_opcua.nodes import PointNode
from gateway_opcua.notification import Stamps, encode
from gateway_opcua.variable import DataType

_DATA_CHANGE = ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
_MOST_IN_ONE = 10_000
"""Changes in one message: 380 kB at the most, so that small clients can take it."""


@dataclasses.dataclass(slots=True)
class _Entry:
    slot: int
    node: PointNode
    item: Item


class PointItems(MonitoredItemService):
    """The monitored items of one subscription (OPC 10000-4, 5.13)."""

    def __init__(
        self, subscription: PointSubscription, aspace: AddressSpace, monitor: Monitor, queue: int
    ) -> None:
        super().__init__(subscription, aspace)
        self.items = Items()
        self._monitor = monitor
        self._queue = queue
        self._entries: dict[int, _Entry] = {}

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        results: list[Any] = []
        created: list[_Entry] = []
        nodes = self._monitor.reading.nodes
        stamps = Stamps(params.TimestampsToReturn)
        for request in params.ItemsToCreate:
            wanted = request.ItemToMonitor
            node = nodes.get(wanted.NodeId) if wanted.AttributeId == _VALUE else None
            if node is None:
                one = dataclasses.replace(params, ItemsToCreate=[request])
                results += await super().create_monitored_items(one)
                continue
            try:
                result, entry = self._create(request, node, stamps, len(created))
                created.append(entry)
            except ServiceError as error:
                result = ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(error.code))
            results.append(result)
        self._monitor.watch(self.items, [entry.item.point for entry in created])
        for entry in created:
            self._prime(entry)
        return results

    def _create(
        self, request: Any, node: PointNode, stamps: Stamps, creating: int
    ) -> tuple[Any, _Entry]:
        if self._monitor.items + creating >= self._monitor.most_items:
            raise ServiceError(ua.StatusCodes.BadTooManyMonitoredItems)
        if request.ItemToMonitor.IndexRange:
            raise ServiceError(ua.StatusCodes.BadIndexRangeInvalid)
        item, revised = self._settings(
            request.RequestedParameters, node, stamps, Mode(request.MonitoringMode)
        )
        self._monitored_item_counter += 1
        entry = _Entry(self.items.add(item), node, item)
        self._entries[self._monitored_item_counter] = entry
        result = ua.MonitoredItemCreateResult(
            MonitoredItemId=self._monitored_item_counter,
            RevisedSamplingInterval=revised,
            RevisedQueueSize=item.queue,
        )
        return result, entry

    def _settings(
        self, asked: Any, node: PointNode, stamps: Stamps, mode: Mode
    ) -> tuple[Item, float]:
        """Return the item that these parameters make, and its sampling interval in ms."""
        trigger, deadband = _filter(asked.Filter, node)
        publishing = self.isub.data.RevisedPublishingInterval
        interval = float(asked.SamplingInterval)
        interval = publishing if not interval >= 0 else interval
        queue = min(max(1, int(asked.QueueSize)), self._queue)
        # a queue of one holds the latest value anyway: sampling within a publish changes nothing
        idle = queue == 1 and interval <= publishing
        item = Item(
            point=node.point.id,
            handle=int(asked.ClientHandle),
            type=node.variable.data_type,
            stamps=stamps,
            queue=queue,
            discard_oldest=bool(asked.DiscardOldest),
            mode=mode,
            trigger=trigger,
            deadband=deadband,
            sampling=0 if idle else int(interval * 1e6),
        )
        return item, interval

    def _prime(self, entry: _Entry) -> None:
        if entry.item.mode is not Mode.DISABLED:
            value, status, time = self._monitor.reading.sample(entry.item.point)
            self.items.prime(entry.slot, value, status, time, self._monitor.clock())

    def modify_monitored_items(
        self, params: ua.ModifyMonitoredItemsParameters
    ) -> list[ua.MonitoredItemModifyResult]:
        stamps = Stamps(params.TimestampsToReturn)
        return [self._modify(request, stamps) for request in params.ItemsToModify]

    def _modify(self, request: Any, stamps: Stamps) -> Any:
        entry = self._entries.get(request.MonitoredItemId)
        if entry is None:
            if request.MonitoredItemId in self._monitored_items:
                return self._modify_monitored_item(request)
            unknown = ua.StatusCode(ua.StatusCodes.BadMonitoredItemIdInvalid)
            return ua.MonitoredItemModifyResult(StatusCode=unknown)
        try:
            item, revised = self._settings(
                request.RequestedParameters, entry.node, stamps, entry.item.mode
            )
        except ServiceError as error:
            return ua.MonitoredItemModifyResult(StatusCode=ua.StatusCode(error.code))
        entry.item = item
        self.items.change(entry.slot, item)
        return ua.MonitoredItemModifyResult(
            RevisedSamplingInterval=revised, RevisedQueueSize=item.queue
        )

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        entry = self._entries.get(mid)
        if entry is None:
            return await super()._set_monitoring_mode(mode, mid)
        before = entry.item.mode
        entry.item = dataclasses.replace(entry.item, mode=Mode(mode))
        self.items.set_mode(entry.slot, entry.item.mode)
        if before is Mode.DISABLED:
            self._prime(entry)
        return ua.StatusCode()

    def delete_monitored_items(self, ids: list[int]) -> list[ua.StatusCode]:
        gone = [self._entries.pop(mid, None) for mid in ids]
        ours = [entry for entry in gone if entry is not None]
        self.items.remove(entry.slot for entry in ours)
        self._monitor.unwatch(self.items, [entry.item.point for entry in ours])
        return [
            ua.StatusCode() if entry is not None else self._delete_monitored_items(mid)
            for mid, entry in zip(ids, gone, strict=True)
        ]

    def delete_all_monitored_items(self) -> None:
        self.delete_monitored_items([*self._entries, *self._monitored_items])


class PointSubscription(InternalSubscription):
    """A subscription that publishes columns (OPC 10000-4, 5.14)."""

    def __init__(
        self,
        data: ua.CreateSubscriptionResult,
        aspace: AddressSpace,
        callback: Callable[..., Any],
        session_id: ua.NodeId,
        monitor: Monitor,
        queue: int,
        most: int,
        **more: Any,
    ) -> None:
        super().__init__(data, aspace, callback, session_id, **more)
        self._monitor = monitor
        self._most = min(most or _MOST_IN_ONE, _MOST_IN_ONE)
        self.points = PointItems(self, aspace, monitor, queue)
        self.monitored_item_srv = self.points

    def has_published_results(self) -> bool:
        if self._publishing_enabled and self.points.items.ready(self._monitor.clock()):
            return True
        return super().has_published_results()

    async def publish_results(self, requestdata: Any = None) -> bool:
        sent = await super().publish_results(requestdata)
        more = sent
        while more and self._publishing_enabled and self._left():
            more = await super().publish_results()
        return sent

    def _left(self) -> bool:
        return self.points.items.ready(self._monitor.clock())

    def _pop_publish_result(self) -> ua.PublishResult:
        result = super()._pop_publish_result()
        result.MoreNotifications = self._publishing_enabled and self._left()
        return result

    def _pop_triggered_datachanges(self, result: ua.PublishResult) -> None:
        changes = self.points.items.take(self._most, self._monitor.clock())
        self._monitor.tally(self.points.items)
        others = [
            struct_to_binary(change)
            for queue in self._triggered_datachanges.values()
            for change in queue
        ]
        self._triggered_datachanges = {}
        if len(changes) or others:
            body = encode(changes, self._monitor.now(), others)
            result.NotificationMessage.NotificationData.append(
                ua.ExtensionObject(TypeId=_DATA_CHANGE, Body=body)
            )

    def republish(self, nb: int) -> ua.NotificationMessage:
        kept = self._not_acknowledged_results.get(nb)
        if kept is None:
            raise ServiceError(ua.StatusCodes.BadMessageNotAvailable)
        message: ua.NotificationMessage = kept.NotificationMessage
        return message


class PointSubscriptions(SubscriptionService):
    """All subscriptions of the server."""

    def __init__(self, core: Any, monitor: Monitor, least_interval: float) -> None:
        """`least_interval` is in seconds."""
        super().__init__(core.aspace, iserver=core)
        self._core = core
        self._monitor = monitor
        self._least = least_interval * 1e3

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Any],
        session_id: ua.NodeId,
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        core = self._core
        if len(self.subscriptions) >= core.max_subscriptions:
            raise ServiceError(ua.StatusCodes.BadTooManySubscriptions)
        number = 0
        while not number or number in self.subscriptions:
            # not counted up: a number that can be guessed could be transferred away
            number = secrets.randbits(32)
        result = ua.CreateSubscriptionResult(SubscriptionId=number)
        self._revise(result, params)
        subscription = PointSubscription(
            result,
            self.aspace,
            callback,
            session_id,
            self._monitor,
            core.max_monitored_item_queue_size,
            int(params.MaxNotificationsPerPublish),
            request_callback=request_callback,
            delete_callback=lambda: self.subscriptions.pop(number, None),
            no_acks_limit=core.max_unacked_messages_per_subscription,
            max_queue_size=core.max_monitored_item_queue_size,
            publishing_enabled=params.PublishingEnabled,
        )
        self.subscriptions[number] = subscription
        await subscription.start()
        return result

    def modify_subscription(
        self, params: ua.ModifySubscriptionParameters
    ) -> ua.ModifySubscriptionResult:
        subscription = self.subscriptions.get(params.SubscriptionId)
        if subscription is None:
            raise ServiceError(ua.StatusCodes.BadSubscriptionIdInvalid)
        data = subscription.data
        self._revise(data, params)
        if subscription._task is not None:
            subscription._task.cancel()
            subscription._task = asyncio.create_task(subscription._subscription_loop())
        return ua.ModifySubscriptionResult(
            RevisedPublishingInterval=data.RevisedPublishingInterval,
            RevisedLifetimeCount=data.RevisedLifetimeCount,
            RevisedMaxKeepAliveCount=data.RevisedMaxKeepAliveCount,
        )

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        subscription = self.subscriptions.get(params.SubscriptionId)
        if subscription is None:
            raise ServiceError(ua.StatusCodes.BadSubscriptionIdInvalid)
        return subscription.republish(params.RetransmitSequenceNumber)

    async def transfer_subscriptions(
        self,
        params: ua.TransferSubscriptionsParameters,
        session_id: ua.NodeId,
        callback: Callable[..., Any],
    ) -> list[ua.TransferResult]:
        results = await super().transfer_subscriptions(params, session_id, callback)
        # asyncua leaves a moved subscription with the publish requests of its old connection
        connection = getattr(callback, "__self__", None)
        for number in params.SubscriptionIds:
            moved = self.subscriptions.get(int(number))
            if moved is not None and connection is not None:
                moved.pub_request_callback = connection.get_publish_request
        return results

    def _revise(self, data: Any, asked: Any) -> None:
        """Write the revised parameters (OPC 10000-4, 5.14.2) into a subscription's data."""
        asked_interval = float(asked.RequestedPublishingInterval)
        interval = asked_interval if asked_interval >= self._least else self._least
        keep_alive = self._clamp_keep_alive_count(asked.RequestedMaxKeepAliveCount)
        lifetime = self._clamp_lifetime_count(asked.RequestedLifetimeCount)
        data.RevisedPublishingInterval = min(interval, 86_400_000.0)
        data.RevisedMaxKeepAliveCount = keep_alive
        data.RevisedLifetimeCount = max(lifetime, 3 * keep_alive)


_VALUE = ua.AttributeIds.Value
_FILTER = ua.DataChangeFilter.data_type


def _filter(asked: Any, node: PointNode) -> tuple[Trigger, float]:
    """Return trigger and absolute deadband of a DataChangeFilter.

    Raises ServiceError with the codes of OPC 10000-4, 7.22.2 and OPC 10000-8, 7.2.
    """
    if asked is None or (isinstance(asked, ua.ExtensionObject) and asked.Body is None):
        return Trigger.STATUS_VALUE, 0.0
    # by its data type: what asyncua decodes is not an instance of the class it exports
    if getattr(asked, "data_type", None) != _FILTER:
        raise ServiceError(ua.StatusCodes.BadMonitoredItemFilterUnsupported)
    trigger = Trigger(asked.Trigger)
    if asked.DeadbandType == ua.DeadbandType.None_:
        return trigger, 0.0
    definition = node.point.definition
    if node.variable.data_type in (DataType.BOOLEAN, DataType.UINT32):
        raise ServiceError(ua.StatusCodes.BadFilterNotAllowed)
    width = float(asked.DeadbandValue)
    if asked.DeadbandType == ua.DeadbandType.Absolute and width >= 0:
        return trigger, width
    span = definition.high - definition.low
    if asked.DeadbandType == ua.DeadbandType.Percent and 0 <= width <= 100 and span < float("inf"):
        return trigger, width / 100 * span
    raise ServiceError(ua.StatusCodes.BadDeadbandFilterInvalid)
