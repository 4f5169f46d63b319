"""An outstation that does what a test says, for tests of the master and for vendors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from gateway.channel import ChannelClosed, Listener, StreamChannel
from gateway_dnp3.app import Fragment, FunctionCode, Iin, parse
from gateway_dnp3.channel import Line, Peer
from gateway_dnp3.link import LinkSettings

Script = Callable[[Fragment], Sequence[Fragment]]


def nothing(request: Fragment) -> Sequence[Fragment]:
    """Answer every request with an empty response, and confirmations not at all."""
    if request.function is FunctionCode.CONFIRM:
        return []
    return [Fragment.response(sequence=request.control.sequence)]


class ScriptedOutstation:
    """Listens at a port of the loopback; `script` says what is answered to each fragment.

    requests: the fragments that came, in order, confirmations among them.
    times:    when each of them came, on the event loop's clock.
    """

    def __init__(
        self,
        port: int = 0,
        script: Script = nothing,
        *,
        addresses: Sequence[int] = (10,),
        master: int = 1,
        confirmed: bool = False,
    ) -> None:
        self.port = port
        self.script = script
        self.addresses = addresses
        self.requests: list[Fragment] = []
        self.asked: list[tuple[int, Fragment]] = []
        self.times: list[float] = []
        self.peers: dict[int, Peer] = {}
        self.mute: set[int] = set()
        self._master = master
        self._confirmed = confirmed
        self._connections: set[StreamChannel] = set()
        self._came = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ScriptedOutstation]:
        """Listen for the length of the block."""
        listener = await Listener.open("127.0.0.1", self.port)
        self.port = listener.port
        tasks = asyncio.create_task(self._accept(listener))
        try:
            yield self
        finally:
            tasks.cancel()
            await listener.close()
            # A mistake in a script is to be seen.
            with contextlib.suppress(asyncio.CancelledError):
                await tasks

    async def say(self, fragment: Fragment, address: int | None = None) -> None:
        """Send something by itself: an unsolicited response, a late answer."""
        await self.peers[self.addresses[0] if address is None else address].send(fragment.encode())

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until something holds that a request may have brought about."""
        async with asyncio.timeout(1000), self._came:
            await self._came.wait_for(what)

    def functions(self) -> list[FunctionCode]:
        """What was asked, in order, without the confirmations."""
        return [one.function for one in self.requests if one.function is not FunctionCode.CONFIRM]

    async def hang_up(self) -> None:
        """Close all connections."""
        for channel in list(self._connections):
            await channel.close()

    async def _accept(self, listener: Listener) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._serve(await listener.accept()))

    async def _serve(self, channel: StreamChannel) -> None:
        self._connections.add(channel)
        line = Line(channel)
        try:
            async with asyncio.TaskGroup() as tasks:
                for address in self.addresses:
                    peer = line.add(
                        LinkSettings(
                            address,
                            self._master,
                            master=False,
                            confirmed=self._confirmed,
                            keep_alive=None,
                        )
                    )
                    self.peers[address] = peer
                    tasks.create_task(self._answer(address, peer))
                tasks.create_task(line.run())
        except* ChannelClosed:
            pass
        finally:
            self._connections.discard(channel)

    async def _answer(self, address: int, peer: Peer) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ChannelClosed):
            while True:
                fragment = parse((await peer.receive()).fragment)
                self.requests.append(fragment)
                self.asked.append((address, fragment))
                self.times.append(loop.time())
                async with self._came:
                    self._came.notify_all()
                if address in self.mute:
                    continue
                for answer in self.script(fragment):
                    await peer.send(answer.encode())


__all__ = ["Iin", "ScriptedOutstation", "nothing"]
