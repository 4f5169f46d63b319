"""Clients over TCP: commands in, answers and data out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.channel import Channel, ChannelClosed, Listener
from gateway_c37118.server.answers import Answer, Reader
from gateway_c37118.server.hub import Hub, Receiver
from gateway_c37118.server.outbox import Outbox

MOST_BAD = 64
"""Places without a frame after which a client is dropped: TCP garbles nothing."""


class TcpClients:
    """Serves whoever a listener accepts.

    buffer: frames that wait for a client at most.
    idle:   seconds without a command after which a client without data is dropped.
    data:   makes who gets the data of a client at an address; without it they go over TCP.
    """

    def __init__(
        self,
        hub: Hub,
        listener: Listener,
        *,
        buffer: int,
        idle: float,
        data: Callable[[str], Receiver] | None = None,
    ) -> None:
        self._hub = hub
        self._listener = listener
        self._buffer = buffer
        self._idle = idle
        self._data = data
        hub.counts.append(listener.counts)

    async def run(self) -> None:
        """Serve clients until the listener ends; raises ChannelClosed."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._serve(await self._listener.accept()))

    async def _serve(self, channel: Channel) -> None:
        hub = self._hub
        outbox = Outbox(self._buffer, self._slow(channel.name))
        receiver = outbox if self._data is None else self._data(channel.name)
        hub.receivers.add(receiver)
        hub.ctx.log.info("%s: %s has connected", hub.ctx.name, channel.name)
        why = "the link ends"
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(channel, outbox, receiver))
                tasks.create_task(self._write(channel, outbox))
        except* ChannelClosed as errors:
            why = str(errors.exceptions[0])
        finally:
            hub.receivers.discard(receiver)
            hub.ctx.log.info("%s: a client has gone: %s", hub.ctx.name, why)
            await channel.close()

    def _slow(self, name: str) -> Callable[[str], None]:
        """Return what counts frames that a client did not get, and says so once."""
        ctx = self._hub.ctx
        told = False

        def count(what: str) -> None:
            nonlocal told
            ctx.count(what)
            if not told:
                told = True
                ctx.log.warning(
                    "%s: %s takes data too slowly, and does not get all frames", ctx.name, name
                )

        return count

    async def _read(self, channel: Channel, outbox: Outbox, receiver: Receiver) -> None:
        hub = self._hub
        reader = Reader(hub.answers.counts)
        idcode, told = hub.answers.configuration.idcode, False
        while True:
            try:
                async with asyncio.timeout(None if receiver.on else self._idle):
                    octets = await channel.read()
            except TimeoutError:
                raise ChannelClosed(
                    f"{channel.name} has asked for nothing for {self._idle:g} s"
                ) from None
            frames = reader.feed(octets)
            if reader.bad > MOST_BAD:
                raise ChannelClosed(f"{channel.name} does not speak C37.118")
            for frame, whole in frames:
                hub.ctx.trace("rx", whole, channel.name)
                if frame.idcode != idcode and not told:
                    told = True
                    hub.ctx.log.warning(
                        "%s: %s asks for IDCODE %d and has no answer: this stream is %d",
                        hub.ctx.name,
                        channel.name,
                        frame.idcode,
                        idcode,
                    )
                answer = hub.answers.answer(frame, hub.ctx.now())
                if answer is not None and not self._obey(answer, outbox, receiver, channel.name):
                    raise ChannelClosed(f"{channel.name} does not read what it asks for")

    def _obey(self, answer: Answer, outbox: Outbox, receiver: Receiver, name: str) -> bool:
        ctx = self._hub.ctx
        if answer.on is not None:
            if answer.on != receiver.on:
                ctx.log.info("%s: %s data to %s", ctx.name, "on" if answer.on else "off", name)
            receiver.on = answer.on
            if not answer.on:
                receiver.forget()
        if not answer.frame:
            return True
        ctx.trace("tx", answer.frame, name)
        return outbox.answer(answer.frame)

    async def _write(self, channel: Channel, outbox: Outbox) -> None:
        while True:
            await channel.write(await outbox.frames())
