"""The group `commands` of `mqtt.json`: where commands are taken, and where they are answered."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from gateway import Duration, Settings, Size
from gateway_mqtt.topic import check

FIELDS = ("gateway", "link", "user", "name")
ANSWER_FIELDS = ("gateway", "link", "user")


def _levels(template: str) -> str:
    """Return the template; a user or name must be a level of its own, to be told apart."""
    check(template, FIELDS)
    for level in template.split("/"):
        named = [field for _, field, _, _ in Formatter().parse(level) if field]
        if any(field in ("user", "name") for field in named) and level not in ("{user}", "{name}"):
            raise ValueError(
                f"the topic {template!r} has {level!r}: "
                "{user} and {name} stand alone between two slashes"
            )
    for field in ("{user}", "{name}"):
        if template.count(field) > 1:
            raise ValueError(f"the topic {template!r} has {field} twice")
    return template


def _answers(template: str) -> str:
    return check(template, ANSWER_FIELDS)


class Commands(Settings):
    """Commands from the broker.

    Who asks is who the broker lets publish at the topic: the level `{user}` is worth what the
    broker's access list says of it (mosquitto: `pattern write north/command/%u/#`).
    """

    topic: Annotated[
        str,
        AfterValidator(_levels),
        Field(
            description="where commands are taken; may name {gateway}, {link}, {user} and {name}; "
            "without {user} clients have the link's `role`, without {name} the payload says `point`"
        ),
    ] = "{gateway}/command/{user}/{name}"
    reply: Annotated[
        str | None,
        AfterValidator(lambda text: text if text is None else _answers(text)),
        Field(
            description="where they are answered; may name {gateway}, {link} and {user}; "
            "null: only at the Response Topic of MQTT 5"
        ),
    ] = "{gateway}/reply/{user}"
    responses: Annotated[
        str | None,
        AfterValidator(lambda text: text if text is None else _answers(text)),
        Field(
            description="topic at and below which a client may have its answers, by the Response "
            "Topic of MQTT 5; null: nowhere"
        ),
    ] = "{gateway}/reply/{user}"
    max_age: Annotated[
        Duration | None,
        Field(
            gt=0,
            le=86400,
            description="how long ago a command may have been sent, by its `time`; "
            "null: at any time, and without saying so",
        ),
    ] = 10.0
    clock_skew: Annotated[
        Duration,
        Field(ge=0, le=3600, description="how far the clocks of clients may be from this one"),
    ] = 2.0
    at_once: Annotated[
        int,
        Field(gt=0, le=1000, description="commands under way; those beyond are rate_limited"),
    ] = 64
    max_message: Annotated[Size, Field(ge=200, le=100_000, description="largest payload")] = 8_000

    @model_validator(mode="after")
    def _answered(self) -> Self:
        for name in ("reply", "responses"):
            template = getattr(self, name)
            if template is not None and "{user}" in template and "{user}" not in self.topic:
                raise ValueError(f"{name} names {{user}}, and the topic of commands does not")
        if self.reply is None and self.responses is None:
            raise ValueError("commands need a place for their answers: reply, responses, or both")
        return self
