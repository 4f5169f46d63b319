"""A host application for tests: an independent client that hears all of Sparkplug, and commands."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway import Endpoint
from gateway_mqtt.sparkplug.octets import Payload, read, write


class Heard(NamedTuple):
    """A message as the host got it, and what its topic says."""

    topic: str
    octets: bytes
    qos: int
    retain: bool

    @property
    def kind(self) -> str:
        return self.topic.split("/")[2]

    @property
    def device(self) -> str:
        return [*self.topic.split("/"), ""][4]

    @property
    def payload(self) -> Payload:
        return read(self.octets)


_PATIENCE = 20.0


class Host:
    """One host application; `listening` connects it.

    primary: it says by STATE and by its will whether it is there, at each connection.
    """

    def __init__(
        self,
        broker: Endpoint,
        name: str = "scada",
        *,
        primary: bool = False,
        configure: Callable[[paho.Client], Any] | None = None,
    ) -> None:
        self.heard: list[Heard] = []
        self.name = name
        self._broker = broker
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311
        )
        self._client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        self._client.on_connect = lambda client, *_: client.subscribe("spBv1.0/+/+/#", 1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._state = f"spBv1.0/STATE/{name}" if primary else ""
        self._since = now_ms()
        if configure is not None:
            configure(self._client)
        if primary:
            self._client.will_set(self._state, self._said(False), 1, retain=True)

    def _said(self, online: bool) -> str:
        return json.dumps({"online": online, "timestamp": self._since})

    def _on_subscribe(self, client: paho.Client, *_: Any) -> None:
        if self._state:
            client.publish(self._state, self._said(True), 1, retain=True)
        self._subscribed.set()

    def _on_message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        if message.topic.startswith("spBv1.0/STATE/"):
            return
        heard = Heard(message.topic, bytes(message.payload), message.qos, message.retain)
        if heard.kind in ("NCMD", "DCMD"):
            return
        with self._changed:
            self.heard.append(heard)
            self._changed.notify_all()

    @contextlib.contextmanager
    def listening(self) -> Iterator[Host]:
        self._client.connect(self._broker.host, self._broker.port, 30)
        self._client.loop_start()
        try:
            if not self._subscribed.wait(_PATIENCE):
                raise TimeoutError(f"no subscription at {self._broker}")
            yield self
        finally:
            if self._state:
                self.say(self._state, self._said(False).encode(), 1, retain=True)
            self._client.disconnect()
            self._client.loop_stop()

    def of(self, *kinds: str, since: int = 0) -> list[Heard]:
        """Return what was heard of some message types, in order."""
        return [heard for heard in list(self.heard[since:]) if heard.kind in kinds]

    def say(self, topic: str, octets: bytes, qos: int = 0, *, retain: bool = False) -> None:
        """Publish, and wait until it has left."""
        self._client.publish(topic, octets, qos, retain).wait_for_publish(_PATIENCE)

    def state(self, online: bool, timestamp: int, host: str = "") -> None:
        """Say that a host application is there, or is not."""
        octets = json.dumps({"online": online, "timestamp": timestamp}).encode()
        self.say(f"spBv1.0/STATE/{host or self.name}", octets, 1, retain=True)

    def command(self, topic: str, *metrics: dict[str, Any], qos: int = 0, **payload: Any) -> None:
        """Send an NCMD or DCMD of now."""
        self.say(topic, write(*metrics, **({"timestamp": now_ms()} | payload)), qos)

    def rebirth(self, group: str, node: str) -> None:
        self.command(
            f"spBv1.0/{group}/NCMD/{node}",
            {"name": "Node Control/Rebirth", "datatype": 11, "boolean_value": True},
        )

    def await_message(self, wanted: Callable[[Heard], bool], since: int = 0) -> Heard:
        """Block until a message is wanted, and return it; those from `since` on count."""
        with self._changed:
            self._changed.wait_for(lambda: any(map(wanted, self.heard[since:])), _PATIENCE)
            for heard in self.heard[since:]:
                if wanted(heard):
                    return heard
        raise TimeoutError(f"not heard within {_PATIENCE:g} s: {[h.topic for h in self.heard]}")


def now_ms() -> int:
    return time.time_ns() // 1_000_000
