"""Notifications of a subscription: taken in order, acknowledged once they are in custody."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from asyncua import ua

from gateway import LinkError, SourceContext
from gateway_opcua.client.message import Message, Published, published, republished
from gateway_opcua.client.samples import Samples
from gateway_opcua.client.session import FAILURES, Session, code_name, sentence
from gateway_opcua.client.source import Stamp
from gateway_opcua.client.ticket import Ticket

LAST = 0xFFFF_FFFF
"""The largest sequence number; 1 follows (OPC 10000-4, 7.9)."""
MOST_ACKNOWLEDGEMENTS = 1_000
"""In one request; the rest goes with the next."""
MOST_KEPT = 10_000
"""Messages that are fetched again after a break, before the link goes on."""
SILENT = 2.0
"""Keep-alive intervals without a word after which the server is taken for dead."""

_CODES = ua.StatusCodes
_GONE = (_CODES.BadNoSubscription, _CODES.BadSubscriptionIdInvalid)
_RETRY = (_CODES.BadTooManyPublishRequests, _CODES.BadTimeout, _CODES.BadTooManyOperations)
PAUSE = 0.2
"""Seconds before a publish request that was refused is sent again."""


def after(sequence: int) -> int:
    """Return the sequence number that follows."""
    return 1 if sequence >= LAST else sequence + 1


def missing(taken: int, arrived: int) -> int:
    """Return how many numbers lie between the last one taken and one that arrived.

    Negative where it was taken before.
    """
    # The numbers run from 1 to LAST, so a circle of LAST of them.
    ahead = (arrived - after(taken)) % LAST
    return ahead if ahead < LAST // 2 else ahead - LAST


class Publisher:
    """Keeps publish requests at the server, and takes what comes back, one after another.

    A notification is acknowledged by a request that is sent after the gateway has custody of it;
    until then the server keeps it, and gives it again after a break of the connection.
    `settled` is called once, when what the server had kept of before is taken.
    """

    def __init__(
        self,
        ctx: SourceContext,
        session: Session,
        ticket: Ticket,
        samples: Samples,
        stamp: Stamp,
        requests: int,
        timeout: float,
        settled: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._ctx = ctx
        self._session = session
        self._ticket = ticket
        self._samples = samples
        self._stamp = stamp
        self._wanted = requests
        self._silence = SILENT * ticket.keep_alive + timeout
        self._settled = settled
        self._soon = 3 * ticket.interval + PAUSE
        self._acknowledge: list[int] = []
        self._first = True
        self._tasks: set[asyncio.Task[None]] = set()
        # Until its answer is taken: the request that follows has the acknowledgement of it.
        self._under_way = 0
        # As many as there are requests at the server.
        self._answers: asyncio.Queue[tuple[bytes | Exception, list[int]]] = asyncio.Queue()

    async def run(self) -> None:
        """Raises LinkError where the subscription or the connection ends."""
        try:
            if self._settled is not None:
                await self._catch_up()
            self._fill()
            while True:
                answer = await self._next()
                if answer is not None:
                    self._under_way -= 1
                    await self._answered(*answer)
                    self._fill()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _next(self) -> tuple[bytes | Exception, list[int]] | None:
        """Return what came back next; None where nothing had been kept for us."""
        patience = min(self._silence, self._soon) if self._settled else self._silence
        try:
            async with asyncio.timeout(patience):
                return await self._answers.get()
        except TimeoutError:
            if self._settled is not None:
                await self._settle()
                return None
            raise LinkError(
                f"the server published nothing for {patience:.1f} s, not even a keep-alive"
            ) from None

    async def _settle(self) -> None:
        settled, self._settled = self._settled, None
        if settled is not None:
            await settled()

    def _fill(self) -> None:
        while self._under_way < self._wanted:
            self._under_way += 1
            numbers = self._acknowledge[:MOST_ACKNOWLEDGEMENTS]
            self._acknowledge = self._acknowledge[MOST_ACKNOWLEDGEMENTS:]
            task = asyncio.create_task(self._publish(numbers))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _publish(self, numbers: list[int]) -> None:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(self._ticket.subscription, number) for number in numbers
        ]
        try:
            answer: bytes | Exception = await self._session.send(request, 0)
        except FAILURES as error:
            answer = error
        self._answers.put_nowait((answer, numbers))

    async def _answered(self, answer: bytes | Exception, acknowledged: list[int]) -> None:
        if isinstance(answer, bytes):
            try:
                await self._take(published(answer, self._stamp))
                return
            except ValueError as error:
                raise LinkError(f"the server sent what cannot be read: {error}") from error
            except ua.UaStatusCodeError as error:
                answer = error
        assert isinstance(answer, Exception)  # noqa: S101 - bytes have returned
        if not isinstance(answer, ua.UaStatusCodeError):
            raise LinkError(sentence(answer)) from answer
        if answer.code in _GONE:
            self._ticket.subscription = 0
            raise LinkError(f"the subscription is gone: {sentence(answer)}")
        if answer.code not in _RETRY:
            raise LinkError(sentence(answer))
        self._ctx.count("publish_refused")
        self._acknowledge = acknowledged + self._acknowledge
        if answer.code == _CODES.BadTooManyPublishRequests and self._wanted > 1:
            self._wanted -= 1
        else:
            await asyncio.sleep(PAUSE)

    async def _take(self, answer: Published) -> None:
        if answer.subscription != self._ticket.subscription:
            self._ctx.count("foreign_notifications")
            return
        if self._first:
            # What was taken before the break may have been acknowledged too late.
            self._first = False
            self._acknowledge += [
                number for number in answer.available if missing(self._ticket.taken, number) < 0
            ]
        message = answer.message
        gap = missing(self._ticket.taken, message.sequence)
        if gap > 0:
            await self._recover(message.sequence, answer.available, gap)
        if not message.empty:
            if gap < 0:
                self._ctx.count("repeated_notifications")
            else:
                await self._hold(message)
            if message.sequence not in self._acknowledge:
                self._acknowledge.append(message.sequence)
        if not answer.more:
            await self._settle()

    async def _catch_up(self) -> None:
        """Fetch what the server sent before the break and we did not get (OPC 10000-4, 6.7)."""
        for _ in range(MOST_KEPT):
            if not await self._republish(after(self._ticket.taken)):
                return

    async def _republish(self, number: int) -> bool:
        """Take a message that the server has kept; returns whether it had."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = self._ticket.subscription
        request.Parameters.RetransmitSequenceNumber = number
        try:
            message = republished(await self._session.send(request), self._stamp)
        except ua.UaStatusCodeError as error:
            if error.code == _CODES.BadMessageNotAvailable:
                return False
            if error.code in _GONE:
                self._ticket.subscription = 0
            raise LinkError(f"the server gives nothing again: {sentence(error)}") from error
        except (*FAILURES, ValueError) as error:
            raise LinkError(sentence(error)) from error
        if message.empty or message.sequence != number:
            return False  # what asyncua's server says for a message that it does not have
        await self._hold(message)
        self._acknowledge.append(number)
        self._ctx.count("republished")
        return True

    async def _recover(self, arrived: int, available: tuple[int, ...], gap: int) -> None:
        """Fetch again what was sent and did not arrive (OPC 10000-4, 5.14.6)."""
        ticket = self._ticket
        kept = sorted(
            (number for number in available if 0 <= missing(ticket.taken, number) < gap),
            key=lambda number: missing(ticket.taken, number),
        )
        for number in kept:
            gap -= await self._republish(number)
        # After a crash the gateway may have taken them and not noted it.
        if gap and ticket.exact:
            self._ctx.count("lost_notifications", gap)
            self._ctx.log.warning("the server has no more of %d notifications: they are lost", gap)
        ticket.taken = arrived - 1 if arrived > 1 else LAST
        ticket.exact = True

    async def _hold(self, message: Message) -> None:
        """Take a message into custody; only then it counts as taken."""
        for changes in message.changes:
            await self._samples.take(changes, events=True)
        self._ticket.taken = message.sequence
        if message.status is not None:
            self._ticket.subscription = 0
            raise LinkError(f"the server ended the subscription: {code_name(message.status)}")
