"""Feeds: what is taken is delivered in order, once acknowledged gone, and always accounted for.

The machine below plays a gateway's day at random: samples come, deliveries are handed out,
acknowledged or not, connections break for a moment or for long, the process is killed between any
two steps.
What it expects it keeps in plain lists of its own.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.engine.feed import Feed
from gateway.engine.selection import Selection
from gateway.journal.journal import Journal
from gateway.journal.store import Store
from gateway.model.batch import Batch
from gateway.model.configuration import JournalSettings
from gateway.model.context import Delivery, Image
from gateway.model.link import Sink
from gateway.model.point import Definition, Kind
from gateway.testing import advance, paused

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where there is memory to be had as a folder: nothing here is about the disk's own speed."""
POINTS = [Definition("a"), Definition("b"), Definition("s", Kind.STATUS)]


class Shifted(asyncio.SelectorEventLoop):
    """A loop whose clock a test can put forward."""

    shift = 0.0

    def time(self) -> float:
        return super().time() + self.shift


class Day:
    """One sink's feed on a real journal, and what should have become of every sample."""

    def __init__(self, folder: Path, sink: Sink, seed: int, **bounds: Any) -> None:
        self.path = folder / "journal.db"
        self.sink = sink
        self.chance = random.Random(seed)
        self.unacknowledged: list[Delivery] = []
        self.bounds = JournalSettings(**bounds)
        self.now = 10**18
        self.count = 0
        self.safe: list[tuple[int, float]] = []
        self.received: list[tuple[bool, int, float]] = []

    async def open(self) -> None:
        store = Store(self.path)
        size = len(POINTS)
        self.image = Image(np.full(size, np.nan), np.zeros(size, np.uint16), np.zeros(size, "i8"))
        self.journal = Journal(store, self.bounds, lambda: self.now)
        self.feed = Feed(self.sink, Selection.of(self.sink, POINTS), self.image, self.journal)
        await self.feed.restore(store.sinks().get(self.sink.name))
        self.journal.register(self.feed)
        self.at_risk: list[tuple[int, float]] = []
        self.connected = False

    def take(self, point: int, rows: int) -> None:
        values = [float(self.count + i) for i in range(rows)]
        self.count += rows
        batch = Batch.of([point] * rows, values, 0, self.now)
        self.image.value[point] = values[-1]
        self.feed.push(self.journal.append(batch), batch)
        self.at_risk += [(point, value) for value in values]

    async def commit(self) -> None:
        assert await self.journal.commit()
        self.safe += self.at_risk
        self.at_risk = []

    def connect(self) -> None:
        self.feed.connect()
        self.connected = True

    def disconnect(self) -> None:
        self.feed.disconnect()
        self.part()

    async def deliver(self) -> bool:
        """Take what can be handed out now, waiting for nothing but the disk."""
        if not self.connected:
            return False
        delivery = self.feed._take()
        if delivery is None and self.feed._fetching is not None:
            await asyncio.wait([self.feed._fetching], timeout=0.02)
            delivery = self.feed._take()
        if delivery is None:
            return False
        self.unacknowledged.append(delivery)
        return True

    def acknowledge(self) -> None:
        if self.connected and self.unacknowledged:
            delivery = self.unacknowledged.pop(0)
            self.arrive(delivery)
            self.feed.delivered(delivery.seq)

    def arrive(self, delivery: Delivery) -> None:
        batch = delivery.batch
        self.received += [
            (delivery.historical, point, value)
            for point, value in zip(batch.point.tolist(), batch.value.tolist(), strict=True)
        ]

    def part(self) -> None:
        """Break: some of what was on its way arrives, its acknowledgement does not."""
        for delivery in self.unacknowledged[: self.chance.randint(0, len(self.unacknowledged))]:
            self.arrive(delivery)
        self.unacknowledged = []
        self.connected = False

    def balanced(self) -> bool:
        return self.feed.ledger.pending == self.feed.held

    async def kill(self) -> None:
        """End as SIGKILL would: nothing more is written, what was not committed never was."""
        self.part()
        self.feed.close()
        self.journal._writing.shutdown()
        self.journal._reading.shutdown()
        self.journal._reader.close()
        self.journal._store.close()
        self.at_risk = []
        await self.open()


STEPS = (
    *(["take"] * 6 + ["commit"] * 3 + ["deliver"] * 5 + ["acknowledge"] * 4),
    *(["connect"] * 2 + ["disconnect"] + ["wait"] + ["kill"]),
)


async def play(day: Day) -> None:
    chance = day.chance
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Shifted)
    await day.open()
    for _ in range(400):
        what = chance.choice(STEPS)
        if what == "take":
            day.take(chance.randrange(3), chance.randint(1, 5))
        elif what == "commit":
            await day.commit()
        elif what == "deliver":
            await day.deliver()
        elif what == "kill" and chance.random() < 0.3:
            await day.kill()
        elif what == "wait":
            loop.shift += 3.0
        elif what == "acknowledge":
            day.acknowledge()
        elif what == "connect" and not day.connected:
            day.connect()
        elif what == "disconnect" and day.connected:
            day.disconnect()
        assert day.balanced(), (what, day.feed.ledger, day.feed.held)
    await day.commit()
    if not day.connected:
        day.connect()
    while day.feed.held:
        loop.shift += 1.0
        if not await day.deliver():
            day.acknowledge()
            await asyncio.sleep(0)


def first_arrivals(day: Day) -> dict[tuple[bool, int], list[float]]:
    """Return by stream and point the values in their order, each where it came first.

    A repetition after a lost acknowledgement is no news, whichever stream it comes in.
    """
    seen: set[float] = set()
    streams: dict[tuple[bool, int], list[float]] = defaultdict(list)
    for historical, point, value in day.received:
        if value not in seen:
            seen.add(value)
            streams[historical, point].append(value)
    return streams


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("live_first", [True, False])
@pytest.mark.parametrize("window", [6, 40, 10_000])
def test_nothing_that_is_in_custody_is_lost(
    live_first: bool, window: int, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever happens: all that was committed arrives, in order, and the ledger balances."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        sink = Sink(name="s", type="t", window=window, live_first=live_first, history_rate=1000)
        day = Day(Path(folder), sink, seed)
        with asyncio.Runner(loop_factory=Shifted) as runner:
            runner.run(play(day))
            ledger = day.feed.ledger
            runner.run(day.journal.close())

    arrived = {(point, value) for _, point, value in day.received}
    assert set(day.safe) <= arrived
    assert ledger.pending == 0
    assert ledger.taken == ledger.delivered
    assert not ledger.dropped
    assert "the ledger says" not in caplog.text
    for order in first_arrivals(day).values():
        assert order == sorted(order)
    if not live_first:
        # One stream: what is older comes first, whatever broke in between.
        for point in range(3):
            values = [value for _, p, value in day.received if p == point]
            firsts = list(dict.fromkeys(values))
            assert firsts == sorted(firsts)


class Telling(Sink):
    """A sink whose connections begin with the image."""

    image_first = True


@pytest.mark.parametrize("kind", [Sink, Telling])
def test_what_waited_for_the_image_stays_behind_older_history(kind: type[Sink]) -> None:
    """After a restart with history, a sample from before the connection is history or live."""

    async def day() -> list[tuple[bool, int, float]]:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            one = Day(Path(folder), kind(name="s", type="t", history_rate=1000), 0)
            await one.open()
            one.take(0, 1)
            await one.commit()
            await one.kill()
            one.take(0, 1)
            await one.commit()
            one.connect()
            one.take(0, 1)
            while one.feed.held:
                if not await one.deliver():
                    one.acknowledge()
                    await asyncio.sleep(0)
            await one.journal.close()
            return one.received

    before, waited, fresh = 0.0, 1.0, 2.0
    if kind is Telling:
        expected = [(False, 0, fresh), (True, 0, before), (True, 0, waited)]
    else:
        expected = [(False, 0, waited), (False, 0, fresh), (True, 0, before)]
    assert expected == asyncio.run(day())


@paused
async def test_acknowledgements_are_timed_once_for_each_delivery(tmp_path: Path) -> None:
    """4 s, then 12 s: 4 + (12 - 4) / 8 = 5 s, the weight that RFC 6298 gives a round trip.

    What was lost with its connection is timed from when it is handed out again: 5 + (13 - 5) / 8.
    """
    day = Day(tmp_path, Sink(name="s", type="t"), 0)
    await day.open()
    day.connect()
    assert day.feed.acknowledgement is None
    for took, smoothed in ((4.0, 4.0), (12.0, 5.0)):
        day.take(0, 3)
        assert await day.deliver()
        advance(took)
        day.acknowledge()
        assert day.feed.acknowledgement == pytest.approx(smoothed)
    day.take(0, 1)
    assert await day.deliver()
    advance(100.0)
    day.disconnect()
    day.connect()
    assert await day.deliver()
    advance(13.0)
    day.acknowledge()
    assert day.feed.acknowledgement == pytest.approx(6.0)
    await day.journal.close()
