"""The fields of the sink: what is refused before anything is connected, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_mqtt import JsonSink
from gateway_mqtt.settings import Version
from pydantic import ValidationError

SINK = {"name": "mqtt", "type": "mqtt.json", "broker": "broker:1883"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"broker": "broker"}, "host:port"),
        ({"version": "3.1"}, "'5' or '3.1.1'"),
        ({"topic": "{plant}"}, "may name {gateway}"),
        ({"presence": {"topic": "{name}"}}, "may name {gateway}, {link}"),
        ({"password": "x"}, "needs its username"),
        ({"tls": {"certificate": "a.pem"}}, "a certificate needs its key"),
        ({"tls": {"key": "a.pem"}}, "a key needs its certificate"),
        ({"tls": {"password": "x"}}, "a password needs the key"),
        ({"retain": "always"}, "'never' or 'live'"),
        ({"keepalive": "1s"}, "greater than or equal to 5"),
        ({"ack_timeout": "15"}, "a duration is a number"),
        ({"inflight": 0}, "greater than 0"),
        ({"max_message": "1kiB"}, "a size is a number"),
        ({"max_message": "0.5kB"}, "greater than or equal to 1000"),
        ({"qos": 0}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_field_is_refused_with_what_is_allowed(fields: dict[str, Any], words: str) -> None:
    """Validation names what may stand there."""
    with pytest.raises(ValidationError) as caught:
        JsonSink.model_validate(SINK | fields)
    assert words in str(caught.value)


def test_version_five_needs_no_quotes() -> None:
    """`version: 5` in YAML is a number, and means what it says."""
    assert JsonSink.model_validate(SINK | {"version": 5}).version is Version.V5


def test_presence_can_be_left_out() -> None:
    """Null is the way to say no presence."""
    assert JsonSink.model_validate(SINK | {"presence": None}).presence is None
