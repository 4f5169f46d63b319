"""The operator's pages, built on NiceGUI; imported when a console starts, and not before.

Who asks is `request.scope["state"]["visitor"]`, put there by the console's guard.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from starlette.routing import Match, Mount

from gateway_console.headers import DATA
from gateway_console.page import (
    audit,
    configuration,
    events,
    ledger,
    link,
    login,
    measurements,
    overview,
    point,
    points,
)
from gateway_console.page.desk import Desk
from gateway_console.page.stage import Door, Scope, stage
from gateway_console.site import Site

PAGES = (overview, link, points, point, events, ledger, measurements, configuration, audit)
"""Modules whose import tells NiceGUI of their pages."""

__all__ = ["mount"]


class _Pages(Mount):
    """Everything that is no data."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope.get("path", "").startswith(DATA):
            return Match.NONE, {}
        return super().matches(scope)


def mount(app: FastAPI, site: Site) -> None:
    """Add the pages to a console's app, behind all its other routes.

    They live as long as the app's lifespan lasts.
    """
    app.include_router(login.router(site))
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with inner(app) as state:
            # Sorting 250,000 names takes a second, in which other links go on.
            desk = await asyncio.to_thread(Desk, site)
            pages = _Pages("/", Door(desk))
            app.router.routes.append(pages)
            await stage.enter()
            watching = asyncio.create_task(desk.watch(), name=f"{site.ctx.name} pages")
            try:
                yield state
            finally:
                watching.cancel()
                await asyncio.wait([watching])
                await stage.leave()

    app.router.lifespan_context = lifespan
