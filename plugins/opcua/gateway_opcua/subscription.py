"""Subscriptions whose items on points are columns; everything else stays asyncua's.

The library keeps objects: about 100 µs for each change of each item, most of it copies.
Here a publish is encoded from columns and handed to the library as an encoded ExtensionObject.
"""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.subscription_service import SubscriptionService
from asyncua.ua.ua_binary import struct_to_binary

from gateway import Client
from gateway_opcua.monitor import Monitor
from gateway_opcua.monitoring import PointItems
from gateway_opcua.notification import encode

_DATA_CHANGE = ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
_MOST_IN_ONE = 10_000
"""Changes in one message: 380 kB at the most, so that small clients can take it."""


_CHECKED_AT_ONCE = 1_000
"""Points: about 1 ms of the event loop."""


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
        self.owner: tuple[str, str] | None = None
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
        self.subscriptions: dict[int, PointSubscription] = {}  # type: ignore[assignment]

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
        subscription.owner = self._owner(session_id)
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
        asked, owner = list(params.SubscriptionIds), self._owner(session_id)
        foreign = {
            int(number)
            for number in asked
            if (found := self.subscriptions.get(int(number))) and found.owner != owner
        }
        params.SubscriptionIds = [number for number in asked if int(number) not in foreign]
        moved = iter(await super().transfer_subscriptions(params, session_id, callback))
        denied = ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
        results = [
            ua.TransferResult(StatusCode=denied) if int(number) in foreign else next(moved)
            for number in asked
        ]
        # asyncua leaves a moved subscription with the publish requests of its old connection
        connection = getattr(callback, "__self__", None)
        for number in params.SubscriptionIds:
            own = self.subscriptions.get(int(number))
            if own is not None and connection is not None:
                own.pub_request_callback = connection.get_publish_request
        return results

    async def expel(self, session_id: ua.NodeId, client: Client) -> None:
        """End subscriptions of a session that show what its new client may not see."""
        mine = {n: one for n, one in self.subscriptions.items() if one.session_id == session_id}
        for number, one in mine.items():
            one.owner = (client.user, client.role)
            if not await self._shows(client, one):
                await self.delete_subscriptions([number])

    async def _shows(self, client: Client, subscription: PointSubscription) -> bool:
        """Return whether the client may see all that it monitors, without holding others up."""
        sees = self._core.access.sees
        for place, point in enumerate(subscription.points.monitored):
            if not sees(client, point):
                return False
            if not (place + 1) % _CHECKED_AT_ONCE:
                await asyncio.sleep(0)
        return True

    def _owner(self, session_id: ua.NodeId) -> tuple[str, str] | None:
        """Return user and role of a session's client."""
        client = self._core.client_of(session_id)
        return (client.user, client.role) if client is not None else None

    def _revise(self, data: Any, asked: Any) -> None:
        """Write the revised parameters (OPC 10000-4, 5.14.2) into a subscription's data."""
        asked_interval = float(asked.RequestedPublishingInterval)
        interval = asked_interval if asked_interval >= self._least else self._least
        keep_alive = self._clamp_keep_alive_count(asked.RequestedMaxKeepAliveCount)
        lifetime = self._clamp_lifetime_count(asked.RequestedLifetimeCount)
        data.RevisedPublishingInterval = min(interval, 86_400_000.0)
        data.RevisedMaxKeepAliveCount = keep_alive
        data.RevisedLifetimeCount = max(lifetime, 3 * keep_alive)
