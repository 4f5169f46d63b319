"""Sources, sinks, and what became of every sample."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from gateway import Client, LedgerView, LinkView, Permission
from gateway_console.problem import Problem, responses
from gateway_console.query import moment
from gateway_console.visitor import Needs, site_of

router = APIRouter(tags=["links"])
Reader = Annotated[Client, Depends(Needs(Permission.READ))]


class LinkState(BaseModel):
    """A source or a sink, and how it does."""

    name: str = Field(examples=["meter1"])
    type: str = Field(examples=["modbus"])
    direction: Literal["source", "sink"]
    state: Literal["starting", "up", "down", "stopped"]
    since: str | None = Field(examples=["2026-03-01T06:00:00.000000000Z"])
    error: str = Field(description="why it is down")
    detail: str = Field(description="what it said when it came up")
    counters: dict[str, int]


class LedgerState(BaseModel):
    """What became of a sink's samples: taken = delivered + coalesced + dropped + pending."""

    sink: str
    taken: int
    delivered: int
    coalesced: int
    dropped: dict[str, int] = Field(description="by reason")
    pending: int
    oldest: str | None = Field(description="since when the oldest of the pending waits")


class Health(BaseModel):
    """How the gateway itself does."""

    gateway: str
    version: str
    started: str
    now: str
    clock_synchronised: bool
    journal_bytes: int
    journal_failing: str = Field(description="why the disk takes no samples; empty where it does")
    audit_failing: str = Field(description="why nothing is commanded; empty where all is well")
    locked_out: list[str] = Field(description="for who may read the audit log")
    links_up: int
    links_down: list[str]


@router.get("/links", summary="List links", responses=responses(401, 403, 421, 429))
async def list_links(request: Request, client: Reader) -> list[LinkState]:
    """Return the state of every source and sink, in the order of the configuration."""
    return [link_state(link) for link in site_of(request).observe.links()]


@router.get(
    "/links/{name}", summary="Read one link", responses=responses(401, 403, 404, 421, 422, 429)
)
async def read_link(request: Request, client: Reader, name: str) -> LinkState:
    """Return the state of one source or sink."""
    links = site_of(request).observe.links()
    for link in links:
        if link.name == name:
            return link_state(link)
    known = ", ".join(link.name for link in links)
    raise Problem(404, f"found the link {name[:100]!r}, allowed: {known}")


@router.get("/ledger", summary="List ledgers", responses=responses(401, 403, 421, 429))
async def list_ledgers(request: Request, client: Reader) -> list[LedgerState]:
    """Return what became of the samples of every sink."""
    return [ledger_state(one) for one in await site_of(request).observe.ledgers()]


@router.get("/health", summary="Read the gateway's health", responses=responses(401, 403, 421, 429))
async def read_health(request: Request, client: Reader) -> Health:
    """Return how the gateway itself does."""
    site = site_of(request)
    health = site.observe.health()
    links = site.observe.links()
    return Health(
        gateway=health.gateway,
        version=health.version,
        started=moment(health.started) or "",
        now=moment(health.now) or "",
        clock_synchronised=health.clock_synchronised,
        journal_bytes=health.journal_bytes,
        journal_failing=health.journal_failing,
        audit_failing=health.audit_failing,
        locked_out=list(health.locked_out) if site.rights.may(client, Permission.AUDIT) else [],
        links_up=sum(link.state == "up" for link in links),
        links_down=[link.name for link in links if link.state != "up"],
    )


def link_state(link: LinkView) -> LinkState:
    """Return a link as it is shown."""
    return LinkState(
        name=link.name,
        type=link.type,
        direction=link.direction,
        state=link.state,
        since=moment(link.since),
        error=link.error,
        detail=link.detail,
        counters=dict(link.counters),
    )


def ledger_state(ledger: LedgerView) -> LedgerState:
    """Return a ledger as it is shown."""
    said: dict[str, Any] = {
        name: getattr(ledger, name) for name in LedgerState.model_fields if name != "oldest"
    }
    return LedgerState(**said, oldest=moment(ledger.oldest))
