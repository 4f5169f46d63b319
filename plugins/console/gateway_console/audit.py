"""The audit log: who did what, and the proof that nobody changed the record."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from gateway import AuditQuery, Client, GatewayError, Permission
from gateway_console.problem import Problem, responses
from gateway_console.query import Instant, moment, nanoseconds
from gateway_console.visitor import Needs, site_of

router = APIRouter(tags=["audit"])
Auditor = Annotated[Client, Depends(Needs(Permission.AUDIT))]
TIMEOUT = 60.0
"""Seconds that a look through the log may take."""


def _patterns(what: str) -> Any:
    return Query(max_length=10, description=f"{what}; * and ? are any text, a leading ! leaves out")


Texts = list[Annotated[str, Field(min_length=1, max_length=200)]]


class Record(BaseModel):
    """One step."""

    n: int = Field(description="counts from 1 without gaps")
    time: str
    step: str = Field(examples=["received", "refused", "ended", "login"])
    facts: dict[str, Any]
    hash: str = Field(description="ties it to all before it; SHA-256 or HMAC, hexadecimal")


class Records(BaseModel):
    """Records that fit all filters, oldest first; `more`: there are further ones."""

    records: list[Record]
    more: bool


class Proof(BaseModel):
    """Whether every record stands where and as it was written."""

    proven: bool
    first: int
    last: int
    began: str | None
    ended: str | None
    hash: str = Field(description="of the last record: kept elsewhere, it anchors the log")
    keyed: bool
    broken: str = Field(description="what is wrong, and where; empty where it is proven")


@router.get(
    "/audit", summary="Search the audit log", responses=responses(401, 403, 421, 422, 429, 503)
)
async def search(
    request: Request,
    client: Auditor,
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    after: Annotated[
        int, Query(ge=0, le=2**62, description="the number of the last record of the page before")
    ] = 0,
    step: Annotated[Texts, _patterns("steps")] = [],  # noqa: B006 - the framework copies it
    user: Annotated[Texts, _patterns("who asked")] = [],  # noqa: B006
    point: Annotated[Texts, _patterns("names of points")] = [],  # noqa: B006
    sink: Annotated[Texts, _patterns("through which sink")] = [],  # noqa: B006
    status: Annotated[Texts, _patterns("how it ended")] = [],  # noqa: B006
    id: Annotated[Texts, _patterns("of the command")] = [],  # noqa: A002, B006
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    newest: Annotated[bool, Query(description="the last records instead of the first")] = False,
) -> Records:
    """Return the records that fit all filters; of a filter that is given twice either may fit."""
    asked = AuditQuery(
        None if since is None else nanoseconds(since),
        None if until is None else nanoseconds(until),
        after,
        {
            "step": tuple(step),
            "user": tuple(user),
            "point": tuple(point),
            "sink": tuple(sink),
            "status": tuple(status),
            "id": tuple(id),
        },
        limit,
        newest,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            page = await site_of(request).observe.audit(asked)
    except (GatewayError, TimeoutError) as error:
        raise Problem(503, str(error) or f"not finished within {TIMEOUT:g} s") from None
    records = [
        Record(
            n=one.n,
            time=moment(one.time) or "",
            step=one.step,
            facts=dict(one.facts),
            hash=one.hash,
        )
        for one in page.records
    ]
    return Records(records=records, more=page.more)


@router.post(
    "/audit/verify", summary="Prove the audit log", responses=responses(401, 403, 421, 429, 503)
)
async def prove(request: Request, client: Auditor) -> Proof:
    """Prove the chain from the first record that is kept to the last."""
    try:
        async with asyncio.timeout(TIMEOUT):
            proof = await site_of(request).observe.prove_audit()
    except (GatewayError, TimeoutError) as error:
        raise Problem(503, str(error) or f"not finished within {TIMEOUT:g} s") from None
    return Proof(
        proven=proof.proven,
        first=proof.first,
        last=proof.last,
        began=moment(proof.began),
        ended=moment(proof.ended),
        hash=proof.hash,
        keyed=proof.keyed,
        broken=proof.broken,
    )
