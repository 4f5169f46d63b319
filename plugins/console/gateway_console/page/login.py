"""The log-in page: plain HTML, which works before anything else does."""

from __future__ import annotations

import secrets
from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway import AccessRefused
from gateway_console.guard import address
from gateway_console.login import set_cookie
from gateway_console.page.frame import STYLE
from gateway_console.sessions import Full, Way
from gateway_console.site import Site

LONGEST = 1_000
"""Characters of a name or password."""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in – {gateway}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body class="gw-login"><main>
<h1>{gateway}</h1>
<p class="gw-note">Log in with a user of this gateway.</p>
{said}
<form method="post" action="/login">
<input type="hidden" name="next" value="{next}">
<div class="gw-field"><label for="user">User</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" required autofocus></div>
<div class="gw-field"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></div>
<button class="gw-button strong" type="submit">Log in</button>
</form></main></body></html>"""


def router(site: Site) -> APIRouter:
    """Return the routes of the log-in page of one console."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    def ask(next: str = "/") -> Response:  # noqa: A002 - the word in the address
        return _page(site, next)

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        form = {key: values[0] for key, values in parse_qs(body, max_num_fields=10).items()}
        user, password = form.get("user", ""), form.get("password", "")
        target = local(form.get("next", "/"))
        if len(user) > LONGEST or len(password) > LONGEST:
            return _page(site, target, "That is longer than a name or a password can be.", 422)
        try:
            client = await site.ctx.login(
                user, password, address(request.scope), secrets.token_hex(8)
            )
            token, _ = site.sessions.open(client, Way.COOKIE)
        except AccessRefused:
            return _page(site, target, "No such user with this password, or locked out.", 401)
        except Full:
            return _page(site, target, "Too many people are logged in; try again later.", 503)
        response = RedirectResponse(target, 303)
        set_cookie(response, site, token)
        return response

    return routes


def local(target: str) -> str:
    """Return where to go after the log-in: a page of ours, whatever the address said."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\", "/login"))
    return target if plain and target.isprintable() else "/"


def _page(site: Site, target: str, said: str = "", status: int = 200) -> Response:
    told = f'<p class="gw-said" data-state="bad" role="alert">✕ {escape(said)}</p>' if said else ""
    body = PAGE.format(
        gateway=escape(site.ctx.gateway), style=STYLE, said=told, next=escape(local(target))
    )
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        # Without a referrer browsers say that a form comes from nowhere.
        "Referrer-Policy": "same-origin",
    }
    return Response(body, status, headers, "text/html; charset=utf-8")
