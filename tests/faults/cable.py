"""A network that can be cut within a frame, or held: it is there, and nothing passes."""

from __future__ import annotations

import asyncio
import contextlib

from proxy import Proxy


class Cable(Proxy):
    """Forwards octets until it is told otherwise.

    left: octets that still pass, in either direction, before it is cut; None for all.
    cuts: how often it was cut.
    """

    left: int | None = None
    cuts = 0

    def __init__(self, target: int, near: str = "127.0.0.1") -> None:
        super().__init__(target, near)
        self._flows = {back: asyncio.Event() for back in (False, True)}
        self.release()

    def hold(self, *back: bool) -> None:
        """Let nothing pass to the target (False) or back from it (True), not even its end.

        Nobody gets through to the target meanwhile.
        """
        for direction in back:
            self._flows[direction].clear()

    def release(self) -> None:
        """Let everything pass, what has been held first."""
        for flow in self._flows.values():
            flow.set()

    @property
    def held(self) -> bool:
        return not all(flow.is_set() for flow in self._flows.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.held:
            self.connections += 1
            writer.transport.abort()
            return
        await super()._serve(reader, writer)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool
    ) -> None:
        flow = self._flows[back]
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await flow.wait()
                if self.left is not None and len(data) > self.left:
                    writer.write(data[: self.left])
                    await writer.drain()
                    self.left = None
                    self.cuts += 1
                    self.cut_softly(writer)
                    return
                if self.left is not None:
                    self.left -= len(data)
                writer.write(data)
                await writer.drain()
            await flow.wait()
        writer.transport.abort()

    def cut_softly(self, writer: asyncio.StreamWriter) -> None:
        """Let what is on the way arrive; all else breaks at once."""
        writer.close()
        for other in self._writers - {writer}:
            other.transport.abort()
