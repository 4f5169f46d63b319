"""Commands as they are read: the published schemas, and any octets at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gateway_mqtt
import pytest
from gateway_mqtt.command_payload import CommandPayload, ReplyPayload
from gateway_mqtt.command_reader import Asked, Reader, Refused
from gateway_mqtt.command_settings import Commands
from gateway_mqtt.packet import Publish
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gateway import ANSWERS, Definition, LinkPoint

NOW = 1_700_000_000_000_000_000
POINTS = [LinkPoint(i, Definition(name), None) for i, name in enumerate(("bay1.cb", "bay1/tap"))]


def _message(topic: str, payload: bytes, **more: Any) -> Publish:
    return Publish(topic, payload, 1, False, False, 1, b"\0")._replace(**more)


def _read(payload: Any, at: str = "n/command/alice/bay1.cb", /, **settings: Any) -> Asked | Refused:
    reader = Reader(Commands.model_validate(settings), "n", "mqtt", POINTS)
    octets = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    message = _message(at, octets)
    return reader.read(message, reader.origin(message), NOW)


@pytest.mark.parametrize(("name", "model"), [("command", CommandPayload), ("reply", ReplyPayload)])
def test_the_published_schemas_are_those_that_are_tested(name: str, model: type[BaseModel]) -> None:
    """What clients are given to read is what the gateway validates with."""
    path = Path(gateway_mqtt.__file__).parent / f"{name}.schema.json"
    assert json.loads(path.read_text()) == model.model_json_schema()


def test_every_status_has_its_word_in_the_schema() -> None:
    """The words of the replies are those of the table of answers."""
    words = ReplyPayload.model_json_schema()["$defs"]["CommandStatus"]["enum"]
    assert sorted(words) == sorted(answer.mqtt for answer in ANSWERS.values())


def test_topics_say_who_and_what() -> None:
    """Levels are told apart, wherever they stand; a slash in a name is an underscore."""
    settings = Commands.model_validate({"topic": "{name}/of/{gateway}/{link}/by/{user}"})
    reader = Reader(settings, "n", "l", POINTS)
    assert reader.filter == "+/of/n/l/by/+"
    said = json.dumps({"id": "1", "value": 1, "time": NOW}).encode()
    message = _message("bay1_tap/of/n/l/by/bob", said)
    origin = reader.origin(message)
    assert (origin.user, origin.address) == ("bob", "+/of/n/l/by/bob")
    assert origin.topic == "n/reply/bob"
    asked = reader.read(message, origin, NOW)
    assert isinstance(asked, Asked)
    assert asked.name == "bay1/tap"


def test_without_levels_the_payload_says_which_point() -> None:
    """One topic for all: nobody vouches for a user there, and the point is named in JSON."""
    fields = {"topic": "{gateway}/set", "reply": "{gateway}/done", "responses": None}
    said = {"id": "1", "value": 1, "time": NOW}
    asked = _read(said | {"point": "bay1.cb"}, "n/set", **fields)
    assert isinstance(asked, Asked)
    refused = _read(said, "n/set", **fields)
    assert isinstance(refused, Refused)
    assert refused.detail == "it names no point"


AGES = [
    (0, True), (9.9, True), (11.9, True), (12.1, False), (-1.9, True), (-2.1, False),
]  # fmt: skip


@pytest.mark.parametrize(("age", "taken"), AGES)
def test_old_commands_are_not_taken(age: float, taken: bool) -> None:
    """Ten seconds, and two for clocks that differ, either way."""
    asked = _read({"id": "1", "value": 1, "time": NOW - round(age * 1e9)})
    assert isinstance(asked, Asked) is taken
    assert isinstance(_read({"id": "1", "value": 1}, max_age=None), Asked)


def test_the_shorter_of_two_times_counts() -> None:
    """`timeout` and `expires` both bound what the client waits."""
    for said, expected in (
        ({"timeout": 5}, 5.0),
        ({"expires": NOW + 3 * 10**9}, 3.0),
        ({"timeout": 5, "expires": NOW + 3 * 10**9}, 3.0),
        ({"timeout": 2, "expires": "2023-11-14T22:13:23Z"}, 2.0),
        ({}, None),
    ):
        asked = _read({"id": "1", "value": 1, "time": NOW} | said)
        assert isinstance(asked, Asked)
        assert asked.timeout == expected


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(list(CommandPayload.model_fields)) | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(
    st.binary(max_size=300) | DOCUMENTS.map(lambda said: json.dumps(said).encode()),
    st.sampled_from(["n/command/alice/bay1.cb", "n/command//", "n/command/a", "", "/" * 50, "#"]),
    st.booleans(),
    st.sampled_from([b"", b"\0", b"\x05\x08\0\x02ab", b"\x7f"]),
)
def test_whatever_arrives_is_a_request_or_refused_in_words(
    payload: bytes, topic: str, retain: bool, properties: bytes
) -> None:
    """Nothing that comes does more than be refused with a sentence of printable signs."""
    reader = Reader(Commands(), "n", "mqtt", POINTS)
    message = _message(topic, payload, retain=retain, properties=properties)
    asked = reader.read(message, reader.origin(message), NOW)
    if isinstance(asked, Refused):
        assert asked.detail
        assert (asked.id + asked.name + asked.operation).isprintable()
