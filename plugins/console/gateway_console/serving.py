"""One connection of the sink: the app at its port, the samples on their way to streams."""

from __future__ import annotations

import asyncio
import socket

from gateway import LinkError, SinkContext
from gateway_console.app import build
from gateway_console.server import listening
from gateway_console.sink import Console
from gateway_console.site import Site

LOOK = 0.5
"""Seconds between looks at links, sessions and what is watched."""


async def serve(console: Console, ctx: SinkContext, bound: socket.socket) -> None:
    """Serve until cancelled, then let what is under way end, for a moment."""
    known = {link.name for link in ctx.observe.links()}
    strange = sorted(set(console.required or ()) - known)
    if strange:
        raise LinkError(
            f"required: found {', '.join(strange)}, allowed: links of this gateway: "
            f"{', '.join(sorted(known))}"
        )
    tls = None if console.tls == "none" else await ctx.tls(console.tls)
    site = Site.of(console, ctx)
    app = build(site)
    try:
        # What pages need of their own, NiceGUI's start, is the app's lifespan.
        async with app.router.lifespan_context(app), listening(app, site, bound, tls) as at:
            ctx.up(f"{'http' if tls is None else 'https'}://{at}/")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(site))
                tasks.create_task(_look(site))
    finally:
        site.hub.close()
        site.sessions.close_all()


async def _pump(site: Site) -> None:
    """Hand samples to the streams; they are delivered when every stream has them in its queue."""
    async for delivery in site.ctx.batches():
        site.hub.publish(delivery.batch)
        site.ctx.delivered(delivery.seq)


async def _look(site: Site) -> None:
    """Tell streams of links that changed, and end what is over."""
    states = {link.name: (link.state, link.since) for link in site.observe.links()}
    while True:
        await asyncio.sleep(LOOK)
        site.sessions.sweep()
        site.hub.narrow()
        for link in site.observe.links():
            now = (link.state, link.since)
            if states.get(link.name) != now:
                states[link.name] = now
                site.hub.note(link)
