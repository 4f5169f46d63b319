"""What every request passes first: whose name it asks for, how often, how much, and who asks."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import math
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_console.headers import for_path
from gateway_console.problem import Problem, unauthorised
from gateway_console.sessions import Way
from gateway_console.site import Site
from gateway_console.visitor import Stranger, Visitor, find, peer

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"
UPLOADS = frozenset({"/api/v1/configuration/check"})
LOGIN = "/api/v1/login"
"""A browser may have an old cookie then, and no CSRF token to it."""
PUBLIC = frozenset({LOGIN, "/api/v1/openapi.json"})
"""Paths of the API for everybody."""
BODY_TIMEOUT = 30.0
"""Seconds that a request's body may take."""
OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that a stranger's token does not close, nor the rate."""


class Guard:
    """ASGI middleware around everything that the console serves, pages included.

    What it finds is in `scope["state"]["visitor"]`.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._site.requests[message["status"]] += 1
                headers = MutableHeaders(scope=message)
                for name, value in for_path(path, secure=scope["scheme"] == "https"):
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._admit(scope)
            bounded = _Bounded(receive, self._most(scope), Headers(scope=scope))
            await self.app(scope, bounded, answer)
        except Problem as problem:
            await problem.response()(scope, receive, answer)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        who, stranger = self._identify(scope, headers)
        if scope["path"] in OPEN:
            return
        key = who.session.client.session if who.session is not None else _host(address(scope))
        wait = self._site.rates.wait(key)
        if wait:
            after = {"Retry-After": str(math.ceil(wait))}
            rate = self._site.console.rate
            raise Problem(429, f"found more requests, allowed: {rate:g} per second", headers=after)
        self._same_site(scope, headers, who)
        if stranger:
            raise unauthorised("the token is not one of this gateway, or its session has ended")
        # Who is nobody has not even its body looked at.
        if who.client is None and scope["path"].startswith("/api/") and scope["path"] not in PUBLIC:
            raise unauthorised("log in first: POST /api/v1/login gives a token")

    def _identify(self, scope: Scope, headers: Headers) -> tuple[Visitor, bool]:
        state = scope.setdefault("state", {})
        connection = peer(scope)
        certificate = None if connection is None else connection.certificate
        try:
            who, stranger = find(self._site, headers, address(scope), certificate), False
        except Stranger:
            who, stranger = Visitor(None), True
        state["visitor"] = who
        return who, stranger

    def _same_site(self, scope: Scope, headers: Headers, who: Visitor) -> None:
        """Refuse what another site's page has a browser ask for."""
        host = headers.get("host", "")
        if scope["scheme"] in ("http", "ws") and not self._named(host):
            raise Problem(421, f"found the host {host[:100]!r}, allowed: one of `hostnames`")
        origin = headers.get("origin")
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE
        if not unsafe:
            return
        if origin is not None and urlsplit(origin).netloc != host:
            raise Problem(403, f"found the origin {origin[:100]!r}, allowed: this console's own")
        if scope["type"] == "websocket" or scope["path"] == LOGIN:
            return
        if who.session is not None and who.session.way is Way.COOKIE:
            said = headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(said.encode(), who.session.csrf.encode()):
                raise Problem(
                    403,
                    "found no X-CSRF-Token of this session, allowed: the one of its log-in",
                )

    def _named(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name in self._site.console.hostnames:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _most(self, scope: Scope) -> int:
        console = self._site.console
        return console.max_upload if scope["path"] in UPLOADS else console.max_body

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        who, stranger = self._identify(scope, headers)
        try:
            self._same_site(scope, headers, who)
            allowed = who.client is not None and not stranger
        except Problem:
            allowed = False
        if not allowed or self._site.rates.wait(_host(address(scope))):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


class _Bounded:
    """The body of a request, which has a bound in bytes and in time."""

    def __init__(self, receive: Receive, most: int, headers: Headers) -> None:
        self._receive = receive
        self._most = most
        self._size = 0
        self._ends = asyncio.get_running_loop().time() + BODY_TIMEOUT
        self._more = True
        said = headers.get("content-length", "0")
        if said.isdecimal() and int(said) > most:
            raise self._too_large(f"{int(said)} bytes")

    def _too_large(self, found: str) -> Problem:
        return Problem(413, f"found a body of {found}, allowed: {self._most} bytes")

    async def __call__(self) -> MutableMapping[str, Any]:
        if not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, f"found no whole body within {BODY_TIMEOUT:g} s") from None
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            raise self._too_large("more")
        self._more = bool(message.get("more_body"))
        return message


def address(scope: Scope) -> str:
    """Return where a request came from, without the port, which changes with each connection."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _host(text: str) -> str:
    """Return the address as one client: of IPv6 the /64."""
    try:
        number = ipaddress.ip_address(text)
    except ValueError:
        return text
    if number.version == 6:
        return str(ipaddress.ip_network((number, 64), strict=False))
    return text
