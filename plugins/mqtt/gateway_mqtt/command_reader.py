"""Commands from the broker, as requests to the gateway, or why they are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from gateway import CommandStatus, Kind, LinkPoint, seconds_text
from gateway_mqtt.command_payload import CommandPayload
from gateway_mqtt.command_settings import Commands
from gateway_mqtt.packet import Publish
from gateway_mqtt.properties import Response, response
from gateway_mqtt.topic import render

MOST_SHOWN = 200
"""Characters of what a client said that are said again."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Origin(NamedTuple):
    """Where a message came from, and where its answer goes.

    user:        what stands in its topic at {user}.
    address:     what this user publishes to, a filter where topics name points.
    name:        what stands in its topic at {name}.
    topic:       where to answer; empty where nobody would hear it.
    correlation: what the answer must carry.
    wrong:       why the client may not have its answer where it wants it.
    """

    user: str
    address: str
    name: str
    topic: str
    correlation: bytes
    wrong: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a point that there is; `timeout` in seconds."""

    point: LinkPoint
    payload: CommandPayload
    value: float
    timeout: float | None

    @property
    def id(self) -> str:
        return self.payload.id

    @property
    def name(self) -> str:
        return self.point.name

    @property
    def operation(self) -> str:
        return self.payload.operation.value


@dataclass(frozen=True, slots=True)
class Refused:
    """What is not put to the gateway; what it named itself by, as far as that can be read."""

    status: CommandStatus
    detail: str
    id: str
    name: str
    operation: str


class Reader:
    """Reads the commands of one link; without I/O."""

    def __init__(
        self, settings: Commands, gateway: str, link: str, points: Iterable[LinkPoint]
    ) -> None:
        self._settings = settings
        self._fields = {"gateway": gateway, "link": link}
        self._levels = [
            level if level in ("{user}", "{name}") else render(level, **self._fields)
            for level in settings.topic.split("/")
        ]
        self.filter = "/".join("+" if "{" in level else level for level in self._levels)
        """What is subscribed to."""
        self._by_level: dict[str, LinkPoint] = {}
        self._by_name: dict[str, LinkPoint] = {}
        for point in points:
            self._by_name[point.name] = point
            self._by_level[render("{name}", name=point.name)] = point

    def origin(self, message: Publish) -> Origin:
        """Return where a message came from."""
        found = dict(zip(self._levels, message.topic.split("/"), strict=False))
        user = found.get("{user}", "")
        address = "/".join(
            {"{user}": user, "{name}": "+"}.get(level, level) for level in self._levels
        )
        try:
            wanted = response(message)
            wrong = self._outside(wanted.topic, user)
        except ValueError as error:
            wanted, wrong = Response(), str(error)
        topic = "" if wrong else wanted.topic
        if not topic and self._settings.reply is not None:
            topic = self._rendered(self._settings.reply, user)
        name = found.get("{name}", "")
        return Origin(user, address[:MOST_SHOWN], name, topic, wanted.correlation, wrong)

    def read(self, message: Publish, origin: Origin, now: int) -> Asked | Refused:
        """Return what a message asks for; `now` is the wall clock, ns."""
        said = _Said(point=origin.name)
        size = len(message.payload) + message.cut
        if size > self._settings.max_message:
            return said.format(f"found {size} bytes, allowed: {self._settings.max_message}")
        try:
            said.hear(orjson.loads(message.payload))
        except orjson.JSONDecodeError as error:
            return said.format(f"it is not JSON: {error}")
        if message.retain:
            return said.format("it is retained: the broker would give it again and again")
        if origin.wrong:
            return said.format(origin.wrong)
        try:
            payload = CommandPayload.model_validate_json(message.payload, strict=True)
        except ValidationError as error:
            return said.format(_sentence(error))
        late = self._late(payload, now)
        if late:
            return said.format(late)
        if not origin.name and payload.point is None:
            return said.format("it names no point")
        by_level = self._by_level.get(origin.name)
        point = by_level if payload.point is None else self._by_name.get(payload.point)
        if point is None or (origin.name and by_level is None):
            return said.refused(CommandStatus.UNKNOWN_POINT, "there is no such point")
        if origin.name and by_level is not point:
            return said.format(f"its topic names {_cut(origin.name)}, and it {point.name}")
        if isinstance(payload.value, bool) and point.kind not in (Kind.STATUS, Kind.DOUBLE):
            return said.format(f"value: found {str(payload.value).lower()}, allowed: a number")
        value = 0.0 if payload.value is None else float(payload.value)
        return Asked(point, payload, value, _timeout(payload, now))

    def _outside(self, topic: str, user: str) -> str:
        """Return why a client may not have its answers there; empty where it may."""
        if not topic:
            return ""
        if self._settings.responses is None:
            return "no Response Topic is allowed"
        below = self._rendered(self._settings.responses, user)
        if topic != below and not topic.startswith(f"{below}/"):
            return f"the Response Topic {_cut(topic)} is not {below}, nor below it"
        if "+" in topic or "#" in topic:
            return f"the Response Topic {_cut(topic)} has a wildcard"
        return ""

    def _rendered(self, template: str, user: str) -> str:
        return render(template, **self._fields, user=user)

    def _late(self, payload: CommandPayload, now: int) -> str:
        oldest = self._settings.max_age
        skew = self._settings.clock_skew
        if payload.expires is not None and _ns(payload.expires) <= now:
            return "it has expired"
        if oldest is None:
            return ""
        if payload.time is None:
            return "it has no time, and commands are not taken at any age"
        age = (now - _ns(payload.time)) / 1e9
        if age > oldest + skew:
            return f"it was sent {age:.1f} s ago, allowed: {seconds_text(oldest)}"
        if age < -skew:
            return f"it was sent {-age:.1f} s ahead of this clock, allowed: {seconds_text(skew)}"
        return ""


def _timeout(payload: CommandPayload, now: int) -> float | None:
    limits = [payload.timeout] if payload.timeout is not None else []
    if payload.expires is not None:
        limits.append((_ns(payload.expires) - now) / 1e9)
    return min(limits, default=None)


def _ns(moment: int | datetime) -> int:
    if isinstance(moment, int):
        return moment
    return (moment - _EPOCH) // _MICROSECOND * 1000


class _Said:
    """What a message says of itself, as far as it can be read; for whoever hears why not."""

    def __init__(self, point: str) -> None:
        self._id = self._operation = ""
        self._point = _cut(point)

    def hear(self, document: Any) -> None:
        if isinstance(document, dict):
            self._id = _text(document.get("id"))
            self._operation = _text(document.get("operation"))
            self._point = self._point or _text(document.get("point"))

    def refused(self, status: CommandStatus, detail: str) -> Refused:
        return Refused(status, detail, self._id, self._point, self._operation)

    def format(self, detail: str) -> Refused:
        return self.refused(CommandStatus.FORMAT_ERROR, detail)


def _text(value: Any) -> str:
    return _cut(value) if isinstance(value, str) else ""


def _cut(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text[:MOST_SHOWN])


def _sentence(error: ValidationError) -> str:
    """Return what is wrong with the first field that is wrong, and what was found there."""
    errors = error.errors(include_url=False, include_context=False)
    # Behind the name of a field stands which of its types was tried, except in a group.
    where = _place(errors[0]["loc"])
    said = dict.fromkeys(one["msg"] for one in errors if _place(one["loc"]) == where)
    found = errors[0]["input"]
    shown = "" if isinstance(found, dict | list) else f" (found {_cut(repr(found))[:60]})"
    return f"{where + ': ' if where else ''}{', or '.join(said)}{shown}"


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc[: 2 if loc[:1] == ("pulse",) else 1]))
