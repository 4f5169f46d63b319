"""Topic templates: what they may name, what they become, what is refused."""

from __future__ import annotations

import pytest
from gateway_mqtt.topic import LINK_FIELDS, POINT_FIELDS, check, device_of, named, topic_of

from gateway import Definition, LinkPoint


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{plant}/{device}", ("{plant}", "{gateway}, {source}, {device}, {point}, {name}")),
        ("{device!r}", ("{device!r}", "may name")),
        ("{device:>9}", ("{device:>9}", "may name")),
        ("{}", ("{}", "may name")),
        ("{device", ("brace", "{device}")),
        ("grid/+/x", ("'+'", "wildcard")),
        ("grid/#", ("'#'", "wildcard")),
        ("grid\0", ("not allowed in MQTT",)),
        ("", ("must not be empty",)),
        ("$SYS/{device}", ("begin with $",)),
    ],
)
def test_a_wrong_template_is_refused_with_what_is_allowed(
    template: str, words: tuple[str, ...]
) -> None:
    """The error names what was found and what may stand there."""
    with pytest.raises(ValueError, match="topic") as caught:
        check(template, POINT_FIELDS)
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_presence_topic_has_no_point() -> None:
    """The status of a link may name the gateway and the link, nothing else."""
    assert check("{gateway}/{link}/status", LINK_FIELDS) == "{gateway}/{link}/status"
    with pytest.raises(ValueError, match=r"\{device\}.*\{gateway\}, \{link\}"):
        check("{device}", LINK_FIELDS)


def test_what_a_template_names() -> None:
    """Fields are found wherever they stand; literals and doubled braces are none."""
    assert named("a/{gateway}/{device}-{point}") == {"gateway", "device", "point"}
    assert named("plain/{{x}}") == set()


@pytest.mark.parametrize(
    ("name", "source", "topic"),
    [
        ("feeder1.voltage_a", "meter1", "n/meter1/feeder1/voltage_a"),
        ("a.b.c", "m", "n/m/a.b/c"),
        ("frequency", "m", "n/m/frequency/frequency"),
        ("_health.mqtt", None, "n/gateway/_health/mqtt"),
        ("bay/1.p+q#", "m", "n/m/bay_1/p_q_"),
    ],
)
def test_the_topic_of_a_point(name: str, source: str | None, topic: str) -> None:
    """The device is the name without its last segment; no field adds a level or a wildcard."""
    point = LinkPoint(0, Definition(name, source=source), None)
    assert topic_of("{gateway}/{source}/{device}/{point}", "n", point) == topic


def test_a_topic_longer_than_mqtt_allows_is_refused() -> None:
    """A topic has a two-byte length (clause 1.5.4)."""
    point = LinkPoint(0, Definition("x" * 65536), None)
    with pytest.raises(ValueError, match="longer than 65535 bytes"):
        topic_of("{name}", "n", point)


def test_device_of_a_name_without_dots_is_the_name() -> None:
    """No topic gets an empty level."""
    assert device_of("frequency") == "frequency"
