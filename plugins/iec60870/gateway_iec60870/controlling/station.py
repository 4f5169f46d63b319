"""One station behind a link, as the controlling station deals with it.

A station begins with its duties of the start: a general interrogation, its clock, its counters.
Then each comes again with its period, one at a time. A station that is silent is only asked
whether it is there; when anything comes from it, it begins anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from gateway_iec60870.asdu import Asdu, Cause, Sizes
from gateway_iec60870.controlling.duties import Duties
from gateway_iec60870.controlling.duty import NEVER, Duty
from gateway_iec60870.controlling.exchange import Ended, Exchange, cause_text, refuses
from gateway_iec60870.controlling.manners import Manners
from gateway_iec60870.controlling.sending import Send, Undelivered


class Owner(Protocol):
    """Who has the stations."""

    def note(self, sentence: str) -> None:
        """Log that something begins to be wrong."""

    def relief(self, sentence: str) -> None:
        """Log that it is over."""

    def count(self, what: str, n: int = 1) -> None:
        """Count what happened."""

    async def silent(self, station: Station) -> None:
        """Hear that a station does not answer any more."""


class Station:
    """Runs the duties for one station.

    begun:  whether there is a connection with it.
    silent: whether it does not answer.
    """

    def __init__(
        self,
        address: int,
        duties: Duties,
        manners: Manners,
        sizes: Sizes,
        send: Send,
        owner: Owner,
        turn: asyncio.Semaphore,
        wall: Callable[[], int],
    ) -> None:
        self.address = address
        self.begun = False
        self.silent = False
        self._duties = duties
        self._manners = manners
        self._sizes = sizes
        self._send = send
        self._owner = owner
        self._turn = turn
        self._wall = wall
        self._loop = asyncio.get_running_loop()
        self._wakes = asyncio.Event()
        self._heard = -NEVER
        self._sent = -NEVER
        self._progress = -NEVER
        self._pause = manners.probe_pause
        self._failing: set[str] = set()
        self._duty: Duty | None = None
        self._exchange: Exchange | None = None
        self._before: Exchange | None = None
        self._confirmed = False

    def begin(self) -> None:
        """Begin, or begin anew: there is a connection with it."""
        self.begun = True
        if self.silent:
            self.silent = False
            self._owner.relief(f"station {self.address} answers again")
        self._pause = self._manners.probe_pause
        now, wall = self._loop.time(), self._wall() / 1000
        for duty in self._duties:
            duty.plan(now, wall)
        if self._manners.test is not None:
            self._duties.test.due = now + self._manners.test
        self._wakes.set()

    def lost(self) -> None:
        """Stop: there is no connection with it any more."""
        self.begun = False
        self.silent = True
        self._duties.silence()
        if self._exchange is not None:
            self._exchange.abort()

    def heard(self) -> None:
        """Take note that it has said something."""
        self._heard = self._loop.time()
        if self.silent and self.begun:
            self.begin()

    def gave(self, cause: int) -> None:
        """Take note that measurements came, with this cause."""
        if self._duty is not None and cause in self._duty.data:
            self._progress = self._loop.time()

    def answered(self, asdu: Asdu) -> bool:
        """Take an answer; False where it is none to what was asked."""
        if self._exchange is not None and self._exchange.repeated_by(asdu):
            self._exchange.put(asdu)
            self._confirmed |= asdu.cause == Cause.ACTIVATION_CON and not refuses(asdu)
            return True
        # The end of something whose confirmation was enough.
        return self._before is not None and self._before.repeated_by(asdu)

    def restarted(self) -> None:
        """Take note that it has started anew (M_EI_NA_1)."""
        if not self.begun:
            return
        # What it had not confirmed it will do now.
        if self._exchange is not None and self._confirmed:
            self._exchange.abort()
        self.begin()

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        while True:
            duty = await self._next()
            async with self._turn:
                if duty.due <= self._loop.time():
                    await self._carry_out(duty)

    async def _next(self) -> Duty:
        while True:
            self._wakes.clear()
            now = self._loop.time()
            test = self._duties.test
            if self._manners.test is not None and test.due != NEVER:
                test.due = max(test.due, self._heard + self._manners.test)
            duty = self._duties.first(now)
            if duty is not None:
                return duty
            due = self._duties.due
            try:
                async with asyncio.timeout_at(None if due == NEVER else due):
                    await self._wakes.wait()
            except TimeoutError:
                pass

    async def _carry_out(self, duty: Duty) -> None:
        try:
            ended, answer = await self._ask(duty)
        except Undelivered:
            self._sent = self._loop.time()
            ended, answer = Ended.SILENT, None
        finally:
            self._before, self._exchange, self._duty = self._exchange, None, None
        if ended is Ended.ABORTED:
            return
        now, wall = self._loop.time(), self._wall() / 1000
        if ended is Ended.DONE:
            duty.answered = True
            duty.done(now, wall)
            self._works(duty)
            if duty.then is not None:
                duty.then.call(now)
        else:
            pause = self._manners.retry if duty.period is None else duty.period
            duty.failed(now, wall, min(pause, self._manners.retry))
            await self._failed(duty, ended, answer, now)
        if duty is self._duties.test and self._manners.test is not None and not self.silent:
            duty.due = now + self._manners.test

    async def _ask(self, duty: Duty) -> tuple[Ended, Asdu | None]:
        self._confirmed = False

        def request() -> bytes:
            asdu = duty.request()
            self._duty = duty
            self._exchange = Exchange(asdu, duty.compared)
            self._sent = self._progress = self._loop.time()
            return asdu.encode(self._sizes)

        await self._send(self.address, request)
        exchange = self._exchange
        if exchange is None:
            raise Undelivered
        while True:
            try:
                answer = await self._answer(exchange)
            except TimeoutError:
                return Ended.UNFINISHED if self._confirmed else Ended.SILENT, None
            if answer is None:
                return Ended.ABORTED, None
            if refuses(answer):
                return Ended.REFUSED, answer
            if answer.cause == Cause.ACTIVATION_TERM or not duty.terminated:
                return Ended.DONE, answer
            self._progress = self._loop.time()

    async def _answer(self, exchange: Exchange) -> Asdu | None:
        """Wait for an answer as long as there is progress; raises TimeoutError."""
        while True:
            until = self._progress + self._manners.timeout
            try:
                async with asyncio.timeout_at(until):
                    return await exchange.answer()
            except TimeoutError:
                if self._progress + self._manners.timeout <= until:
                    raise

    def _works(self, duty: Duty) -> None:
        if duty.name in self._failing:
            self._failing.discard(duty.name)
            self._owner.relief(f"the {duty.name} of station {self.address} works again")

    async def _failed(self, duty: Duty, ended: Ended, answer: Asdu | None, now: float) -> None:
        mute = ended is Ended.SILENT and self._heard < self._sent
        self._owner.count("refused" if ended is Ended.REFUSED else "timeouts")
        if mute and (duty.proves or self.silent):
            await self._is_silent(now)
            return
        if mute and duty.answered:
            # It used to answer this: is it there at all?
            self._duties.interrogation.call(now)
        if duty.name not in self._failing:
            self._failing.add(duty.name)
            why = {
                Ended.REFUSED: "" if answer is None else f"refused with {cause_text(answer)}",
                Ended.UNFINISHED: f"its end has not come for {self._manners.timeout:g} s",
            }.get(ended, f"no answer within {self._manners.timeout:g} s")
            self._owner.note(f"the {duty.name} of station {self.address} failed: {why}")

    async def _is_silent(self, now: float) -> None:
        self._duties.silence()
        self._duties.interrogation.due = now + self._pause
        self._pause = min(self._pause * 2, self._manners.probe_pause_max)
        if not self.silent:
            self.silent = True
            await self._owner.silent(self)
