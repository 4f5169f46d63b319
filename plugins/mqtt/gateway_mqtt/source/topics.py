"""Every topic that a source hears, and who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway import Kind, LinkPoint
from gateway_mqtt.source.availability import Device
from gateway_mqtt.source.columns import ColumnsReading
from gateway_mqtt.source.moment import reader
from gateway_mqtt.source.path import Steps, steps
from gateway_mqtt.source.point import Format, MqttPoint, address
from gateway_mqtt.source.reading import JsonReading, Place, Reading, TextReading
from gateway_mqtt.source.word import STATES, Words, qualities

if TYPE_CHECKING:
    from gateway_mqtt.source.source import MqttSource


class Topic:
    """A topic with values; `wrong` is what its last message had wrong, empty where nothing."""

    __slots__ = ("device", "reading", "wrong")

    def __init__(self, reading: Reading, device: Device | None) -> None:
        self.reading = reading
        self.device = device
        self.wrong = ""


def devices(source: MqttSource, points: Sequence[LinkPoint]) -> dict[str, Device]:
    """Return the devices by their availability topic."""
    found: dict[str, Device] = {}
    for point in points:
        where = address(point).availability
        if where is not None:
            found.setdefault(where, Device(source.availability)).points.append(point.id)
    return found


def topics(
    source: MqttSource, points: Sequence[LinkPoint], known: dict[str, Device]
) -> dict[str, Topic]:
    """Return who reads each topic; a topic belongs to one device, that of its first point."""
    of_topic: dict[str, list[LinkPoint]] = {}
    for point in points:
        where = address(point).topic
        if where is not None:
            of_topic.setdefault(where, []).append(point)
    found: dict[str, Topic] = {}
    for where, there in of_topic.items():
        device = next((known[a] for p in there if (a := address(p).availability)), None)
        found[where] = Topic(_reading(source, there), device)
    return found


def _reading(source: MqttSource, points: Sequence[LinkPoint]) -> Reading:
    form = address(points[0]).format or source.format
    if form is Format.GRID_GATEWAY:
        return ColumnsReading({address(p).path or p.name: p.id for p in points})
    if form is Format.TEXT:
        return TextReading([_place(point, ()) for point in points])
    groups: dict[tuple[Steps | None, Steps | None], list[Place]] = {}
    for point in points:
        at = address(point)
        key = (
            _way(at.time_path, source.time_path),
            _way(at.quality_path, source.quality_path),
        )
        groups.setdefault(key, []).append(_place(point, steps(at.path or "")))
    return JsonReading(
        [(places, time, flags) for (time, flags), places in groups.items()],
        reader(source.time),
        qualities(source.quality, source.quality_words),
    )


def _way(own: str | None, common: str | None) -> Steps | None:
    text = own if own is not None else common
    return None if text is None else steps(text)


def _place(point: LinkPoint, path: Steps) -> Place:
    return Place(point.id, path, _words(point, address(point)), point.kind is Kind.STATUS)


def _words(point: LinkPoint, at: MqttPoint) -> Words:
    if at.on is not None and at.off is not None:
        return {at.off.casefold(): 0.0, at.on.casefold(): 1.0}
    return STATES.get(point.kind, {})
