"""A client that gives commands over the broker and waits for their answers: paho, and no more."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
from gateway_mqtt.testing import Broker, Device
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE = 10.0


class Commander:
    """Asks at `<gateway>/command/<user>/<point>`, and hears at `<gateway>/reply/<user>`."""

    def __init__(
        self, broker: Broker, user: str = "alice", *, password: str = "", gateway: str = "test"
    ) -> None:
        self.user = user
        self.gateway = gateway
        self.replies: list[dict[str, Any]] = []
        self.messages: list[paho.MQTTMessage] = []
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()

        def hear(message: paho.MQTTMessage) -> None:
            with self._arrived:
                self.messages.append(message)
                self.replies.append(json.loads(message.payload))
                self._arrived.notify_all()

        self.device = Device(
            broker.endpoint,
            f"{gateway}/reply/{user}/#",
            obeys=hear,
            version=MQTTProtocolVersion.MQTTv5,
            configure=lambda client: client.username_pw_set(user, password) if password else None,
        )

    @contextlib.contextmanager
    def connected(self) -> Iterator[Commander]:
        with self.device.connected():
            yield self

    def send(
        self,
        name: str,
        /,
        *,
        as_user: str | None = None,
        response: str | None = None,
        correlation: bytes | None = None,
        raw: bytes | None = None,
        retain: bool = False,
        **said: Any,
    ) -> str:
        """Publish a request, and return its id."""
        said = {"id": f"{self.user}-{next(self._numbers)}", "time": time.time_ns()} | said
        properties: Any = Properties(PacketTypes.PUBLISH)
        if response is not None:
            properties.ResponseTopic = response
        if correlation is not None:
            properties.CorrelationData = correlation
        self.device.publish(
            f"{self.gateway}/command/{as_user or self.user}/{name}",
            json.dumps({k: v for k, v in said.items() if v is not None}) if raw is None else raw,
            retain=retain,
            properties=properties,
        )
        return str(said["id"])

    def reply(self, id: str, count: int = 1) -> dict[str, Any]:  # noqa: A002 - its name on the wire
        """Block until so many replies to a request are there, and return the last."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._of(id)) >= count, PATIENCE)
            found = self._of(id)
        if len(found) < count:
            raise TimeoutError(f"{len(found)} replies to {id} within {PATIENCE:g} s: {found}")
        return found[-1]

    def ask(self, name: str, /, **said: Any) -> dict[str, Any]:
        """Publish a request, and return its reply."""
        return self.reply(self.send(name, **said))

    def _of(self, id: str) -> list[dict[str, Any]]:  # noqa: A002
        return [reply for reply in self.replies if reply["id"] == id]
