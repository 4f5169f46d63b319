"""The life of one connection: subscriptions, messages into samples, custody, commands."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import numpy as np

from gateway import Batch, Kind, LinkError, Quality, SourceContext
from gateway_mqtt.packet import AT_LEAST_ONCE, Publish
from gateway_mqtt.settings import Version
from gateway_mqtt.source import subscriptions
from gateway_mqtt.source.inbox import Inbox
from gateway_mqtt.source.orders import Orders
from gateway_mqtt.source.present import Present
from gateway_mqtt.source.reading import Sight, Unreadable
from gateway_mqtt.source.rows import Rows, Runs
from gateway_mqtt.source.silence import Silence
from gateway_mqtt.source.topics import Topic, devices, topics

if TYPE_CHECKING:
    from gateway_mqtt.source.source import MqttSource

GRACE = 2.0
"""Seconds that a stop may take to say goodbye."""
WAITING = 16
"""Batches that may wait for the disk while the next are read."""
FILTERS = 100
"""Filters in one SUBSCRIBE; brokers bound the packet."""

_DOUBT = int(Quality.QUESTIONABLE | Quality.OLD_DATA)
_AWAY = int(Quality.INVALID | Quality.OLD_DATA)
_TOP = {Kind.STATUS: 1.0, Kind.DOUBLE: 3.0}


class Session:
    """One connection of a source: `connection.open`, then `watch` beside `work`.

    Messages are acknowledged in their order, each when the gateway has custody of its samples.
    """

    def __init__(self, source: MqttSource, ctx: SourceContext, tls: ssl.SSLContext | None) -> None:
        self._source = source
        self._ctx = ctx
        self._loop = asyncio.get_running_loop()
        self._devices = devices(source, ctx.points)
        self._topics = topics(source, ctx.points, self._devices)
        self._orders = Orders(ctx, ctx.points, source.reply, five=source.version is Version.V5)
        size = max(point.id for point in ctx.points) + 1
        self._top = np.full(size, np.nan)
        for point in ctx.points:
            self._top[point.id] = _TOP.get(point.kind, np.nan)
        self._present = Present(size)
        self._identifier = source.client_id or f"{ctx.gateway}-{ctx.name}"
        self.connection = source.connection(
            self._identifier,
            tls,
            will=None,
            acknowledged=self._orders.acknowledged,
            received=self._received,
            tracer=ctx,
            kept=source.session,
            waiting=source.inflight,
            most=source.max_message,
        )
        self._inbox = Inbox(self.connection.pause, self.connection.resume)
        self._custody: asyncio.Queue[tuple[list[asyncio.Task[None]], list[Publish]]] = (
            asyncio.Queue(WAITING)
        )

    async def watch(self) -> None:
        """Raise LinkError when the connection is lost."""
        await asyncio.wait([self.connection.lost])
        raise LinkError(self.connection.lost.result())

    async def work(self) -> None:
        """Subscribe; then messages, silence and commands, side by side."""
        await self._subscribe()
        source = self._source
        again = ", session resumed" if self.connection.session_present else ""
        self._ctx.up(f"{source.broker}, MQTT {source.version}, {len(self._topics)} topics{again}")
        silence = self._silence()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._take(tasks, silence))
                tasks.create_task(self._settle())
                if silence.period:
                    tasks.create_task(self._listen(silence))
                if self._orders:
                    tasks.create_task(self._orders.follow(self.connection))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def farewell(self) -> None:
        """Leave; what is not acknowledged the broker keeps for the session."""
        if self.connection.opened and not self.connection.lost.done():
            await self.connection.leave(GRACE)

    # Subscriptions

    async def _subscribe(self) -> None:
        source, connection = self._source, self.connection
        own = {*self._topics, *self._devices}
        wanted = {*(source.subscribe or own), *self._orders.topics}
        if source.session:
            await self._forget_old(wanted)
        options = AT_LEAST_ONCE if source.qos else 0
        filters = sorted(wanted)
        for start in range(0, len(filters), FILTERS):
            await connection.hear(filters[start : start + FILTERS], source.connect_timeout, options)

    async def _forget_old(self, wanted: set[str]) -> None:
        """Unsubscribe what a configuration before this one wanted; a kept session has it still."""
        try:
            before = await asyncio.to_thread(subscriptions.recall, self._ctx.data, self._identifier)
            if self.connection.session_present and before - wanted:
                self.connection.forget(sorted(before - wanted))
            if before != wanted:
                await asyncio.to_thread(
                    subscriptions.remember, self._ctx.data, self._identifier, wanted
                )
        except OSError as error:
            raise LinkError(f"cannot keep the subscriptions in {self._ctx.data}: {error}") from None

    # Messages

    def _received(self, message: Publish) -> None:
        if message.topic in self._orders.topics:
            # Not behind samples that wait for the disk: somebody waits for it.
            self.connection.acknowledge(message)
            self._orders.replied(message)
            return
        self._inbox.put(message)

    async def _take(self, tasks: asyncio.TaskGroup, silence: Silence) -> None:
        runs = Runs()
        while True:
            messages = await self._inbox.take()
            now = self._ctx.now()
            for message in messages:
                self._read(message, now, runs)
            emits = [
                tasks.create_task(self._ctx.emit(batch, every=every))
                for rows in runs.take()
                for batch, every in self._batches(rows, silence)
            ]
            self._ctx.count("messages", len(messages))
            await self._custody.put((emits, messages))

    async def _settle(self) -> None:
        """Acknowledge messages as the gateway takes them over, in their order."""
        while True:
            emits, messages = await self._custody.get()
            for emit in emits:
                await emit
            for message in messages:
                self.connection.acknowledge(message)

    def _batches(self, rows: Rows, silence: Silence) -> list[tuple[Batch, bool]]:
        batch, wrong = rows.batch(self._top)
        if wrong:
            self._ctx.count("wrong_states", wrong)
        if rows.historical:
            return [(self._present.behind(batch), True)]
        silence.heard(batch.point, self._loop.time())
        self._present.note(batch)
        return [(batch, False)]

    def _read(self, message: Publish, now: int, runs: Runs) -> None:
        if message.dup:
            self._ctx.count("duplicates")
        device = self._devices.get(message.topic)
        topic = self._topics.get(message.topic)
        if device is not None:
            try:
                device.hear(message.payload, now, runs)
            except ValueError as error:
                self._ctx.count("unreadable")
                self._ctx.log.warning("%s: availability: %s", message.topic, error)
        elif topic is None:
            self._ctx.count("unwanted")
        if topic is not None:
            self._read_values(message, topic, now, runs)

    def _read_values(self, message: Publish, topic: Topic, now: int, runs: Runs) -> None:
        doubt = flags = 0
        if message.retain:
            self._ctx.count("retained")
            if self._source.retained == "ignore":
                return
            if self._source.retained == "questionable":
                doubt = _DOUBT
            if topic.device is not None and topic.device.away:
                flags = _AWAY
        try:
            if message.cut:
                size = len(message.payload) + message.cut
                raise Unreadable(f"its {size} bytes are more than max_message")
            wrong = topic.reading.read(message.payload, Sight(now, doubt, flags), runs)
        except Unreadable as error:
            wrong = str(error)
            runs.rows().void(topic.reading.points, now)
        if wrong:
            self._ctx.count("unreadable")
        if bool(wrong) is not bool(topic.wrong):
            if wrong:
                self._ctx.log.warning("%s cannot be read: %s", message.topic, wrong)
            else:
                self._ctx.log.info("%s can be read again", message.topic)
        topic.wrong = wrong

    # Silence

    def _silence(self) -> Silence:
        limits: dict[int, float] = {}
        for point in self._ctx.points:
            at = point.address
            limit = getattr(at, "stale_after", None) or self._source.stale_after
            if limit is not None and getattr(at, "topic", None) is not None:
                limits[point.id] = limit
        return Silence(limits, self._loop.time())

    async def _listen(self, silence: Silence) -> None:
        while True:
            await asyncio.sleep(silence.period)
            points = silence.silent(self._loop.time())
            if points:
                self._ctx.count("silences", len(points))
                await self._ctx.stale(points)
