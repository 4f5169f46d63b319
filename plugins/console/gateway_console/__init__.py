"""One port for operators and their programs: HTTP API, event stream, metrics, health, page."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_console.sink import Console

__all__ = ["Console"]


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the sink `console`."""
    return [Console]
