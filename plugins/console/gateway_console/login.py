"""Logging in and out."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway import AccessRefused
from gateway_console.guard import address
from gateway_console.problem import Problem, responses, unauthorised
from gateway_console.sessions import Full, Session, Way
from gateway_console.site import Site
from gateway_console.visitor import Visitor, site_of, visitor

router = APIRouter(tags=["session"])


class LogIn(BaseModel):
    """A user of the gateway, and the password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"user": "anna", "password": "a password of hers"}]},
    )

    user: str = Field(min_length=1, max_length=256)
    password: str = Field(min_length=1, max_length=1024)
    way: Way = Field(Way.BEARER, description="bearer for programs, cookie for browsers")


class LoggedIn(BaseModel):
    """A session."""

    user: str = Field(examples=["anna"])
    role: str = Field(examples=["operator"])
    expires_in: float = Field(description="seconds; sooner, where it is not used", examples=[43200])
    token: str | None = Field(
        None, description="for the header Authorization; null where a cookie has it"
    )
    csrf: str | None = Field(
        None, description="for the header X-CSRF-Token of each write, where a cookie has the token"
    )


class Who(BaseModel):
    """Who asks, as the gateway sees it."""

    user: str
    role: str
    anonymous: bool = Field(description="whether nobody logged in")
    expires_in: float | None = None
    csrf: str | None = None


@router.post(
    "/login",
    summary="Log in",
    responses=responses(401, 403, 413, 421, 422, 429, 503),
    openapi_extra={"security": []},
)
async def log_in(request: Request, body: LogIn, response: Response) -> LoggedIn:
    """Take a user's name and password for a token.

    Wrong ones are counted, and lock out; the answer to all of them is the same.
    """
    site = site_of(request)
    if not site.ctx.authenticates:
        raise unauthorised("this gateway has no users, allowed: to come without one", login=False)
    name = secrets.token_hex(8)
    try:
        client = await site.ctx.login(body.user, body.password, address(request.scope), name)
    except AccessRefused:
        raise unauthorised("not let in", login=False) from None
    try:
        token, session = site.sessions.open(client, body.way)
    except Full:
        most = site.console.max_sessions
        raise Problem(
            503, f"found {most} sessions, allowed: {most}; some end by themselves"
        ) from None
    old = visitor(request).session
    if old is not None and old.way is body.way:
        site.sessions.close(old)
    said = LoggedIn(user=client.user, role=client.role, expires_in=site.sessions.left(session))
    if body.way is Way.BEARER:
        said.token = token
    else:
        said.csrf = session.csrf
        set_cookie(response, site, token)
    return said


def set_cookie(response: Response, site: Site, token: str) -> None:
    """Give a browser the token of its session, out of reach of scripts and of other sites."""
    response.set_cookie(site.cookie, token, path="/", secure=True, httponly=True, samesite="strict")


@router.post("/logout", status_code=204, summary="Log out", responses=responses(401, 403, 421, 429))
async def log_out(request: Request) -> Response:
    """End the session; what it had selected is free again."""
    site, session = site_of(request), _session(visitor(request))
    site.sessions.close(session)
    response = Response(status_code=204)
    if session.way is Way.COOKIE:
        response.delete_cookie(site.cookie, path="/", secure=True, httponly=True, samesite="strict")
    return response


def _session(who: Visitor) -> Session:
    if who.session is None:
        raise unauthorised("nobody is logged in")
    return who.session


@router.get("/session", summary="Who asks", responses=responses(401, 421, 429))
async def who_asks(request: Request, who: Annotated[Visitor, Depends(visitor)]) -> Who:
    """Return who the gateway takes this client for, and for a browser its CSRF token."""
    site = site_of(request)
    if who.client is None:
        raise unauthorised("log in first: POST /api/v1/login gives a token")
    session = who.session
    return Who(
        user=who.client.user,
        role=who.client.role,
        anonymous=session is None and not who.client.user,
        expires_in=None if session is None else site.sessions.left(session),
        csrf=session.csrf if session is not None and session.way is Way.COOKIE else None,
    )
