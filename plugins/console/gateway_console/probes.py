"""What monitoring systems ask: /healthz, /readyz, /metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from gateway import LinkView, Permission
from gateway_console.metrics import Collected
from gateway_console.problem import Problem, responses, unauthorised
from gateway_console.site import Site
from gateway_console.visitor import Visitor, site_of, visitor

router = APIRouter(tags=["probes"])


class Alive(BaseModel):
    """The process lives, and its event loop answers."""

    status: str = Field("ok", examples=["ok"])


class Ready(BaseModel):
    """Every required link is up."""

    status: str = Field("ready", examples=["ready"])
    required: int = Field(description="how many links that are")


@router.get("/healthz", summary="Is it alive?", openapi_extra={"security": []})
async def healthz() -> Alive:
    """Answer; a gateway whose links are down is alive all the same."""
    return Alive()


@router.get(
    "/readyz",
    summary="Are all required links up?",
    responses=responses(503),
    openapi_extra={"security": []},
)
async def readyz(request: Request) -> Ready:
    """Answer 503 where a required link is not up; its name is for who may read."""
    site = site_of(request)
    links = _required(site)
    waiting = [link for link in links if link.state != "up"]
    if not waiting:
        return Ready(status="ready", required=len(links))
    detail = f"found {len(waiting)} of {len(links)} required links not up, allowed: none"
    more: dict[str, Any] = {}
    if _may_look(site, visitor(request)):
        more["links"] = [
            {"name": link.name, "state": link.state, "error": link.error} for link in waiting
        ]
        detail += f": {', '.join(link.name for link in waiting)}"
    raise Problem(503, detail, **more)


def _required(site: Site) -> list[LinkView]:
    names = site.console.required
    return [link for link in site.observe.links() if names is None or link.name in names]


@router.get(
    "/metrics",
    summary="Read the metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **responses(401, 403, 421, 429),
    },
)
async def metrics(request: Request) -> Response:
    """Return counts and states for Prometheus."""
    site, who = site_of(request), visitor(request)
    if not _may_look(site, who):
        if who.client is None:
            raise unauthorised("show the token of `metrics_token`, or log in")
        raise Problem(403, "found a role without it, allowed: one with the permission read")
    collected = Collected(site, await site.observe.ledgers())
    return Response(generate_latest(collected), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _may_look(site: Site, who: Visitor) -> bool:
    if who.collector:
        return True
    return who.client is not None and site.rights.may(who.client, Permission.READ)
