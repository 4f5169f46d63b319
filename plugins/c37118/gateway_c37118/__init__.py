"""IEEE C37.118.2 synchrophasor transfer: the gateway as a client of PMUs and PDCs, and as one."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the source `c37118.client` and the sink `c37118.server`."""
    from gateway_c37118.client.source import C37Client
    from gateway_c37118.server.sink import C37Server

    return (C37Client, C37Server)
