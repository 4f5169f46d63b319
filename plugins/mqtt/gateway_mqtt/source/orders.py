"""Commands on their way to devices: published once, answered by PUBACK or by the device."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from paho.mqtt.packettypes import PacketTypes

from gateway import Command, CommandStatus, ControlModel, LinkPoint, SourceContext
from gateway_mqtt.connection import Connection, reason_text
from gateway_mqtt.packet import FAILURE, NO_MATCHING_SUBSCRIBERS, NO_PROPERTIES, Publish
from gateway_mqtt.properties import pack, response
from gateway_mqtt.source import template
from gateway_mqtt.source.point import MqttPoint, address
from gateway_mqtt.source.reply import ReplyWords

_S = CommandStatus


@dataclass(slots=True, eq=False)
class _Order:
    """A command that was sent; `name` is what its device calls it by."""

    command: Command
    name: str
    at: MqttPoint
    mid: int = 0
    timer: asyncio.TimerHandle | None = field(default=None)


class Orders:
    """What one connection was told to tell devices, and has no answer to yet.

    Each command is published once, at QoS 1, never retained, and with MQTT 5 not beyond its
    deadline: a device that is away must not find it later.
    """

    def __init__(
        self,
        ctx: SourceContext,
        points: Iterable[LinkPoint],
        words: ReplyWords,
        *,
        five: bool,
    ) -> None:
        self._ctx = ctx
        self._points = {
            point.id: point
            for point in points
            if point.command is not None and address(point).command_topic is not None
        }
        self._words = words
        self._five = five
        self._sent: dict[int, _Order] = {}
        self._waiting: dict[str, _Order] = {}
        self._of_topic: dict[str, _Order] = {}
        self.topics = {
            at.reply_topic
            for at in map(address, self._points.values())
            if at.reply_topic is not None
        }
        """Where devices answer."""

    def __bool__(self) -> bool:
        return bool(self._points)

    async def follow(self, connection: Connection) -> None:
        """Publish what the host hands over, for as long as the connection lasts."""
        async for command in self._ctx.commands():
            self._give(command, connection)

    def _give(self, command: Command, connection: Connection) -> None:
        point = self._points.get(command.point)
        if point is None:
            self._ctx.answer(command, _S.NOT_SUPPORTED, "the point has no command_topic")
            return
        at = address(point)
        payload = at.command_payload or template.DEFAULT
        if not _drives(command, point, payload):
            self._ctx.answer(
                command,
                _S.NOT_SUPPORTED,
                "the device's pulse is fixed: its payload has no {on_time}, {off_time}, {count}",
            )
            return
        if len(self._sent) >= min(connection.receive_maximum, 1000):
            self._ctx.answer(command, _S.RATE_LIMITED, "too many commands wait for the broker")
            return
        left = command.deadline - asyncio.get_running_loop().time()
        order = _Order(command, f"{command.id}-{command.operation}", at)
        text = template.fill(payload, _fields(order, point, self._ctx.now(), left)).encode()
        assert at.command_topic is not None  # noqa: S101 - see __init__
        order.mid = connection.send(
            at.command_topic, text, retain=False, properties=self._properties(order, left)
        )
        self._sent[order.mid] = order
        if at.reply_topic is not None:
            self._waiting[order.name] = order
            self._of_topic[at.reply_topic] = order
        order.timer = asyncio.get_running_loop().call_later(max(left, 0.0), self._forget, order)

    def acknowledged(self, mid: int, code: int) -> None:
        """Take note of a PUBACK: the broker has the command, or does not take it."""
        order = self._sent.pop(mid, None)
        if order is None:
            return
        if code >= FAILURE:
            why = reason_text(PacketTypes.PUBACK, code)
            self._answer(order, _S.REFUSED, f"the broker does not take it: {why}")
        elif code == NO_MATCHING_SUBSCRIBERS:
            self._answer(order, _S.UNREACHABLE, f"nobody listens at {order.at.command_topic}")
        elif order.at.reply_topic is None:
            self._answer(order, _S.SUCCESS, "the broker has it; the device gives no answer")

    def replied(self, message: Publish) -> None:
        """Take note of a device's answer; one that is of no command waiting is counted."""
        if message.retain:
            self._ctx.count("retained_replies")
            return
        name = ""
        try:
            name = response(message).correlation.decode()
            reply = self._words.read(message.payload)
        except ValueError as error:
            order = self._order(message.topic, name)
            if order is None:
                self._ctx.count("unreadable_replies")
            else:
                self._answer(order, _S.DEVICE_ERROR, str(error))
            return
        order = self._order(message.topic, name or reply.id)
        if order is None:
            self._ctx.count("unknown_replies")
            return
        self._answer(order, reply.status, reply.detail)

    def _order(self, topic: str, name: str) -> _Order | None:
        if name:
            order = self._waiting.get(name)
        else:
            order = self._of_topic.get(topic) if self._words.id is None else None
        return order if order is not None and order.at.reply_topic == topic else None

    def _answer(self, order: _Order, status: CommandStatus, detail: str) -> None:
        self._forget(order)
        self._ctx.answer(order.command, status, detail)

    def _forget(self, order: _Order) -> None:
        """Wait no longer; where nothing was answered, the host says `timeout`."""
        if order.timer is not None:
            order.timer.cancel()
        self._sent.pop(order.mid, None)
        self._waiting.pop(order.name, None)
        if order.at.reply_topic is not None and self._of_topic.get(order.at.reply_topic) is order:
            del self._of_topic[order.at.reply_topic]

    def _properties(self, order: _Order, left: float) -> bytes:
        if not self._five:
            return NO_PROPERTIES
        if order.at.reply_topic is None:
            return pack(expiry=left)
        return pack(topic=order.at.reply_topic, correlation=order.name.encode(), expiry=left)


def _fields(order: _Order, point: LinkPoint, now: int, left: float) -> dict[str, str]:
    command, at = order.command, order.at
    if at.on is not None and at.off is not None:
        raw = value = at.on if command.value else at.off
    else:
        raw, value = template.number(command.raw), template.number(command.value)
    pulse = command.pulse
    return {
        "raw": raw,
        "value": value,
        "id": order.name,
        "name": point.name,
        "operation": command.operation.value,
        "time": str(now),
        "expires": str(now + round(left * 1e9)),
        "on_time": template.number(pulse.on_time if pulse else 0.0),
        "off_time": template.number(pulse.off_time if pulse else 0.0),
        "count": str(pulse.count if pulse else 1),
    }


def _drives(command: Command, point: LinkPoint, payload: str) -> bool:
    """Return whether the device gets to know what pulse it is to give, or knows it already."""
    control = point.command
    if command.model is not ControlModel.PULSE or control is None:
        return True
    own, wanted = control.pulse, command.pulse
    if own is None or wanted is None:
        return True
    return all(
        f"{{{name}}}" in payload or getattr(own, name) == getattr(wanted, name)
        for name in ("on_time", "off_time", "count")
    )
