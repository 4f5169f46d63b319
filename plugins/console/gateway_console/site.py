"""What every request and every page needs: the context, the sessions, the points, the stream."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from gateway import Client, Observation, SinkContext
from gateway_console.hub import Hub
from gateway_console.rates import Rates
from gateway_console.rights import Rights
from gateway_console.sessions import Session, Sessions
from gateway_console.sink import Console
from gateway_console.table import PointTable


@dataclass(slots=True)
class Site:
    """One console at work; nothing of it is shared with another one in the process.

    requests:  how many were answered, by status code.
    streams:   event streams of clients; pages listen to the hub as well.
    under_way: commands that wait for their end, by client.
    """

    console: Console
    ctx: SinkContext
    sessions: Sessions
    rates: Rates
    rights: Rights
    points: PointTable
    hub: Hub
    requests: Counter[int] = field(default_factory=Counter)
    streams: int = 0
    under_way: Counter[Client] = field(default_factory=Counter)

    @classmethod
    def of(cls, console: Console, ctx: SinkContext) -> Site:
        """Make what one connection of the link needs; call it on the event loop."""
        clock = asyncio.get_running_loop().time

        def ended(session: Session) -> None:
            ctx.release(session.client)

        sessions = Sessions(
            idle=console.session_idle,
            lasts=console.session_lasts,
            most=console.max_sessions,
            clock=clock,
            on_end=ended,
        )
        ids = [point.id for point in ctx.points]
        hub = Hub(
            ctx.image,
            ids,
            ctx.watch,
            clock,
            run=f"{ctx.now() // 1_000_000:x}",
            rows=console.stream_samples,
            linger=console.stream_resume,
        )
        return cls(
            console,
            ctx,
            sessions,
            Rates(console.rate, 2 * console.rate, clock),
            Rights(ctx.may, ids, clock),
            PointTable(ctx.points, ctx.image),
            hub,
        )

    @property
    def observe(self) -> Observation:
        """The whole gateway, for whoever may see it."""
        return self.ctx.observe

    @property
    def cookie(self) -> str:
        """The name of the session's cookie: browsers share cookies between all ports of a host."""
        return f"__Host-{self.ctx.gateway}-{self.ctx.name}"
