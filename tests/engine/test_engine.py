"""The gateway as its links see it: image, stale quality, health, custody, restart, stop."""

from __future__ import annotations

import asyncio
import contextlib
import math
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from gateway import (
    STALE,
    GatewayError,
    Keep,
    KeepRule,
    Quality,
    Sink,
    SinkContext,
    Source,
    SourceContext,
)
from gateway.engine import Engine
from gateway.engine.local import ask
from gateway.journal.store import StoreError
from gateway.model.configuration import JournalSettings
from gateway.testing import Collector, Emitter, PausedClock, configured, paused, running

POINTS = """\
name,kind,unit,scale,offset,low,high,deadband,field.at
bay.u,analog,V,2,10,0,500,1,x
bay.i,analog,A,,,,,,x
bay.breaker,status,,,,,,,x
bay.energy,counter,kWh,,,,,,x
"""


def links(**options: object) -> tuple[Emitter, Collector]:
    return Emitter(name="field"), Collector.model_validate({"name": "out", **options})


async def test_samples_arrive_scaled_and_judged(tmp_path: Path) -> None:
    """raw 100 × 2 + 10 is 210 V; 300 is 610 V and beyond 500 V; 0.4 V is within the deadband."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [100], time=5)
        await emitter.emit(["bay.u"], [100.2], time=6)
        await emitter.emit(["bay.u"], [300], time=7)
        await gateway.until(lambda: len(out.rows()) == 2)

    assert [(row.value, row.quality) for row in out.rows()] == [
        (210.0, Quality.GOOD),
        (610.0, Quality.QUESTIONABLE | Quality.OUT_OF_RANGE),
    ]
    assert [row.time for row in out.rows()] == [5, 7]


async def test_events_are_all_taken(tmp_path: Path) -> None:
    """`every` takes a repeated value too: two pulses of a breaker are two events."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.breaker"] * 3, [1, 1, 1], time=[1, 2, 3], every=True)
        await emitter.emit(["bay.breaker"], [1], time=[4])
        await gateway.until(lambda: len(out.rows()) == 3)

    assert [row.time for row in out.rows()] == [1, 2, 3]


async def test_what_waits_for_room_keeps_its_order(tmp_path: Path) -> None:
    """An emit that comes in the moment in which there is room again does not pass those before."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("field") == "up")
        room = gateway.engine.journal._room
        room.clear()
        first = asyncio.create_task(emitter.emit(["bay.breaker"], [1], time=1, every=True))
        await asyncio.sleep(0)
        second = asyncio.create_task(emitter.emit(["bay.breaker"], [0], time=2, every=True))
        room.set()
        await asyncio.gather(first, second)
        await gateway.until(lambda: len(out.rows()) == 2)

    assert [row.time for row in out.rows()] == [1, 2]


@pytest.mark.parametrize("keep", ["every", "latest"])
async def test_a_sink_knows_what_is_still_to_come(tmp_path: Path, keep: str) -> None:
    """What the image shows is counted as waiting until the sink has taken it."""
    emitter, out = links(keep=keep, select=["bay.*"])
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        ctx = await out.context()
        await gateway.until(lambda: gateway.state("field") == "up")
        emitting = asyncio.create_task(emitter.emit(["bay.breaker"], [1], time=1))
        async with asyncio.timeout(10):
            # Turn by turn: it is on its way to the sink for two milliseconds.
            while gateway.sample("bay.breaker").value != 1:
                await asyncio.sleep(0)
        before = ctx.waiting(), len(out.rows())
        await emitting
        await gateway.until(lambda: out.rows())

        assert before == (1, 0)
        assert ctx.waiting() == 0


async def test_device_time_is_kept_and_receipt_time_given(tmp_path: Path) -> None:
    """A time of the device stays; a row without one gets the time of receipt, and says which."""
    emitter, out = links()
    clock = UnsynchronisedClock()
    async with running([emitter], [out], POINTS, data=tmp_path, clock=clock) as gateway:
        await gateway.until(lambda: gateway.sample("_health.gateway.clock_synchronised").time)
        await emitter.emit(["bay.i", "bay.breaker"], [1, 1], [0, Quality.DEVICE_TIME], [0, 123])
        await gateway.until(lambda: len(out.rows()) == 2)

    received, stamped = out.rows()
    assert received.time == clock.now()
    assert received.quality == Quality.CLOCK_NOT_SYNCHRONISED
    assert (stamped.time, stamped.quality) == (123, Quality.DEVICE_TIME)


class UnsynchronisedClock(PausedClock):
    """A clock at a fixed time that nobody disciplines."""

    def now(self) -> int:
        return 1_700_000_000 * 10**9

    def synchronised(self) -> bool:
        return False


async def test_a_lost_link_makes_its_points_stale_and_the_first_value_is_news(
    tmp_path: Path,
) -> None:
    """The value stays and is marked invalid, oldData; the same value is news afterwards."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.i"], [7])
        emitter.lose()
        await gateway.until(lambda: gateway.state("field") == "down")
        assert gateway.sample("bay.i")[1:3] == (7.0, STALE)
        assert math.isnan(gateway.sample("bay.u").value)
        await gateway.until(lambda: gateway.state("field") == "up")
        await emitter.emit(["bay.i"], [7])
        await gateway.until(lambda: len(out.rows("bay.i")) == 3)
        health = [row.value for row in out.rows("_health.field.up")]

    assert [(row.value, row.quality) for row in out.rows("bay.i")] == [
        (7.0, Quality.GOOD),
        (7.0, STALE),
        (7.0, Quality.GOOD),
    ]
    assert health == [1.0, 0.0, 1.0]


async def test_a_part_of_a_link_may_fail(tmp_path: Path) -> None:
    """`stale` marks the points that are named, and no others."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.i", "bay.u"], [7, 100])
        await emitter.stale(["bay.u"], Quality.INVALID | Quality.BAD_REFERENCE)
        await gateway.until(lambda: len(out.rows()) == 3)

        assert gateway.sample("bay.u").quality == Quality.INVALID | Quality.BAD_REFERENCE
        assert gateway.sample("bay.i").quality == Quality.GOOD


async def test_nobody_emits_for_others(tmp_path: Path) -> None:
    """A source that emits a point of another one, or none at all, is told so."""
    emitter, other = Emitter(name="field"), Emitter(name="other")
    points = "name,field.at,other.at\na,x,\nb,,x\n"
    async with running([emitter, other], [], points, data=tmp_path) as gateway:
        ctx = await emitter.context()
        for number in (gateway.engine.id("b"), -1, 10_000):
            from gateway import Batch

            with pytest.raises(GatewayError, match="only its own points"):
                await ctx.emit(Batch.of([number], [1]))


async def test_the_latest_is_kept_where_a_sink_wants_no_more(tmp_path: Path) -> None:
    """A sink that comes late gets one value per point; the ledger counts the ones replaced."""
    emitter, _ = links()
    late = Late(name="late", keep=KeepRule.all(Keep.LATEST), select=("bay.*",))
    async with running([emitter], [late], POINTS, data=tmp_path) as gateway:
        for value in range(10):
            await emitter.emit(["bay.i", "bay.energy"], [value, value])
            gateway.engine.intake.flush()
        late.open.set()
        await gateway.until(lambda: gateway.ledger("late").delivered == 2)
        ledger = gateway.ledger("late")

    assert (ledger.taken, ledger.delivered, ledger.coalesced) == (20, 2, 18)
    assert late.seen == [[9.0, 9.0]]


class Late(Sink):
    """A sink that takes its time, and then delivers all at once."""

    type: str = "testing.late"
    open: asyncio.Event = None  # type: ignore[assignment]
    seen: list[list[float]] = []  # noqa: RUF012 - pydantic copies it
    model_config = {"arbitrary_types_allowed": True}  # noqa: RUF012

    def model_post_init(self, _: object) -> None:
        object.__setattr__(self, "open", asyncio.Event())

    async def run(self, ctx: SinkContext) -> None:
        await self.open.wait()
        ctx.up()
        async for delivery in ctx.batches():
            self.seen.append(delivery.batch.value.tolist())
            ctx.delivered(delivery.seq)


async def test_ids_and_backlog_outlive_a_restart_and_a_changed_point_list(tmp_path: Path) -> None:
    """Yesterday's rows go to the same names after points were added before and between them."""
    emitter, out = links(acknowledges=False)
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.i", "bay.energy"], [1, 2])
        await gateway.until(lambda: len(out.rows()) == 2)
        ids = {name: gateway.engine.id(name) for name in ("bay.i", "bay.energy")}
        await gateway.crash()

    lines = POINTS.splitlines()
    changed = "\n".join([lines[0], "bay.new,analog,,,,,,,x", *lines[2:], "zzz,analog,,,,,,,x"])
    emitter, out = links()
    async with running([emitter], [out], changed, data=tmp_path) as gateway:
        await gateway.until(lambda: len(out.rows("bay.i")) >= 1 and not gateway.held("out"))
        again = {name: gateway.engine.id(name) for name in ids}
        ledger = gateway.ledger("out")

    assert ids == again
    assert (out.rows("bay.i")[0].value, out.rows("bay.energy")[0].value) == (1.0, 2.0)
    assert out.deliveries[0].historical or any(d.historical for d in out.deliveries)
    # bay.u is no more: its undelivered stale mark is given up, and counted.
    assert ledger.pending == 0
    assert set(ledger.dropped) <= {"deselected"}


async def test_rows_of_points_that_are_no_more_are_shed_and_counted(tmp_path: Path) -> None:
    """A journal may hold ids beyond those of today's points, and give them up all the same."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path):
        await emitter.context()
    more = POINTS + "later,analog,A,,,,,,x\n"
    emitter, out = links(acknowledges=False)
    async with running([emitter], [out], more, data=tmp_path) as gateway:
        await emitter.emit(["later", "bay.i"], [1, 2])
        beyond = gateway.engine.id("later")
        await gateway.crash()
    emitter = Emitter(name="field")
    idle = Late(name="out")
    bound = JournalSettings(max_size=1)
    async with running([emitter], [idle], POINTS, data=tmp_path, journal=bound) as gateway:
        assert beyond >= len(gateway.engine.names)
        await gateway.until(lambda: gateway.ledger("out").dropped["journal_full"])
        ledger = gateway.ledger("out")
        assert ledger.pending == gateway.held("out")

    assert ledger.dropped["deselected"] == 1


async def test_a_sink_that_is_removed_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a removed sink had not delivered is counted in the log, and no longer kept."""
    emitter, out = links(acknowledges=False)
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.i"], [1])
        await gateway.crash()
    emitter, _ = links()
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("field") == "up")

    assert "sink out is no longer configured" in caplog.text


async def test_stop_lets_sinks_deliver(tmp_path: Path) -> None:
    """SIGTERM drains: what was emitted just before the stop is delivered."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.context()
        emission = asyncio.create_task(emitter.emit(["bay.i"], [42]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await gateway.stop()
        await emission

    assert [row.value for row in out.rows()] == [42.0]
    assert gateway.ledger("out").pending == 0
    assert gateway.state("out") == "stopped"


class Stubborn(Source):
    """A source that does not care to be cancelled, not once and not twice."""

    type: Literal["testing.stubborn"] = "testing.stubborn"

    async def run(self, ctx: SourceContext) -> None:
        ctx.up()
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        await asyncio.Event().wait()


@paused
async def test_a_link_that_does_not_end_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After its time it is left behind, by name, and the others deliver and end."""
    emitter, out = links()
    sources = [emitter, Stubborn(name="stubborn")]
    async with running(sources, [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.i"], [1])
        await asyncio.wait_for(gateway.stop(), 60)

    assert "stubborn did not end within 5 s" in caplog.text
    assert gateway.ledger("out").pending == 0
    assert gateway.state("out") == "stopped"


async def test_the_gateway_reports_itself(tmp_path: Path) -> None:
    """Whoever asks at the socket in the data folder gets links, ledgers and journal."""
    deep = tmp_path / ("a" * 90) / ("b" * 90)
    emitter, out = links()
    deep.mkdir(parents=True)
    async with running([emitter], [out], POINTS, data=deep) as gateway:
        await gateway.until(lambda: gateway.state("out") == "up")
        await gateway.until(lambda: (deep / "gateway.sock").exists())
        report = await ask(deep)

    assert report["links"]["field"]["state"] == "up"
    assert report["points"] == 4
    ledger = report["ledgers"]["out"]
    assert ledger["taken"] == ledger["delivered"] + ledger["pending"]
    assert not (deep / "gateway.sock").exists()
    with pytest.raises(OSError, match="No such file"):
        await ask(deep)


async def test_a_data_folder_in_use_is_refused(tmp_path: Path) -> None:
    """A second gateway on the same data ends with a sentence before any link begins."""
    emitter, out = links()
    async with running([emitter], [out], POINTS, data=tmp_path):
        second = Engine(configured([Emitter(name="field")], [], POINTS, tmp_path))
        with pytest.raises(StoreError, match="in use by another gateway"):
            await second.run(asyncio.Event())


@paused
async def test_ticks_are_whole_multiples_of_the_period(tmp_path: Path) -> None:
    """Every 15 s with an offset of 2 s is :02, :17, :32 …; a slow caller's ticks are counted."""
    emitter, _ = links()
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        ctx = await emitter.context()
        ticks = []
        async for tick in ctx.every(15.0, 2.0):
            ticks.append(tick)
            if len(ticks) == 2:
                await asyncio.sleep(40)
            if len(ticks) == 4:
                break
        counted = gateway.counters("field")["missed_ticks"]

    assert [tick % (15 * 10**9) for tick in ticks] == [2 * 10**9] * 4
    assert [b - a for a, b in pairwise(ticks)] == [
        15 * 10**9,
        # 40 s later two ticks have passed: the next one is the third.
        45 * 10**9,
        15 * 10**9,
    ]
    assert counted == 2


class Frugal(Collector):
    """A consumer that acknowledges little at a time."""

    portion = 5


@paused
async def test_a_sink_may_want_small_deliveries(tmp_path: Path) -> None:
    """What gathered while its consumer was away comes in portions, and all of it."""
    field, out = Emitter(name="field"), Frugal(name="out", select=("bay.*",))
    async with running([field], [out], "name,field.at\nbay.i,1\n", data=tmp_path) as gateway:
        await out.context()
        out.lose()
        for value in range(12):
            await field.emit(["bay.i"], [float(value)])
        await gateway.until(lambda: len(out.rows("bay")) == 12)
    sizes = [len(one.batch) for one in out.deliveries]
    assert max(sizes) <= 5
    assert [row.value for row in out.rows("bay")] == [float(value) for value in range(12)]
