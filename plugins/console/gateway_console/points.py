"""Points: a list with filters, one, some, their lineage and their history."""

from __future__ import annotations

import base64
import binascii
import time
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gateway import Client, Kind, LinkPoint, Permission, selector
from gateway_console.lineage import lineage
from gateway_console.problem import Problem, responses, unauthorised
from gateway_console.query import Instant, nanoseconds
from gateway_console.site import Site
from gateway_console.table import columns
from gateway_console.visitor import Needs, site_of, visitor

router = APIRouter(tags=["points"])
Reader = Annotated[Client, Depends(Needs(Permission.READ))]
Patterns = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]],
    Query(max_length=20, description="names with * and ?; a leading ! leaves out"),
]
NAME = r"^[A-Za-z0-9_.-]{1,200}$"
MOST = 10_000
MOST_NAMED = 1_000
PointName = Annotated[str, Path(max_length=200, examples=["feeder1.voltage_a"])]


class Validity(StrEnum):
    """What may be believed of a sample, IEC 61850-7-3."""

    GOOD = "good"
    INVALID = "invalid"
    QUESTIONABLE = "questionable"
    RESERVED = "reserved"


class Shape(StrEnum):
    """rows: an object for each point; columns: an array for each property."""

    ROWS = "rows"
    COLUMNS = "columns"


class PointSample(BaseModel):
    """A point and its last sample."""

    name: str = Field(examples=["feeder1.voltage_a"])
    kind: Kind
    unit: str = Field(examples=["V"])
    description: str
    model: str = Field(examples=["Feeder1/MMXU1.PhV.phsA"])
    link: str | None = Field(description="the source that brings it in; null: the gateway itself")
    commands: bool = Field(description="whether it takes commands")
    value: float | None
    quality: str = Field(examples=["good", "invalid,oldData"])
    time: str | None = Field(examples=["2026-03-01T06:00:00.000000000Z"])


class SampleColumns(BaseModel):
    """Samples as arrays of one length."""

    point: list[str]
    value: list[float | None]
    quality: list[str]
    time: list[str | None]


class PointPage(BaseModel):
    """Points in the order of the point list; `cursor` leads to the next page, null: no more."""

    points: list[PointSample] | SampleColumns
    total: int = Field(description="points that fit, on all pages")
    cursor: str | None = None


class Names(BaseModel):
    """Which points to read."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"names": ["feeder1.voltage_a"]}]}
    )

    names: list[Annotated[str, Field(pattern=NAME)]] = Field(max_length=MOST_NAMED)
    shape: Shape = Shape.ROWS


class ReadPoints(BaseModel):
    """The points that were asked for, each once, and the names that there are not."""

    points: list[PointSample] | SampleColumns
    unknown: list[str]


class PointHistory(BaseModel):
    """Samples of one point, oldest first; `complete` is false where there are earlier ones."""

    samples: SampleColumns
    complete: bool


@router.get(
    "/points",
    summary="List points with their last samples",
    response_model=PointPage,
    responses=responses(401, 403, 409, 421, 422, 429),
)
async def list_points(
    request: Request,
    client: Reader,
    name: Patterns = [],  # noqa: B006 - the framework copies it
    kind: Annotated[list[Kind], Query(max_length=8)] = [],  # noqa: B006
    link: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Query(max_length=20, description="sources that bring the points in"),
    ] = [],  # noqa: B006
    quality: Annotated[list[Validity], Query(max_length=8)] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
    cursor: Annotated[
        str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,400}$", description="of the page before")
    ] = None,
    shape: Shape = Shape.ROWS,
) -> Response:
    """Return the points that fit all filters; of a filter that is given twice either may fit."""
    site = site_of(request)
    found = site.points.find(
        takes=selector(tuple(name)) if name else None,
        kinds=kind,
        links=link,
        qualities=quality,
        readable=site.rights.readable(client),
    )
    page = found[found > _behind(site, cursor)]
    more = len(page) > limit
    page = page[:limit]
    after = b"null" if not more else orjson.dumps(_cursor(site.points.names[int(page[-1])]))
    body = site.points.rows(page) if shape is Shape.ROWS else site.points.columns(page)
    return _json(b'{"points":%b,"total":%d,"cursor":%b}' % (body, len(found), after))


@router.post(
    "/points/read",
    summary="Read points by name",
    response_model=ReadPoints,
    responses=responses(401, 403, 413, 421, 422, 429),
)
async def read_points(request: Request, client: Reader, body: Names) -> Response:
    """Return the last samples of the points that are named, in their order."""
    site = site_of(request)
    readable = site.rights.readable(client)
    known, unknown = [], []
    for name in dict.fromkeys(body.names):
        place = site.points.position.get(name)
        if place is not None and readable[site.points.ids[place]]:
            known.append(place)
        else:
            unknown.append(name)
    places = np.array(known, np.intp)
    found = site.points.rows(places) if body.shape is Shape.ROWS else site.points.columns(places)
    return _json(b'{"points":%b,"unknown":%b}' % (found, orjson.dumps(unknown)))


@router.get(
    "/points/{name}",
    summary="Read one point",
    response_model=PointSample,
    responses=responses(401, 403, 404, 421, 422, 429),
)
async def read_point(request: Request, name: PointName) -> Response:
    """Return one point with its last sample."""
    site, place, _ = find(request, name)
    return _json(site.points.rows(np.array([place]))[1:-1])


@router.get(
    "/points/{name}/lineage",
    summary="Explain a point",
    responses=responses(401, 403, 404, 421, 422, 429),
)
async def explain_point(request: Request, name: PointName) -> dict[str, Any]:
    """Return where a point comes from, how it is converted, and where it goes."""
    site, _, point = find(request, name)
    return lineage(site.observe.explain(point.id))


@router.get(
    "/points/{name}/history",
    summary="Read earlier samples of a point",
    response_model=PointHistory,
    responses=responses(401, 403, 404, 421, 422, 429),
)
async def point_history(
    request: Request,
    name: PointName,
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> Response:
    """Return the newest samples that the journal still holds.

    The journal is no archive: it gives a sample up as soon as every sink has it.
    """
    site, _, point = find(request, name)
    end = nanoseconds(until) if until is not None else time.time_ns() + 10**18
    found = await site.observe.history(point.id, nanoseconds(since) if since else 0, end, limit)
    batch = found.batch
    body = columns([name] * len(batch), batch.value, batch.quality, batch.time)
    return _json(b'{"samples":%b,"complete":%b}' % (body, b"true" if found.complete else b"false"))


def find(
    request: Request, name: str, permission: Permission = Permission.READ
) -> tuple[Site, int, LinkPoint]:
    """Return site, position and point of a name; raises Problem where this client has none."""
    site, who = site_of(request), visitor(request)
    if who.client is None:
        raise unauthorised("log in first: POST /api/v1/login gives a token")
    place = site.points.position.get(name)
    if place is None or not site.rights.may(who.client, permission, int(site.points.ids[place])):
        raise Problem(404, f"found the point {name[:200]!r}, allowed: one that you may see")
    return site, place, site.points.points[place]


def _cursor(name: PointName) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _behind(site: Site, cursor: str | None) -> int:
    """Return the position behind which a page begins."""
    if cursor is None:
        return -1
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name = base64.b64decode(padded.encode("ascii"), b"-_", validate=True).decode()
        return site.points.position[name]
    except (binascii.Error, ValueError, KeyError):
        raise Problem(
            409, f"found the cursor {cursor[:100]!r}, allowed: one of a page of this configuration"
        ) from None


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
