"""The one narrow door between a link and its host: what `run(ctx)` is given."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.model.batch import Batch, QualityColumn, TimeColumn, ValueColumn
from gateway.model.field import Field
from gateway.model.point import LinkPoint
from gateway.model.quality import Quality

STALE = Quality.INVALID | Quality.OLD_DATA


@dataclass(frozen=True, slots=True)
class Image:
    """The last sample of every point, as columns indexed by point id; for reading only."""

    value: ValueColumn
    quality: QualityColumn
    time: TimeColumn


@dataclass(frozen=True, slots=True)
class Delivery:
    """Samples for one sink.

    seq:        its number in this connection, 1, 2, 3 …;
                `delivered(seq)` acknowledges it and all before.
    batch:      the samples.
    historical: true where they come from the journal after an outage, while live ones pass them.
    """

    seq: int
    batch: Batch
    historical: bool = False


class LinkContext(ABC):
    """What sources and sinks have in common."""

    name: str
    """The link's name in the configuration."""
    gateway: str
    """The gateway's name."""
    points: Sequence[LinkPoint]
    """The points of this link, in the order of the point list."""
    image: Image
    log: logging.Logger
    """For what an engineer must read; the host already writes one line down and one line up."""
    tracing: bool
    """Whether anybody wants frames; ask before building what `trace` would be given."""

    @property
    @abstractmethod
    def data(self) -> Path:
        """A folder that is this link's own and outlives a restart (certificates and the like)."""

    @abstractmethod
    def up(self, detail: str = "") -> None:
        """Say that the link is connected and works; `run` has it down until then."""

    @abstractmethod
    def every(self, period: float, offset: float = 0.0) -> AsyncIterator[int]:
        """Yield the time in ns at each whole multiple of `period` (plus `offset`), in seconds,
        of the wall clock.

        A tick that the caller was too slow for is left out, and counted; ticks never pile up.
        """

    @abstractmethod
    def now(self) -> int:
        """Return the wall-clock time in ns since the Unix epoch, UTC."""

    @abstractmethod
    def count(self, what: str, n: int = 1) -> None:
        """Add `n` to a counter of this link, shown to the operator: `timeouts`, `exceptions` …"""

    @abstractmethod
    def trace(self, direction: str, frame: bytes, note: str = "") -> None:
        """Show a frame, `tx` or `rx`, to whoever traces this link."""


class SourceContext(LinkContext):
    """What a source's `run` is given."""

    @abstractmethod
    def plan(self, fields: Iterable[Field]) -> Any:
        """Compile where points stand in a raw block, once, for `emit_raw`.

        Raises ValueError where a field makes no sense.
        """

    @abstractmethod
    async def emit_raw(self, plan: Any, data: bytes, time: int | None = None) -> int:
        """Decode a block, scale, judge, and take what changed; returns how many samples that was.

        `time` is the time of receipt in ns, default now.
        For polled registers: the device holds no event to release, so this waits only
        while the gateway has no room, not for the disk.
        Raises ValueError where the block is shorter than the plan.
        """

    @abstractmethod
    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        """Scale and judge the columns, take what changed, and return when the gateway has custody:
        what any sink must have is on disk, or with every consumer already.

        every: take each row, changed or not (a device's own events).
        A row without a value (NaN) keeps the last one; its quality must be invalid,
        or questionable and oldData, and becomes invalid otherwise.
        Only after the return may the device be told that its events were received.
        Raises CustodyRefused where the gateway could not take it: do not acknowledge.
        """

    @abstractmethod
    async def stale(self, points: Sequence[int], quality: Quality = STALE) -> None:
        """Mark points of this source: their last values stay, with this quality, from now on.

        The quality is invalid, or questionable and oldData; a point that never had a value
        is invalid in any case.

        For a part of the link that fails (a register, a unit); the host does it for the whole link.
        """


class SinkContext(LinkContext):
    """What a sink's `run` is given."""

    @abstractmethod
    def batches(self) -> AsyncIterator[Delivery]:
        """Yield what this sink must deliver, oldest first, live before historical.

        At the start of every connection it begins after the last acknowledged delivery.
        At most a window of unacknowledged samples is handed out; then it waits for `delivered`.
        """

    @abstractmethod
    def delivered(self, seq: int) -> None:
        """Say that the consumer acknowledged delivery `seq` and all before it."""

    @abstractmethod
    def watch(self, points: Iterable[int] | None) -> None:
        """Narrow `batches` to these points (None: all of the link's) from now on.

        For a server that only hands on what its clients monitor: the rest costs nothing.
        """
