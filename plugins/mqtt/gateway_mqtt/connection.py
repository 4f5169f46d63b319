"""One connection to a broker: aiomqtt opens it, then PUBLISH and PUBACK go straight to the socket.

aiomqtt's `publish` waits for its own PUBACK, drops the reason code of it,
and when the link breaks waits out its time-out.
The paho client below it can pipeline, but spends about 100 µs on a message and its PUBACK,
most of it in objects and in a system call for every two bytes:
more than encoding the samples of a device, and more than the gateway may spend in all.
So once the CONNACK is there the socket is read and written here, many packets at a time;
TLS, CONNECT, will, credentials and closing stay with the libraries.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway import Endpoint, LinkError, reason
from gateway_mqtt import packet
from gateway_mqtt.settings import Version


class Tracer(Protocol):
    """Whoever wants to see the packets; a gateway's context is one."""

    @property
    def tracing(self) -> bool:
        """Whether anybody looks."""

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Show a packet, `tx` or `rx`; see `SourceContext.trace`."""


_READ = 65536
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def _connect_properties(kept: float, waiting: int | None) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if kept:
        properties.SessionExpiryInterval = round(kept)
    if waiting is not None:
        properties.ReceiveMaximum = waiting
    return properties


def reason_text(kind: int, code: int) -> str:
    """Return a reason code (MQTT 5.0 clause 2.4) in the standard's words."""
    try:
        return str(ReasonCode(kind, identifier=code))
    except (KeyError, ValueError, AssertionError):
        return f"reason code 0x{code:02X}"


class Connection(aiomqtt.Client):
    """One attempt: `open`, `hear`, `send` …, `leave` and `abort`; never used again.

    All are called from the loop:
    acknowledged: with the packet identifier and the reason code of each PUBACK.
    ponged:       with the number of the ping that was answered; a broker handles what one client
                  sends in order, so that it has taken all that went before that ping.
    received:     with each message; who takes it says `acknowledge` when it may be forgotten.
                  A kept session's first ones come before `open` returns.
    kept:         seconds for which the broker keeps session and messages when we are gone (3.1.1:
                  as long as it likes); 0 begins anew each time.
    waiting:      most messages of QoS 1 that the broker may send beyond those acknowledged (5).
    most:         longest packet that is received whole.
    tracer:       is shown the packets; what opens the connection without credentials and will.
    """

    def __init__(
        self,
        broker: Endpoint,
        *,
        identifier: str,
        version: Version,
        username: str | None,
        password: str | None,
        keepalive: int,
        tls: ssl.SSLContext | None,
        will: aiomqtt.Will | None,
        acknowledged: Callable[[int, int], None],
        ponged: Callable[[int], None] | None = None,
        received: Callable[[packet.Publish], None] | None = None,
        kept: float = 0.0,
        waiting: int | None = None,
        most: int = packet.MOST_RECEIVED,
        tracer: Tracer | None = None,
    ) -> None:
        self._five = version is Version.V5
        super().__init__(
            broker.host,
            broker.port,
            identifier=identifier,
            protocol=version.protocol,
            username=username,
            password=password,
            keepalive=keepalive,
            tls_context=tls,
            will=will,
            clean_session=None if self._five else not kept,
            clean_start=not kept if self._five else paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=_connect_properties(kept, waiting) if self._five else None,
            max_queued_incoming_messages=1,
            timeout=float("inf"),
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._client.disable_logger()
        self._broker = broker
        self._tracer = tracer
        self._peer = str(broker)
        self._shown = packet.connect_shown(
            identifier, five=self._five, keepalive=keepalive, clean=not kept
        )
        self._acknowledged = acknowledged
        self._answered = ponged
        self._deliver = received
        self._abandoned = False
        self._closed = asyncio.Event()
        self._socket: Any = None
        self._parser = packet.Parser(most)
        self._outgoing: list[bytes] = []
        self._chunk = memoryview(b"")
        self._flushing = False
        self._writing = False
        self._paused = False
        self._was_paused = False
        self._pings = 0
        self._pongs = 0
        self._subscribing: dict[int, asyncio.Future[bytes]] = {}
        self._keepalive_s = float(keepalive)
        self._mid = 0
        self.opened = False
        self.lost: asyncio.Future[str] = self._loop.create_future()
        """Done when the connection can no longer be used; the result says why."""
        self.receive_maximum = 65535
        self.maximum_packet = packet.LARGEST
        self.retain_available = True
        self.session_present = False
        """Whether the broker kept subscriptions and messages of the connection before."""

    async def open(self, timeout: float) -> None:
        """Connect, and wait for the CONNACK; at most `timeout` seconds for all of it.

        Raises LinkError with the reason of the broker or of the system.
        """
        self._client.connect_timeout = timeout
        if self._tracing:
            self._trace("tx", self._shown, "shown without credentials and will")
        try:
            async with asyncio.timeout(timeout):
                await self.__aenter__()
        except TimeoutError:
            raise LinkError(
                f"{self._broker} did not answer within {timeout:g} s: no CONNACK"
            ) from None
        except aiomqtt.exceptions.MqttConnectError as error:
            raise LinkError(f"{self._broker} refused the connection: {error.rc}") from None
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            # The library makes text of what TLS says; the error itself stands behind its own.
            behind = error.__context__
            why = reason(behind if isinstance(behind, ssl.SSLError) else error)
            raise LinkError(f"cannot connect to {self._broker}: {why}") from None
        if not self.opened:
            raise LinkError(f"{self._broker} closed the connection after its CONNACK")

    def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        properties: bytes = packet.NO_PROPERTIES,
    ) -> int:
        """Queue a QoS 1 message and return its packet identifier; does not wait.

        What is queued leaves at the end of the loop's turn, together.
        The caller keeps fewer than 65,535 messages in flight, so that identifiers are free again.
        """
        mid = self._mid = self._mid % 65535 + 1
        self._publish(
            packet.publish_head(
                topic, mid, len(payload), retain=retain, five=self._five, properties=properties
            ),
            payload,
        )
        return mid

    def send_once(self, topic: str, payload: bytes) -> None:
        """Queue a QoS 0 message; whether it arrived, only the answer to a later `ping` says."""
        head = packet.publish_head(topic, None, len(payload), retain=False, five=self._five)
        self._publish(head, payload)

    def ping(self) -> int:
        """Queue a ping behind all that was sent, and return its number: 1, 2, 3 …"""
        self._pings += 1
        self._write(packet.PINGREQ_PACKET)
        return self._pings

    def acknowledge(self, message: packet.Publish) -> None:
        """Say that a received message has been taken; nothing is to be said of QoS 0."""
        if message.qos:
            self._write(packet.puback_packet(message.mid))

    def pause(self) -> None:
        """Read no more, so that the broker has to wait, until `resume`."""
        if not self._paused and self.opened and not self.lost.done():
            self._paused = self._was_paused = True
            self._loop.remove_reader(self._socket.fileno())

    def resume(self) -> None:
        """Read again."""
        if self._paused and not self.lost.done():
            self._paused = False
            self._loop.add_reader(self._socket.fileno(), self._read)
            # What TLS holds already, no event tells of.
            self._loop.call_soon(self._read)

    def forget(self, filters: Sequence[str]) -> None:
        """Unsubscribe; does not wait."""
        mid = self._mid = self._mid % 65535 + 1
        self._write(packet.unsubscribe(mid, filters, five=self._five))

    async def hear(
        self, filters: Sequence[str], timeout: float, options: int = packet.AT_LEAST_ONCE
    ) -> None:
        """Subscribe, at QoS 1 unless the options say otherwise, and wait for the broker's consent.

        Raises LinkError with the filter that was refused, or where nothing came in time.
        """
        mid = self._mid = self._mid % 65535 + 1
        answer = self._subscribing[mid] = self._loop.create_future()
        self._write(packet.subscribe(mid, filters, five=self._five, options=options))
        try:
            await asyncio.wait(
                [answer, self.lost], timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            del self._subscribing[mid]
        if self.lost.done():
            raise LinkError(self.lost.result())
        if not answer.done():
            raise LinkError(f"{self._broker} did not answer a SUBSCRIBE within {timeout:g} s")
        codes = answer.result()
        if len(codes) != len(filters):
            raise LinkError(f"{self._broker} answered {len(codes)} of {len(filters)} subscriptions")
        for each, code in zip(filters, codes, strict=True):
            if code >= packet.FAILURE:
                why = f": {reason_text(PacketTypes.SUBACK, code)}" if self._five else ""
                raise LinkError(f"{self._broker} refused the subscription to {each}{why}")

    async def leave(self, timeout: float) -> None:
        """Send DISCONNECT, so that the broker does not publish the will, and wait for its close."""
        self._write(packet.DISCONNECT_PACKET)
        await asyncio.wait([self.lost], timeout=timeout)

    async def abort(self) -> None:
        """Close without a word, whatever state this is in; harmless when closed already."""
        self._abandoned = True
        connected: Any = self._client.socket()
        if connected is None:
            return
        # paho closes, and aiomqtt deregisters, when paho reads the end of the stream;
        # a socket closed under them would stay registered with the loop.
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)
        if self.opened:
            self._loop.remove_writer(connected.fileno())
            with contextlib.suppress(OSError):
                while connected.recv(_READ):
                    pass
            self._client.loop_read()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), 1.0)

    def fail(self, sentence: str) -> None:
        """Declare the connection lost; the first reason stays."""
        if not self.lost.done():
            self.lost.set_result(sentence)
            if self.opened and self._socket.fileno() >= 0:
                self._loop.remove_reader(self._socket.fileno())
                self._loop.remove_writer(self._socket.fileno())

    def _publish(self, head: bytes, payload: bytes) -> None:
        if self._tracing:
            self._trace("tx", head + payload)
        self._outgoing.append(head)
        self._enqueue(payload)

    def _write(self, data: bytes) -> None:
        if self._tracing:
            self._trace("tx", data)
        self._enqueue(data)

    @property
    def _tracing(self) -> bool:
        return self._tracer is not None and self._tracer.tracing

    def _trace(self, direction: str, data: bytes, note: str = "") -> None:
        assert self._tracer is not None  # noqa: S101 - who calls it has asked
        self._tracer.trace(direction, data, note, self._peer)

    def _enqueue(self, data: bytes) -> None:
        self._outgoing.append(data)
        if not self._flushing and not self._writing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self.lost.done():
            return
        try:
            while self._chunk or self._outgoing:
                if not self._chunk:
                    self._chunk = memoryview(b"".join(self._outgoing))
                    self._outgoing.clear()
                self._chunk = self._chunk[self._socket.send(self._chunk) :]
        except _NOT_NOW:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._socket.fileno(), self._flush)
            return
        except OSError as error:
            self.fail(f"lost {self._broker}: {error}")
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket.fileno())

    def _read(self) -> None:
        try:
            while not self.lost.done() and not self._paused:
                data = self._socket.recv(_READ)
                if not data:
                    self.fail(f"{self._broker} closed the connection")
                    return
                for first, body, cut in self._parser.feed(data):
                    self._received(first, body, cut)
                # TLS may hold more than the system says is there; plain TCP asks again by itself.
                if len(data) < _READ and not isinstance(self._socket, ssl.SSLSocket):
                    return
        except _NOT_NOW:
            return
        except OSError as error:
            self.fail(f"lost {self._broker}: {error}")
        except packet.ProtocolError as error:
            self.fail(f"{self._broker} broke the protocol: {error}")

    def _received(self, first: int, body: bytes, cut: int) -> None:
        if self._tracing:
            note = f"{cut} octets more were left" if cut else ""
            self._trace("rx", packet.whole(first, body), note)
        if first == packet.PUBACK:
            self._acknowledged(*packet.puback(body))
        elif first == packet.PINGRESP:
            if self._pongs < self._pings:
                self._pongs += 1
                if self._answered is not None:
                    self._answered(self._pongs)
        elif first & 0xF0 == packet.PUBLISH and self._deliver is not None:
            self._deliver(packet.received(first, body, five=self._five, cut=cut))
        elif first == packet.SUBACK and self._subscribing:
            mid, codes = packet.suback(body, five=self._five)
            answer = self._subscribing.get(mid)
            if answer is not None and not answer.done():
                answer.set_result(codes)
        elif first == packet.UNSUBACK and self._deliver is not None:
            pass  # Whether or not there was such a subscription, there is none now.
        elif first == packet.DISCONNECT and self._five:
            why = reason_text(PacketTypes.DISCONNECT, body[0]) if body else "no reason given"
            self.fail(f"{self._broker} closed the connection: {why}")
        else:
            raise packet.ProtocolError(f"packet type 0x{first:02X}, which nobody asked for")

    async def _misc_loop(self) -> None:
        # In the place of aiomqtt's, which lets paho ping; paho does not see the answers here.
        await asyncio.wait([self._connected])
        while True:
            sent = self._pings
            self._was_paused = self._paused
            await asyncio.sleep(self._keepalive_s / 2)
            if self._pongs < sent and not self._was_paused:
                self.fail(f"{self._broker} did not answer a ping in {self._keepalive_s / 2:g} s")
                return
            if self._pongs == self._pings:
                self.ping()

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        # Clause 3.2.2.3: what the broker can take.
        self.receive_maximum = getattr(properties, "ReceiveMaximum", 65535)
        self.maximum_packet = getattr(properties, "MaximumPacketSize", packet.LARGEST)
        self.retain_available = bool(getattr(properties, "RetainAvailable", 1))
        # 0 would mean that the broker wants no pings; ours keep telling whether it is there.
        self._keepalive_s = float(getattr(properties, "ServerKeepAlive", 0) or self._keepalive_s)
        self.session_present = flags.session_present
        if getattr(properties, "MaximumQoS", 2) < 1 and not self._connected.done():
            self._connected.set_exception(
                aiomqtt.MqttError("it takes QoS 0 only, and would acknowledge nothing")
            )
        super()._on_connect(client, userdata, flags, reason_code, properties)
        if self._tracing:
            # Of 3.1.1 the library makes codes of 5 (clause 2.4): only 0 is the same in both.
            code = reason_code.value if self._five else min(reason_code.value, 1)
            body = bytes((flags.session_present, code)) + packet.NO_PROPERTIES * self._five
            self._trace("rx", packet.whole(packet.CONNACK, body), "shown without its properties")
        if reason_code.value == 0 and not self._abandoned:
            self._take_over()

    def _take_over(self) -> None:
        """Read the socket from now on: the next packet may be a message of a kept session, which
        the library would acknowledge by itself.
        """
        self._socket = self._client.socket()
        if self._socket is None:
            return
        self.opened = True
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._loop.call_soon(self._read)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            # Without this, a broker that closes instead of answering costs the whole time-out.
            self._connected.set_exception(
                aiomqtt.MqttError("it closed the connection before a CONNACK")
            )
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        for future in (self._connected, self._disconnected):
            # Looked at, so that asyncio does not complain of an error nobody retrieved.
            if future.done() and not future.cancelled():
                future.exception()

    def _on_socket_open(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        if self._abandoned:
            # The thread that connects outlives a cancelled `open`: without this it would
            # come back as a second session of the same name.
            sock.close()
            raise ConnectionAbortedError("nobody waits for this connection any more")
        super()._on_socket_open(client, userdata, sock)

    def _on_socket_close(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        if self._loop.is_closed():
            return
        super()._on_socket_close(client, userdata, sock)
        self._loop.call_soon_threadsafe(self._closed.set)
