"""The connections of one redundancy group, seen from the controlling station (104:2006 clause 10).

One connection is started and carries data; the others stand by: they are open, tested (t3) and
not started. When the started one fails, data transfer is started on the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway import Endpoint, LinkError, Reconnect, SourceContext
from gateway.channel import Channel, ChannelClosed
from gateway_iec60870.apci import ApciSettings, Connection


class Failed(Exception):  # noqa: N818 - it says what happened
    """The started connection is of no use any more; the sentence says why.

    useful: whether it was before.
    """

    def __init__(self, why: str, *, useful: bool) -> None:
        super().__init__(why)
        self.useful = useful


class Member:
    """One address of the group.

    connection: the open connection, None while there is none.
    why:        why there is none; empty before the first attempt has ended.
    out:        whether that was logged.
    """

    def __init__(self, where: Endpoint) -> None:
        self.where = where
        self.connection: Connection | None = None
        self.why = ""
        self.out = False


class Redundancy:
    """Keeps the connections of a group, one for each address.

    open:  connects to an address; raises ChannelClosed.
    serve: uses a connection that was started until it is of no use: raises Failed.
    """

    def __init__(
        self,
        ctx: SourceContext,
        addresses: Sequence[Endpoint],
        settings: ApciSettings,
        reconnect: Reconnect,
        connect: Callable[[Endpoint], Awaitable[Channel]],
        serve: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self._ctx = ctx
        self._members = [Member(where) for where in addresses]
        self._settings = settings
        self._reconnect = reconnect
        self._connect = connect
        self._serve = serve
        self._changed = asyncio.Event()
        self._active: Member | None = None
        self._over = False

    async def run(self) -> None:
        """Serve until no address of the group is left to try: raises ChannelClosed.

        A LinkError of `serve` ends it, too.
        """
        why, fault = "", None
        async with asyncio.TaskGroup() as tasks:
            keepers = [tasks.create_task(self._keep(member)) for member in self._members]
            try:
                why = await self._use()
            except LinkError as error:
                fault = error
            finally:
                # A cancellation gets lost where a connection ends in the same moment.
                self._over = True
                for keeper in keepers:
                    keeper.cancel()
        raise fault or ChannelClosed(why)

    async def _use(self) -> str:
        """Serve one connection after the other; return why there is none any more."""
        tried: set[Member] = set()
        why, proven = "", False
        while True:
            # Before one of them has worked there is nothing to hurry for.
            member = await self._next(tried, wait=not proven)
            if member is None or member.connection is None:
                return why or "; ".join(one.why for one in self._members)
            connection = member.connection
            if why:
                self._ctx.count("switchovers")
                self._ctx.log.warning("%s; %s takes over", why, connection.channel.name)
            tried.add(member)
            self._active = member
            try:
                await connection.start()
                await self._serve(connection)
            except Failed as error:
                why = str(error)
                if error.useful:
                    tried, proven = {member}, True
            except ChannelClosed as error:
                why = str(error)
            finally:
                await connection.close()
                self._active = None

    async def _next(self, tried: set[Member], *, wait: bool) -> Member | None:
        """Return the next member whose connection is open and that was not tried.

        wait: as long as there are first attempts that have not ended.
        """
        while True:
            self._changed.clear()
            for member in self._members:
                if member.connection is not None and member not in tried:
                    return member
            pending = [one for one in self._members if not one.why and one not in tried]
            if not wait or not pending:
                return None
            await self._changed.wait()

    async def _keep(self, member: Member) -> None:
        """Keep a connection open; how often that is tried is the link's `reconnect`."""
        loop = asyncio.get_running_loop()
        pause = self._reconnect.min
        while True:
            try:
                channel = await self._connect(member.where)
                began = loop.time()
                connection = Connection(channel, self._settings, controlling=True, tracer=self._ctx)
                member.connection = connection
                self._changed.set()
                self._is_in(member)
                await connection.run()
            except ChannelClosed as closed:
                member.why = str(closed)
                self._is_out(member)
                if member.connection is not None and loop.time() - began > self._reconnect.max:
                    pause = self._reconnect.min
            finally:
                member.connection = None
                self._changed.set()
            if self._over:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, max(self._reconnect.max, self._reconnect.min))

    def _is_out(self, member: Member) -> None:
        # Of the only one, and of the active one, others say it.
        alone = len(self._members) == 1
        if member.out or alone or self._over or member is self._active:
            return
        member.out = True
        self._ctx.log.warning("no connection stands by at %s: %s", member.where, member.why)

    def _is_in(self, member: Member) -> None:
        if member.out:
            member.out = False
            self._ctx.log.info("a connection to %s is open again", member.where)
