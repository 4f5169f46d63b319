"""NiceGUI in this process, and how each console stands on it.

NiceGUI has one application per process. It is started once, when the first console starts, and
stopped when the last one ends; each console mounts it behind a door of its own (`Door`), which
tells the pages whose they are, and lets nobody in who is not logged in, by HTTP or WebSocket.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import FastAPI
from nicegui import Client as Page
from nicegui import __version__ as nicegui_version
from nicegui import app as nicegui_app
from nicegui import context, core, ui
from starlette.responses import RedirectResponse, Response

from gateway_console.page.desk import Desk
from gateway_console.visitor import Visitor

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DESK = "gateway_console.desk"
RECONNECT = 10.0
"""Seconds that a browser has to come back before its page is forgotten."""
HISTORY = 50
"""Messages that are kept for a browser that comes back."""
ASSETS = f"/_nicegui/{nicegui_version}/"
SOCKET = "/_nicegui_ws/"


def policy(nonce: str) -> str:
    """Return the Content-Security-Policy of a page: nothing from elsewhere.

    NiceGUI's client compiles templates in the browser ('unsafe-eval') and sets styles of
    elements ('unsafe-inline'); its scripts carry the nonce.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'"
    )


def finished(page: Page, status: int = 200) -> Response:
    """Return the response of a page that was built, its scripts marked with a nonce."""
    nonce = secrets.token_urlsafe(16)
    response = page.build_response(page.request, status)
    # Text of a page never holds a bare `<`: NiceGUI escapes it in its elements.
    body = re.sub(rb"<script(?=[\s>])", b'<script nonce="%s"' % nonce.encode(), response.body)
    headers = {
        "Content-Security-Policy": policy(nonce),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    return Response(body, status, headers, "text/html")


def used() -> None:
    """Note that the reader of this page did something: a session that is used does not end."""
    who: Visitor = context.client.request.scope["state"]["visitor"]
    if who.session is not None:
        who.session.seen = asyncio.get_running_loop().time()


class Stage:
    """NiceGUI of the process, for as many consoles as there are."""

    def __init__(self) -> None:
        self._consoles = 0
        self._host: FastAPI | None = None
        self._running: Any = None

    async def enter(self) -> None:
        """Start NiceGUI unless it runs."""
        self._consoles += 1
        if self._consoles > 1:
            return
        if self._host is None:
            self._host = FastAPI()
            ui.run_with(
                self._host,
                title="gateway",
                dark=None,
                language="en-US",
                tailwind=False,
                binding_refresh_interval=None,
                reconnect_timeout=RECONNECT,
                message_history_length=HISTORY,
                show_welcome_message=False,
                favicon="⏚",
            )
            _guard_events()
        self._running = self._host.router.lifespan_context(self._host)
        await self._running.__aenter__()

    async def leave(self) -> None:
        """Stop NiceGUI where this was the last console."""
        self._consoles -= 1
        if self._consoles:
            return
        for page in list(Page.instances.values()):
            page.delete()
        await self._running.__aexit__(None, None, None)
        await core.sio.shutdown()
        core.sio.eio.start_service_task = True


stage = Stage()


def _guard_events() -> None:
    """Let a socket speak for its own page only: NiceGUI goes by what a message says."""
    handlers = core.sio.handlers["/"]
    for name in ("event", "javascript_response", "ack", "log"):
        handlers[name] = _guarded(handlers[name])


def _guarded(handler: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def guarded(sid: str, message: Any) -> None:
        if isinstance(message, dict) and message.get("client_id") in core.sio.rooms(sid):
            handler(sid, message)

    return guarded


class Door:
    """NiceGUI's application for one console: assets for everybody, pages and sockets for who is
    let in. Who that is was found before (`scope["state"]["visitor"]`), where a request came from
    as well.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        scope[DESK] = self._desk
        if path.startswith(ASSETS) and scope["type"] == "http":
            await nicegui_app(scope, receive, send)
            return
        who: Visitor = scope["state"]["visitor"]
        if who.client is None:
            if path.startswith("/_nicegui"):
                await Response("log in first", 401)(scope, receive, send)
            else:
                target = f"/login?next={quote(path)}" if path != "/" else "/login"
                await RedirectResponse(target, 303)(scope, receive, send)
            return
        if path.startswith(SOCKET) and not _owns(scope, who):
            await _refuse(scope, receive, send)
            return
        await nicegui_app(scope, receive, send)


def _owns(scope: Scope, who: Visitor) -> bool:
    """Return whether a socket belongs to a page that was given to the very same visitor."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("client_id", [""])
    if len(asked) != 1:
        return False
    page = Page.instances.get(asked[0])
    if page is None:
        # NiceGUI's to refuse: the browser then loads the page anew.
        return True
    owner: Visitor = page.request.scope["state"]["visitor"]
    if owner.session is not None or who.session is not None:
        return owner.session is who.session
    return _role(owner) == _role(who)


def _role(who: Visitor) -> tuple[str, str]:
    return ("", "") if who.client is None else (who.client.user, who.client.role)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await Response("this page is somebody else's", 403)(scope, receive, send)
