"""What keeps a station in order: its clock, and a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gateway import Client, LinkError, SinkContext
from gateway_iec60870.asdu import (
    NO_TIME,
    TIME_INVALID,
    Asdu,
    Cause,
    ClockSynchronisation,
    Reset,
    encode_system,
)
from gateway_iec60870.controlled.events import NS_PER_MS
from gateway_iec60870.controlled.manners import Manners

SECONDS_OFF = 1.0
"""How far the controlling station's clock is from the gateway's before it is worth a line."""
PROCESS = 1
"""The qualifier QRP of a reset of the process (101 clause 7.2.6.27)."""


class Upkeep:
    """Answers C_CS_NA_1 and C_RP_NA_1, with `say`."""

    def __init__(self, ctx: SinkContext, manners: Manners, say: Callable[[Asdu], None]) -> None:
        self._ctx = ctx
        self._manners = manners
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._restarting: asyncio.Future[None] = self._loop.create_future()

    def synchronise(self, asdu: Asdu, said: ClockSynchronisation, client: Client | None) -> None:
        """Compare the clocks; ours is never set, and its time is the answer."""
        if said.time == NO_TIME or said.clock & TIME_INVALID:
            self._say(asdu.answer(Cause.ACTIVATION_CON, True))
            return
        zone, now = self._manners.zone, self._ctx.now() // NS_PER_MS
        theirs = int(zone.utc(np.array([said.time]), np.array([said.clock], np.uint8))[0])
        off = (theirs - now) / 1e3
        self._ctx.count("times_written")
        if abs(off) > SECONDS_OFF:
            self._ctx.log.warning(
                "%s: its clock is %.3f s %s of the gateway's, which stays as it is",
                _name(client),
                abs(off),
                "ahead" if off > 0 else "behind",
            )
        body = encode_system(ClockSynchronisation(*zone.civil_of(now)), self._manners.sizes)
        self._say(replace(asdu.answer(Cause.ACTIVATION_CON), body=body))

    def restart(self, asdu: Asdu, said: Reset, client: Client | None) -> None:
        """Let the link, not the gateway, begin anew, where that is allowed."""
        allowed = self._manners.restart and said.qualifier == PROCESS
        self._say(asdu.answer(Cause.ACTIVATION_CON, not allowed))
        does = "restarts" if allowed else "does not restart"
        self._ctx.log.warning("%s asks for a restart: the link %s", _name(client), does)
        if allowed:
            self._loop.call_later(self._manners.farewell, _set, self._restarting)

    async def restarted(self) -> None:
        """Wait until a restart is asked for; raises LinkError."""
        await self._restarting
        raise LinkError("the controlling station asked for a restart")


def _name(client: Client | None) -> str:
    return "?" if client is None else client.address


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
