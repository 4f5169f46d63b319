"""The page: what browsers are shown at `/`.

Pages belong here: `mount` is called once for each console with its app and its site, behind all
other routes. Who asks is `request.scope["state"]["visitor"]` (visitor.py), web sockets included:
`Guard` lets nobody open one who is not let in.
What NiceGUI has to start and stop is the app's lifespan, which `serving.py` runs.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import HTMLResponse

from gateway_console.site import Site

TEXT = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>grid-gateway</title>
<p>The API is described at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p></html>
"""


def mount(app: FastAPI, site: Site) -> None:
    """Add the pages of a console."""

    @app.get("/", include_in_schema=False)
    async def front() -> HTMLResponse:
        return HTMLResponse(TEXT)
