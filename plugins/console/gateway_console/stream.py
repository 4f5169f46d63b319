"""Samples and states of links as they change: server-sent events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import Batch, Client, Permission, selector
from gateway_console.hub import Event, Listener
from gateway_console.links import link_state
from gateway_console.points import Patterns
from gateway_console.problem import Problem, responses
from gateway_console.rights import Mask
from gateway_console.site import Site
from gateway_console.table import columns
from gateway_console.visitor import Visitor, require, site_of, visitor

router = APIRouter(tags=["stream"])

ALIVE = 15.0
"""Seconds without an event after which a comment says that the stream stands."""
WRITE = 65_536
"""Bytes after which what waits is written, and the rest waits for the client."""
LOOK = 1.0
"""Seconds between looks whether the client may still read."""
_ID = re.compile(r"([0-9a-f]{1,16})-([0-9]{1,18})")


@router.get(
    "/stream",
    summary="Follow samples and links",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: image, samples, link, gap, end",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **responses(401, 403, 421, 422, 429, 503),
    },
)
async def follow(
    request: Request,
    name: Patterns = [],  # noqa: B006 - the framework copies it
    links: Annotated[bool, Query(description="states of links as well")] = True,
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="go on behind this event")
    ] = None,
) -> Response:
    """Begin with an image of the points, go on with what changes.

    An `id` names how far a client is; with `Last-Event-ID` it goes on there. What is not known
    any more is an event `gap`, and a new image behind it.
    """
    site, who = site_of(request), visitor(request)
    client = require(site, who, Permission.READ)
    if site.streams >= site.console.max_streams:
        most = site.console.max_streams
        raise Problem(503, f"found {most} streams, allowed: {most}", headers={"Retry-After": "10"})
    readable = site.rights.readable(client)
    mask = _chosen(site, readable, tuple(name))
    last = None
    if last_event_id is not None:
        known = _ID.fullmatch(last_event_id)
        last = (known[1], int(known[2])) if known else ("", 0)
    return Stream(site, who, client, readable, partial(site.hub.join, mask, links=links, last=last))


def _chosen(site: Site, readable: Mask, patterns: tuple[str, ...]) -> Mask:
    takes = selector(patterns) if patterns else None
    mask = np.zeros(len(readable), np.bool_)
    mask[site.points.ids[site.points.find(takes=takes, readable=readable)]] = True
    return mask


class Stream(Response):
    """One client's events, for as long as it takes them and may."""

    media_type = "text/event-stream"

    def __init__(
        self,
        site: Site,
        who: Visitor,
        client: Client,
        readable: Mask,
        join: Callable[[], Listener],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._site = site
        self._who = who
        self._client = client
        self._readable = readable
        self._join = join

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site, listener = self._site, self._join()
        site.streams += 1
        leaving = asyncio.create_task(_left(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for chunk in self._chunks(listener):
                # Who takes nothing for too long loses its connection (server.py).
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            site.streams -= 1
            site.hub.leave(listener)
            if listener.coalesced:
                site.ctx.count("stream_coalesced", listener.coalesced)
            leaving.cancel()

    async def _chunks(self, listener: Listener) -> AsyncIterator[bytes]:
        hub = self._site.hub
        if listener.gap:
            said = "what happened since the last event is not known any more"
            yield _event("gap", {"detail": said}, f"{hub.run}-{hub.number}")
        quiet = 0.0
        while not listener.closed:
            events = await listener.next(LOOK)
            why = self._over()
            if why:
                yield _event("end", {"detail": why})
                return
            # In few writes, each small enough for a slow client's pace to be felt.
            text = bytearray()
            for event in events:
                text += self._rendered(event)
                if len(text) > WRITE:
                    yield bytes(text)
                    text.clear()
            if text:
                yield bytes(text)
            quiet = 0.0 if events else quiet + LOOK
            if quiet >= ALIVE:
                quiet = 0.0
                yield b": alive\n\n"

    def _over(self) -> str:
        """Return why this client may not follow any longer."""
        session = self._who.session
        if session is not None and not self._site.sessions.alive(session):
            return "the session has ended"
        if self._site.rights.readable(self._client) is not self._readable:
            return "what this client may read has changed"
        return ""

    def _rendered(self, event: Event) -> bytes:
        if event.text is None:
            return self._written(event)
        if not event.text:
            event.text.append(self._written(event))
        return event.text[0]

    def _written(self, event: Event) -> bytes:
        number = f"{self._site.hub.run}-{event.number}"
        body = event.body
        if not isinstance(body, Batch):
            return _event("link", link_state(body).model_dump(), number)
        table = self._site.points
        places = table.of_id[body.point].tolist()
        data = columns([table.names[p] for p in places], body.value, body.quality, body.time)
        if event.coalesced:
            data = b'%b,"coalesced":%d}' % (data[:-1], event.coalesced)
        return b"event: %b\nid: %b\ndata: %b\n\n" % (event.kind.encode(), number.encode(), data)


async def _left(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close()


def _event(kind: str, data: dict[str, Any], number: str = "") -> bytes:
    head = b"id: %b\n" % number.encode() if number else b""
    return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), head, orjson.dumps(data))
