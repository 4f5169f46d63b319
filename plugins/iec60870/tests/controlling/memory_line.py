"""A controlling station whose ASDUs go nowhere: a test is the line, with the sizes of 101."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from gateway_iec60870.controlling import Controlling, ControllingSource, Undelivered
from pydantic import PrivateAttr

from gateway import Sink, SourceContext
from gateway.testing import Running, running


class Line(ControllingSource):
    """Takes what a test says; cause and common address have one octet, object addresses two.

    sent: common address and octets of what left, in order.
    dead: common addresses that cannot be reached.
    """

    type: Literal["testing.line"] = "testing.line"
    cause_octets: Literal[1, 2] = 1
    ca_octets: Literal[1, 2] = 1
    ioa_octets: Literal[1, 2, 3] = 2
    begins: bool = True
    _sent: list[tuple[int, bytes]] = PrivateAttr(default_factory=list)
    _dead: set[int] = PrivateAttr(default_factory=set)
    _busy: asyncio.Lock = PrivateAttr(default_factory=asyncio.Lock)
    _controlling: Controlling | None = PrivateAttr(None)

    async def run(self, ctx: SourceContext) -> None:
        manners = replace(self.manners(), tagged_test=False, abreast=1)
        async with asyncio.TaskGroup() as tasks:
            self._controlling = Controlling(
                ctx, self.ca, self.sizes, manners, self._send, "the line", tasks
            )
            if self.begins:
                self._controlling.begin()
            await asyncio.Event().wait()

    async def _send(self, address: int, request: Callable[[], bytes]) -> None:
        async with self._busy:
            if address in self._dead:
                raise Undelivered
            self._sent.append((address, request()))

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        return self._sent

    @property
    def dead(self) -> set[int]:
        return self._dead

    @property
    def busy(self) -> asyncio.Lock:
        """Hold it, and nothing leaves."""
        return self._busy

    @property
    def station(self) -> Controlling:
        assert self._controlling is not None
        return self._controlling

    async def say(self, *asdus: bytes) -> list[bool]:
        """Have ASDUs taken, one by one; return whether each is in custody."""
        return [await self.station.take([one]) for one in asdus]

    async def answer(self, *causes: int) -> None:
        """Repeat what was sent last, with these causes."""
        octets = self.sent[-1][1]
        await self.say(*(octets[:2] + bytes((cause,)) + octets[3:] for cause in causes))


@contextlib.asynccontextmanager
async def line(
    data: Path, rows: str, sinks: Sequence[Sink] = (), **more: Any
) -> AsyncIterator[tuple[Line, Running]]:
    """Run a gateway with a line `rtu` for the length of the block."""
    settings = {"name": "rtu", "ca": 1, "interrogation": "never", "timeout": "5s"}
    one = Line.model_validate(settings | more)
    async with running([one], list(sinks), rows, data=data) as gateway:
        await gateway.until(lambda: one._controlling is not None)
        yield one, gateway
