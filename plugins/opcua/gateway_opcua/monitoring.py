"""The monitored item services for points (OPC 10000-4, 5.13); other nodes stay asyncua's."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import dataclasses
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemService

from gateway_opcua.item import Item, Mode, Trigger
from gateway_opcua.items import Items
from gateway_opcua.monitor import Monitor
from gateway_opcua.nodes import PointNode
from gateway_opcua.notification import Stamps
from gateway_opcua.variable import DataType

_VALUE = ua.AttributeIds.Value
_FILTER = ua.DataChangeFilter.data_type


@dataclasses.dataclass(slots=True)
class _Entry:
    slot: int
    node: PointNode
    item: Item


class PointItems(MonitoredItemService):
    """The monitored items of one subscription (OPC 10000-4, 5.13)."""

    def __init__(
        self, subscription: InternalSubscription, aspace: AddressSpace, monitor: Monitor, queue: int
    ) -> None:
        super().__init__(subscription, aspace)
        self.items = Items()
        self._monitor = monitor
        self._queue = queue
        self._entries: dict[int, _Entry] = {}

    @property
    def monitored(self) -> set[int]:
        """The points that it monitors."""
        return {entry.item.point for entry in self._entries.values()}

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
