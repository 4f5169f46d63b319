"""The hand-over from a thread to the loop is bounded and keeps its order."""

from __future__ import annotations

import asyncio
import threading

from gateway_sv.handover import Handover


async def test_who_is_too_fast_waits() -> None:
    """With room for three, a thread that has ten hands over three until somebody takes."""
    handover: Handover[int] = Handover(3)
    given: list[int] = []

    def work() -> None:
        for number in range(10):
            handover.put(number)
            given.append(number)

    thread = threading.Thread(target=work)
    thread.start()
    async with asyncio.timeout(5):
        while len(given) < 3:
            await asyncio.sleep(0)
        assert await asyncio.to_thread(thread.join, 0.05) is None
        assert given == [0, 1, 2]
        taken = [await handover.take() for _ in range(10)]
    thread.join()
    assert taken == list(range(10))


async def test_nobody_takes_any_more() -> None:
    """A thread that waits for room is let go; what there was can be taken."""
    handover: Handover[int] = Handover(1)
    handover.put(1)
    thread = threading.Thread(target=handover.put, args=(2,))
    thread.start()
    handover.close()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
    assert handover.rest() == [1]
