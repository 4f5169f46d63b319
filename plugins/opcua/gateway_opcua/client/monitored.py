"""The subscription: made, filled with monitored items, or taken over from before."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from asyncua import ua

from gateway import LinkPoint
from gateway_opcua.client.limits import Limits, chunks
from gateway_opcua.client.session import Session, code_name
from gateway_opcua.client.source import Stamp, address_of
from gateway_opcua.client.ticket import Ticket

if TYPE_CHECKING:
    from gateway_opcua.client.source import OpcUaClient

MOST = 10_000
"""Values in one notification: some 400 kB."""

_STAMPS = {
    Stamp.SOURCE: ua.TimestampsToReturn.Both,
    Stamp.SERVER: ua.TimestampsToReturn.Server,
    Stamp.RECEIPT: ua.TimestampsToReturn.Neither,
}
_WITHOUT_FILTER = (
    ua.StatusCodes.BadFilterNotAllowed,
    ua.StatusCodes.BadMonitoredItemFilterUnsupported,
    ua.StatusCodes.BadMonitoredItemFilterInvalid,
    ua.StatusCodes.BadDeadbandFilterInvalid,
)


def stamps_of(stamp: Stamp) -> ua.TimestampsToReturn:
    """Return which time stamps are asked for."""
    return _STAMPS[stamp]


async def subscribe(session: Session, source: OpcUaClient, ticket: Ticket) -> None:
    """Make a subscription and note it in the ticket; raises one of `FAILURES`."""
    request = ua.CreateSubscriptionRequest()
    parameters = request.Parameters
    parameters.RequestedPublishingInterval = source.publishing * 1e3
    keep_alive = max(1, round(source.keep_alive / source.publishing))
    parameters.RequestedMaxKeepAliveCount = keep_alive
    parameters.RequestedLifetimeCount = max(
        3 * keep_alive, math.ceil(source.lifetime / source.publishing)
    )
    parameters.MaxNotificationsPerPublish = MOST
    parameters.PublishingEnabled = True
    made = (await session.ask(request, ua.CreateSubscriptionResponse)).Parameters
    ticket.subscription = int(made.SubscriptionId)
    ticket.taken = 0
    ticket.exact = True
    ticket.items = {}
    _revised(
        ticket, made.RevisedPublishingInterval, made.RevisedMaxKeepAliveCount, source.keep_alive
    )


def _revised(ticket: Ticket, interval: float, count: int, asked: float) -> None:
    ticket.interval = float(interval) / 1e3
    ticket.keep_alive = max(ticket.interval * int(count), asked if not count else 0.0)


async def transfer(session: Session, ticket: Ticket) -> bool:
    """Take the ticket's subscription into this session (OPC 10000-4, 5.14.7)."""
    if session.resumed:
        return True
    request = ua.TransferSubscriptionsRequest()
    request.Parameters.SubscriptionIds = [ticket.subscription]
    request.Parameters.SendInitialValues = False
    try:
        answer = await session.ask(request, ua.TransferSubscriptionsResponse)
    except ua.UaStatusCodeError:
        return False
    results = answer.Parameters.Results or []
    return len(results) == 1 and bool(results[0].StatusCode.is_good())


async def unsubscribe(session: Session, subscription: int) -> None:
    """Delete a subscription; the server's opinion of it does not matter."""
    request = ua.DeleteSubscriptionsRequest()
    request.Parameters.SubscriptionIds = [subscription]
    try:
        await session.ask(request, ua.DeleteSubscriptionsResponse)
    except ua.UaStatusCodeError:
        return


async def monitor(
    session: Session,
    source: OpcUaClient,
    ticket: Ticket,
    points: Mapping[int, tuple[LinkPoint, ua.NodeId]],
    limits: Limits,
) -> dict[int, str]:
    """Make monitored items for points by handle; return why there is none, by handle.

    A server that refuses the filter of a deadband is asked again without.
    """
    failed: dict[int, int] = {}
    for group in chunks(list(points.items()), limits.monitor):
        failed |= await _monitor(session, source, ticket, dict(group), filters=True)
    again = {handle: points[handle] for handle, code in failed.items() if code in _WITHOUT_FILTER}
    for group in chunks(list(again.items()), limits.monitor):
        for handle in dict(group):
            del failed[handle]
        failed |= await _monitor(session, source, ticket, dict(group), filters=False)
    return {handle: code_name(code) for handle, code in failed.items()}


async def _monitor(
    session: Session,
    source: OpcUaClient,
    ticket: Ticket,
    points: Mapping[int, tuple[LinkPoint, ua.NodeId]],
    *,
    filters: bool,
) -> dict[int, int]:
    request = ua.CreateMonitoredItemsRequest()
    request.Parameters.SubscriptionId = ticket.subscription
    request.Parameters.TimestampsToReturn = stamps_of(source.timestamps)
    request.Parameters.ItemsToCreate = [
        _item(source, handle, point, node, filters) for handle, (point, node) in points.items()
    ]
    answer = await session.ask(request, ua.CreateMonitoredItemsResponse)
    failed: dict[int, int] = {}
    for handle, one in zip(points, answer.Results, strict=True):
        if one.StatusCode.is_good():
            ticket.items[handle] = int(one.MonitoredItemId)
        else:
            failed[handle] = int(one.StatusCode.value)
    return failed


def _item(
    source: OpcUaClient, handle: int, point: LinkPoint, node: ua.NodeId, filters: bool
) -> ua.MonitoredItemCreateRequest:
    address = address_of(point)
    sampling = source.sampling if address.sampling is None else address.sampling
    asked = ua.MonitoringParameters(
        ClientHandle=handle,
        SamplingInterval=sampling * 1e3,
        QueueSize=address.queue or source.queue,
        DiscardOldest=True,
    )
    if address.deadband is not None and filters:
        asked.Filter = ua.DataChangeFilter(
            Trigger=ua.DataChangeTrigger.StatusValue,
            DeadbandType=ua.DeadbandType.Absolute,
            DeadbandValue=address.deadband,
        )
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=read_value_id(node, address.index),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=asked,
    )


def read_value_id(node: ua.NodeId, index: int | None) -> ua.ReadValueId:
    """Return what is read or monitored: the Value, or one element of it."""
    return ua.ReadValueId(
        NodeId=node,
        AttributeId=ua.AttributeIds.Value,
        IndexRange=None if index is None else str(index),
    )


async def forget(session: Session, ticket: Ticket, handles: list[int], limits: Limits) -> None:
    """Delete monitored items, to make them anew."""
    known = [handle for handle in handles if handle in ticket.items]
    for group in chunks(known, limits.monitor):
        request = ua.DeleteMonitoredItemsRequest()
        request.Parameters.SubscriptionId = ticket.subscription
        request.Parameters.MonitoredItemIds = [ticket.items.pop(handle) for handle in group]
        await session.ask(request, ua.DeleteMonitoredItemsResponse)
