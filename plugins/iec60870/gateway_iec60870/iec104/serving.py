"""One started connection: its ASDUs to the controlling station, and back what is in custody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gateway import LinkError, SourceContext
from gateway.channel import ChannelClosed
from gateway_iec60870.apci import Connection, NotStarted
from gateway_iec60870.controlling import Controlling
from gateway_iec60870.iec104.redundancy import Failed

if TYPE_CHECKING:
    from gateway_iec60870.iec104.client import Iec104Client

COUNTED = 1.0
"""Seconds from one look at the counters to the next."""
PATIENCE = 5.0
"""Seconds for which a connection stays open whose ASDUs the gateway cannot take."""
_QUIET = {"i_in", "i_out", "s_in", "s_out", "u_in", "u_out", "tests"}
"""Counters of what goes well."""


class Unkept(LinkError):  # noqa: N818 - it says what happened
    """The gateway could not take what came, which the device therefore keeps."""


async def serve(source: Iec104Client, ctx: SourceContext, connection: Connection) -> None:
    """Serve the points until the connection ends: raises Failed, or Unkept."""
    serving = _Serving(ctx, connection)
    try:
        async with asyncio.TaskGroup() as tasks:
            controlling = serving.controlling = Controlling(
                ctx,
                source.ca,
                source.sizes,
                source.manners(),
                serving.send,
                connection.channel.name,
                tasks,
            )
            tasks.create_task(serving.receive(controlling))
            tasks.create_task(serving.confirm(controlling))
            tasks.create_task(serving.count())
            controlling.begin()
    except ExceptionGroup as group:
        unkept = group.subgroup(Unkept)
        if unkept is not None:
            raise _first(unkept) from None
        _, other = group.split((ChannelClosed, NotStarted, LinkError))
        if other is not None:
            raise
        raise serving.failed(str(_first(group))) from None
    finally:
        serving.look()


class _Serving:
    def __init__(self, ctx: SourceContext, connection: Connection) -> None:
        self._ctx = ctx
        self._connection = connection
        # Bounded by the connection, which reads no more while too many are not confirmed.
        self._taken: asyncio.Queue[tuple[int, Awaitable[bool]]] = asyncio.Queue()
        self._sending = asyncio.Lock()
        self._known: Counter[str] = Counter()
        self.controlling: Controlling | None = None

    def failed(self, why: str) -> Failed:
        """Return why the connection is of no use; where it could not be read that comes first."""
        if self.controlling is None:
            return Failed(why, useful=False)
        doubt = self.controlling.doubt
        if doubt not in why:
            why = f"{self._connection.channel.name}: {doubt}; {why}"
        return Failed(why, useful=self.controlling.up and not doubt)

    async def send(self, address: int, request: Callable[[], bytes]) -> None:
        """See `Send`."""
        async with self._sending:
            await self._connection.room_free()
            await self._connection.send([request()])

    async def receive(self, controlling: Controlling) -> None:
        """Hand on what comes, without waiting for custody."""
        while True:
            asdus = await self._connection.receive()
            self._taken.put_nowait((len(asdus), controlling.take(asdus)))

    async def confirm(self, controlling: Controlling) -> None:
        """Acknowledge what is in custody, in the order in which it came.

        As long as nothing can be read the device keeps all of it.
        """
        while True:
            count, taken = await self._taken.get()
            if not await taken:
                break
            await controlling.legibility.undisputed()
            self._connection.confirm(count)
        self._ctx.count("refused_custody")
        # Commands that are under way may end meanwhile.
        await asyncio.sleep(PATIENCE)
        raise Unkept(
            f"{self._connection.channel.name}: the gateway cannot take what it sends, "
            "and has not acknowledged it: the connection is closed"
        )

    async def count(self) -> None:
        """Look at the counters every second."""
        async for _ in self._ctx.every(COUNTED):
            self.look()

    def look(self) -> None:
        counts = self._connection.counts
        for name, number in (counts - self._known).items():
            if name not in _QUIET:
                self._ctx.count(name, number)
        self._known = counts


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
