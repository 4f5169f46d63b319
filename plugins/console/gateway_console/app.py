"""The web application: API, metrics, health and page, around one site."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway_console import (
    audit,
    commands,
    configuration,
    links,
    login,
    page,
    points,
    probes,
    stream,
)
from gateway_console.description import DESCRIPTION, TAGS
from gateway_console.problem import Problem, ProblemDetails
from gateway_console.site import Site

PREFIX = "/api/v1"
VERSION = "1.0.0"
ROUTERS = (login, points, commands, links, audit, configuration, stream)


def build(site: Site) -> FastAPI:
    """Return the application of one console; what a request needs of it is `app.state.site`."""
    app = FastAPI(
        title="grid-gateway",
        version=VERSION,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=TAGS,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_nothing,
        separate_input_output_schemas=False,
    )
    app.state.site = site
    for module in ROUTERS:
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(probes.router)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    page.mount(app, site)
    return app


@contextlib.asynccontextmanager
async def _nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description, with the error model that refusals name."""
    if app.openapi_schema is None:
        said = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            license_info=app.license_info,
            tags=app.openapi_tags,
            separate_input_output_schemas=False,
        )
        parts = said.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        model = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(model.pop("$defs", {}))
        schemas["ProblemDetails"] = model
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "description": "the token of a log-in"}
        }
        said["security"] = [{"bearer": []}]
        app.openapi_schema = said
    return app.openapi_schema


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - what it is registered for
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if isinstance(error.__cause__, Problem):
        # The framework's own words for what our bound on the body said.
        return error.__cause__.response()
    detail = str(error.detail)
    if error.status_code == 400:
        return Problem(422, "found a body that cannot be read, allowed: JSON in UTF-8").response()
    if error.status_code == 404:
        detail = f"found the path {request.url.path[:200]!r}, allowed: those of the description"
    if error.status_code == 405:
        detail = f"found {request.method}, allowed: {(error.headers or {}).get('Allow', 'another')}"
    return Problem(error.status_code, detail, headers=error.headers).response()


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    errors = [_mistake(one) for one in error.errors()[:100]]
    detail = "; ".join(f"{one['where']}: {one['detail']}" for one in errors[:3])
    return Problem(422, detail or "the request cannot be read", errors=errors).response()


def _mistake(error: Any) -> dict[str, str]:
    where: Sequence[Any] = error["loc"]
    found = repr(error.get("input"))
    found = found if len(found) <= 80 else found[:79] + "…"
    if error["type"] == "missing":
        said = "found nothing, allowed: a value, which is required"
    else:
        said = f"found {found}, allowed: {error['msg'][0].lower()}{error['msg'][1:]}"
    return {"where": ".".join(map(str, where)), "detail": said.encode("utf-8", "replace").decode()}


async def _failed(request: Request, error: Exception) -> Response:
    return Problem(500, "a mistake of the gateway's own; its log has the details").response()
