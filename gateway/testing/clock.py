"""A paused clock: an event loop whose time stands still while there is work, and then jumps.

A test of a retry, a back-off or a poll takes as long as its work, and no sleep is ever waited for:

    @paused
    async def test_reconnects_after_a_minute() -> None:
        await asyncio.sleep(60)

Time jumps to the next timer when nothing is ready, no socket of this loop has anything to read or
to write, and nothing runs in an executor of this loop.
What the loop cannot see, it cannot wait for: a thread or a process that is not waited for through
the loop, the far end of a socket in another process, a TLS handshake with one.
Hold the clock around those: `with held(): ...`.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import selectors
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack, overload

from gateway.engine.clock import Clock

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the wall clock stands when a paused loop begins, unless it is told otherwise."""

SLICE = 0.01
"""Real seconds of a look outside, while time stands still for something there."""

HANG = 30.0
"""Real seconds after which a loop that waits for nothing it can ever get says so."""


class PausedLoopHangs(RuntimeError):  # noqa: N818 - it says what happened
    """Nothing is ready, no timer is set, no work is outside: the test would wait for ever."""


class _PausedSelector(selectors.BaseSelector):
    """A selector that turns the time-out it is given into a jump of its loop's clock."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0
        self.outside = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # What one loopback socket is given, the kernel hands to the other at once:
        # without an event now there will be none by itself.
        events = self._real.select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        idle = 0.0
        while not events:
            if not self.outside:
                if timeout is not None:
                    self.now += timeout
                    break
                idle += SLICE
                if idle > HANG:
                    raise PausedLoopHangs(
                        "nothing is ready, no timer is set and no socket has had anything for "
                        f"{HANG:g} real seconds"
                    )
            events = self._real.select(SLICE)
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class PausedLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` begins at 0 and moves only by jumps to the next timer.

    `start` is the wall clock at loop time 0.
    """

    def __init__(self, start: datetime = START) -> None:
        self._paused = _PausedSelector()
        self.start = round(start.timestamp()) * 10**9 + start.microsecond * 1000
        super().__init__(self._paused)
        # Timers due within the resolution run together; a jump lands on one exactly.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._paused.now

    def now(self) -> int:
        """Return the wall clock in ns since the Unix epoch: `start` plus the loop's time."""
        return self.start + round(self.time() * 1e9)

    def advance(self, seconds: float) -> None:
        """Move the clock as if the loop had been busy for so long (a stall, a slow disk)."""
        if seconds < 0:
            raise ValueError(f"the clock cannot go back by {-seconds:g} s")
        self._paused.now += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._paused.outside += 1
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self._paused.outside -= 1
            raise
        future.add_done_callback(self._back_inside)
        return future

    def _back_inside(self, _: asyncio.Future[Any]) -> None:
        self._paused.outside -= 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the clock: no jump while the block runs, whatever is idle."""
        self._paused.outside += 1
        try:
            yield
        finally:
            self._paused.outside -= 1


class PausedClock(Clock):
    """The engine's clock on a paused loop; `disciplined` is what it says of its synchronisation.

    Made on the loop, threads may read it, too.
    """

    def __init__(self, disciplined: bool = True) -> None:
        self.disciplined = disciplined
        try:
            self._loop: PausedLoop | None = _loop()
        except RuntimeError:
            self._loop = None

    def now(self) -> int:
        """Return ns since the Unix epoch, UTC."""
        return (self._loop or _loop()).now()

    def synchronised(self) -> bool:
        return self.disciplined


def _loop() -> PausedLoop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, PausedLoop):
        raise RuntimeError("the paused clock runs only inside run_paused() or @paused")
    return loop


def held() -> Any:
    """Hold the running paused loop's clock: `with held(): await something_outside()`."""
    return _loop().held()


def advance(seconds: float) -> None:
    """Move the running paused loop's clock, as if the loop had been busy for so long."""
    _loop().advance(seconds)


def run_paused(coroutine: Coroutine[Any, Any, T], *, start: datetime = START) -> T:
    """Run a coroutine on a paused loop of its own and return what it returns."""
    with asyncio.Runner(loop_factory=lambda: PausedLoop(start)) as runner:
        return runner.run(coroutine)


@overload
def paused(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]: ...
@overload
def paused(
    *, start: datetime = START
) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], Callable[P, T]]: ...
def paused(
    test: Callable[P, Coroutine[Any, Any, T]] | None = None, *, start: datetime = START
) -> Any:
    """Make a plain test of an asynchronous one, run on a paused loop.

    It takes fixtures as any test does, except asynchronous ones, which live on another loop.
    """

    def decorate(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return run_paused(function(*args, **kwargs), start=start)

        # pytest-asyncio looks through __wrapped__, and would run it on a loop of its own.
        signature = inspect.signature(function)
        del vars(wrapper)["__wrapped__"]
        vars(wrapper)["__signature__"] = signature
        return wrapper

    return decorate if test is None else decorate(test)
