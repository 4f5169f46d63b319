"""A real broker for tests: mosquitto, as a process, on a port of its own.

Ships with the plugin, because whoever tests a gateway with MQTT needs it too.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway import Endpoint

_PATIENCE = 10.0


def mosquitto() -> str:
    """Return the path of the mosquitto program.

    Raises FileNotFoundError with the way to get it.
    """
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin")
    if found is None:
        raise FileNotFoundError(
            "mosquitto is not installed; these tests talk to a real broker: "
            "apt-get install mosquitto"
        )
    return found


class Broker:
    """One mosquitto: nothing is persisted, and nothing that a subscriber waits for is dropped.

    folder:  for its configuration and log; must exist.
    lines:   more lines of mosquitto.conf.
    command: put before the program, `("taskset", "-c", "1")` for example.

    The port stays the same over `kill` and `start`.
    """

    def __init__(self, folder: Path, *lines: str, command: tuple[str, ...] = ()) -> None:
        self._program = (*command, mosquitto())
        self._folder = folder
        self._lines = lines
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port: int = server.getsockname()[1]

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port)

    @property
    def log(self) -> str:
        return (self._folder / "mosquitto.log").read_text()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process.pid

    def start(self) -> None:
        """Start, and return when it accepts connections."""
        config = self._folder / "mosquitto.conf"
        anonymous = not any("password_file" in line for line in self._lines)
        config.write_text(
            "\n".join(
                (
                    f"listener {self.port} 127.0.0.1",
                    # As root, mosquitto becomes another user, who cannot read a test's folder.
                    "user root",
                    "persistence false",
                    "max_queued_messages 0",
                    "set_tcp_nodelay true",
                    f"allow_anonymous {str(anonymous).lower()}",
                    *self._lines,
                    "",
                )
            )
        )
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a test's own broker
                (*self._program, "-c", str(config)), stdout=log, stderr=log
            )
        deadline = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mosquitto did not start:\n{self.log}")
            time.sleep(0.01)

    def reload(self) -> None:
        """Have it read its files of access rights and passwords again."""
        os.kill(self.pid, signal.SIGHUP)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Broker]:
        self.start()
        try:
            yield self
        finally:
            self.kill()


def guarded(folder: Path, rights: str, **passwords: str) -> tuple[str, str]:
    """Return lines of mosquitto.conf for a broker with users, and with an access list."""
    (folder / "acl").write_text(rights)
    salt = bytes(12)

    def hashed(password: str) -> str:
        # PBKDF2-SHA512, as mosquitto_passwd writes it; few rounds, because it is a test.
        key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
        return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"

    lines = [f"{user}:{hashed(password)}\n" for user, password in passwords.items()]
    (folder / "passwords").write_text("".join(lines))
    return f"password_file {folder / 'passwords'}", f"acl_file {folder / 'acl'}"


class Heard(NamedTuple):
    """A message as a subscriber got it."""

    topic: str
    payload: bytes
    retain: bool
    dup: bool


class Subscriber:
    """An independent client in a thread of its own: what it heard, in order.

    It subscribes at QoS 1, and again after each reconnect; MQTT 3.1.1 by default,
    so that the publisher under test is not compared with its own dialect.
    """

    def __init__(
        self,
        broker: Endpoint,
        topic: str = "#",
        *,
        configure: Callable[[paho.Client], Any] | None = None,
    ) -> None:
        self.heard: list[Heard] = []
        self.subscriptions = 0
        """How often a broker has confirmed the subscription: once per connection."""
        self._subscribed = threading.Event()
        self._heard = threading.Condition()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311
        )
        self._client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        if configure is not None:
            configure(self._client)
        self._broker = broker

    def _on_subscribe(self, *_: Any) -> None:
        self.subscriptions += 1
        self._subscribed.set()

    def _on_message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        heard = Heard(message.topic, bytes(message.payload), message.retain, message.dup)
        with self._heard:
            self.heard.append(heard)
            self._heard.notify_all()

    def await_message(self, wanted: Callable[[Heard], bool]) -> Heard:
        """Block until a message is wanted, and return it; earlier ones count."""
        with self._heard:
            self._heard.wait_for(lambda: any(map(wanted, self.heard)), _PATIENCE)
            for heard in self.heard:
                if wanted(heard):
                    return heard
        raise TimeoutError(f"not heard within {_PATIENCE:g} s; heard: {self.heard}")

    @contextlib.contextmanager
    def listening(self) -> Iterator[Subscriber]:
        self._client.connect(self._broker.host, self._broker.port, 30)
        self._client.loop_start()
        try:
            if not self._subscribed.wait(_PATIENCE):
                raise TimeoutError(f"no subscription at {self._broker} within {_PATIENCE:g} s")
            yield self
        finally:
            self._client.disconnect()
            self._client.loop_stop()


class Device:
    """An independent client that publishes, in a thread of its own; MQTT 3.1.1 by default.

    obeys: called with each message at the topics that it subscribes to, it returns what to
    publish, topic, payload and properties, or None.
    """

    def __init__(
        self,
        broker: Endpoint,
        *topics: str,
        obeys: Callable[[paho.MQTTMessage], tuple[str, str, Any] | None] = lambda _: None,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
        configure: Callable[[paho.Client], Any] | None = None,
    ) -> None:
        self.heard: list[paho.MQTTMessage] = []
        self.connections = 0
        """How often it has connected, and has what it subscribes to."""
        self._topics = topics
        self._obeys = obeys
        self._broker = broker
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self._client.max_queued_messages_set(0)
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        # Else the second of two small packets waits for the acknowledgement of the first, 40 ms.
        self._client.on_socket_open = _at_once
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._is_ready()
        self._client.on_message = self._on_message
        if configure is not None:
            configure(self._client)

    def publish(
        self, topic: str, payload: str | bytes, *, qos: int = 1, retain: bool = False, **more: Any
    ) -> None:
        """Publish, and return when the broker has it (QoS 1)."""
        self._client.publish(topic, payload, qos, retain, **more).wait_for_publish(_PATIENCE)

    def send(self, topic: str, payload: str | bytes, *, qos: int = 1, **more: Any) -> None:
        """Publish without waiting."""
        self._client.publish(topic, payload, qos, **more)

    @contextlib.contextmanager
    def connected(self) -> Iterator[Device]:
        self._client.connect(self._broker.host, self._broker.port, 30)
        self._client.loop_start()
        try:
            if not self._ready.wait(_PATIENCE):
                raise TimeoutError(f"not connected to {self._broker} within {_PATIENCE:g} s")
            yield self
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._is_ready()

    def _is_ready(self) -> None:
        self.connections += 1
        self._ready.set()

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        self.heard.append(message)
        answer = self._obeys(message)
        if answer is not None:
            topic, payload, properties = answer
            client.publish(topic, payload, 1, properties=properties)


def _at_once(client: paho.Client, userdata: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
