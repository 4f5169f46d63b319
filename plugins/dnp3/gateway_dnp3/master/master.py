"""A master: the outstations on one line, which ask in turns, one question at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.channel import Channel
from gateway_dnp3.channel import Line, Tracer
from gateway_dnp3.link import LinkSettings
from gateway_dnp3.master.association import Association
from gateway_dnp3.master.duty import NEVER
from gateway_dnp3.master.manners import Manners
from gateway_dnp3.master.partner import Partner, Taker


class Silence(Exception):  # noqa: N818 - it says what happened
    """No outstation answers; the sentence names them."""


@dataclass(frozen=True, slots=True)
class Lower:
    """The layers below: see `LinkSettings` and `Line.add`."""

    address: int = 1
    confirmed: bool = False
    timeout: float = 2.0
    retries: int = 2
    max_fragment: int = 2048


class Master:
    """Runs the sessions of one channel; add what it is to do to `partners` by address.

    wall:   the wall clock in ms since 1970 UTC.
    note:   takes sentences for the log.
    """

    def __init__(
        self,
        channel: Channel,
        outstations: Mapping[int, Manners],
        taker: Taker,
        *,
        wall: Callable[[], int],
        note: Callable[[str], None] = lambda _: None,
        lower: Lower = Lower(),
        tracer: Tracer | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._wakes = asyncio.Event()
        self.line = Line(channel, tracer)
        self.partners: dict[int, Partner] = {}
        for address, manners in outstations.items():
            association = Association(
                manners,
                self._loop.time(),
                wall,
                lambda said, address=address: note(f"outstation {address} {said}"),  # type: ignore[misc]
            )
            settings = LinkSettings(
                local=lower.address,
                remote=address,
                master=True,
                confirmed=lower.confirmed,
                timeout=lower.timeout,
                retries=lower.retries,
                keep_alive=None,  # asked in turn with everything else
            )
            peer = self.line.add(
                settings,
                limit=lower.max_fragment,
                on_event=lambda event, address=address: self.partners[address].linked(event),  # type: ignore[misc]
            )
            self.partners[address] = Partner(association, peer, taker, self.wake)
        self._turns = deque(self.partners.values())

    @property
    def counts(self) -> Counter[str]:
        """What happened how often, of all layers and outstations."""
        counts = Counter(self.line.counts)
        for partner in self.partners.values():
            counts.update(partner.counts)
        return counts

    def wake(self) -> None:
        """Look whose turn it is: a command has been added."""
        self._wakes.set()

    async def run(self) -> None:
        """Speak with the outstations: raises ChannelClosed when the channel ends, and Silence
        where none of them answers."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.line.run())
            tasks.create_task(self._take_turns())
            for partner in self.partners.values():
                tasks.create_task(partner.run())

    async def _take_turns(self) -> None:
        while True:
            self._wakes.clear()
            for partner in self._turns:
                if partner.association.deadline <= self._loop.time():
                    await partner.tick()
            if self.partners and all(one.association.silent for one in self._turns):
                raise Silence(self._nobody())
            following = self._next()
            if following is not None:
                await following.start()
                continue
            when = self._when()
            try:
                async with asyncio.timeout_at(None if when == NEVER else when):
                    await self._wakes.wait()
            except TimeoutError:
                pass

    def _next(self) -> Partner | None:
        """Return whose turn it is: who has a command, then who waits, in a circle."""
        if not all(one.association.idle for one in self._turns):
            return None
        now = self._loop.time()
        waiting = [one for one in self._turns if one.association.wants <= now]
        for partner in waiting:
            if partner.association.urgent:
                break
        else:
            if not waiting:
                return None
            partner = waiting[0]
        self._turns.remove(partner)
        self._turns.append(partner)
        return partner

    def _when(self) -> float:
        free = all(one.association.idle for one in self._turns)
        return min(
            (
                min(one.association.deadline, one.association.wants if free else NEVER)
                for one in self._turns
            ),
            default=NEVER,
        )

    def _nobody(self) -> str:
        addresses = ", ".join(str(address) for address in self.partners)
        if len(self.partners) == 1:
            return f"outstation {addresses} does not answer"
        return f"none of the outstations {addresses} answers"
