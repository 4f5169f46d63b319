"""Brokers that misbehave, spoken octet by octet: each is noticed, said, and costs no sample."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import JsonSink
from gateway_mqtt.connection import Connection
from gateway_mqtt.settings import Version

from gateway import Endpoint, LinkError, Reconnect
from gateway.testing import Emitter, Running, running

POINTS = "name,field.at\nfeeder1.voltage,x\n"
NAME = "feeder1.voltage"
CONNACK5 = b"\x20\x03\x00\x00\x00"
CONNACK3 = b"\x20\x02\x00\x00"
T = 1_700_000_000_000_000_000

Answer = Callable[["Peer", int, bytes], Awaitable[None]]


class Peer:
    """One connection of a broker made for a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def packet(self) -> tuple[int, bytes]:
        first = (await self.reader.readexactly(1))[0]
        length = shift = 0
        while True:
            digit = (await self.reader.readexactly(1))[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return first, await self.reader.readexactly(length)


class Fake:
    """A broker whose every answer the test decides: `answer(peer, first octet, body)`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connects = 0
        self.publishes = 0
        self.open = 0
        self.left = asyncio.Event()
        self.endpoint = Endpoint("127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.open += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    first, body = await peer.packet()
                    if first == 0xE0:
                        break
                    self.connects += first == 0x10
                    self.publishes += first & 0xF0 == 0x30
                    await self.answer(peer, first, body)
        finally:
            self.open -= 1
            self.left.set()
            writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Fake]:
        listener = socket.create_server(("127.0.0.1", 0))
        # Small, so that a burst does not fit and the sender has to wait for the socket.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server = await asyncio.start_server(self._serve, sock=listener)
        self.endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()


def _greet(connack: bytes = CONNACK5, then: Answer | None = None) -> Answer:
    async def answer(peer: Peer, first: int, body: bytes) -> None:
        if first == 0x10:
            peer.send(connack)
        elif then is not None:
            await then(peer, first, body)

    return answer


async def _acknowledge(peer: Peer, first: int, body: bytes) -> None:
    if first & 0xF0 == 0x30:
        at = 2 + int.from_bytes(body[:2], "big")
        peer.send(b"\x40\x02" + body[at : at + 2])


def _sink(fake: Fake, **fields: Any) -> JsonSink:
    return JsonSink.model_validate(
        {
            "name": "mqtt",
            "broker": str(fake.endpoint),
            "select": ["feeder*"],
            "presence": None,
            "reconnect": Reconnect(min=0.05, max=0.1),
        }
        | fields
    )


@contextlib.asynccontextmanager
async def _gateway(
    tmp_path: Path, fake: Fake, **fields: Any
) -> AsyncIterator[tuple[Running, Emitter]]:
    field = Emitter(name="field")
    async with running([field], [_sink(fake, **fields)], POINTS, data=tmp_path) as gw:
        yield gw, field


async def test_a_broker_that_never_acknowledges_is_left_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    """It takes every PUBLISH and answers none: after ack_timeout the link breaks and says so,
    the sample is still pending, and is delivered as soon as a broker acknowledges.
    """
    async with (
        Fake(_greet()).running() as fake,
        _gateway(tmp_path, fake, ack_timeout="200ms") as (gw, field),
    ):
        await gw.until(lambda: gw.state("mqtt") == "up")
        await field.emit([NAME], [1.0], 0, T, every=True)
        await gw.until(lambda: gw.counters("mqtt").get("ack_timeouts", 0) >= 2)
        words = "acknowledged nothing for 200ms; 1 messages wait"
        await gw.until(lambda: words in gw.status("mqtt").error)
        assert (gw.ledger("mqtt").delivered, gw.held("mqtt")) == (0, 1)
        await gw.until(lambda: fake.open <= 1, what="each attempt closes its socket")
        fake.answer = _greet(then=_acknowledge)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 1)


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    """The host drains for 5 s and the farewell takes 2 s, though nothing is acknowledged."""
    async with (
        Fake(_greet()).running() as fake,
        _gateway(tmp_path, fake, ack_timeout="60s") as (gw, field),
    ):
        await field.emit([NAME], [1.0], 0, T, every=True)
        await gw.until(lambda: fake.publishes == 1)
        began = time.monotonic()
        await gw.stop()
        assert time.monotonic() - began < 10.0
        assert gw.held("mqtt") == 1
        await asyncio.wait_for(fake.left.wait(), 5.0)


async def test_a_broker_that_never_acknowledges_presence_is_never_up(tmp_path: Path) -> None:
    """The link is up when the broker has acknowledged something, not when it said hello."""
    async with (
        Fake(_greet()).running() as fake,
        _gateway(tmp_path, fake, ack_timeout="100ms", presence={}) as (gw, _),
    ):
        await gw.until(lambda: gw.counters("mqtt").get("ack_timeouts", 0) >= 2)
        assert gw.state("mqtt") == "down"


async def test_a_broker_that_stops_reading_is_left(tmp_path: Path) -> None:
    """Its TCP window fills; nothing hangs on the socket, no connection is left behind."""
    stopped = asyncio.Event()

    async def stop_reading(peer: Peer, first: int, body: bytes) -> None:
        await stopped.wait()

    async with (
        Fake(_greet(then=stop_reading)).running() as fake,
        _gateway(tmp_path, fake, ack_timeout="300ms", inflight=60000) as (gw, field),
    ):
        await gw.until(lambda: gw.state("mqtt") == "up")
        for _ in range(6):
            n = 15_000
            await field.emit([NAME] * n, [0.1] * n, 0, T, every=True)
        await gw.until(lambda: gw.counters("mqtt").get("ack_timeouts", 0) >= 1)
        assert gw.held("mqtt") == 90_000
        fake.answer = _greet(then=_acknowledge)
        stopped.set()
        await gw.until(lambda: gw.ledger("mqtt").delivered == 90_000)
        await gw.until(lambda: fake.open == 1, what="old connections are closed")


@pytest.mark.parametrize(
    ("version", "connack", "words"),
    [
        # MQTT 5.0 table 3-1; 3.1.1 table 3.1
        ("5", b"\x20\x03\x00\x8a\x00", "refused the connection: Banned"),
        ("5", b"\x20\x03\x00\x87\x00", "refused the connection: Not authorized"),
        ("3.1.1", b"\x20\x02\x00\x05", "refused the connection: Not authorized"),
        ("3.1.1", b"\x20\x02\x00\x03", "refused the connection: Server unavailable"),
        ("3.1.1", b"\x20\x02\x00\x01", "closed the connection before a CONNACK"),
        ("5", b"\x20\x05\x00\x00\x02\x24\x00", "QoS 0 only"),
    ],
)
async def test_a_refusal_is_said_at_once(
    tmp_path: Path, version: str, connack: bytes, words: str
) -> None:
    """The reason of the CONNACK is the sentence of the link; no time-out is waited for."""
    async with (
        Fake(_greet(connack)).running() as fake,
        _gateway(tmp_path, fake, version=version, connect_timeout="60s") as (gw, _),
    ):
        await gw.until(lambda: gw.state("mqtt") == "down")
        assert words in gw.status("mqtt").error


async def test_a_broker_that_says_nothing_is_left(tmp_path: Path) -> None:
    """No CONNACK within connect_timeout ends the attempt, and its socket is closed."""

    async def nothing(peer: Peer, first: int, body: bytes) -> None:
        return

    async with (
        Fake(nothing).running() as fake,
        _gateway(tmp_path, fake, connect_timeout="500ms") as (gw, _),
    ):
        await gw.until(lambda: fake.connects >= 3)
        assert "did not answer within 0.5 s: no CONNACK" in gw.status("mqtt").error
        await gw.until(lambda: fake.open <= 1, what="each attempt closes its socket")


async def test_a_broker_that_hangs_up_instead_of_answering_is_said_at_once(tmp_path: Path) -> None:
    """Closing without CONNACK is what brokers do to strangers (clause 3.1.4)."""

    async def hang_up(peer: Peer, first: int, body: bytes) -> None:
        peer.writer.close()

    async with (
        Fake(hang_up).running() as fake,
        _gateway(tmp_path, fake, connect_timeout="60s") as (gw, _),
    ):
        await gw.until(lambda: gw.state("mqtt") == "down")
        assert "closed the connection before a CONNACK" in gw.status("mqtt").error


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    """The system's own word, and the address."""
    async with Fake(_greet()).running() as fake:
        pass
    async with _gateway(tmp_path, fake) as (gw, _):
        await gw.until(lambda: gw.state("mqtt") == "down")
        assert f"cannot connect to {fake.endpoint}: " in gw.status("mqtt").error
        assert "refused" in gw.status("mqtt").error


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"\x40\xff\xff\xff\xff\xff", "broke the protocol: a remaining length"),
        (b"\x40\x01\x00", "broke the protocol: a PUBACK of 1 bytes"),
        (b"\x90\x03\x00\x01\x00", "broke the protocol: packet type 0x90"),
        (b"\xe0\x02\x8b\x00", "closed the connection: Server shutting down"),
        (b"\xe0\x00", "closed the connection: no reason given"),
        (b"\xe0\x01\xff", "closed the connection: reason code 0xFF"),
    ],
)
async def test_what_a_broker_says_wrong_or_last_is_said(
    tmp_path: Path, octets: bytes, words: str
) -> None:
    """Garbage and DISCONNECT (table 3-13) break the link with a sentence, and lose nothing."""

    async def garbage(peer: Peer, first: int, body: bytes) -> None:
        peer.send(octets)

    async with (
        Fake(_greet(then=garbage)).running() as fake,
        _gateway(tmp_path, fake) as (gw, field),
    ):
        await gw.until(lambda: gw.state("mqtt") == "up")
        await field.emit([NAME], [1.0], 0, T, every=True)
        await gw.until(lambda: words in gw.status("mqtt").error)
        assert gw.held("mqtt") == 1
        fake.answer = _greet(then=_acknowledge)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 1)


async def test_a_broker_that_resets_the_connection_is_left(tmp_path: Path) -> None:
    """A TCP reset after each PUBLISH costs a reconnect, and no sample."""

    async def reset(peer: Peer, first: int, body: bytes) -> None:
        connection = peer.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.writer.transport.abort()

    async with (
        Fake(_greet(then=reset)).running() as fake,
        _gateway(tmp_path, fake) as (gw, field),
    ):
        await field.emit([NAME], [1.0], 0, T, every=True)
        await gw.until(lambda: gw.counters("mqtt").get("disconnects", 0) >= 3)
        await gw.until(lambda: f"lost {fake.endpoint}: " in gw.status("mqtt").error)
        assert gw.held("mqtt") == 1
        fake.answer = _greet(then=_acknowledge)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 1)


async def test_a_puback_that_nobody_waits_for_moves_nothing(tmp_path: Path) -> None:
    """Packet identifier 0x7777 was never sent; the sample stays pending."""

    async def wrong(peer: Peer, first: int, body: bytes) -> None:
        peer.send(b"\x40\x02\x77\x77")

    async with (
        Fake(_greet(then=wrong)).running() as fake,
        _gateway(tmp_path, fake, ack_timeout="200ms") as (gw, field),
    ):
        await field.emit([NAME], [1.0], 0, T, every=True)
        await gw.until(lambda: gw.counters("mqtt").get("ack_timeouts", 0) >= 1)
        assert gw.ledger("mqtt").delivered == 0
        fake.answer = _greet(then=_acknowledge)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 1)


async def test_no_matching_subscribers_is_success_and_counted(tmp_path: Path) -> None:
    """Reason 0x10 (clause 3.4.2.1): the broker has it, though nobody listens."""

    async def lonely(peer: Peer, first: int, body: bytes) -> None:
        if first & 0xF0 == 0x30:
            at = 2 + int.from_bytes(body[:2], "big")
            peer.send(b"\x40\x03" + body[at : at + 2] + b"\x10")

    async with (
        Fake(_greet(then=lonely)).running() as fake,
        _gateway(tmp_path, fake) as (gw, field),
    ):
        await field.emit([NAME], [1.0], 0, T, every=True)
        await gw.until(lambda: gw.ledger("mqtt").delivered == 1)
        assert gw.counters("mqtt")["no_subscribers"] == 1


async def test_a_broker_without_retained_messages_is_said(tmp_path: Path) -> None:
    """Retain Available 0 (clause 3.2.2.3.5) and presence do not go together."""
    async with (
        Fake(_greet(b"\x20\x05\x00\x00\x02\x25\x00")).running() as fake,
        _gateway(tmp_path, fake, presence={}) as (gw, _),
    ):
        await gw.until(lambda: gw.state("mqtt") == "down")
        assert "keeps no retained messages: give presence: null" in gw.status("mqtt").error


def _connection(fake: Fake, keepalive: int = 60) -> Connection:
    return Connection(
        fake.endpoint,
        identifier="test",
        version=Version.V5,
        username=None,
        password=None,
        keepalive=keepalive,
        tls=None,
        will=None,
        acknowledged=lambda mid, code: None,
    )


@pytest.mark.parametrize("connack", [CONNACK5, b"\x20\x06\x00\x00\x03\x13\x00\x01"])
async def test_a_broker_that_answers_no_ping_is_noticed(connack: bytes) -> None:
    """Within the keep-alive, ours or the lower one that the CONNACK asks for (3.2.2.3.14)."""
    async with Fake(_greet(connack)).running() as fake:
        connection = _connection(fake, keepalive=1 if connack == CONNACK5 else 60)
        try:
            await connection.open(5.0)
            sentence = await asyncio.wait_for(asyncio.shield(connection.lost), 5.0)
            assert sentence.endswith("did not answer a ping in 0.5 s")
        finally:
            await connection.abort()


async def test_pings_that_are_answered_keep_the_connection() -> None:
    """Three PINGREQ come, and are answered; nobody complains."""
    pings = asyncio.Semaphore(0)

    async def pong(peer: Peer, first: int, body: bytes) -> None:
        if first == 0xC0:
            peer.send(b"\xd0\x00")
            pings.release()

    async with Fake(_greet(then=pong)).running() as fake:
        connection = _connection(fake, keepalive=1)
        await connection.open(5.0)
        for _ in range(3):
            await asyncio.wait_for(pings.acquire(), 5.0)
        assert not connection.lost.done()
        await connection.abort()


async def test_an_attempt_that_is_given_up_leaves_nothing_behind() -> None:
    """Cancelled while it waits for the CONNACK, the socket is closed, and no CONNECT follows."""
    asked = asyncio.Event()

    async def nothing(peer: Peer, first: int, body: bytes) -> None:
        asked.set()

    async with Fake(nothing).running() as fake:
        connection = _connection(fake)
        attempt = asyncio.create_task(connection.open(60.0))
        await asyncio.wait_for(asked.wait(), 5.0)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await connection.abort()
        await asyncio.wait_for(fake.left.wait(), 5.0)
        assert fake.connects == 1


async def test_a_connection_that_is_gone_raises_no_more() -> None:
    """Aborting twice, or what never opened, is harmless."""
    async with Fake(_greet()).running() as fake:
        connection = _connection(fake)
        await connection.abort()
        other = _connection(fake)
        await other.open(5.0)
        await other.abort()
        await other.abort()
        with pytest.raises(LinkError, match="cannot connect"):
            await connection.open(5.0)
