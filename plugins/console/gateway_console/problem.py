"""Refusals as RFC 9457 has them: `application/problem+json`, with a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Where older Pythons have older words than RFC 9110, clause 15.5."""


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(examples=["body.value"])
    detail: str = Field(examples=["found 'on', allowed: a number"])


class ProblemDetails(BaseModel):
    """A refusal, RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["found the limit 20000, allowed: 1 to 10000"])
    errors: list[Mistake] = Field(
        default_factory=list, description="everything that is wrong with the request"
    )


class Problem(Exception):  # noqa: N818 - the word of the RFC
    """A request that is refused; the sentence says what was found and what is allowed."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors
        self.more = more

    def response(self) -> Response:
        """Return it as it is sent."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": _phrase(self.status),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return Response(
            orjson.dumps(body | self.more),
            self.status,
            {"Cache-Control": "no-store", **self.headers},
            MEDIA_TYPE,
        )


def _phrase(code: int) -> str:
    return _PHRASES.get(code) or HTTPStatus(code).phrase


def unauthorised(detail: str, *, login: bool = True) -> Problem:
    """Return the refusal of somebody who is nobody here."""
    headers = {"WWW-Authenticate": 'Bearer realm="grid-gateway"'} if login else {}
    return Problem(401, detail, headers=headers)


def responses(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Describe refusals for the OpenAPI description of an operation."""
    return {
        code: {
            "description": _phrase(code),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for code in codes
    }
