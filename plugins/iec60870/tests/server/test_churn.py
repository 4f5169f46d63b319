"""A control centre that comes, goes, changes its connection and is slow, at random."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from pathlib import Path

import pytest

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from control_centre import Centre, Station, octets, station

MS = 1_000_000
NOON = 1_767_268_800_000 * MS
ASKED = octets("64 01 06 00 07 00 00 00 00 14")


class Book:
    """What a control centre has heard of the counter, whose readings are 0, 1, 2 …"""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.last: int | None = None

    def begin(self) -> None:
        """Begin with a connection: it may repeat what was not acknowledged, and skips nothing."""
        self.last = None

    def hear(self, asdu: bytes) -> None:
        if asdu[0] != 37:
            return
        for n in range(asdu[1]):
            at = 9 + 15 * n
            reading = int.from_bytes(asdu[at : at + 4], "little")
            if self.last is None:
                assert reading <= self.acknowledged
            else:
                assert reading == self.last + 1
            self.last = reading

    def acknowledge(self) -> None:
        if self.last is not None:
            self.acknowledged = max(self.acknowledged, self.last + 1)


async def listen(centre: Centre, book: Book, dice: random.Random) -> None:
    """Hear some ASDUs, and acknowledge them or not."""
    with contextlib.suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
        for _ in range(dice.randrange(1, 12)):
            book.hear(await centre.hear(0.1))
            if dice.random() < 0.4:
                book.acknowledge()
                centre.acknowledge()


async def emit(s: Station, first: int, count: int) -> None:
    for n in range(first, first + count):
        await s.emit(energy=n, time=NOON + n * MS)


@pytest.mark.parametrize("seed", range(4))
@paused
async def test_nothing_is_lost_or_out_of_order(tmp_path: Path, seed: int) -> None:
    """On each connection the readings follow each other, beginning with one that was not
    acknowledged before; at the end all have come, and the ledger has each of them once."""
    dice, book, count = random.Random(seed), Book(), 0
    async with station(tmp_path, k=dice.choice((1, 4, 12)), w=1) as s:
        async with contextlib.AsyncExitStack() as stack:
            centre: Centre | None = None
            opened = 0
            for _ in range(40):
                more = dice.randrange(8)
                await emit(s, count, more)
                count += more
                act = dice.random()
                if centre is None or act < 0.25:
                    opened += 1
                    # A new connection takes over from the one before, which stays open.
                    centre = await stack.enter_async_context(Centre.at(s.port, start=False))
                    centre.acknowledges = False
                    await centre.start()
                    book.begin()
                    if dice.random() < 0.5:
                        centre.say(ASKED)
                elif act < 0.35:
                    centre.writer.transport.abort()
                    centre = None
                if centre is not None:
                    await listen(centre, book, dice)
                if opened == 5:
                    await stack.aclose()
                    centre, opened = None, 0
        async with Centre.at(s.port) as last:
            book.begin()
            await emit(s, count, 1)
            while book.last != count:
                book.hear(await last.hear())
                book.acknowledge()
            await s.gw.until(lambda: not s.gw.held("scada"))
        ledger = s.gw.ledger("scada")
        assert (ledger.taken, ledger.delivered) == (count + 1, count + 1)
