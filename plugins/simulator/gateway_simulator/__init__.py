"""A field without hardware: signals, and recordings played again."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_simulator.replay import Replay
from gateway_simulator.source import Simulator


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [Simulator, Replay]
