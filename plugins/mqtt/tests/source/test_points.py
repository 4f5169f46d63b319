"""Point lists of the source, as `gateway check` sees them: each mistake named at its cell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import JsonSink, MqttSource
from pydantic import ValidationError

from gateway.testing import Emitter, configured

HEAD = "name,kind,"
BAD: list[tuple[str, dict[str, Any], str]] = [
    # A row by itself.
    ("f.topic\na,analog,dev/+/u", {}, "a wildcard of subscribers"),
    ("f.topic\na,analog,dev/#", {}, "a wildcard of subscribers"),
    ("f.path\na,analog,u", {}, "needs a topic, a command_topic, or both"),
    ("f.topic,f.path\na,analog,t,$..u", {}, "the path '$..u' cannot be read from"),
    ("f.topic,f.on\na,status,t,ON", {}, "on and off go together"),
    ("f.topic,f.on,f.off\na,status,t,ON,ON", {}, "the same word"),
    ("f.command_topic,f.stale_after\na,analog,t,5s", {}, "stale_after is of a point that is heard"),
    ("f.topic,f.reply_topic\na,analog,t,r", {}, "needs command_topic"),
    (
        "f.command_topic,f.command_payload,command.model\na,analog,t,{val},setpoint",
        {},
        "found the field {val}, allowed: {raw}, {value}",
    ),
    (
        'f.command_topic,f.command_payload,command.model\na,analog,t,"{""v"": {raw}",setpoint',
        {},
        "begins as JSON and is none",
    ),
    (
        'f.command_topic,f.command_payload,f.on,f.off,command.model\na,status,t,"{""v"": {raw}}",'
        "ON,OFF,latch",
        {},
        "words stand in quotes",
    ),
    # Rows beside each other.
    ("f.topic,f.path\na,analog,t,u\nb,analog,t,$['u']", {}, "found the place that a has already"),
    ("f.topic\na,analog,t\nb,analog,t", {}, "found the place that a has already"),
    ("f.topic,f.format\na,analog,t,json\nb,analog,t,text", {}, "a reads the same topic as json"),
    ("f.topic,f.path\na,analog,t,u", {"format": "text"}, "found a path, which is of the format"),
    ("f.topic\na,analog,u/t", {"subscribe": ["v/#"]}, "which no filter of `subscribe` matches"),
    ("f.topic,f.command_topic\na,status,t,c", {}, "found a topic, and no column command.model"),
    (
        "f.topic,f.command_topic,command.model\na,status,t,t,latch",
        {},
        "it would hear itself",
    ),
    (
        "f.command_topic,command.model,command.select\na,status,c,latch,forward",
        {},
        "select forward needs its answers",
    ),
    (
        "f.command_topic,f.reply_topic,command.model,command.select\na,status,c,r,latch,forward",
        {},
        "found no {operation}, and select forward needs it",
    ),
    (
        "f.command_topic,f.command_payload,command.model\na,status,c,{on_time},latch",
        {},
        "of pulses, not of latch",
    ),
    (
        "f.command_topic,f.reply_topic,command.model\na,status,c,r,latch\nb,status,d,r,latch",
        {"reply": {"id": None}},
        "replies without an id need a topic for each point",
    ),
    (
        "f.topic,f.command_topic,f.reply_topic,command.model\na,status,t,c,t,latch",
        {},
        "is for command.feedback to say",
    ),
]


def _check(rows: str, tmp_path: Path, **fields: Any) -> None:
    source = MqttSource.model_validate({"name": "f", "broker": "b:1883"} | fields)
    configured([source], [], HEAD + rows + "\n", tmp_path)


@pytest.mark.parametrize(("rows", "fields", "words"), BAD)
def test_a_wrong_point_list_is_named(
    tmp_path: Path, rows: str, fields: dict[str, Any], words: str
) -> None:
    """What was found, and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(words)):
        _check(rows, tmp_path, **fields)


def test_a_right_point_list_passes(tmp_path: Path) -> None:
    """Points of all formats, with and without commands, side by side."""
    columns = "f.topic,f.path,f.format,f.command_topic,f.reply_topic,command.model,command.select\n"
    rows = (
        "a,analog,t/1,u[0].v,,,,,\n"
        "b,status,t/2,,text,c/2,,latch,\n"
        "c,analog,t/3,x,grid-gateway,,,,\n"
        "d,analog,t/3,,grid-gateway,,,,\n"
        "e,analog,,,,c/5,r/5,setpoint,local\n"
    )
    _check(columns + rows, tmp_path, subscribe=["t/#"])


LINKS: list[tuple[dict[str, Any], str]] = [
    ({"subscribe": ["a/#/b"]}, "the filter 'a/#/b' is none"),
    ({"subscribe": ["a+"]}, "the filter 'a+' is none"),
    ({"subscribe": ["$share/g/a"]}, "is shared"),
    ({"subscribe": [""]}, "1 to 65535 bytes"),
    ({"quality_words": {"BAD": "terrible"}}, "found the quality 'terrible'"),
    ({"availability": {"online": "x", "offline": "x"}}, "the same word"),
    ({"reply": {"words": {"ok": "fine"}}}, "success"),
    ({"password": "x"}, "a password needs its username"),
    ({"time_path": "a..b"}, "cannot be read from"),
]


@pytest.mark.parametrize(("fields", "words"), LINKS)
def test_a_wrong_source_is_named(fields: dict[str, Any], words: str) -> None:
    """Before anything connects."""
    with pytest.raises(ValidationError) as error:
        MqttSource.model_validate({"name": "f", "broker": "b:1883"} | fields)
    assert words in str(error.value)


SINKS: list[tuple[dict[str, Any], str]] = [
    ({"topic": "x/{user}-{name}"}, "stand alone between two slashes"),
    ({"topic": "x/{user}/{user}"}, "has {user} twice"),
    ({"topic": "x/+/{name}"}, "a wildcard of subscribers"),
    ({"topic": "x/{device}"}, "it may name {gateway}, {link}, {user}, {name}"),
    ({"topic": "x/{name}"}, "reply names {user}, and the topic of commands does not"),
    ({"reply": None, "responses": None}, "a place for their answers"),
    ({"reply": "r/{name}"}, "it may name {gateway}, {link}, {user}"),
    ({"max_age": "0s"}, "greater than 0"),
]


@pytest.mark.parametrize(("commands", "words"), SINKS)
def test_wrong_command_topics_are_named(commands: dict[str, Any], words: str) -> None:
    """Before anything connects."""
    with pytest.raises(ValidationError) as error:
        JsonSink.model_validate({"name": "s", "broker": "b:1883", "commands": commands})
    assert words in str(error.value)


def test_points_that_topics_cannot_tell_apart_are_named(tmp_path: Path) -> None:
    """A name's slash becomes an underscore in its topic: two names may become one level."""
    sink = JsonSink.model_validate({"name": "s", "broker": "b:1883", "commands": {}})
    points = "name,field.at\na/b,x\na_b,x\n"
    with pytest.raises(ValueError, match="found the level a_b of topics, which a/b has already"):
        configured([Emitter(name="field")], [sink], points, tmp_path)
