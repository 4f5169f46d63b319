"""The configuration that runs, and whether another one could."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway import Client, GatewayError, Permission
from gateway_console.problem import Problem, responses
from gateway_console.query import moment
from gateway_console.visitor import Needs, site_of

router = APIRouter(tags=["configuration"])
Configurer = Annotated[Client, Depends(Needs(Permission.CONFIGURE))]


class File(BaseModel):
    """A file of the configuration."""

    path: str
    sha256: str = Field(description="as `sha256sum` prints it")


class LinkSettings(BaseModel):
    """What the YAML says of a link, secrets masked."""

    name: str
    type: str
    direction: str
    settings: dict[str, Any]


class Running(BaseModel):
    """The configuration that runs."""

    files: list[File] = Field(description="as they were read, the YAML first")
    since: str
    sources: int
    sinks: int
    points: int
    links: list[LinkSettings]


class Text(BaseModel):
    """A file that is handed in: its text, or its bytes in base64."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$", examples=["substation.yaml"])
    text: str | None = None
    base64: str | None = None


class Upload(BaseModel):
    """A configuration: the YAML first, then the point lists that it names."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "files": [
                        {"name": "a.yaml", "text": "gateway: {name: a}\npoints: a.csv\n"},
                        {"name": "a.csv", "text": "name,unit\n"},
                    ]
                }
            ]
        },
    )

    files: list[Text] = Field(min_length=1, max_length=16)


class Flaw(BaseModel):
    """What is wrong, and where."""

    file: str
    line: int
    column: int
    sentence: str


class Checked(BaseModel):
    """What a check found; counts are null where it is not valid."""

    valid: bool
    flaws: list[Flaw]
    sources: int | None = None
    sinks: int | None = None
    points: int | None = None


@router.get("/configuration", summary="Read what runs", responses=responses(401, 403, 421, 429))
async def running(request: Request, client: Configurer) -> Running:
    """Return which files run, since when, and what they say of each link."""
    observe = site_of(request).observe
    found = observe.configuration()
    return Running(
        files=[File(path=str(path), sha256=digest) for path, digest in found.files.items()],
        since=moment(found.since) or "",
        sources=found.sources,
        sinks=found.sinks,
        points=found.points,
        links=[
            LinkSettings(
                name=link.name,
                type=link.type,
                direction=link.direction,
                settings=dict(link.settings),
            )
            for link in observe.links()
        ],
    )


@router.post(
    "/configuration/check",
    summary="Check a configuration",
    responses=responses(401, 403, 408, 413, 421, 422, 429, 503),
)
async def check(request: Request, client: Configurer, body: Upload) -> Checked:
    """Check files as `gateway check` does; nothing of them is used or kept.

    They cannot name files of the machine: secrets and the file of users count as given.
    """
    files: dict[str, bytes] = {}
    for one in body.files:
        if one.name in files:
            raise Problem(422, f"found the file {one.name!r} twice, allowed: once")
        files[one.name] = _bytes(one)
    try:
        verdict = await site_of(request).observe.check(files)
    except GatewayError as error:
        raise Problem(503, str(error)) from None
    flaws = [
        Flaw(file=one.file, line=one.line, column=one.column, sentence=one.sentence)
        for one in verdict.flaws
    ]
    if flaws:
        return Checked(valid=False, flaws=flaws)
    return Checked(
        valid=True, flaws=[], sources=verdict.sources, sinks=verdict.sinks, points=verdict.points
    )


def _bytes(one: Text) -> bytes:
    if (one.text is None) is (one.base64 is None):
        raise Problem(422, f"found both or none of text and base64 for {one.name!r}, allowed: one")
    if one.text is not None:
        return one.text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(one.base64 or "", validate=True)
    except (binascii.Error, ValueError):
        raise Problem(422, f"found {one.name!r} in no base64, allowed: RFC 4648") from None
