"""The publish loop against a server that a test plays: order, acknowledgement, what is missing."""

# mypy: disable-error-code="attr-defined,no-untyped-call,arg-type"

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from gateway_opcua.client.publisher import LAST, Publisher, after, missing
from gateway_opcua.client.source import Stamp
from gateway_opcua.client.ticket import Ticket

from gateway import LinkError
from gateway.testing import paused

CODES = ua.StatusCodes


def message(sequence: int, *values: float) -> ua.NotificationMessage:
    """A NotificationMessage with these values of item 0; a keep-alive without."""
    found = ua.NotificationMessage(SequenceNumber=sequence)
    if values:
        items = [
            ua.MonitoredItemNotification(ClientHandle=0, Value=ua.DataValue(ua.Variant(value)))
            for value in values
        ]
        found.NotificationData = [ua.DataChangeNotification(MonitoredItems=items)]
    return found


class Server:
    """What a test lets a server say; it keeps messages until they are acknowledged."""

    def __init__(self) -> None:
        self.kept: dict[int, ua.NotificationMessage] = {}
        self.waiting: list[tuple[ua.PublishRequest, asyncio.Future[bytes]]] = []
        self.acknowledged: list[int] = []
        self.asked_again: list[int] = []
        self.most = 10

    async def send(self, request: Any, timeout: float | None = None) -> bytes:
        if isinstance(request, ua.RepublishRequest):
            number = request.Parameters.RetransmitSequenceNumber
            self.asked_again.append(number)
            if number not in self.kept:
                raise ua.UaStatusCodeError(CODES.BadMessageNotAvailable)
            return struct_to_binary(ua.RepublishResponse(NotificationMessage=self.kept[number]))
        numbers = [one.SequenceNumber for one in request.Parameters.SubscriptionAcknowledgements]
        if len(self.waiting) >= self.most:
            raise ua.UaStatusCodeError(CODES.BadTooManyPublishRequests)
        self.acknowledged += numbers
        for number in numbers:
            self.kept.pop(number, None)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting.append((request, future))
        return await future

    def publish(self, one: ua.NotificationMessage, *, lose: bool = False) -> None:
        """Send a message with the oldest request; `lose`: it is sent, and does not arrive."""
        if one.NotificationData:
            self.kept[one.SequenceNumber] = one
        if lose:
            return
        _, future = self.waiting.pop(0)
        result = ua.PublishResult(
            SubscriptionId=7,
            AvailableSequenceNumbers=sorted(self.kept),
            MoreNotifications=False,
            NotificationMessage=one,
        )
        future.set_result(struct_to_binary(ua.PublishResponse(Parameters=result)))

    def fault(self, code: int) -> None:
        self.waiting.pop(0)[1].set_exception(ua.UaStatusCodeError(code))


class Context:
    """Counts, and nothing else."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.log = logging.getLogger("test")

    def count(self, what: str, n: int = 1) -> None:
        self.counters[what] += n


class Custody:
    """Where values go; a test may keep the door shut."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.open = asyncio.Event()
        self.open.set()

    async def take(self, changes: Any, *, events: bool) -> None:
        assert events
        await self.open.wait()
        self.values += changes.value.tolist()


class Scene:
    def __init__(self, taken: int = 0, requests: int = 3, **more: Any) -> None:
        self.server, self.ctx, self.custody = Server(), Context(), Custody()
        self.ticket = Ticket("", "", subscription=7, taken=taken, exact=True)
        self.ticket.interval, self.ticket.keep_alive = 0.1, 1.0
        self.settled = 0
        settle: Callable[[], Any] | None = self._settle if more.get("resumed") else None
        self.publisher = Publisher(
            self.ctx,
            self.server,
            self.ticket,
            self.custody,
            Stamp.SOURCE,
            requests,
            2.0,
            settle,
        )

    async def _settle(self) -> None:
        self.settled += 1

    async def __aenter__(self) -> Scene:
        self.task = asyncio.create_task(self.publisher.run())
        await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def publish(self, sequence: int, *values: float, lose: bool = False) -> None:
        self.server.publish(message(sequence, *values), lose=lose)
        await asyncio.sleep(0.01)


@paused
async def test_nothing_is_acknowledged_before_it_is_in_custody() -> None:
    """While the gateway has not taken a message, no request says that it has."""
    async with Scene() as scene:
        scene.custody.open.clear()
        await scene.publish(1, 1.5)
        await scene.publish(2, 2.5)
        await asyncio.sleep(60)
        assert scene.server.acknowledged == []
        assert scene.ticket.taken == 0
        scene.custody.open.set()
        await asyncio.sleep(0.01)
        assert scene.custody.values == [1.5, 2.5]
        assert scene.server.acknowledged == [1, 2]
        assert scene.server.kept == {}
        assert len(scene.server.waiting) == 3


@paused
async def test_what_did_not_arrive_is_fetched_in_order() -> None:
    """A gap before a message, and one that only a keep-alive shows."""
    async with Scene() as scene:
        await scene.publish(1, 1.0)
        await scene.publish(2, 2.0, lose=True)
        await scene.publish(3, 3.0)
        assert scene.custody.values == [1.0, 2.0, 3.0]
        await scene.publish(4, 4.0, lose=True)
        await scene.publish(5)
        assert scene.custody.values == [1.0, 2.0, 3.0, 4.0]
        await scene.publish(5, 5.0)
        assert sorted(scene.server.acknowledged) == [1, 2, 3, 4, 5]
        assert scene.ctx.counters == {"republished": 2}


@paused
async def test_what_the_server_has_no_more_is_counted() -> None:
    """It is lost, and the operator can see how much."""
    async with Scene() as scene:
        await scene.publish(1, 1.0)
        await scene.publish(5, 5.0)
        assert scene.custody.values == [1.0, 5.0]
        assert scene.ctx.counters == {"lost_notifications": 3}


@paused
async def test_a_message_that_comes_twice_is_taken_once() -> None:
    """And acknowledged again, or the server would keep it."""
    async with Scene(taken=4) as scene:
        await scene.publish(4, 4.0)
        assert scene.custody.values == []
        assert scene.server.acknowledged == [4]
        assert scene.ctx.counters == {"repeated_notifications": 1}


@paused
async def test_after_a_break_the_rest_is_fetched_first() -> None:
    """What was sent and not taken comes before anything new; then the values are looked at."""
    scene = Scene(taken=3, resumed=True)
    scene.server.kept = {number: message(number, float(number)) for number in (2, 3, 4, 5)}
    async with scene:
        assert scene.custody.values == [4.0, 5.0]
        assert scene.server.asked_again == [4, 5, 6]
        assert scene.settled == 0
        await scene.publish(6, 6.0)
        assert scene.settled == 1
        await scene.publish(7)
        # 2 and 3 were taken before the break, and their acknowledgement was lost with it
        assert sorted(scene.server.acknowledged) == [2, 3, 4, 5, 6]
        assert scene.settled == 1


@paused
async def test_after_a_break_silence_is_looked_at_as_well() -> None:
    """Where nothing changed meanwhile, values are read after three intervals, not at keep-alive."""
    async with Scene(taken=3, resumed=True) as scene:
        await asyncio.sleep(0.6)
        assert scene.settled == 1


@paused
async def test_fewer_requests_where_the_server_wants_fewer() -> None:
    """BadTooManyPublishRequests: one less from then on; the acknowledgements go with another."""
    scene = Scene(requests=5)
    scene.server.most = 2
    async with scene:
        await asyncio.sleep(2)
        assert len(scene.server.waiting) == 2
        assert scene.ctx.counters == {"publish_refused": 3}
        for number in range(1, 6):
            await scene.publish(number, float(number))
        assert scene.server.acknowledged == [1, 2, 3, 4, 5]
        assert scene.ctx.counters == {"publish_refused": 3}


@paused
async def test_a_server_that_refuses_for_ever_is_not_asked_without_rest() -> None:
    """Each refused request is sent again after a pause."""
    scene = Scene(requests=1)
    scene.server.most = 0
    async with scene:
        await asyncio.sleep(10)
        assert 40 <= scene.ctx.counters["publish_refused"] <= 51


@paused
async def test_a_silent_server_is_given_up() -> None:
    """Two keep-alive intervals and an answer's time: 2 · 1 s + 2 s."""
    async with Scene() as scene:
        await asyncio.sleep(3.9)
        assert not scene.task.done()
        await asyncio.sleep(0.2)
        with pytest.raises(LinkError, match=r"published nothing for 4\.0 s"):
            await scene.task
        assert scene.ticket.subscription == 7


@pytest.mark.parametrize("code", ["BadNoSubscription", "BadSubscriptionIdInvalid"])
def test_a_subscription_that_is_gone_is_not_asked_for_again(code: str) -> None:
    """The next connection makes a new one."""

    @paused
    async def scenario() -> None:
        async with Scene() as scene:
            scene.server.fault(getattr(CODES, code))
            await asyncio.sleep(0.01)
            with pytest.raises(LinkError, match=code):
                await scene.task
            assert scene.ticket.subscription == 0

    scenario()


@paused
async def test_a_status_change_ends_the_subscription() -> None:
    """Its time-out at the server, or another client that took it over."""
    async with Scene() as scene:
        ended = message(1)
        status = ua.StatusCode(CODES.BadTimeout)
        ended.NotificationData = [ua.StatusChangeNotification(Status=status)]
        scene.server.publish(ended)
        await asyncio.sleep(0.01)
        with pytest.raises(LinkError, match="ended the subscription: BadTimeout"):
            await scene.task
        assert scene.ticket.subscription == 0


@paused
async def test_numbers_begin_again_at_one() -> None:
    """Behind 4294967295 comes 1 (OPC 10000-4, 7.9), also where one of them is missing."""
    async with Scene(taken=LAST - 1) as scene:
        await scene.publish(LAST, 1.0, lose=True)
        await scene.publish(1, 2.0)
        await scene.publish(2, 3.0)
        assert scene.custody.values == [1.0, 2.0, 3.0]
        assert scene.ticket.taken == 2


@pytest.mark.parametrize(
    ("taken", "arrived", "between"),
    [(0, 1, 0), (5, 6, 0), (5, 9, 3), (5, 5, -1), (5, 2, -4), (LAST, 1, 0), (LAST - 1, 1, 1),
     (1, LAST, -2), (LAST, LAST, -1)],
)  # fmt: skip
def test_how_many_lie_between(taken: int, arrived: int, between: int) -> None:
    """By hand, on the circle 1 … 4294967295."""
    assert missing(taken, arrived) == between
    assert after(LAST) == 1
