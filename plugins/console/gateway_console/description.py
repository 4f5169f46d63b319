"""The words around the operations in the OpenAPI description."""

from __future__ import annotations

DESCRIPTION = """\
The last sample of every point, commands, the state of links, what each sink was given, the audit
log, and the configuration that runs.

Log in with `POST /api/v1/login`, and send the token as `Authorization: Bearer …`.
A refusal is `application/problem+json` (RFC 9457); its `detail` says what was found and what is
allowed.
Times are UTC, RFC 3339 with nanoseconds; a value that is none is null.
"""
TAGS = [
    {"name": "session", "description": "Who asks."},
    {
        "name": "points",
        "description": "Points, their last samples, and earlier ones.",
    },
    {"name": "commands", "description": "Commands to devices, and an operator's hand on a point."},
    {"name": "links", "description": "Sources, sinks, and what became of every sample."},
    {"name": "audit", "description": "Who did what, and the proof that nobody changed the record."},
    {"name": "configuration", "description": "What runs, and whether something else could."},
    {"name": "stream", "description": "Samples and states of links as they change."},
    {"name": "probes", "description": "For monitoring systems."},
]
