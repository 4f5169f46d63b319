"""What the pages of one console look at: the gateway as it was half a second ago, at most."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gateway import Client, LedgerView, Permission
from gateway_console.page.alarms import Alarms
from gateway_console.page.columns import Columns
from gateway_console.page.lags import Lags
from gateway_console.page.memory import Memory
from gateway_console.page.rates import Rates
from gateway_console.site import Site
from gateway_console.visitor import Visitor

LOOK = 0.5
"""Seconds between two looks at links, ledgers and alarms: once for all pages."""
PAUSE = 5.0
"""Seconds to wait for an event before waiting again."""


class Desk:
    """One console as its pages see it; `watch` keeps it up to date."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.ctx = site.ctx
        self.observe = site.observe
        definitions, image = self.observe.definitions, self.observe.image
        self._own = np.zeros(len(definitions), np.bool_)
        """Which ids are of points that the console has at all."""
        self._own[[point.id for point in self.ctx.points]] = True
        self.columns = Columns(definitions, image)
        self.memory = Memory(definitions)
        self.alarms = Alarms(definitions, image)
        self.rates = Rates()
        self.lags = Lags()
        self.health = self.observe.health()
        self.links = self.observe.links()
        self.ledgers: Mapping[str, LedgerView] = {}

    def readable(self, client: Client) -> npt.NDArray[np.bool_]:
        """Return of each id whether a client may see the point."""
        return self.ctx.allowed(client, Permission.READ) & self._own

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool:
        return self.site.rights.may(client, permission, point)

    def present(self, who: Visitor) -> bool:
        """Return whether somebody may still look: logged in, where that is asked for."""
        return who.session is None or self.site.sessions.alive(who.session)

    async def watch(self) -> None:
        """Look at the gateway twice a second, for all pages, and hear events, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            tasks.create_task(self._hear())

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self.health = self.observe.health()
            self.links = self.observe.links()
            self.ledgers = {one.sink: one for one in await self.observe.ledgers()}
            states = [(o.name, o.state, o.since, o.error) for o in self.links]
            self.alarms.look(self.ctx.now(), states)
            delivered = {name: one.delivered for name, one in self.ledgers.items()}
            self.rates.take(clock(), self.columns.changes() | delivered)
            self.lags.take(clock(), self.ctx.now(), self.columns.stamped())
            await asyncio.sleep(LOOK)

    async def _hear(self) -> None:
        size = max((point.id for point in self.ctx.points), default=-1) + 1
        wanted = self.memory.status[:size]
        listener = self.site.hub.join(wanted, links=False)
        try:
            while not listener.closed:
                for event in await listener.next(PAUSE):
                    if event.kind == "samples":
                        self.memory.take(event.body, self.ctx.now())
                    else:
                        self.memory.begin(event.body)
        finally:
            self.site.hub.leave(listener)
