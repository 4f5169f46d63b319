"""Waits for points to show what was commanded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable


class Watch:
    """Wakes who waits for a point when it has a new sample."""

    def __init__(self) -> None:
        self._events: dict[int, set[asyncio.Event]] = {}

    @property
    def idle(self) -> bool:
        """Whether nobody waits, so that nobody needs to say what changed."""
        return not self._events

    def changed(self, points: Iterable[int]) -> None:
        """Hear which points have new samples."""
        for point in self._events.keys() & set(points):
            for event in self._events[point]:
                event.set()

    async def until(self, point: int, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until the condition holds; looked at now and at each sample of the point."""
        event = asyncio.Event()
        self._events.setdefault(point, set()).add(event)
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return False
        finally:
            self._events[point].discard(event)
            if not self._events[point]:
                del self._events[point]
        return True
