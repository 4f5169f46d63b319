"""Whose turn it is."""

from __future__ import annotations

import asyncio

from gateway_modbus.turn import Turn


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_urgent_goes_first() -> None:
    """Who is urgent goes before all who wait, and each queue keeps its order."""
    turn, order = Turn(), list[str]()

    async def patient(name: str) -> None:
        async with turn:
            order.append(name)
            await asyncio.sleep(0)

    async def urgent(name: str) -> None:
        async with turn.urgent():
            order.append(name)
            await asyncio.sleep(0)

    async with turn:
        tasks = [asyncio.create_task(patient(name)) for name in "abc"]
        await _settle()
        tasks += [asyncio.create_task(urgent(name)) for name in "XY"]
        await _settle()
        assert order == []
    await asyncio.gather(*tasks)
    assert order == ["X", "Y", "a", "b", "c"]


async def test_cancelled_while_waiting() -> None:
    """Who is cancelled is passed over, also when it had just been given the turn."""
    turn, order = Turn(), list[int]()

    async def wait(number: int) -> None:
        async with turn:
            order.append(number)

    async with turn:
        tasks = [asyncio.create_task(wait(number)) for number in range(4)]
        await _settle()
        tasks[1].cancel()
    # The turn has been handed to 0, which has not run yet.
    tasks[0].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [2, 3]
    assert [type(one) for one in found[:2]] == [asyncio.CancelledError] * 2
    async with asyncio.timeout(1), turn:
        pass
