"""A point at a broker: where it is heard, and where it is commanded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from gateway import ControlModel, Duration, LinkPoint, Point
from gateway_mqtt.source import path, template
from gateway_mqtt.topic import matches, topic


class Format(StrEnum):
    """What a message is.

    json:         a document, in which the value has its place; or the bare value.
    text:         the value itself: `21.5`, `ON`.
    grid-gateway: columns, as the `mqtt.json` of another gateway sends them.
    """

    JSON = "json"
    TEXT = "text"
    GRID_GATEWAY = "grid-gateway"


Topic = Annotated[str, AfterValidator(topic)]
Path = Annotated[str, AfterValidator(path.check)]
Word = Annotated[str, Field(min_length=1, max_length=64)]


class MqttPoint(Point):
    """The topic of a point, its place in the messages, and the topic of its commands."""

    topic: Annotated[Topic | None, Field(description="where its device publishes it")] = None
    path: Annotated[
        Path | None,
        Field(
            description="of the value in a JSON document: a.b[0]; of grid-gateway the name that "
            "the point has there, its own if not given"
        ),
    ] = None
    format: Annotated[
        Format | None, Field(description="json, text or grid-gateway; else that of the link")
    ] = None
    time_path: Annotated[
        Path | None, Field(description="of the time in a JSON document; else that of the link")
    ] = None
    quality_path: Annotated[
        Path | None, Field(description="of the quality in a JSON document; else that of the link")
    ] = None
    on: Annotated[Word | None, Field(description="word for 1, in messages and commands")] = None
    off: Annotated[Word | None, Field(description="word for 0, in messages and commands")] = None
    stale_after: Annotated[
        Duration | None,
        Field(gt=0, description="silence after which it is stale; else that of the link"),
    ] = None
    availability: Annotated[
        Topic | None, Field(description="where its device, or the will of it, says that it is away")
    ] = None
    command_topic: Annotated[Topic | None, Field(description="where its device is commanded")] = (
        None
    )
    command_payload: Annotated[
        str | None,
        AfterValidator(lambda text: text if text is None else template.check(text)),
        Field(description='what is sent: {raw}, or {"id": "{id}", "state": {raw}}'),
    ] = None
    reply_topic: Annotated[
        Topic | None,
        Field(description="where its device answers commands; else the broker's PUBACK counts"),
    ] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.topic is None and self.command_topic is None:
            raise ValueError("a point needs a topic, a command_topic, or both")
        for name in ("path", "format", "time_path", "quality_path", "availability", "stale_after"):
            if self.topic is None and getattr(self, name) is not None:
                raise ValueError(f"{name} is of a point that is heard, and needs a topic")
        for name in ("command_payload", "reply_topic"):
            if self.command_topic is None and getattr(self, name) is not None:
                raise ValueError(f"{name} is of a point that is commanded, and needs command_topic")
        if (self.on is None) != (self.off is None):
            raise ValueError("on and off go together: a word for 1 and a word for 0")
        if self.on is not None and self.on == self.off:
            raise ValueError(f"on and off are the same word, {self.on!r}")
        if self.on is not None and self.command_payload is not None:
            template.check_filled(self.command_payload, self.on)
        return self


def address(point: LinkPoint) -> MqttPoint:
    """Return a point's columns; a source has only points with some."""
    assert isinstance(point.address, MqttPoint)  # noqa: S101 - the list of points was checked
    return point.address


Fault = tuple[LinkPoint, str, str]


def faults(
    points: Sequence[LinkPoint], form: Format, filters: Sequence[str], *, by_id: bool
) -> Iterator[Fault]:
    """Yield what is wrong with a list of points; see `Link.check_points`.

    filters: what is subscribed to in the place of the points' own topics.
    by_id:   whether replies say which command they answer.
    """
    yield from _heard(points, form, filters)
    yield from _commanded(points, by_id=by_id)


def _heard(points: Sequence[LinkPoint], form: Format, filters: Sequence[str]) -> Iterator[Fault]:
    forms: dict[str, tuple[Format, str]] = {}
    places: dict[tuple[str, object], str] = {}
    for point in points:
        at = address(point)
        for name, where in (("topic", at.topic), ("availability", at.availability)):
            if where is not None and filters and not any(matches(f, where) for f in filters):
                yield point, name, f"found {where!r}, which no filter of `subscribe` matches"
        if at.topic is None:
            continue
        own = at.format or form
        shared, first = forms.setdefault(at.topic, (own, point.name))
        if own is not shared:
            yield point, "format", f"found {own}, but {first} reads the same topic as {shared}"
            continue
        if own is not Format.JSON:
            for name in ("time_path", "quality_path", *(("path",) if own is Format.TEXT else ())):
                if getattr(at, name) is not None:
                    yield point, name, f"found a path, which is of the format json, not of {own}"
        place: object = at.path or point.name if own is Format.GRID_GATEWAY else ""
        if own is Format.JSON:
            place = path.steps(at.path or "")
        other = places.setdefault((at.topic, place), point.name)
        if other != point.name:
            field = "topic" if at.path is None else "path"
            yield point, field, f"found the place that {other} has already"


def _commanded(points: Sequence[LinkPoint], *, by_id: bool) -> Iterator[Fault]:
    answering: dict[str, str] = {}
    heard = {address(point).topic for point in points}
    for point in points:
        at, control = address(point), point.command
        if control is None:
            if at.command_topic is not None:
                yield point, "command_topic", "found a topic, and no column command.model"
            continue
        if at.command_topic is None:
            continue
        if at.command_topic == at.topic:
            yield point, "command_topic", "found the topic of its values: it would hear itself"
        payload = at.command_payload or template.DEFAULT
        if control.select.forwarded:
            if at.reply_topic is None:
                yield point, "reply_topic", "found none, and select forward needs its answers"
            if "{operation}" not in payload:
                yield (
                    point,
                    "command_payload",
                    "found no {operation}, and select forward needs it to tell a select from an "
                    "execute",
                )
        if control.model is not ControlModel.PULSE and "{on_time}" in payload:
            yield point, "command_payload", f"found {{on_time}}, of pulses, not of {control.model}"
        if at.reply_topic in heard and at.reply_topic is not None:
            yield (
                point,
                "reply_topic",
                "found a topic of values; that they follow is for command.feedback to say",
            )
        if at.reply_topic is not None and not by_id:
            other = answering.setdefault(at.reply_topic, point.name)
            if other != point.name:
                yield (
                    point,
                    "reply_topic",
                    f"found that of {other}; replies without an id need a topic for each point",
                )
