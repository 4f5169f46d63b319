"""Who asks: found once for each request, by token, cookie, certificate, or as nobody."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from fastapi import Request

from gateway import Client, Permission
from gateway_console.problem import Problem, unauthorised
from gateway_console.sessions import Session, Way
from gateway_console.site import Site

COLLECTOR = "collector"
"""Who shows the token of the metrics, as the metrics' own client."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    client:    None where nobody is let in without a log-in and this one has none.
    session:   of who logged in.
    collector: whether it showed the token that opens the metrics.
    """

    client: Client | None
    session: Session | None = None
    collector: bool = False


class Stranger(Exception):  # noqa: N818 - who it is
    """The token is not one of ours, or its session has ended."""


def find(
    site: Site, headers: Mapping[str, str], address: str, certificate: bytes | None
) -> Visitor:
    """Return who asks; raises Stranger where a token is shown that is not good."""
    shown = headers.get("authorization")
    if shown is not None:
        scheme, _, token = shown.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Stranger
        wanted = site.console.metrics_token
        if wanted is not None and hmac.compare_digest(
            token.encode(), wanted.get_secret_value().encode()
        ):
            return Visitor(None, collector=True)
        session = site.sessions.find(token, Way.BEARER)
        if session is None:
            raise Stranger
        return Visitor(session.client, session)
    token = _cookie(headers.get("cookie", ""), site.cookie)
    if token:
        session = site.sessions.find(token, Way.COOKIE)
        if session is not None:
            return Visitor(session.client, session)
        # A browser shows an old cookie until it is told otherwise: it is nobody.
    if certificate is not None:
        client = site.ctx.client(address, certificate=certificate, session=address)
        if client.role or site.console.open(site.ctx.authenticates):
            return Visitor(client)
    if site.console.open(site.ctx.authenticates):
        return Visitor(site.ctx.client(address, session=address))
    return Visitor(None)


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header[:8192]).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def visitor(request: Request) -> Visitor:
    """Return who asks, as a dependency of an operation."""
    found: Visitor = request.scope["state"]["visitor"]
    return found


def site_of(request: Request) -> Site:
    """Return the site, as a dependency of an operation."""
    found: Site = request.app.state.site
    return found


class Needs:
    """A dependency: who asks must have a permission for any point at all."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Client:
        return require(site_of(request), visitor(request), self.permission)


def require(site: Site, who: Visitor, permission: Permission, point: int | None = None) -> Client:
    """Return the client; raises Problem where it is nobody, or may not."""
    if who.client is None:
        raise unauthorised("log in first: POST /api/v1/login gives a token")
    if not site.rights.may(who.client, permission, point):
        role = f"the role {who.client.role}" if who.client.role else "who has no role"
        raise Problem(403, f"found {role}, allowed: one with the permission {permission}")
    return who.client


def peer(scope: Mapping[str, Any]) -> Any:
    """Return the connection that a request came by."""
    return scope.get("state", {}).get("peer")
