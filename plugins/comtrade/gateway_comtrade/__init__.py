"""COMTRADE: recordings played again, and a fault recorder."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_comtrade.recorder.sink import Recorder
from gateway_comtrade.replay.source import Replay


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [Replay, Recorder]
