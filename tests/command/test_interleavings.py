"""Whatever happens in whatever order: one answer each, no command twice, none without its right.

Random days of clients, operators, a link and a device are played to a desk; what reached the
device, and what stood where in that moment, is held against rules that are written here once more.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from desk_scene import ANNA, BORIS, GUEST, Scene, measurement, setpoint, switch

from gateway import Answer, Client, Command, CommandStatus, Operation, Quality
from gateway.model.configuration import Bay
from gateway.testing.clock import run_paused

S = CommandStatus
HELD, TIMEOUT, FEEDBACK = 30.0, 10.0, 5.0
POINTS = ("plain", "local", "forward", "guarded", "shown", "power")
CLIENTS = (ANNA, BORIS, GUEST)
ACTS = (Operation.EXECUTE, Operation.DIRECT)

Step = tuple[Any, ...]


def random_day(seed: int, length: int = 250) -> list[Step]:
    """Make a day; days differ in how much goes wrong on them."""
    random = Random(seed)
    trouble = random.choice([0.0, 0.3, 1.0])
    pick = random.choice

    def ask() -> Step:
        value = pick([0.0, 1.0, 1.0, 1.0, 7.0, math.nan])
        client, key = pick([ANNA, ANNA, ANNA, BORIS, GUEST]), pick(["", "", "k1", "k2", "k3"])
        return ("ask", pick(POINTS), pick(list(Operation)), value, client, key, pick([None, 0.5]))

    def act() -> Step:
        point = pick(["plain", "guarded", "shown"])
        return ("ask", point, Operation.DIRECT, 1.0, pick(CLIENTS), pick(["", "k1", "k2"]), None)

    def sbo() -> Step:
        values = pick([(1.0, 1.0), (0.0, 0.0), (1.0, 1.0), (1.0, 0.0)])
        clients = pick([(ANNA, ANNA), (BORIS, BORIS), (ANNA, ANNA), (ANNA, BORIS)])
        return ("sbo", pick(POINTS), values, clients, pick([0.01] * 4 + [HELD - 0.1, HELD + 1.0]))

    calm: list[tuple[float, Callable[[], Step]]] = [
        (3, ask),
        (3, act),
        (4, sbo),
        (8, lambda: ("answer", pick([S.SUCCESS, S.SUCCESS, S.SUCCESS, S.REFUSED]))),
        (4, lambda: ("pass", pick([0.001, 0.001, 0.4, 3.0, 11.0, 31.0]))),
        (2, lambda: ("position", pick([0.0, 1.0]))),
    ]
    wrong: list[tuple[float, Callable[[], Step]]] = [
        (1.0, lambda: ("take", pick([True, True, False]))),
        (0.7, lambda: ("link", pick([True, True, False]))),
        (1.0, lambda: ("earthed", pick([0.0, 0.0, 0.0, 1.0, math.nan]))),
        (0.7, lambda: ("remote", pick([1.0, 1.0, 1.0, 0.0]))),
        (0.7, lambda: ("block", pick(POINTS), pick([True, False, False]))),
        (0.4, lambda: ("gone", pick([True, False, False]))),
        (0.5, lambda: ("leave", pick(CLIENTS))),
        (0.4, lambda: ("log", pick([True, True, False]))),
        (0.3, lambda: ("hang_up",)),
        (0.4, lambda: ("step_clock", pick([-86400.0, 3600.0]))),
    ]
    weights = [weight for weight, _ in calm] + [trouble * weight for weight, _ in wrong]
    makers = random.choices([make for _, make in calm + wrong], weights, k=length)
    return [make() for make in makers]


@dataclass(eq=False)
class Asked:
    """A request, as its client knows it."""

    point: str
    operation: Operation
    value: float
    client: Client
    key: str
    at: float
    task: asyncio.Task[Answer]
    order: int
    answered_at: float = math.inf
    hung_up: bool = False


@dataclass(eq=False)
class Sent:
    """A command, and the world when the device had it."""

    command: Command
    point: str
    at: float
    world: dict[str, Any]
    answered: CommandStatus | None = None
    answered_at: float = math.inf


@dataclass
class Day:
    """One day in the making."""

    scene: Scene
    asked: list[Asked] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    shown: list[tuple[float, float]] = field(default_factory=list)
    taking: asyncio.Event = field(default_factory=asyncio.Event)
    log_failed: bool = False
    events: int = 0

    def tick(self) -> int:
        """Count what happens: much of it has one and the same time."""
        self.events += 1
        return self.events

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def device(self) -> None:
        """Take commands while it is allowed to; note what stood where."""
        scene = self.scene
        while True:
            await self.taking.wait()
            command = await scene.outbox.__anext__()
            name = scene.definitions[command.point].name
            self.sent.append(Sent(command, name, self.now(), self.world(command)))

    def world(self, command: Command) -> dict[str, Any]:
        scene, image = self.scene, self.scene.image
        ids = scene.ids
        return {
            "up": scene.up,
            "earthed": float(image.value[ids["earthed"]]),
            "earthed_good": not image.quality[ids["earthed"]] & Quality.VALIDITY,
            "remote": float(image.value[ids["remote"]]),
            "blocked": command.point in scene.marks.blocks,
            "gone": set(scene.roles.gone),
            "busy": [
                one
                for one in self.sent
                if one.command.point == command.point
                and one.command.operation in ACTS
                and not self.request_of(one).task.done()
            ],
        }

    def request_of_done(self, sent: Sent) -> Asked:
        """Return the request of a command by their number, or by its words where nobody waited."""
        for one in self.asked:
            if (
                one.operation is sent.command.operation
                and not one.hung_up
                and one.task.result().id == sent.command.id
                and one.task.result().status is not S.DUPLICATE
                and one.at <= sent.at <= one.answered_at
                and one.value == sent.command.value
            ):
                return one
        return next(
            one
            for one in reversed(self.asked)
            if one.hung_up
            and one.operation is sent.command.operation
            and one.client == sent.command.client
            and one.point == sent.point
            and one.at <= sent.at
        )

    def request_of(self, sent: Sent) -> Asked:
        return next(
            one
            for one in self.asked
            if one.operation is sent.command.operation
            and one.client == sent.command.client
            and one.point == sent.point
            and one.value == sent.command.value
            and one.at <= sent.at
            and (not one.task.done() or one.answered_at >= sent.at)
        )

    def ask(
        self,
        name: str,
        operation: Operation,
        value: float,
        client: Client,
        key: str,
        t: float | None,
    ) -> None:
        task = self.scene.ask(name, value, operation, client, key=key, timeout=t)
        one = Asked(name, operation, value, client, key, self.now(), task, self.tick())

        def answered(_: object) -> None:
            one.answered_at = self.now()

        task.add_done_callback(answered)
        self.asked.append(one)

    async def play(self, step: Step) -> None:
        scene = self.scene
        match step:
            case ("ask", name, operation, value, client, key, timeout):
                self.ask(name, operation, value, client, key, timeout)
            case ("sbo", name, (selected, executed), (first, second), gap):
                self.ask(name, Operation.SELECT, selected, first, "", None)
                await asyncio.sleep(0.01)
                if name == "forward":
                    self.device_answers(S.SUCCESS)
                await asyncio.sleep(gap)
                self.ask(name, Operation.EXECUTE, executed, second, "", None)
                await asyncio.sleep(0.01)
            case ("answer", status):
                self.device_answers(status)
            case ("pass", seconds):
                await asyncio.sleep(seconds)
            case ("take", takes):
                self.taking.set() if takes else self.taking.clear()
            case ("link", True) if not scene.up:
                scene.outbox.connect()
                scene.up = True
            case ("link", False) if scene.up:
                scene.up = False
                scene.outbox.disconnect()
            case ("earthed", value):
                quality = Quality.INVALID if math.isnan(value) else Quality.GOOD
                scene.show("earthed", 0.0 if math.isnan(value) else value, quality)
            case ("remote", value):
                scene.show("remote", value)
            case ("position", value):
                self.shown.append((self.now(), value))
                scene.show("position", value)
            case ("block", name, blocks):
                marks = scene.marks.blocks
                marks.add(scene.ids[name]) if blocks else marks.discard(scene.ids[name])
            case ("gone", gone):
                scene.roles.gone = {"anna"} if gone else set()
            case ("leave", client):
                scene.desk.release(lambda other: other == client)
            case ("log", works):
                scene.log.fails = not works
                self.log_failed |= not works
            case ("hang_up",) if self.asked:
                self.asked[-1].hung_up |= self.asked[-1].task.cancel()
            case ("step_clock", seconds):
                loop: Any = asyncio.get_running_loop()
                loop.start += round(seconds * 1e9)
        await asyncio.sleep(0)

    def device_answers(self, status: CommandStatus) -> None:
        for one in self.sent:
            if one.answered is None:
                one.answered, one.answered_at = status, self.now()
                self.scene.answer(one.command, status)
                return


async def play(day: list[Step]) -> Day:
    scene = Scene(
        [
            switch("plain"),
            switch("local", select="local", select_timeout=HELD),
            switch("forward", select="forward", select_timeout=HELD),
            switch("guarded", interlock="not earthed"),
            switch("shown", feedback="position", feedback_timeout=FEEDBACK),
            setpoint("power", scale=2.0, low=0.0, high=5.0, select="local", select_timeout=HELD),
            measurement("earthed"),
            measurement("remote"),
            measurement("position"),
        ],
        [Bay(name="bay", points=("local", "guarded"), switch="remote")],
    )
    scene.show("remote", 1.0)
    result = Day(scene)
    result.taking.set()
    device = asyncio.create_task(result.device())
    for step in day:
        await result.play(step)
    scene.log.fails = False
    await asyncio.sleep(100.0)
    device.cancel()
    await scene.desk.close()
    return result


def selects_of(day: Day, execute: Asked) -> list[Asked]:
    """The selects by which an execute may be covered: of its client, succeeded, not too old."""
    return [
        one
        for one in day.asked
        if one.operation is Operation.SELECT
        and (one.point, one.client) == (execute.point, execute.client)
        and one.task.done()
        and not one.hung_up
        and one.task.result().status is S.SUCCESS
        and one.order < execute.order
        and one.answered_at <= execute.at
        and execute.at <= one.answered_at + HELD + 1e-6
        and one.value == execute.value
    ]


def check(day: Day) -> None:
    scene = day.scene
    # One answer each, also for who hung up: the log has the end of each request.
    for one in day.asked:
        assert one.task.done()
        assert one.hung_up or isinstance(one.task.result(), Answer)
    if not day.log_failed:
        records = scene.log.steps()
        assert records.count("received") == len(day.asked)
        assert records.count("ended") + records.count("refused") == len(day.asked)
    # Never twice.
    acted = [one for one in day.sent if one.command.operation in ACTS]
    assert len({one.command.id for one in acted}) == len(acted)
    keys = [
        (request.client, request.operation, request.key)
        for request in map(day.request_of_done, acted)
        if request.key
    ]
    assert len(set(keys)) == len(keys)
    for one in day.sent:
        command, world = one.command, one.world
        assert world["up"]
        assert one.at < command.deadline
        if command.operation is Operation.CANCEL:
            continue
        # Never without its preconditions, as they stood in that moment.
        assert command.client.role == "operator"
        assert command.client.user not in world["gone"]
        assert not world["blocked"]
        if one.point == "guarded":
            assert world["earthed"] == 0.0
            assert world["earthed_good"]
        if one.point in ("local", "guarded"):
            assert world["remote"] == 1.0
        if one.point == "power":
            assert 0.0 <= command.value <= 5.0
            assert command.raw == command.value / 2.0
        else:
            assert command.value in (0.0, 1.0)
        if command.operation in ACTS:
            assert not world["busy"]
    # Nothing that must be selected leaves without a select of its own.
    used: set[Asked] = set()
    for one in acted:
        if one.point in ("local", "forward", "power"):
            assert one.command.operation is Operation.EXECUTE
        if one.command.operation is Operation.EXECUTE:
            covering = [s for s in selects_of(day, day.request_of_done(one)) if s not in used]
            if not any(s.hung_up for s in day.asked):
                assert covering
                used.update(covering)
    # Success means that the device said so, and that the indication was there.
    for asked in day.asked:
        if asked.hung_up or asked.task.result().status is not S.SUCCESS:
            continue
        if asked.operation in ACTS:
            answer = asked.task.result()
            done = [one for one in acted if one.command.id == answer.id]
            assert [one.answered for one in done] == [S.SUCCESS]
            if asked.point == "shown":
                accepted = done[0].answered_at
                before = [0.0, *(value for t, value in day.shown if t < accepted)][-1:]
                since = [v for t, v in day.shown if accepted <= t <= asked.answered_at]
                assert asked.value in before + since


@pytest.mark.parametrize("block", range(10))
def test_random_days(block: int) -> None:
    """Never two executions, never one without its preconditions, always exactly one answer."""
    for seed in range(block * 30, block * 30 + 30):
        day = run_paused(play(random_day(seed)))
        try:
            check(day)
        except AssertionError as error:
            raise AssertionError(f"on day {seed}: {error}") from error


def test_days_come_far() -> None:
    """The days hold every way in which a request can end, so that the rules are put to work."""
    ends = {
        one.task.result().status
        for seed in range(60)
        for one in run_paused(play(random_day(seed))).asked
        if not one.hung_up
    }
    never_here = {
        S.CANCELLED,  # what a cancelled select ends with at some devices
        S.UNKNOWN_POINT,  # refused before the desk
        S.NOT_SUPPORTED,  # no measurement is asked for
        S.RATE_LIMITED,
        S.DEVICE_LOCAL,
        S.DEVICE_ERROR,
    }
    assert ends == set(S) - never_here
