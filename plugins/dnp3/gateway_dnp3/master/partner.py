"""One outstation at the line: between its session, the octets, and who takes its samples."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from gateway_dnp3.channel import Peer, Unconfirmed
from gateway_dnp3.link import LinkEvent
from gateway_dnp3.master.association import Association
from gateway_dnp3.master.moves import Moves
from gateway_dnp3.master.parcels import Parcel


class Taker(Protocol):
    """Whoever takes what outstations say, one thing after the other for each of them."""

    async def take(self, address: int, parcel: Parcel) -> bool:
        """Take measurements and indications; returns whether they are kept for good.

        True is confirmed to the outstation, which then forgets its events.
        """

    async def silent(self, address: int) -> None:
        """Hear that an outstation does not answer any more, others on the line do."""


class Partner:
    """Runs a session. `wake` is called where somebody may want the line, or be done with it."""

    def __init__(
        self, association: Association, peer: Peer, taker: Taker, wake: Callable[[], None]
    ) -> None:
        self.association = association
        self.address = peer.settings.remote
        self._peer = peer
        self._taker = taker
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        # Bounded by the session, which counts the parcels that wait; None says that it is silent.
        self._parcels: asyncio.Queue[Parcel | None] = asyncio.Queue()
        self._link: asyncio.Queue[LinkEvent] = asyncio.Queue(maxsize=4)
        self._was_silent = False

    @property
    def counts(self) -> Counter[str]:
        """What happened how often, of all layers."""
        return self._peer.counts + self.association.counts

    def linked(self, event: LinkEvent) -> None:
        """Take what the link layer says of the outstation."""
        if event in (LinkEvent.ALIVE, LinkEvent.SILENT) and not self._link.full():
            self._link.put_nowait(event)

    async def run(self) -> None:
        """Receive and hand on until the line ends: raises ChannelClosed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(self._hand_on())
            tasks.create_task(self._hear_of_link())

    async def start(self) -> None:
        """Ask the next question; the line must be free."""
        await self._carry_out(self.association.start(self._loop.time()))

    async def tick(self) -> None:
        """Do what is due."""
        await self._carry_out(self.association.tick(self._loop.time()))

    async def _receive(self) -> None:
        while True:
            message = await self._peer.receive()
            await self._carry_out(self.association.receive(message.fragment, self._loop.time()))

    async def _hand_on(self) -> None:
        while True:
            parcel = await self._parcels.get()
            if parcel is None:
                await self._taker.silent(self.address)
                continue
            taken = await self._taker.take(self.address, parcel)
            await self._carry_out(self.association.settled(parcel, taken, self._loop.time()))

    async def _hear_of_link(self) -> None:
        while True:
            event = await self._link.get()
            act = self.association.linked if event is LinkEvent.ALIVE else self.association.lost
            await self._carry_out(act(self._loop.time()))

    async def _carry_out(self, moves: Moves) -> None:
        for parcel in moves.parcels:
            self._parcels.put_nowait(parcel)
        try:
            for fragment in moves.fragments:
                await self._peer.send(fragment)
            if moves.link_status:
                await self._peer.ask()
        except Unconfirmed:
            # The link layer has tried again by itself, and has counted it.
            await self._carry_out(self.association.lost(self._loop.time()))
        else:
            if moves.fragments:
                self.association.postpone(self._loop.time())
        silent = self.association.silent
        if silent and not self._was_silent:
            self._parcels.put_nowait(None)
        self._was_silent = silent
        self._wake()
