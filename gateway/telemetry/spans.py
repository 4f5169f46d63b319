"""The steps of commands as spans.

A request is a root span `command`, with a child for each part of its way:
`checks` until it leaves or is refused, `device` until the device answers, `feedback` until its
point shows the value. A select and what follows it have one number, and so one trace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from gateway.model.command import CommandStatus
from gateway.telemetry.export import Export

log = logging.getLogger("gateway.telemetry")

OPEN = 4_096
"""Most requests under way that are followed; of more, the oldest are forgotten."""

_FACTS = (
    "point", "operation", "value", "sink", "address", "user", "role", "key", "test", "reason",
    "count",
)  # fmt: skip
_GOOD = CommandStatus.SUCCESS.value


@dataclass(slots=True, eq=False)
class _Request:
    """A request under way; `since` is when its present part began, in ns.

    own: the gateway's own cancel of what a client left selected; its answer is its end.
    """

    number: str
    operation: str
    span: Span
    since: int
    part: str = "checks"
    own: bool = False


class Spans:
    """Makes spans of steps; on the event loop, and never raises."""

    def __init__(self, export: Export, now: Callable[[], int]) -> None:
        self._export = export
        self._now = now
        self._open: dict[int, _Request] = {}
        self._broken = False
        self.close = export.close

    def __call__(self, step: str, facts: Mapping[str, Any]) -> None:
        """Take a step as the audit log has it."""
        take = _STEPS.get(step)
        if take is None or "id" not in facts:
            return
        try:
            take(self, step, facts, self._now())
        except Exception:
            if not self._broken:
                log.exception("the step '%s' is in no trace", step)
            self._broken = True

    def _received(self, step: str, facts: Mapping[str, Any], now: int) -> None:
        if len(self._open) >= OPEN:
            self._end(self._open.pop(next(iter(self._open))).span, now)
        number = facts["id"]
        span = self._start("command", number, now, None, SpanKind.SERVER)
        span.set_attributes({f"command.{k}": facts[k] for k in _FACTS if facts.get(k) is not None})
        request = _Request(number, facts.get("operation", ""), span, now)
        self._open[id(request)] = request

    def _forwarded(self, step: str, facts: Mapping[str, Any], now: int) -> None:
        request = self._find(facts)
        if request is None:
            self._received(step, facts, now)
            request = self._find(facts)
            if request is None:
                return
            request.own = True
        else:
            self._part(request, now, {})
        request.part = "device"
        request.span.set_attribute("command.source", facts["source"])

    def _answered(self, step: str, facts: Mapping[str, Any], now: int) -> None:
        request = self._find(facts, "device")
        if request is not None:
            self._part(request, now, facts)
            request.part = "feedback"
            if request.own:
                self._ended(step, facts, now)

    def _indicated(self, step: str, facts: Mapping[str, Any], now: int) -> None:
        request = self._find(facts, "feedback")
        if request is not None:
            self._part(request, now, {"feedback": facts["feedback"], "status": _GOOD})
            request.part = ""

    def _ended(self, step: str, facts: Mapping[str, Any], now: int) -> None:
        request = self._find(facts)
        if request is None:
            self._received(step, facts, now)
            request = self._find(facts)
        if request is None:
            return
        status = facts["status"]
        waited = request.part == "feedback" and status == CommandStatus.NO_INDICATION.value
        if request.part == "checks" or waited:
            self._part(request, now, facts)
        if request.operation == "select" and status == _GOOD:
            request.span.add_event("selected", timestamp=now)
        _judge(request.span, facts)
        del self._open[id(request)]
        self._end(request.span, now)

    def _aside(self, step: str, facts: Mapping[str, Any], now: int) -> None:
        """Take what happened when no request was under way: a span of no length."""
        span = self._start(step, facts["id"], now, None)
        span.set_attribute("command.point", facts["point"])
        _judge(span, facts)
        self._end(span, now)

    def _find(self, facts: Mapping[str, Any], part: str = "") -> _Request | None:
        """Return the youngest request of a number that a step may belong to."""
        operation = facts.get("operation", "")
        for request in reversed(self._open.values()):
            if (
                request.number == facts["id"]
                and operation in ("", request.operation)
                and part in ("", request.part)
            ):
                return request
        return None

    def _part(self, request: _Request, now: int, facts: Mapping[str, Any]) -> None:
        kind = SpanKind.CLIENT if request.part == "device" else SpanKind.INTERNAL
        span = self._start(request.part, request.number, request.since, request.span, kind)
        _judge(span, facts)
        if "feedback" in facts:
            span.set_attribute("command.feedback", facts["feedback"])
        self._end(span, now)
        request.since = now

    def _start(
        self,
        name: str,
        number: str,
        since: int,
        parent: Span | None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        self._export.identities.of(self._export.service, number)
        context = set_span_in_context(parent, Context()) if parent is not None else Context()
        span = self._export.tracer.start_span(
            name, context, kind, start_time=since, record_exception=False
        )
        span.set_attribute("command.id", number)
        return span

    def _end(self, span: Span, now: int) -> None:
        self._export.ended += 1
        span.end(now)


_STEPS: Mapping[str, Callable[[Spans, str, Mapping[str, Any], int], None]] = {
    "received": Spans._received,
    "forwarded": Spans._forwarded,
    "answered": Spans._answered,
    "indicated": Spans._indicated,
    "ended": Spans._ended,
    "refused": Spans._ended,
    "expired": Spans._aside,
    "released": Spans._aside,
    "late": Spans._aside,
}


def _judge(span: Span, facts: Mapping[str, Any]) -> None:
    status, detail = facts.get("status"), facts.get("detail", "")
    if detail:
        span.set_attribute("command.detail", detail)
    if status is None:
        return
    span.set_attribute("command.status", status)
    good = status == _GOOD
    span.set_status(Status(StatusCode.OK) if good else Status(StatusCode.ERROR, detail))
