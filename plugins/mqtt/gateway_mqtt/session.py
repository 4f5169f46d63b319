"""The life of one connection: presence, publishing, acknowledgement, farewell."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import aiomqtt
from paho.mqtt.packettypes import PacketTypes

from gateway import LinkError, SinkContext, seconds_text
from gateway_mqtt.command_service import CommandService
from gateway_mqtt.connection import reason_text
from gateway_mqtt.inflight import InFlight
from gateway_mqtt.message import Encoder
from gateway_mqtt.packet import FAILURE, NO_MATCHING_SUBSCRIBERS, NO_PROPERTIES, Publish
from gateway_mqtt.properties import pack
from gateway_mqtt.settings import Retain, Version
from gateway_mqtt.topic import render

if TYPE_CHECKING:
    from gateway_mqtt.sink import JsonSink

GRACE = 2.0
"""Seconds that a stop may wait for the last acknowledgements; less where ack_timeout is less."""
TURN = 256_000
"""Bytes after which the loop gets its turn: about a millisecond of encoding."""


class Session:
    """One connection of a sink: `connection.open`, then `watch` beside `publish` and `obey`.

    A delivery is reported as delivered when the PUBACKs of all its messages have come,
    and those of all deliveries before it.
    """

    def __init__(self, sink: JsonSink, ctx: SinkContext, tls: ssl.SSLContext | None) -> None:
        self._sink = sink
        self._ctx = ctx
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._inflight = InFlight(sink.inflight)
        self._reported = 0
        will = None
        if sink.presence:
            self._status = render(sink.presence.topic, gateway=ctx.gateway, link=ctx.name)
            will = aiomqtt.Will(self._status, sink.presence.offline.encode(), qos=1, retain=True)
        self._answers: set[int] = set()
        self._answering = 0
        self._commands = CommandService(sink.commands, ctx, self._answer) if sink.commands else None
        self.connection = sink.connection(
            f"{ctx.gateway}-{ctx.name}",
            tls,
            will=will,
            acknowledged=self._acknowledged,
            received=self._received,
            tracer=ctx,
        )
        self.connection.lost.add_done_callback(lambda _: self._moved.set())

    async def watch(self) -> None:
        """Raise LinkError when the connection is lost or nothing is acknowledged any more."""
        lost = self.connection.lost
        limit = self._sink.ack_timeout
        while True:
            await asyncio.wait([lost], timeout=limit / 4)
            if lost.done():
                raise LinkError(lost.result())
            silent = self._loop.time() - self._inflight.progress
            if len(self._inflight) and silent > limit:
                self._ctx.count("ack_timeouts")
                raise LinkError(
                    f"{self._sink.broker} acknowledged nothing for {seconds_text(limit)}; "
                    f"{len(self._inflight)} messages wait"
                )

    async def publish(self) -> None:
        """Announce presence, then hand on deliveries for as long as the connection lasts."""
        sink, ctx = self._sink, self._ctx
        self._inflight.narrow(self.connection.receive_maximum)
        encoder = self._encoder()
        if sink.presence:
            self._send_presence(sink.presence.online)
            await self._settle()
        ctx.up(f"{sink.broker}, MQTT {sink.version}")
        encoded = 0
        async for delivery in ctx.batches():
            self._inflight.begin(delivery.seq)
            retain = sink.retain is Retain.LIVE and not delivery.historical
            messages = 0
            for message in encoder.messages(delivery.batch, historical=delivery.historical):
                # Answers to commands go first: somebody waits for each.
                while self._inflight.full or self._answering:
                    self._moved.clear()
                    await self._moved.wait()
                self._send(message.topic, message.payload, retain=retain)
                messages += 1
                encoded += len(message.payload)
                if encoded > TURN:
                    encoded = 0
                    await asyncio.sleep(0)
            self._inflight.end()
            ctx.count("messages", messages)
            self._report()

    async def obey(self) -> None:
        """Take commands, where the link is to, for as long as the connection lasts."""
        if self._commands is not None:
            await self._commands.run(self.connection, self._sink.connect_timeout)

    async def farewell(self) -> None:
        """Wait for what is under way, say offline, and leave; within GRACE, whatever happens."""
        if not self.connection.opened or self.connection.lost.done():
            return
        try:
            async with asyncio.timeout(min(GRACE, self._sink.ack_timeout)):
                if self._sink.presence:
                    self._send_presence(self._sink.presence.offline)
                await self._settle()
                await self.connection.leave(GRACE)
        except (TimeoutError, LinkError):
            self._ctx.log.debug("stopped with %d messages unacknowledged", len(self._inflight))

    def _encoder(self) -> Encoder:
        sink, connection = self._sink, self.connection
        if not connection.retain_available and (sink.presence or sink.retain is Retain.LIVE):
            raise LinkError(
                f"{sink.broker} keeps no retained messages: give presence: null and retain: never"
            )
        try:
            return Encoder(
                self._ctx.gateway,
                self._ctx.points,
                sink.topic,
                sink.time,
                sink.quality,
                min(sink.max_message, connection.maximum_packet),
            )
        except ValueError as error:
            raise LinkError(str(error)) from None

    async def _settle(self) -> None:
        while len(self._inflight):
            if self.connection.lost.done():
                raise LinkError(self.connection.lost.result())
            self._moved.clear()
            await self._moved.wait()

    def _send_presence(self, word: str) -> None:
        self._inflight.begin(0)
        self._send(self._status, word.encode(), retain=True)
        self._inflight.end()

    def _send(self, topic: str, payload: bytes, *, retain: bool) -> None:
        mid = self.connection.send(topic, payload, retain=retain)
        self._inflight.sent(mid, topic, len(payload), self._loop.time())

    def _received(self, message: Publish) -> None:
        # What is acknowledged before it is carried out never comes again: at most once.
        self.connection.acknowledge(message)
        if self._commands is not None:
            self._commands.take(message)

    async def _answer(self, topic: str, payload: bytes, correlation: bytes) -> None:
        """Publish the answer to a command when the window has room, before samples that wait."""
        self._answering += 1
        try:
            while self._inflight.full:
                self._moved.clear()
                await self._moved.wait()
        finally:
            self._answering -= 1
            self._moved.set()
        five = self._sink.version is Version.V5 and correlation
        properties = pack(correlation=correlation) if five else NO_PROPERTIES
        mid = self.connection.send(topic, payload, retain=False, properties=properties)
        self._answers.add(mid)
        self._inflight.sent_alone(mid, topic, len(payload), self._loop.time())

    def _acknowledged(self, mid: int, code: int) -> None:
        if mid in self._answers:
            self._answers.discard(mid)
            if code >= FAILURE:
                why = reason_text(PacketTypes.PUBACK, code)
                self._ctx.count("refused_answers")
                self._ctx.log.warning(
                    "%s refused the answer at %r: %s",
                    self._sink.broker,
                    self._inflight.topic(mid),
                    why,
                )
        elif code >= FAILURE:
            # It stays in flight, so that nothing at or behind it counts as delivered.
            self._ctx.count("refused")
            why = reason_text(PacketTypes.PUBACK, code)
            self.connection.fail(
                f"{self._sink.broker} refused a message to {self._inflight.topic(mid)!r}: {why}"
            )
            return
        if code == NO_MATCHING_SUBSCRIBERS:
            self._ctx.count("no_subscribers")
        if self._inflight.acknowledged(mid, self._loop.time()):
            self._moved.set()
            self._report()

    def _report(self) -> None:
        if self._inflight.delivered > self._reported:
            self._reported = self._inflight.delivered
            self._ctx.delivered(self._reported)
