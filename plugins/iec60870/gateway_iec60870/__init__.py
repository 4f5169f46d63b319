"""IEC 60870-5-104 and -101: a codec without I/O, and the links that are built on it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the sources `iec104.client`, `iec101.master`, the sinks `iec104.server`,
    `iec101.slave`."""
    # The codec is useful without the links; whoever imports it pays for none of them.
    from gateway_iec60870.iec101.master import Iec101Master
    from gateway_iec60870.iec101.slave import Iec101Slave
    from gateway_iec60870.iec104.client import Iec104Client
    from gateway_iec60870.iec104.server import Iec104Server

    return Iec104Client, Iec101Master, Iec104Server, Iec101Slave
