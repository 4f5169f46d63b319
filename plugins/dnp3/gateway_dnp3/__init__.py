"""DNP3 (IEEE 1815): a codec without I/O, and the links that are built on it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the source `dnp3.master` and the sink `dnp3.outstation`."""
    # The codec is useful without the links; whoever imports it pays for none of them.
    from gateway_dnp3.master.source import DnpMaster
    from gateway_dnp3.outstation.sink import DnpOutstation

    return DnpMaster, DnpOutstation
