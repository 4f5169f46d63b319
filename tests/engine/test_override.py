"""An operator's hand on a point: what is shown, to whom, and what becomes of the device's word.

The qualities are those of IEC 61850-7-3 clause 6.2.1, worked out from its packed list:
validity bits 0-1, oldData 7, source (substituted) 10, test 11, operatorBlocked 12.
"""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from gateway import Answer, CommandStatus, Field, Keep, KeepRule, Override, Quality
from gateway.engine.override_file import NAME
from gateway.testing import Collector, Emitter, PausedClock, Running, paused, running

POINTS = """\
name,kind,unit,low,high,field.at
bay.u,analog,V,0,500,x
bay.breaker,status,,,,x
bay.isolator,double,,,,x
bay.energy,counter,kWh,,,x
"""

GOOD, INVALID, QUESTIONABLE = 0, 1, 3
OLD_DATA, SUBSTITUTED, TEST, BLOCKED = 1 << 7, 1 << 10, 1 << 11, 1 << 12
FROZEN = BLOCKED | OLD_DATA
STALE = INVALID | OLD_DATA


async def act(
    gateway: Running, action: str, name: str = "bay.u", value: float | None = None
) -> Answer:
    engine = gateway.engine
    return await engine.overrides.apply(engine.id(name), Override(action), value)


def shown(gateway: Running, name: str = "bay.u") -> tuple[float, int]:
    row = gateway.sample(name)
    return row.value, int(row.quality)


def heard(out: Collector, name: str = "bay.u") -> list[tuple[float, int]]:
    return [(row.value, int(row.quality)) for row in out.rows(name)]


@paused
async def test_every_sink_hears_of_a_hand_on_a_point(tmp_path: Path) -> None:
    """Whatever it keeps, and with the time of the action."""
    emitter = Emitter(name="field")
    every = Collector(name="every")
    latest = Collector(name="latest", keep=KeepRule.all(Keep.LATEST))
    async with running([emitter], [every, latest], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230], Quality.DEVICE_TIME, 5)
        await gateway.until(lambda: latest.rows("bay.u"))
        await asyncio.sleep(60)
        began = PausedClock().now()
        assert await act(gateway, "block")
        await gateway.until(lambda: every.rows("bay.u")[1:] and latest.rows("bay.u")[1:])
        for out in (every, latest):
            last = out.rows("bay.u")[-1]
            assert (last.value, last.quality) == (230, FROZEN)
            assert 0 <= last.time - began < 10**9
        await gateway.until(lambda: gateway.held("every") == 0)
        assert gateway.ledger("every").taken == gateway.ledger("every").delivered


@paused
@pytest.mark.parametrize(
    ("arrived", "quality"),
    [
        (GOOD, FROZEN),
        (QUESTIONABLE | 1 << 9, QUESTIONABLE | 1 << 9 | FROZEN),
        (INVALID | 1 << 6, INVALID | 1 << 6 | FROZEN),
    ],
)
async def test_a_blocked_point_is_frozen(tmp_path: Path, arrived: int, quality: int) -> None:
    """The value is what was acquired before, its validity as it was; commands are to be refused."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230], arrived)
        assert await act(gateway, "block")
        await emitter.emit(["bay.u", "bay.breaker"], [231, 1])
        await emitter.emit(["bay.u"], [232], every=True)
        await emitter.stale(["bay.u"])
        await gateway.until(lambda: out.rows("bay.breaker"))
        assert shown(gateway) == (230, quality)
        assert heard(out) == [(230, arrived), (230, quality)]
        point = gateway.engine.id("bay.u")
        assert gateway.engine.overrides.blocked(point)
        assert not gateway.engine.overrides.substituted(point)
        await gateway.until(lambda: gateway.counters("field").get("withheld") == 3)


@paused
async def test_a_manual_value_is_shown_until_it_is_released(tmp_path: Path) -> None:
    """Good and substituted; then the device's own last sample is shown at once."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230])
        assert await act(gateway, "substitute", value=225.5)
        await emitter.emit(["bay.u"], [225.5])
        await emitter.emit(["bay.u"], [231], QUESTIONABLE)
        assert await act(gateway, "substitute", value=226)
        assert gateway.engine.overrides.substituted(gateway.engine.id("bay.u"))
        assert shown(gateway) == (226, SUBSTITUTED)
        assert await act(gateway, "release")
        assert shown(gateway) == (231, QUESTIONABLE)
        await emitter.emit(["bay.u"], [231], QUESTIONABLE)
        await emitter.emit(["bay.u"], [231])
        await gateway.until(lambda: len(out.rows("bay.u")) == 5)
    assert heard(out) == [
        (230, GOOD),
        (225.5, SUBSTITUTED),
        (226, SUBSTITUTED),
        (231, QUESTIONABLE),
        (231, GOOD),
    ]
    times = [row.time for row in out.rows("bay.u")]
    assert times == sorted(times), "a historian's last row is the last by time, too"


@paused
async def test_a_polled_block_has_only_the_free_points_taken(tmp_path: Path) -> None:
    """What is withheld is not taken, and no ledger has it."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        ctx = await emitter.context()
        names = ["bay.u", "bay.energy"]
        ids = {point.name: point.id for point in ctx.points}
        plan = ctx.plan([Field(ids[name], 2 * i, "uint16") for i, name in enumerate(names)])
        assert await ctx.emit_raw(plan, b"\x00\xe6\x00\x01") == 2
        assert await act(gateway, "block")
        assert await ctx.emit_raw(plan, b"\x00\xe6\x00\x01") == 0
        assert await ctx.emit_raw(plan, b"\x00\xe7\x00\x02") == 1
        await gateway.until(lambda: len(out.rows("bay")) == 4)
        assert heard(out) == [(230, GOOD), (230, FROZEN)]
        assert heard(out, "bay.energy") == [(1, GOOD), (2, GOOD)]
        assert gateway.engine.overrides.withheld() == {"field": 1}
        assert await act(gateway, "release")
        assert shown(gateway) == (231, GOOD)


@paused
async def test_a_lost_source_does_not_disturb_a_held_point(tmp_path: Path) -> None:
    """Until it is released: then it is as stale as its source is lost."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u", "bay.breaker"], [230, 1])
        assert await act(gateway, "substitute", value=225)
        emitter.lose()
        await gateway.until(lambda: gateway.state("field") == "down")
        assert shown(gateway, "bay.breaker") == (1, STALE)
        assert shown(gateway) == (225, SUBSTITUTED)
        assert await act(gateway, "release")
        assert shown(gateway) == (230, STALE)
        await gateway.until(lambda: gateway.state("field") == "up")
        await emitter.emit(["bay.u"], [230])
        assert shown(gateway) == (230, GOOD)


@paused
@pytest.mark.parametrize("order", [("block", "substitute"), ("substitute", "block")])
async def test_a_point_may_be_blocked_and_substituted(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    """In either order: the manual value, both bits, no command; one release ends both."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.breaker"], [1])
        for action in order:
            value = 0.0 if action == "substitute" else None
            assert await act(gateway, action, "bay.breaker", value)
        assert shown(gateway, "bay.breaker") == (0, SUBSTITUTED | BLOCKED | OLD_DATA)
        assert gateway.engine.overrides.blocked(gateway.engine.id("bay.breaker"))
        assert await act(gateway, "release", "bay.breaker")
        assert shown(gateway, "bay.breaker") == (1, GOOD)
        assert not gateway.engine.overrides.blocked(gateway.engine.id("bay.breaker"))


@paused
async def test_a_point_in_test_goes_on_and_says_so(tmp_path: Path) -> None:
    """The test bit is independent of all others, also of those of a held point."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230])
        assert await act(gateway, "test")
        assert gateway.engine.overrides.in_test(gateway.engine.id("bay.u"))
        await emitter.emit(["bay.u"], [230])
        await emitter.emit(["bay.u"], [231], QUESTIONABLE)
        assert await act(gateway, "block")
        assert shown(gateway) == (231, QUESTIONABLE | TEST | FROZEN)
        assert await act(gateway, "end_test")
        assert shown(gateway) == (231, QUESTIONABLE | FROZEN)
        assert await act(gateway, "test")
        assert await act(gateway, "release")
        assert shown(gateway) == (231, QUESTIONABLE | TEST)
        assert await act(gateway, "end_test")
        await gateway.until(lambda: len(out.rows("bay.u")) == 8)
    assert heard(out)[:3] == [(230, GOOD), (230, TEST), (231, QUESTIONABLE | TEST)]
    assert heard(out)[-1] == (231, QUESTIONABLE)


@paused
async def test_a_devices_own_test_bit_outlives_ours(tmp_path: Path) -> None:
    """What the device says of itself comes back with it."""
    emitter = Emitter(name="field")
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230], Quality.TEST | Quality.SUBSTITUTED)
        for action in ("test", "block", "release", "end_test"):
            assert await act(gateway, action)
        assert shown(gateway) == (230, TEST | SUBSTITUTED)


@paused
async def test_a_point_that_was_never_heard_of_can_be_held(tmp_path: Path) -> None:
    """Blocked it shows that there is nothing, and a manual value is shown as ever."""
    emitter = Emitter(name="field")
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        assert await act(gateway, "block")
        assert math.isnan(shown(gateway)[0])
        assert shown(gateway)[1] == STALE | FROZEN
        assert await act(gateway, "substitute", value=1)
        assert shown(gateway) == (1, SUBSTITUTED | FROZEN)
        assert await act(gateway, "release")
        assert math.isnan(shown(gateway)[0])
        assert shown(gateway)[1] == STALE
        await emitter.emit(["bay.u"], [230])
        assert shown(gateway) == (230, GOOD)


@paused
@pytest.mark.parametrize(
    ("name", "action", "value", "status", "sentence"),
    [
        ("bay.u", "substitute", 501, "out_of_range", "bay.u: 501 V lies outside of 0 to 500"),
        ("bay.u", "substitute", math.inf, "out_of_range", "bay.u: inf is not finite"),
        ("bay.u", "substitute", math.nan, "format_error", "bay.u: substitute needs a number"),
        ("bay.u", "substitute", None, "format_error", "got None"),
        ("bay.u", "block", 1, "format_error", "bay.u: block takes no value, got 1"),
        ("bay.breaker", "substitute", 0.5, "out_of_range", "status point has no value 0.5; it has"),
        ("bay.breaker", "substitute", 2, "out_of_range", "it has 0, 1"),
        ("bay.isolator", "substitute", 4, "out_of_range", "it has 0, 1, 2, 3"),
        ("bay.energy", "substitute", -math.inf, "out_of_range", "not finite"),
        ("_health.field.up", "block", None, "not_supported", "the gateway's own"),
        ("_health.field.up", "substitute", 1, "not_supported", "the gateway's own"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    tmp_path: Path, name: str, action: str, value: float | None, status: str, sentence: str
) -> None:
    """With a sentence that says what was found and what is allowed, and nothing changed."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        before = shown(gateway, name)
        answer = await act(gateway, action, name, value)
        assert answer.status is CommandStatus(status)
        assert sentence in answer.detail
        assert shown(gateway, name) == pytest.approx(before, nan_ok=True)
        assert not (tmp_path / NAME).exists()


@paused
async def test_an_unknown_point_is_refused(tmp_path: Path) -> None:
    """Whatever number a client made up."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        for point in (-1, 10_000):
            answer = await gateway.engine.overrides.apply(point, Override.BLOCK)
            assert answer.status is CommandStatus.UNKNOWN_POINT


@paused
async def test_all_values_of_a_kind_can_be_substituted(tmp_path: Path) -> None:
    """A double point has four, the Dbpos of IEC 61850: intermediate, off, on, bad."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        for name, values in (("bay.breaker", (0, 1)), ("bay.isolator", (0, 1, 2, 3))):
            for value in values:
                assert await act(gateway, "substitute", name, value)
                assert shown(gateway, name) == (value, SUBSTITUTED)


@paused
async def test_what_is_so_already_is_a_success_that_says_so(tmp_path: Path) -> None:
    """A client that repeats itself has what it wants, and no sink hears anything."""
    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230])
        release = await act(gateway, "release")
        assert (release.status, release.detail) == (
            CommandStatus.SUCCESS,
            "bay.u was neither blocked nor substituted",
        )
        assert (await act(gateway, "end_test")).detail == "bay.u was not in test"
        assert (await act(gateway, "block")).detail == ""
        assert (await act(gateway, "block")).detail == "bay.u was blocked already"
        assert (await act(gateway, "test")).detail == ""
        assert (await act(gateway, "test")).detail == "bay.u was in test already"
    assert heard(out) == [(230, GOOD), (230, FROZEN), (230, FROZEN | TEST)]
