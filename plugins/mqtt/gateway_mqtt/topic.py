"""Topic templates: what they may name, and the topic that each point gets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import Formatter

from paho.mqtt.client import topic_matches_sub

from gateway import LinkPoint

POINT_FIELDS = ("gateway", "source", "device", "point", "name")
LINK_FIELDS = ("gateway", "link")

MOST_BYTES = 65535
"""The longest topic: a UTF-8 string has a two-byte length (MQTT 5.0 clause 1.5.4)."""

_NOT_A_LEVEL = re.compile(r"[/+#\x00-\x1f\x7f]")


def named(template: str) -> set[str]:
    """Return the fields that a checked template names."""
    return {field for _, field, _, _ in Formatter().parse(template) if field}


def check(template: str, allowed: Iterable[str]) -> str:
    """Return the template, or raise ValueError with what was found and what is allowed."""
    choice = ", ".join(f"{{{field}}}" for field in allowed)
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"the topic {template!r} has a brace without its partner ({error}); "
            f"a field stands between two: {choice}"
        ) from None
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        if field not in allowed or spec or conversion:
            found = field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise ValueError(f"the topic names {{{found}}}; it may name {choice}")
    text = "".join(literal for literal, *_ in parts)
    for sign, why in (
        ("+", "is a wildcard of subscribers"),
        ("#", "is a wildcard of subscribers"),
        ("\0", "is not allowed in MQTT"),
    ):
        if sign in text:
            raise ValueError(f"the topic {template!r} has a {sign!r}, which {why}")
    if not template or template.startswith("$"):
        raise ValueError(
            f"the topic {template!r} must not be empty nor begin with $, which is the broker's own"
        )
    return template


def topic(text: str) -> str:
    """Return the topic as it stands, or raise ValueError with what was found."""
    for sign in "+#":
        if sign in text:
            raise ValueError(
                f"the topic {text[:80]!r} has a {sign!r}, a wildcard of subscribers; "
                "each point has a topic of its own"
            )
    return _bounded(text, "topic")


def topic_filter(text: str) -> str:
    """Return a filter of topics, or raise ValueError (MQTT 5.0 clause 4.7.1)."""
    levels = text.split("/")
    for place, level in enumerate(levels):
        if ("+" in level and level != "+") or (
            "#" in level and (level != "#" or place < len(levels) - 1)
        ):
            raise ValueError(
                f"the filter {text[:80]!r} is none: + stands for a whole level, # for the last ones"
            )
    if levels[0] == "$share":
        raise ValueError(f"the filter {text[:80]!r} is shared: others would get some of it")
    return _bounded(text, "filter")


def matches(pattern: str, text: str) -> bool:
    """Return whether a filter covers a topic."""
    return topic_matches_sub(pattern, text)


def _bounded(text: str, what: str) -> str:
    if not text or "\0" in text or len(text.encode()) > MOST_BYTES:
        raise ValueError(f"a {what} has 1 to {MOST_BYTES} bytes, none of them zero")
    return text


def device_of(name: str) -> str:
    """Return a point's device: its dotted name without the last segment.

    A name without a dot is its own device, so that no topic has an empty level.
    """
    return name.rpartition(".")[0] or name


def render(template: str, **fields: str) -> str:
    """Fill in a checked template; a character that has a meaning in topics becomes `_`.

    Raises ValueError where the topic is longer than MQTT allows.
    """
    topic = template.format_map(
        {key: _NOT_A_LEVEL.sub("_", value) for key, value in fields.items()}
    )
    if len(topic.encode()) > MOST_BYTES:
        raise ValueError(f"the topic {topic[:40]}… is longer than {MOST_BYTES} bytes")
    return topic


def topic_of(template: str, gateway: str, point: LinkPoint) -> str:
    """Return the topic of one point; a point that no source brings has the source `gateway`."""
    return render(
        template,
        gateway=gateway,
        source=point.definition.source or "gateway",
        device=device_of(point.name),
        point=point.name.rpartition(".")[2],
        name=point.name,
    )
