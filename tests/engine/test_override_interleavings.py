"""Samples, stale marks, lost links, restarts and operators in any order, beside a small model.

The model was written from the contract of `Override`: a point has a device's word and a hand on
it, and whoever listens hears each change of what the two make together.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Override, Reconnect
from gateway.testing import Collector, Emitter, Running, run_paused, running

POINTS = "name,kind,field.at\na,analog,x\nb,analog,x\n"

STALE, OLD_DATA = 0x0081, 0x0080
SUBSTITUTED, TEST, BLOCKED = 0x0400, 0x0800, 0x1000

NOTHING = (math.nan, STALE)
"""What a device says that never spoke."""

Sample = tuple[float, int]


def alike(one: Sample, other: Sample) -> bool:
    return one[1] == other[1] and (
        one[0] == other[0] or (one[0] != one[0] and other[0] != other[0])
    )


@dataclass
class Hand:
    """What an operator did to a point, and what the device had said then."""

    blocked: bool = False
    test: bool = False
    manual: float | None = None
    frozen: Sample = NOTHING
    device: Sample = NOTHING
    spoke: bool = False

    @property
    def held(self) -> bool:
        return self.blocked or self.manual is not None


@dataclass
class Model:
    """One point."""

    device: Sample = NOTHING
    spoke: bool = False
    hand: Hand = field(default_factory=Hand)
    withheld: int = 0
    heard: list[Sample] = field(default_factory=list)

    def shown(self) -> Sample:
        hand = self.hand
        value, quality = self.device
        if hand.manual is not None:
            value, quality = hand.manual, SUBSTITUTED
        elif hand.blocked:
            value, quality = hand.frozen
        if hand.blocked:
            quality |= BLOCKED | OLD_DATA
        return value, quality | (TEST if hand.test else 0)

    def sample(self, value: float | None, quality: int, *, every: bool = False) -> None:
        said = (self.device[0] if value is None else value, quality)
        if self.spoke and alike(said, self.device) and not every:
            return
        self.device, self.spoke = said, True
        if self.hand.held:
            self.withheld += 1
        else:
            self.heard.append(self.shown())

    def act(self, action: Override, value: float) -> None:
        hand = self.hand
        if action is Override.SUBSTITUTE:
            new = replace(hand, manual=value)
        elif action is Override.BLOCK:
            new = replace(hand, blocked=True, frozen=hand.frozen if hand.blocked else self.device)
        elif action is Override.RELEASE:
            new = replace(hand, blocked=False, manual=None)
        else:
            new = replace(hand, test=action is Override.TEST)
        if new == hand and action is not Override.SUBSTITUTE:
            return
        self.hand = replace(new, device=self.device, spoke=self.spoke)
        # Once it was shown without a hand on it, the same said again is no news.
        self.spoke = self.spoke or not (new.held or new.test)
        self.heard.append(self.shown())

    def restart(self) -> None:
        self.spoke, self.withheld, self.device = False, 0, NOTHING
        if self.hand.held:
            self.device, self.spoke = (self.hand.device[0], STALE), self.hand.spoke
            self.heard.append(self.shown())


values = st.sampled_from([0.0, 1.0, 2.5])
qualities = st.sampled_from([0, 0, 0, 0x0003, 0x0041, TEST, SUBSTITUTED])
steps = st.one_of(
    st.tuples(st.just("sample"), values, qualities, st.booleans()),
    st.tuples(st.just("act"), st.sampled_from(Override), values, st.none()),
    st.tuples(st.sampled_from(["stale", "lose", "restart"]), st.none(), st.none(), st.none()),
)


async def take(
    gateway: Running, emitter: Emitter, models: dict[str, Model], name: str, step: tuple
) -> None:
    """Do one step to the gateway and to the model."""
    kind, first, second, third = step
    model = models[name]
    if kind == "sample":
        await emitter.emit([name], [first], second, every=third)
        model.sample(first, second, every=third)
    elif kind == "stale":
        await emitter.stale([name])
        model.sample(None, STALE)
    elif kind == "lose":
        emitter.lose()
        await gateway.until(lambda: gateway.state("field") == "down")
        await gateway.until(lambda: gateway.state("field") == "up")
        for one in models.values():
            one.sample(None, STALE)
    else:
        value = second if first is Override.SUBSTITUTE else None
        assert await gateway.engine.overrides.apply(gateway.engine.id(name), first, value)
        model.act(first, second)


async def compare(gateway: Running, out: Collector, models: dict[str, Model]) -> None:
    await gateway.until(
        lambda: len(out.rows()) >= sum(len(model.heard) for model in models.values())
    )
    for name, model in models.items():
        value, quality = gateway.sample(name)[1:3]
        assert alike((value, int(quality)), model.shown())
        heard = [(row.value, int(row.quality)) for row in out.rows(name)]
        assert len(heard) == len(model.heard)
        assert all(alike(*pair) for pair in zip(heard, model.heard, strict=True))
        point = gateway.engine.id(name)
        overrides = gateway.engine.overrides
        assert overrides.blocked(point) == model.hand.blocked
        assert overrides.substituted(point) == (model.hand.manual is not None)
        assert overrides.in_test(point) == model.hand.test
    withheld = sum(model.withheld for model in models.values())
    assert gateway.engine.overrides.withheld().get("field", 0) == withheld


async def play(script: list[tuple[str, tuple]], folder: Path) -> None:
    models = {"a": Model(), "b": Model()}
    steps = iter(script)
    again = True
    while again:
        again = False
        emitter = Emitter(name="field", reconnect=Reconnect(min=0.1, max=0.1))
        out = Collector(name="out")
        async with running([emitter], [out], POINTS, data=folder) as gateway:
            await emitter.context()
            await compare(gateway, out, models)
            for name, step in steps:
                if step[0] == "restart":
                    again = True
                    break
                await take(gateway, emitter, models, name, step)
                if name == "a":
                    await compare(gateway, out, models)
            await asyncio.sleep(0.01)
            await compare(gateway, out, models)
            await gateway.until(lambda: gateway.held("out") == 0)
            ledger = gateway.ledger("out")
            assert ledger.taken == ledger.delivered
        for model in models.values():
            model.heard.clear()
            model.restart()


@settings(max_examples=60, deadline=None)
@given(script=st.lists(st.tuples(st.sampled_from("aab"), steps), max_size=30))
def test_what_is_shown_is_what_device_and_hand_make(script: list[tuple[str, tuple]]) -> None:
    """Every sink hears each change once, nothing else, and what is not shown is counted."""
    with tempfile.TemporaryDirectory() as folder:
        run_paused(play(script, Path(folder)))
