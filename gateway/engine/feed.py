"""What one sink still has to deliver: its cursor in the journal, and its ledger.

A feed holds each sample in one place at a time:

    live       batches that came while the sink works, in memory
    past       batches that waited for the sink to come back, in memory
    gaps       ranges of the journal, on disk, once memory's share is used up
    fetched    the front of the gaps, read back
    in flight  handed to the sink and not yet acknowledged
    latest     points whose latest value is to be delivered, where a sink keeps the latest

History is gaps, then fetched's rest, then past: always older than live.
With `live_first` live passes history, which drains at its own rate; otherwise history goes first.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.engine.selection import Selection
from gateway.journal.journal import Journal, log
from gateway.journal.ledger import Ledger
from gateway.journal.ranges import Ranges
from gateway.model.batch import EMPTY, Batch, Mask, PointColumn
from gateway.model.context import Delivery, Image
from gateway.model.link import Sink

MAX_ROWS = 20_000
"""Most samples in one delivery, unless one batch has more; a sink may want fewer (`portion`)."""
MAX_IN_FLIGHT = 1_000
"""Most deliveries handed out and not acknowledged."""
OUTAGE = 2.0
"""Seconds without a connection after which what waited counts as history."""
SMOOTHING = 1 / 8
"""Weight of the newest delivery in `acknowledgement`, as RFC 6298 has it for round trips."""
HISTORY_SLICE = 0.05
"""Seconds of history that go out at once, so that live samples never wait for more."""


@dataclass(slots=True)
class Entry:
    """The rows that this sink must have of the journal's batches `first` to `seq`.

    All are of batch `seq`; those before it had none for this sink.
    Counting them in keeps what is undelivered one range, whatever the sink selects.
    """

    first: int
    seq: int
    batch: Batch


@dataclass(slots=True)
class InFlight:
    """A delivery that waits for its acknowledgement."""

    number: int
    rows: int
    historical: bool
    handed: float
    entries: list[Entry] = field(default_factory=list)
    latest: PointColumn | None = None


class Feed:
    """Deliveries for one sink, on the event loop."""

    def __init__(self, sink: Sink, selection: Selection, image: Image, journal: Journal) -> None:
        self.name = sink.name
        self.changed = True
        self.ledger = Ledger()
        self.acknowledgement: float | None = None
        """Seconds from handing a delivery out to its being booked as delivered, smoothed over the
        last eight or so; None before the first. One measurement for each delivery."""
        self._sink = sink
        self._selection = selection
        self._every = selection.every
        self._takes_all = bool(selection.every.all())
        self._takes_any = bool(selection.every.any())
        self._keeps_latest = bool(selection.latest.any())
        self._latest = selection.latest.copy()
        self._image = image
        self._journal = journal
        self._loop = asyncio.get_running_loop()

        self._live: deque[Entry] = deque()
        self._past: deque[Entry] = deque()
        self._fetched: deque[Entry] = deque()
        self._undelivered = Ranges()
        self._reached = 0
        self._gaps = Ranges()
        self._gap_rows = 0
        self._memory_rows = 0
        self._in_flight: deque[InFlight] = deque()
        self._in_flight_rows = 0
        self._dirty = np.zeros(len(selection.latest), np.bool_)
        self._dirty_rows = 0

        self._number = 0
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._disconnected_at = self._loop.time()
        self._connected = False
        self._fetching: asyncio.Task[None] | None = None
        self._allowance = 0.0
        self._refilled = self._loop.time()
        self._alarm: asyncio.TimerHandle | None = None

    # Taking samples

    def push(self, seq: int | None, batch: Batch) -> None:
        """Take what this sink must have of a batch; `seq` is its number in the journal."""
        if seq is not None and self._takes_any:
            rows = batch if self._takes_all else batch.take(self._every[batch.point])
            if len(rows):
                self.ledger.taken += len(rows)
                self.changed = True
                first = self._reached + 1 if self._undelivered else seq
                self._reached = seq
                self._undelivered.add(first, seq)
                self._live.append(Entry(first, seq, rows))
                self._memory_rows += len(rows)
                if self._memory_rows > self._sink.window:
                    self._spill()
                self._wake.set()
        if self._keeps_latest:
            self._mark(batch.point[self._latest[batch.point]], taken=True)

    def _mark(self, points: PointColumn, *, taken: bool) -> None:
        if not len(points):
            return
        fresh = np.unique(points[~self._dirty[points]])
        self._dirty[fresh] = True
        self._dirty_rows += len(fresh)
        if taken:
            self.ledger.taken += len(points)
        self.ledger.coalesced += len(points) - len(fresh)
        self.changed = True
        self._wake.set()

    def watch(self, points: npt.NDArray[np.int32] | None) -> None:
        """Narrow the points whose latest value is delivered."""
        self._latest[:] = self._selection.latest
        if points is not None:
            self._latest[:] = False
            self._latest[points] = self._selection.latest[points]
        self._keeps_latest = bool(self._latest.any())
        left = self._dirty & ~self._latest
        count = int(np.count_nonzero(left))
        if count:
            self._dirty &= self._latest
            self._dirty_rows -= count
            self.ledger.dropped["unwatched"] += count
            self.changed = True

    def _spill(self) -> None:
        """Leave what is in memory to the journal, which keeps it in order."""
        for entries in (self._fetched, self._past, self._live):
            for entry in entries:
                self._memory_rows -= len(entry.batch)
                self._to_gap(entry)
            entries.clear()

    def _to_gap(self, entry: Entry) -> None:
        if self._journal.keeps(entry.seq):
            self._gaps.add(entry.first, entry.seq)
            self._gap_rows += len(entry.batch)
        else:
            self._undelivered.remove(entry.first, entry.seq)
            self.ledger.dropped["journal_full"] += len(entry.batch)
            self.changed = True

    # What the journal asks

    def holds(self, seq: int) -> bool:
        return seq in self._undelivered

    def rows_in(self, batch: Batch) -> int:
        return int(np.count_nonzero(self._mine(batch.point)))

    def undelivered(self) -> Ranges:
        """Return what must stay in the journal for this sink."""
        return self._undelivered

    def state(self) -> dict[str, Any]:
        return {
            "undelivered": list(self._undelivered),
            "latest": self._dirty_rows
            + sum(f.rows for f in self._in_flight if f.latest is not None),
            "rule": self._selection.rule,
            "ledger": self.ledger.to_dict(),
        }

    def lose(self, seq: int, points: PointColumn, reason: str) -> None:
        """Strike a batch that the journal sheds, unless it is in memory and can be delivered."""
        if seq in self._gaps:
            rows = int(np.count_nonzero(self._mine(points)))
            self._gaps.remove(seq, seq)
            self._undelivered.remove(seq, seq)
            self._gap_rows -= rows
            self.ledger.dropped[reason] += rows
            self.changed = True

    @property
    def waiting(self) -> int:
        """Samples that are still to be handed out."""
        return self._gap_rows + self._memory_rows + self._dirty_rows

    @property
    def held(self) -> int:
        """Samples that this feed holds, counted one by one; what `ledger.pending` must be."""
        return self.waiting + self._in_flight_rows

    async def oldest(self) -> int | None:
        """Return when the journal took the oldest sample that waits (ns), or its own time where
        only the latest is kept; None where nothing waits, or it is not known any more.
        """
        found: list[int] = []
        first = next(iter(self._undelivered), None)
        if first is not None:
            taken = await self._journal.taken(first[0])
            found += [] if taken is None else [taken]
        if self._dirty_rows:
            times = self._image.time[self._dirty]
            found += [int(times[times > 0].min())] if (times > 0).any() else []
        return min(found, default=None)

    async def restore(self, state: dict[str, Any] | None) -> None:
        """Go on from the state that an earlier run left, and settle the ledger with the journal."""
        if state is None:
            return
        self.ledger = Ledger.from_dict(state["ledger"])
        # A latest value that was not delivered is replaced by the first one of this run.
        self.ledger.coalesced += state["latest"]
        if state.get("not_stored"):
            self.ledger.dropped["not_stored"] += state["not_stored"]
        for first, last in state["undelivered"]:
            position = first
            while self._journal.readable(position, last):
                for seq, batch in await self._journal.read(position, last, MAX_ROWS):
                    rows = self.rows_in(batch)
                    if rows:
                        self._gaps.add(first, seq)
                        self._gap_rows += rows
                        first = seq + 1
                    position = seq + 1
        self._undelivered = Ranges(self._gaps)
        self._reached = self._journal.head
        missing = self.ledger.pending - self.held
        if not missing:
            return
        if state["rule"] == self._selection.rule:
            log.error(
                "%s: the ledger says %d samples are undelivered, the journal has %d",
                self.name,
                self.ledger.pending,
                self.held,
            )
        if missing > 0:
            self.ledger.dropped["deselected"] += missing
        else:
            self.ledger.taken -= missing

    def _mine(self, points: PointColumn) -> Mask:
        """Mask what this sink must have; an id beyond the table is of a point that is no more."""
        known = points < len(self._every)
        return known & self._every[np.where(known, points, 0)]

    # Handing out

    def connect(self) -> None:
        """Begin a connection: what was not acknowledged is to be delivered again."""
        flights, self._in_flight = self._in_flight, deque()
        self._in_flight_rows = 0
        historical: list[Entry] = []
        live: list[Entry] = []
        for flight in flights:
            if flight.latest is not None:
                self._mark(flight.latest, taken=False)
            else:
                (historical if flight.historical else live).extend(flight.entries)
                self._memory_rows += flight.rows
        self._fetched.extendleft(reversed(historical))
        self._live.extendleft(reversed(live))
        outage = self._loop.time() - self._disconnected_at > OUTAGE
        told = self._sink.image_first and self._history_waits()
        if not self._connected and (outage or told or not self._sink.live_first):
            if self._gaps or self._fetched:
                self._spill()
            self._past.extend(self._live)
            self._live.clear()
        self._connected = True
        self._number = 0
        self._wake.set()

    def disconnect(self) -> None:
        """End a connection; called by the host when `run` is over."""
        if self._connected:
            self._connected = False
            self._disconnected_at = self._loop.time()

    def close(self) -> None:
        for handle in (self._fetching, self._alarm):
            if handle is not None:
                handle.cancel()

    async def next(self) -> Delivery:
        """Wait for the next delivery."""
        while True:
            delivery = self._take()
            if delivery is not None:
                return delivery
            self._wake.clear()
            await self._wake.wait()

    def delivered(self, number: int, coalesced: int = 0, shed: int = 0) -> None:
        """Book every delivery up to `number` as acknowledged, but for what never got there."""
        now = self._loop.time()
        while self._in_flight and self._in_flight[0].number <= number:
            flight = self._in_flight.popleft()
            self._in_flight_rows -= flight.rows
            took = now - flight.handed
            known = took if self.acknowledgement is None else self.acknowledgement
            self.acknowledgement = known + SMOOTHING * (took - known)
            for entry in flight.entries:
                self._undelivered.remove(entry.first, entry.seq)
            self.ledger.delivered += flight.rows
            self.changed = True
        if coalesced or shed:
            self.ledger.correct(coalesced, shed)
            self.changed = True
        if self.changed:
            self._journal.want_commit()
            self._wake.set()
        if not self.held:
            self._empty.set()

    async def drained(self) -> None:
        """Wait until nothing is left to deliver."""
        while self.held:
            self._empty.clear()
            await self._empty.wait()

    def _take(self) -> Delivery | None:
        if self._in_flight_rows >= self._sink.window or len(self._in_flight) >= MAX_IN_FLIGHT:
            return None
        if not self._sink.live_first and self._history_waits():
            return self._take_history() or self._take_latest()
        return self._take_live() or self._take_latest() or self._take_history()

    def _take_live(self) -> Delivery | None:
        return self._hand_out(self._live, MAX_ROWS, historical=False) if self._live else None

    def _take_latest(self) -> Delivery | None:
        if not self._dirty_rows:
            return None
        points = np.flatnonzero(self._dirty).astype(np.int32)[:MAX_ROWS]
        self._dirty[points] = False
        self._dirty_rows -= len(points)
        image = self._image
        batch = Batch(points, image.value[points], image.quality[points], image.time[points])
        self._number += 1
        handed = self._loop.time()
        self._in_flight.append(InFlight(self._number, len(points), False, handed, latest=points))
        self._in_flight_rows += len(points)
        return Delivery(self._number, batch)

    def _history_waits(self) -> bool:
        return bool(self._fetched or self._gaps or self._past or self._fetching)

    def _take_history(self) -> Delivery | None:
        if not self._history_waits():
            return None
        most = MAX_ROWS
        if self._sink.live_first:
            most = self._history_allowance()
            if not most:
                return None
        if not self._fetched and self._gaps:
            self._fetch()
            return None
        source = self._fetched or self._past
        if not source:
            return None
        delivery = self._hand_out(source, most, historical=True)
        self._allowance -= len(delivery.batch)
        return delivery

    def _history_allowance(self) -> int:
        """Return how many samples of history may go out now; 0 sets an alarm for when some may."""
        now = self._loop.time()
        rate = self._sink.history_rate
        self._allowance = min(
            self._allowance + (now - self._refilled) * rate, max(1.0, rate * HISTORY_SLICE)
        )
        self._refilled = now
        if self._allowance >= 1.0:
            return int(self._allowance)
        if self._alarm is None:
            wait = (1.0 - self._allowance) / rate + HISTORY_SLICE / 2
            self._alarm = self._loop.call_later(wait, self._ring)
        return 0

    def _ring(self) -> None:
        self._alarm = None
        self._wake.set()

    def _hand_out(self, source: deque[Entry], most: int, *, historical: bool) -> Delivery:
        entries = [source.popleft()]
        rows = len(entries[0].batch)
        most = min(most, self._sink.portion)
        while source and rows + len(source[0].batch) <= most:
            rows += len(source[0].batch)
            entries.append(source.popleft())
        self._number += 1
        handed = self._loop.time()
        self._in_flight.append(InFlight(self._number, rows, historical, handed, entries))
        self._in_flight_rows += rows
        self._memory_rows -= rows
        batch = Batch.concat(entry.batch for entry in entries) if rows else EMPTY
        return Delivery(self._number, batch, historical)

    # Reading back

    def _fetch(self) -> None:
        if self._fetching is None:
            self._fetching = self._loop.create_task(self._read_gap(), name=f"{self.name} history")

    async def _read_gap(self) -> None:
        first, last = next(iter(self._gaps))
        try:
            found = await self._journal.read(first, last, MAX_ROWS)
            for seq, batch in found:
                rows = batch.take(self._mine(batch.point))
                if seq in self._gaps and len(rows):
                    self._gaps.remove(first, seq)
                    self._gap_rows -= len(rows)
                    self._memory_rows += len(rows)
                    self._fetched.append(Entry(first, seq, rows))
                    first = seq + 1
            if found and not self._fetched:
                self._lose_gap(first, found[-1][0], "unreadable")
            elif not found and not self._journal.keeps(last):
                self._lose_gap(first, last, "unreadable")
            if not found:
                await self._journal.settled()
        except (sqlite3.Error, OSError, ValueError) as error:
            log.error("%s: history from %d to %d is unreadable: %s", self.name, first, last, error)
            self._lose_gap(first, last, "unreadable")
        finally:
            self._fetching = None
            self._wake.set()

    def _lose_gap(self, first: int, last: int, reason: str) -> None:
        self._gaps.remove(first, last)
        self._undelivered.remove(first, last)
        if not self._gaps:
            self.ledger.dropped[reason] += self._gap_rows
            self._gap_rows = 0
            self.changed = True
