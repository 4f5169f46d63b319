"""The order of what leaves, what is acknowledged, and what comes again after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from gateway_iec60870.controlled import Outgoing
from gateway_iec60870.controlled.outgoing import LOW, MOST_ANSWERS


def outgoing() -> tuple[Outgoing, list[int]]:
    delivered: list[int] = []
    one = Outgoing(delivered.append)
    one.open()
    return one, delivered


async def at_once(waiting: Coroutine[Any, Any, None]) -> bool:
    """Return whether something is not waited for."""
    task = asyncio.ensure_future(waiting)
    await asyncio.sleep(0)
    done = task.done()
    task.cancel()
    return done


async def test_answers_pass_events_and_scans_wait() -> None:
    """Answers first, then data in their order, then scans."""
    out, _ = outgoing()
    out.scan([lambda: [b"scan"]])
    out.events([b"e1", b"e2"], 1)
    out.answer(b"answer")
    assert out.take(2) == [b"answer", b"e1"]
    assert out.take(9) == [b"e2", b"scan"]
    assert out.take(9) == []


async def test_scans_that_are_taken_alone() -> None:
    """They and what is urgent are taken and waited for apart, and acknowledged apart."""
    out, delivered = outgoing()
    out.scan([lambda: [b"s1", b"s2"]])
    assert await at_once(out.ready(urgent=False))
    assert not await at_once(out.ready(scans=False))
    out.events([b"e1"], 1)
    assert await at_once(out.ready(scans=False))
    assert out.take(9, scans=False) == [b"e1"]
    assert not await at_once(out.ready(scans=False))
    assert await at_once(out.ready())
    assert out.take(1, urgent=False) == [b"s1"]
    out.events([b"e2"], 2)
    assert out.take(9, urgent=False) == [b"s2"]
    assert not await at_once(out.ready(urgent=False))
    assert out.take(9, scans=False) == [b"e2"]
    # Of events, which the scans between them are not.
    out.acknowledged(1)
    assert delivered == [1]
    out.acknowledged(1)
    assert delivered == [1, 2]


async def test_a_delivery_is_acknowledged_with_its_last_asdu() -> None:
    """Not before, and with all deliveries before it."""
    out, delivered = outgoing()
    out.events([b"e1", b"e2"], 1)
    out.events([b"e3"], 2)
    out.take(9)
    out.acknowledged(1)
    assert delivered == []
    out.acknowledged(1)
    assert delivered == [1]
    out.acknowledged(1)
    assert delivered == [1, 2]


async def test_one_acknowledgement_of_several_deliveries() -> None:
    """The last of them is told once, which stands for all."""
    out, delivered = outgoing()
    for number in (1, 2, 3):
        out.events([b"e"], number)
    out.take(9)
    out.acknowledged(3)
    assert delivered == [3]


async def test_a_delivery_without_events_waits_for_those_before() -> None:
    """It is delivered when nothing before it is left: at once, or with the acknowledgement."""
    out, delivered = outgoing()
    out.events([], 1)
    assert out.take(9) == []
    assert delivered == [1]
    out.events([b"e"], 2)
    out.events([], 3)
    assert out.take(9) == [b"e"]
    assert delivered == [1]
    out.acknowledged(1)
    assert delivered[-1] == 3


async def test_events_come_again_after_a_loss_and_answers_do_not() -> None:
    """What was not acknowledged, in its order, before what had not left; the rest had its asker."""
    out, delivered = outgoing()
    ended: list[str] = []
    out.answer(b"answer")
    out.events([b"e1", b"e2"], 1)
    out.interrogated([b"gi", b"term"], lambda: ended.append("gi"))
    out.events([b"e3"], 2)
    out.scan([lambda: [b"scan"]])
    assert out.take(3) == [b"answer", b"e1", b"e2"]
    out.acknowledged(2)
    out.lost()
    assert ended == ["gi"]
    assert out.take(9) == []
    out.open()
    assert out.take(9) == [b"e2", b"e3"]
    out.lost()
    out.open()
    assert out.take(9) == [b"e2", b"e3"]
    out.acknowledged(2)
    assert delivered == [2]


async def test_who_is_not_there_is_not_answered() -> None:
    """Without a connection answers, interrogations and scans are left, and events are kept."""
    out, _ = outgoing()
    out.lost()
    ended: list[str] = []
    out.answer(b"answer")
    assert not out.scan([lambda: [b"scan"]])
    out.interrogated([b"gi"], lambda: ended.append("gi"))
    out.events([b"e"], 1)
    assert ended == ["gi"]
    out.open()
    assert out.take(9) == [b"e"]


async def test_an_interrogation_is_taken_back() -> None:
    """What has not left of it goes, and nothing else."""
    out, _ = outgoing()
    ended: list[str] = []

    def left() -> None:
        ended.append("second")

    out.interrogated([b"a1", b"a2"], lambda: ended.append("first"))
    out.interrogated([b"b1", b"b2", b"b3"], left)
    out.events([b"e"], 1)
    assert out.take(3) == [b"a1", b"a2", b"b1"]
    out.withdraw(left)
    assert ended == ["first", "second"]
    assert out.take(9) == [b"e"]
    out.withdraw(left)
    assert ended == ["first", "second"]


async def test_scans_are_made_when_they_are_sent() -> None:
    """A value that changes while a scan waits is sent as it is then; the rest goes at once."""
    out, _ = outgoing()
    value = [b"old"]
    out.events([b"e"], 1)
    out.scan([lambda: [value[0], b"more"]])
    value[0] = b"new"
    assert out.take(2) == [b"e", b"new"]
    out.events([b"later"], 2)
    assert out.take(9) == [b"more", b"later"]


async def test_classes_are_taken_apart() -> None:
    """Class 1 of 101 are answers and data, class 2 are scans."""
    out, _ = outgoing()
    out.answer(b"answer")
    out.events([b"e"], 1)
    out.scan([lambda: [b"scan"]])
    assert out.waiting == 2
    assert out.take(1, urgent=False) == [b"scan"]
    assert out.take(9, scans=False) == [b"answer", b"e"]
    assert out.waiting == 0


async def test_more_is_wanted_only_while_little_waits() -> None:
    """So that a later value may replace what the controlling station has not the time for."""
    out, _ = outgoing()
    assert await at_once(out.wanted())
    out.events([b"e"] * LOW, 1)
    assert not await at_once(out.wanted())
    out.take(1)
    assert await at_once(out.wanted())
    out.lost()
    assert not await at_once(out.wanted())


async def test_who_asks_too_much_waits() -> None:
    """Above a number of answers that wait nothing more is listened to, until some have left."""
    out, _ = outgoing()
    for _ in range(MOST_ANSWERS + 1):
        out.answer(b"answer")
    assert not await at_once(out.quiet())
    out.take(1)
    assert await at_once(out.quiet())
