"""Commands to devices, and an operator's hand on a point."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field, RootModel

from gateway import Answer, Client, CommandStatus, Operation, Override, Permission
from gateway import Request as Asked
from gateway_console.outcome import CODES, MEANINGS
from gateway_console.points import PointName, find
from gateway_console.problem import Problem, responses
from gateway_console.site import Site
from gateway_console.visitor import visitor

router = APIRouter(tags=["commands"])

Value = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Reason = Annotated[str, Field(max_length=256, description="why, for the audit log")]


class CommandRequest(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"operation": "direct", "value": 1, "reason": "restored after test"}]
        },
    )

    operation: Operation = Operation.DIRECT
    value: Value = Field(description="0 or 1 for switches, else in the point's unit")
    reason: Reason = ""
    test: bool = Field(False, strict=True, description="only for points in test; nothing is sent")
    timeout: float | None = Field(
        None,
        strict=True,
        ge=1,
        le=3600,
        description="seconds that the client waits, if less than the point's",
    )


class Substitute(BaseModel):
    """Show a value of the operator's instead of the device's."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["substitute"]
    value: Value = Field(description="in the point's unit")
    reason: Reason = ""


class Act(BaseModel):
    """Freeze a point, put it into test, or undo that."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["block", "release", "test", "end_test"]
    reason: Reason = ""


class OverrideRequest(RootModel[Annotated[Substitute | Act, Field(discriminator="action")]]):
    """What an operator does to a point, whatever its device says."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "substitute", "value": 230.0}]}
    )


class CommandAnswer(BaseModel):
    """How it ended."""

    status: CommandStatus
    meaning: str = Field(examples=["it was done"])
    detail: str
    id: str = Field(description="of the transaction, as the audit log has it")
    value: float | None = None


REFUSALS = responses(401, 403, 404, 409, 413, 421, 422, 429, 500, 502, 503, 504)


@router.post("/points/{name}/command", summary="Command a point", responses=REFUSALS)
async def command(
    request: Request,
    name: PointName,
    body: CommandRequest,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=256,
            pattern=r"^[\x21-\x7e]+$",
            description="the client's own name of this request, which is carried out once, ever",
        ),
    ] = None,
) -> CommandAnswer:
    """Select, execute, cancel, or command directly; answered when the command has ended.

    What ended otherwise than with success is a refusal whose `command` has the status.
    """
    site, _, point = find(request, name)
    client = visitor(request).client
    assert client is not None  # noqa: S101 - a point was found for it
    asked = Asked(
        point.id,
        body.operation,
        body.value,
        client,
        key=idempotency_key or "",
        test=body.test,
        timeout=body.timeout,
        reason=body.reason,
    )
    most = site.console.max_commands
    if site.under_way[client] >= most:
        raise Problem(
            429,
            f"found {site.under_way[client]} commands under way, allowed: {most}",
            headers={"Retry-After": "1"},
        )
    site.under_way[client] += 1
    try:
        return _said(await site.ctx.command(asked))
    finally:
        site.under_way[client] -= 1
        if not site.under_way[client]:
            del site.under_way[client]


@router.post("/points/{name}/override", summary="Override a point", responses=REFUSALS)
async def override(request: Request, name: PointName, body: OverrideRequest) -> CommandAnswer:
    """Block, substitute, release, test or end the test of a point."""
    site, _, point = find(request, name)
    client = visitor(request).client
    assert client is not None  # noqa: S101 - a point was found for it
    asked = body.root
    value = asked.value if isinstance(asked, Substitute) else None
    action = Override(asked.action)
    done = await site.ctx.override(client, point.id, action, value, reason=asked.reason)
    return _said(done)


def _said(answer: Answer) -> CommandAnswer:
    """Return the answer; raises Problem where it was not done."""
    said = CommandAnswer(
        status=answer.status,
        meaning=MEANINGS[answer.status],
        detail=answer.detail,
        id=answer.id,
        value=answer.value if math.isfinite(answer.value) else None,
    )
    if answer:
        return said
    code = CODES[answer.status]
    headers = {"Retry-After": "1"} if code == 429 else {}
    detail = answer.detail or said.meaning
    more: dict[str, Any] = {"command": said.model_dump(mode="json")}
    raise Problem(code, detail, headers=headers, **more)


def may_command(site: Site, client: Client, point: int) -> bool:
    """Return whether to offer a client the command of a point at all; for pages."""
    return site.rights.may(client, Permission.COMMAND, point)
