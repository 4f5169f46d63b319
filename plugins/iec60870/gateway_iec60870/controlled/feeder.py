"""Deliveries as outgoing events, as fast as the controlling station takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gateway import SinkContext
from gateway_iec60870.controlled.events import Events
from gateway_iec60870.controlled.outgoing import Outgoing


class Feeder:
    """Takes what is ready while there is a connection.

    fed: called behind each delivery, before anything else happens.
    """

    def __init__(self, ctx: SinkContext, events: Events) -> None:
        self._ctx = ctx
        self._events = events
        self.fed: Callable[[], None] = lambda: None
        self.outgoing = Outgoing(self.delivered)
        self._left: deque[tuple[int, int]] = deque()

    async def run(self) -> None:
        """Feed until cancelled."""
        deliveries = self._ctx.batches()
        while True:
            await self.outgoing.wanted()
            delivery = await anext(deliveries)
            asdus, left = self._events.asdus(delivery.batch)
            if left:
                self._left.append((delivery.seq, left))
            self.outgoing.events(asdus, delivery.seq)
            self.fed()

    @property
    def caught_up(self) -> bool:
        """Whether all that the image shows was fed: what is read from it now is in order."""
        return not self._ctx.waiting()

    def delivered(self, number: int) -> None:
        """Take note that a delivery and all before it are acknowledged.

        Samples that are no events are shown when they are asked for: the ledger has them as
        replaced by later ones.
        """
        coalesced = 0
        while self._left and self._left[0][0] <= number:
            coalesced += self._left.popleft()[1]
        self._ctx.delivered(number, coalesced=coalesced)
