"""One connection to a broker: aiomqtt, with pipelined publishing and prompt, worded failures.

`aiomqtt.Client.publish` waits for its own PUBACK, drops the reason code of it,
and when the link breaks waits out its time-out.
So this connection hands messages to the paho client that aiomqtt drives,
and learns of each PUBACK from the callback that aiomqtt has for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway import Endpoint, LinkError
from gateway_mqtt.settings import Version

QOS = 1
LARGEST_PACKET = 268_435_455
"""MQTT 5.0 clause 1.5.5: what four bytes of remaining length can say."""


class Connection(aiomqtt.Client):
    """One attempt: `open`, `send` …, `leave` or `abort`; never used again.

    acknowledged: called with the packet identifier and the reason of each PUBACK.
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
        acknowledged: Callable[[int, ReasonCode], None],
    ) -> None:
        five = version is Version.V5
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
            clean_session=None if five else True,
            clean_start=True if five else paho.MQTT_CLEAN_START_FIRST_ONLY,
            # Windows are kept by whoever calls `send`; paho's own costs a walk per PUBACK.
            max_inflight_messages=0,
            max_queued_incoming_messages=1,
            timeout=float("inf"),
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._client.disable_logger()
        self._broker = broker
        self._acknowledged = acknowledged
        self._abandoned = False
        self.opened = False
        self._closed = asyncio.Event()
        self._reason: ReasonCode | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        """Done when the connection can no longer be used; the result says why."""
        self.receive_maximum = 65535
        self.maximum_packet = LARGEST_PACKET
        self.retain_available = True

    async def open(self, timeout: float) -> None:
        """Connect, and wait for the CONNACK; at most `timeout` seconds for all of it.

        Raises LinkError with the reason of the broker or of the system.
        """
        self._client.connect_timeout = timeout
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
            raise LinkError(f"cannot connect to {self._broker}: {error}") from None
        self.opened = True
        self._disconnected.add_done_callback(self._note_loss)

    def send(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Queue a QoS 1 message and return its packet identifier; does not wait.

        Raises LinkError where the connection is gone.
        """
        info = self._client.publish(topic, payload, QOS, retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise LinkError(f"lost {self._broker}: {paho.error_string(info.rc)}")
        return info.mid

    async def leave(self, timeout: float) -> None:
        """Send DISCONNECT, so that the broker does not publish the will, and close."""
        if self._client.disconnect() == paho.MQTT_ERR_SUCCESS:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), timeout)

    async def abort(self) -> None:
        """Close without a word, whatever state this is in; harmless when closed already."""
        self._abandoned = True
        connected = self._client.socket()
        if connected is None:
            return
        # paho closes and deregisters when it reads the end; closing under it leaks the reader.
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), 1.0)

    def fail(self, sentence: str) -> None:
        """Declare the connection lost; the first reason stays."""
        if not self.lost.done():
            self.lost.set_result(sentence)

    def _note_loss(self, disconnected: asyncio.Future[None]) -> None:
        error = None if disconnected.cancelled() else disconnected.exception()
        if self._reason is not None:
            self.fail(f"{self._broker} closed the connection: {self._reason}")
        else:
            self.fail(f"lost {self._broker}: {error or 'disconnected'}")

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        # MQTT 5.0 clause 3.2.2.3: what the broker can take.
        self.receive_maximum = getattr(properties, "ReceiveMaximum", 65535)
        self.maximum_packet = getattr(properties, "MaximumPacketSize", LARGEST_PACKET)
        self.retain_available = bool(getattr(properties, "RetainAvailable", 1))
        if getattr(properties, "MaximumQoS", 2) < QOS and not self._connected.done():
            self._connected.set_exception(
                aiomqtt.MqttError("it takes QoS 0 only, and would acknowledge nothing")
            )
        super()._on_connect(client, userdata, flags, reason_code, properties)

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
        if flags.is_disconnect_packet_from_server:
            self._reason = reason_code
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()

    def _on_publish(
        self,
        client: paho.Client,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        self._acknowledged(mid, reason_code)

    def _on_socket_open(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        if self._abandoned:
            # The thread that connects outlives a cancelled `open`: without this it would
            # come back as a second session of the same name.
            sock.close()
            raise ConnectionAbortedError("nobody waits for this connection any more")
        super()._on_socket_open(client, userdata, sock)

    def _on_socket_close(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        super()._on_socket_close(client, userdata, sock)
        self._loop.call_soon_threadsafe(self._closed.set)
