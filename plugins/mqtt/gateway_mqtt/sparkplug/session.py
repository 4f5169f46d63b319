"""The life of one connection: host awaited, births, data, commands, deaths."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiomqtt
from paho.mqtt.packettypes import PacketTypes

from gateway import Delivery, LinkError, SinkContext, seconds_text
from gateway_mqtt.connection import reason_text
from gateway_mqtt.packet import FAILURE, Publish
from gateway_mqtt.sparkplug.birth import node_death
from gateway_mqtt.sparkplug.command import Commands
from gateway_mqtt.sparkplug.custody import Custody
from gateway_mqtt.sparkplug.hold import MOST, Hold
from gateway_mqtt.sparkplug.host import PrimaryHost
from gateway_mqtt.sparkplug.inbox import Inbox
from gateway_mqtt.sparkplug.node import Message, Messages, Node
from gateway_mqtt.sparkplug.topic import state_topic, topic
from gateway_mqtt.sparkplug.tree import tree
from gateway_mqtt.topic import render

if TYPE_CHECKING:
    from gateway_mqtt.sparkplug.sink import SparkplugSink

GRACE = 2.0
"""Seconds that a stop may wait for the last proof; less where ack_timeout is less."""
LOOK = 0.5
"""Seconds between looks at what has no event of its own."""
CALM = 1.0
"""Seconds from one requested rebirth to the next: a storm of requests must not silence data."""
UNPROVED = 4_000_000
"""Octets sent and not proved; more would wait in memory for a slow line."""
TURN = 256_000
"""Octets after which the loop gets its turn: about a millisecond of encoding."""


class Session:
    """One connection of a node: `connection.open`, then `watch` beside `work`, then `farewell`."""

    def __init__(
        self, sink: SparkplugSink, ctx: SinkContext, tls: ssl.SSLContext | None, bdseq: int
    ) -> None:
        self._sink = sink
        self._ctx = ctx
        self._loop = asyncio.get_running_loop()
        self._bdseq = bdseq
        self._group = render(sink.group, gateway=ctx.gateway, link=ctx.name)
        self._name = render(sink.node, gateway=ctx.gateway, link=ctx.name)
        self._devices = tree(ctx.points, sink.devices, sink.metrics)
        self._commands = Commands(self._group, self._name, self._devices, sink.command_window)
        self._inbox = Inbox(ctx, self._commands, self._rebirth)
        self._host = PrimaryHost()
        self._state = state_topic(sink.primary_host) if sink.primary_host else ""
        self._host_heard = asyncio.Event()
        self._warned = False
        self._host_gone: asyncio.Future[str] = self._loop.create_future()
        self._custody = Custody()
        self._moved = asyncio.Event()
        self._hold = Hold(sink.hold, sink.window // 2)
        self._turn = asyncio.Lock()
        self._rebirth_waits = False
        self._reborn_at = -CALM
        self._node: Node | None = None
        self.connection = sink.connection(
            f"{ctx.gateway}-{ctx.name}",
            tls,
            will=aiomqtt.Will(
                topic("NDEATH", self._group, self._name),
                node_death(bdseq, ctx.now()),
                qos=1,
                retain=False,
            ),
            acknowledged=self._acknowledged,
            ponged=self._ponged,
            received=self._received,
            tracer=ctx,
        )
        self.connection.lost.add_done_callback(lambda _: self._moved.set())

    async def work(self) -> None:
        """Subscribe, wait for the primary host, be born; then data and commands, side by side."""
        sink, ctx = self._sink, self._ctx
        await self.connection.hear(
            [*self._commands.topics, *([self._state] if self._state else ())],
            sink.connect_timeout,
        )
        if self._state:
            await self._await_host()
        self._node = Node(
            self._group,
            self._name,
            self._devices,
            ctx.image,
            self._bdseq,
            min(sink.max_message, self.connection.maximum_packet),
            ctx.now,
            self._loop.time,
            ctx.count,
        )
        # From here on what comes is behind the births, or in them; what waited is older.
        deliveries = ctx.batches()
        await self._bear(self._node)
        await self._settle()
        ctx.up(f"{sink.broker}, MQTT {sink.version}, {self._node.alive} devices")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish(self._node, deliveries))
            tasks.create_task(self._inbox.run())

    async def watch(self) -> None:
        """Raise LinkError when the connection is lost or silent, or the primary host is gone."""
        while True:
            await asyncio.wait(
                [self.connection.lost, self._host_gone],
                timeout=min(LOOK, self._sink.ack_timeout / 4),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self.connection.lost.done():
                raise LinkError(self.connection.lost.result())
            if self._host_gone.done():
                raise LinkError(self._host_gone.result())
            self._check_proof()
            self._release()
            if self._node is not None:
                await self._bury(self._node)

    async def farewell(self) -> None:
        """Say NDEATH and leave, after the proof of what is under way; within GRACE, whatever."""
        if not self.connection.opened or self.connection.lost.done():
            return
        try:
            async with asyncio.timeout(min(GRACE, self._sink.ack_timeout)):
                if self._node is not None:
                    await self._settle()
                    self._release(everything=True)
                    death = self._node.death()
                    self.connection.send(death.topic, death.payload, retain=False)
                    self._ctx.count("deaths")
                await self.connection.leave(GRACE)
        except (TimeoutError, LinkError):
            self._ctx.log.debug("stopped with %d octets unproved", self._custody.octets)

    # The primary host

    async def _await_host(self) -> None:
        if not self._host.online:
            self._ctx.log.info(
                "waiting for the primary host %s to say that it is online",
                self._sink.primary_host,
            )
        while not self._host.online:
            self._host_heard.clear()
            await self._host_heard.wait()

    def _hear_host(self, payload: bytes) -> None:
        try:
            heard = self._host.hear(payload)
        except ValueError as error:
            self._ctx.count("unreadable_states")
            if not self._warned:
                self._warned = True
                self._ctx.log.warning(
                    "a STATE of %s is unreadable: %s", self._sink.primary_host, error
                )
            return
        if not heard:
            self._ctx.count("outdated_states")
        self._host_heard.set()
        if self._node is not None and not self._host.online and not self._host_gone.done():
            self._host_gone.set_result(f"the primary host {self._sink.primary_host} is offline")

    # Births and data

    async def _bear(self, node: Node) -> None:
        async with self._turn:
            await self._send_all(node.births())

    async def _rebirth(self) -> None:
        """Send all births anew; requests that come together, or in a storm, are one."""
        node = self._node
        if node is None or self._rebirth_waits:
            return
        self._rebirth_waits = True
        await asyncio.sleep(self._reborn_at + CALM - self._loop.time())
        self._reborn_at = self._loop.time()
        self._rebirth_waits = False
        await self._bear(node)

    async def _bury(self, node: Node) -> None:
        # Not while a delivery goes out, which may wait for the very proof that `watch` checks.
        if not self._turn.locked():
            async with self._turn:
                await self._send_all(node.overdue())

    async def _publish(self, node: Node, deliveries: AsyncIterator[Delivery]) -> None:
        async for delivery in deliveries:
            # A whole delivery, so that no birth in the middle of it has newer values than its rest.
            async with self._turn:
                await self._hand_on(node.deliver(delivery.batch, historical=delivery.historical))
            self._hold.take(delivery.seq, len(delivery.batch))
            self._custody.sent(delivery.seq)
            self._ping()
            if self._sink.hold:
                # What gathers meanwhile is one delivery, and the number of those held is bounded.
                await asyncio.sleep(self._sink.hold / MOST)

    async def _hand_on(self, messages: Messages) -> None:
        octets = 0
        for message in messages:
            if message is not None:
                self._send(message)
                octets += len(message.payload)
            if message is None or octets >= TURN:
                octets = 0
                await asyncio.sleep(0)
            while self._custody.octets >= UNPROVED:
                self._ping()
                self._moved.clear()
                await self._moved.wait()

    async def _send_all(self, messages: Messages) -> None:
        """Send births or deaths; `_turn` is held."""
        for message in messages:
            if message is None:
                await asyncio.sleep(0)
            else:
                self._send(message)

    def _send(self, message: Message) -> None:
        size = len(message.payload) + len(message.topic.encode()) + 16
        if size > self.connection.maximum_packet:
            raise LinkError(
                f"{message.kind} to {message.topic} has {size} bytes, and {self._sink.broker} "
                f"takes {self.connection.maximum_packet}: make more and smaller devices"
            )
        self.connection.send_once(message.topic, message.payload)
        self._custody.sending(size)
        self._ctx.count(_COUNTERS[message.kind])

    # Custody

    def _ping(self) -> None:
        # One at a time: while it is under way, what follows gathers for the next.
        if self._custody.unproved and not self._custody.waiting:
            self._custody.pinged(self.connection.ping(), self._loop.time())

    def _ponged(self, number: int) -> None:
        self._custody.ponged(number)
        self._ping()
        self._moved.set()
        self._hold.prove(self._custody.delivered, self._loop.time())
        self._release()

    def _release(self, *, everything: bool = False) -> None:
        """Report what the broker has, and has had for as long as it is to be held."""
        if self._host_gone.done():
            return
        before = self._hold.shortened
        delivered = self._hold.release(self._loop.time(), everything=everything)
        if delivered:
            self._ctx.delivered(delivered)
        if self._hold.shortened > before:
            self._ctx.count("held_too_short", self._hold.shortened - before)

    def _check_proof(self) -> None:
        limit = self._sink.ack_timeout
        if self._custody.waiting and self._loop.time() - self._custody.pinged_at > limit:
            self._ctx.count("ack_timeouts")
            self.connection.fail(
                f"{self._sink.broker} proved nothing for {seconds_text(limit)}; "
                f"{self._custody.octets} bytes wait"
            )
            raise LinkError(self.connection.lost.result())

    async def _settle(self) -> None:
        """Wait until the broker has all that was sent."""
        while self._custody.unproved or self._custody.waiting:
            if self.connection.lost.done():
                raise LinkError(self.connection.lost.result())
            self._ping()
            self._moved.clear()
            await self._moved.wait()

    def _acknowledged(self, mid: int, code: int) -> None:
        # Of the NDEATH at an orderly end, the only message at QoS 1.
        if code >= FAILURE:
            self._ctx.count("refused")
            why = reason_text(PacketTypes.PUBACK, code)
            self._ctx.log.warning("%s refused the NDEATH: %s", self._sink.broker, why)

    # Commands

    def _received(self, message: Publish) -> None:
        self.connection.acknowledge(message)
        if message.topic == self._state:
            self._hear_host(message.payload)
            return
        self._inbox.put(message)


_COUNTERS = {
    "NBIRTH": "births",
    "DBIRTH": "births",
    "NDATA": "messages",
    "DDATA": "messages",
    "DDEATH": "deaths",
}
