"""The one hook of a plugin."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from gateway.model.link import Sink, Source

PROJECT = "gateway"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the source and sink classes this plugin adds."""
    raise NotImplementedError
