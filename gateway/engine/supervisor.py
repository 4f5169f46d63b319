"""One link's life: run, break, wait, run again; one line when it breaks and one when it is back."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.engine.clock import Clock
from gateway.engine.status import LinkStatus, State
from gateway.model.errors import GatewayError, reason
from gateway.model.fields import Reconnect

STEADY = 10.0
"""Seconds that a connection must have lasted for the next wait to begin at the shortest again."""


class Supervisor:
    """Runs one link for ever, and tells the host when it goes up and down."""

    def __init__(
        self,
        status: LinkStatus,
        reconnect: Reconnect,
        clock: Clock,
        changed: Callable[[LinkStatus], None],
    ) -> None:
        self.status = status
        self._reconnect = reconnect
        self._clock = clock
        self._changed = changed
        self._up_at = 0.0
        self._ending = False
        self._log = logging.getLogger(f"gateway.link.{status.name}")
        status.since = clock.now()

    def up(self, detail: str = "") -> None:
        """Note that the link works; the first time after a break it is worth a line."""
        status = self.status
        if status.state is State.UP:
            status.detail = detail or status.detail
            return
        was_down = status.state is State.DOWN
        away = (self._clock.now() - status.since) / 1e9
        self._set(State.UP, detail=detail)
        self._up_at = asyncio.get_running_loop().time()
        if was_down:
            self._log.warning("%s %s is back after %.1f s%s", *_who(status), away, _also(detail))
        else:
            self._log.info("%s %s is up%s", *_who(status), _also(detail))

    async def run(self, once: Callable[[], Awaitable[Any]]) -> None:
        """Call `once` again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        wait = self._reconnect.min
        while True:
            try:
                await once()
                self._down("it ended by itself")
            except Exception as error:
                self._down(sentence(error), error)
            # A library may lose a cancellation on its way up (wait_for did, before Python 3.12).
            if self._ending:
                raise asyncio.CancelledError
            if self._up_at and loop.time() - self._up_at >= STEADY:
                wait = self._reconnect.min
            self._up_at = 0.0
            # Full jitter above half: many links that broke together do not come back together.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
            wait = min(wait * 2, max(self._reconnect.max, self._reconnect.min))

    def end(self) -> None:
        """Say that the cancellation that comes is meant for good."""
        self._ending = True

    def stopped(self) -> None:
        self._set(State.STOPPED)

    def _down(self, why: str, error: BaseException | None = None) -> None:
        if self.status.state is not State.DOWN:
            self._log.warning("%s %s is down: %s", *_who(self.status), why)
            if error is not None and not isinstance(error, GatewayError | OSError):
                self._log.debug("%s", self.status.name, exc_info=error)
        self.status.counters["disconnects"] += 1
        self._set(State.DOWN, error=why)

    def _set(self, state: State, *, error: str = "", detail: str = "") -> None:
        status = self.status
        if state is not status.state:
            status.state, status.since = state, self._clock.now()
        status.error, status.detail = error, detail
        self._changed(status)


def _who(status: LinkStatus) -> tuple[str, str]:
    return status.direction, status.name


def _also(detail: str) -> str:
    return f": {detail}" if detail else ""


def sentence(error: BaseException) -> str:
    """Say an error in one line, looking into groups that hold a single one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(sentence(part) for part in error.exceptions)
    if isinstance(error, GatewayError | OSError):
        return reason(error)
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
