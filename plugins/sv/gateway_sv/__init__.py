"""Sampled values: a subscriber for merging units, captures played again, and a publisher."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_sv.publisher import SampledValuesPublisher
from gateway_sv.source import SampledValuesSource


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the sources `sv` and `sv.publisher`."""
    return SampledValuesSource, SampledValuesPublisher
