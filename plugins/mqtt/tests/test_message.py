"""Messages read back with the standard library's JSON, against what went in."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import gateway_mqtt
import numpy as np
import pytest
from gateway_mqtt.message import Encoder, Message, QualityFormat, TimeFormat
from gateway_mqtt.payload import Payload
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Batch, Definition, LinkPoint, Quality

NAMES = ("feeder1.voltage_a", "feeder1.current_a", "feeder2.voltage_a", "_health.clock")
SOURCES = ("meter1", "meter1", "meter2", None)
POINTS = [
    LinkPoint(2 * i + 1, Definition(name, source=source), None)
    for i, (name, source) in enumerate(zip(NAMES, SOURCES, strict=True))
]
ID = {point.name: point.id for point in POINTS}
# 2023-11-14T22:13:20.123456789Z; 1,700,000,000 s is a date known from everybody's clock.
T = 1_700_000_000_123_456_789


def _encoder(
    topic: str = "{gateway}/{device}",
    *,
    time: TimeFormat = TimeFormat.NS,
    quality: QualityFormat = QualityFormat.WORDS,
    most: int = 128_000,
    points: list[LinkPoint] | None = None,
) -> Encoder:
    return Encoder("north", POINTS if points is None else points, topic, time, quality, most)


def _read(messages: list[Message]) -> dict[str, dict[str, Any]]:
    for message in messages:
        Payload.model_validate_json(message.payload, strict=False)
    return {message.topic: json.loads(message.payload) for message in messages}


def test_the_message_of_a_device() -> None:
    """One message per topic, columns of one length, the header said once."""
    batch = Batch.of(
        [ID[name] for name in (NAMES[0], NAMES[2], NAMES[1], NAMES[0])],
        [230.5, 11.25, 42.0, 231.0],
        [0, 0, 0x81, 0],
        [T, T + 1, T + 2, T + 3],
    )
    messages = list(_encoder().messages(batch, historical=False))
    assert _read(messages) == {
        "north/feeder1": {
            "gateway": "north",
            "device": "feeder1",
            "points": ["feeder1.voltage_a", "feeder1.current_a", "feeder1.voltage_a"],
            "values": [230.5, 42.0, 231.0],
            # IEC 61850-7-3: validity 1 is invalid, bit 7 is oldData.
            "quality": ["good", "invalid,oldData", "good"],
            "time": [T, T + 2, T + 3],
        },
        "north/feeder2": {
            "gateway": "north",
            "device": "feeder2",
            "points": ["feeder2.voltage_a"],
            "values": [11.25],
            "quality": ["good"],
            "time": [T + 1],
        },
    }
    assert [message.rows for message in messages] == [3, 1]


@pytest.mark.parametrize(
    ("topic", "topics", "header"),
    [
        ("{gateway}", ["north"], {"gateway"}),
        ("{gateway}/{source}", ["north/gateway", "north/meter1", "north/meter2"], {"source"}),
        ("x/{device}", ["x/_health", "x/feeder1", "x/feeder2"], {"device"}),
        (
            "{name}",
            sorted(NAMES),
            {"source", "device"},
        ),
    ],
)
def test_the_topic_says_what_shares_a_message(
    topic: str, topics: list[str], header: set[str]
) -> None:
    """The template alone decides how many messages there are, and what their header says."""
    batch = Batch.of([point.id for point in POINTS], 1.0, 0, T)
    found = _read(list(_encoder(topic).messages(batch, historical=False)))
    assert sorted(found) == topics
    columns = {"gateway", "points", "values", "quality", "time"}
    assert all(set(payload) == columns | header for payload in found.values())


def test_the_source_of_a_health_point_is_null() -> None:
    """No link brings it, so the header says none."""
    batch = Batch.of([ID["_health.clock"]], 1.0, 0, T)
    found = _read(list(_encoder("{name}").messages(batch, historical=False)))
    assert found["_health.clock"]["source"] is None


def test_history_says_so() -> None:
    """`historical` is there, and true, in messages after an outage only."""
    batch = Batch.of([1], 1.0, 0, T)
    (late,) = _encoder().messages(batch, historical=True)
    (live,) = _encoder().messages(batch, historical=False)
    assert json.loads(late.payload)["historical"] is True
    assert "historical" not in json.loads(live.payload)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_null(value: float) -> None:
    """JSON has no NaN and no infinity (RFC 8259 clause 6)."""
    (message,) = _encoder().messages(Batch.of([1], value, Quality.INVALID, T), historical=False)
    assert json.loads(message.payload)["values"] == [None]


def test_times_as_text_are_utc() -> None:
    """RFC 3339 with Z, to the microsecond; the nanoseconds are cut off."""
    encoder = _encoder(time=TimeFormat.ISO8601)
    (message,) = encoder.messages(Batch.of([1], 1.0, 0, T), historical=False)
    assert _read([message])["north/feeder1"]["time"] == ["2023-11-14T22:13:20.123456Z"]


def test_qualities_as_numbers_are_the_flags() -> None:
    """The 16 bits as they stand in the batch."""
    encoder = _encoder(quality=QualityFormat.NUMBER)
    batch = Batch.of([1, 3], 1.0, [0x81, 0xFFFF], T)
    (message,) = encoder.messages(batch, historical=False)
    assert _read([message])["north/feeder1"]["quality"] == [0x81, 65535]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (0x0000, "good"),
        (0x0001, "invalid"),
        (0x0002, "reserved"),
        (0x0003, "questionable"),
        (0x0007, "questionable,overflow"),
        (0x0009, "invalid,outOfRange"),
        (0x0011, "invalid,badReference"),
        (0x0023, "questionable,oscillatory"),
        (0x0041, "invalid,failure"),
        (0x0081, "invalid,oldData"),
        (0x0103, "questionable,inconsistent"),
        (0x0203, "questionable,inaccurate"),
        (0x0400, "good,substituted"),
        (0x0800, "good,test"),
        (0x1000, "good,operatorBlocked"),
        (0x2000, "good,clockNotSynchronised"),
        (0x4000, "good"),
    ],
)
def test_quality_in_words(flags: int, words: str) -> None:
    """The table of the README: the words of IEC 61850-7-3, in the order of its packed list."""
    batch = Batch.of([1, 3], 1.0, [flags, 0], T)
    (message,) = _encoder().messages(batch, historical=False)
    assert json.loads(message.payload)["quality"] == [words, "good"]
    (alone,) = _encoder().messages(Batch.of([1], 1.0, flags, T), historical=False)
    assert json.loads(alone.payload)["quality"] == [words]


def test_names_are_json() -> None:
    """A name with quotes, a backslash or an umlaut arrives as it is."""
    name = 'bay"1\\x.größe'
    points = [LinkPoint(0, Definition(name), None)]
    encoder = _encoder("{name}", points=points)
    (message,) = encoder.messages(Batch.of([0], 1.0, 0, T), historical=False)
    assert json.loads(message.payload)["points"] == [name]


def test_name_columns_are_forgotten_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With room for two columns, a third is written all the same, and the first again."""
    monkeypatch.setattr("gateway_mqtt.message.COLUMNS_BYTES", 60)
    encoder = _encoder("{gateway}")
    for _ in range(2):
        for point in POINTS:
            (message,) = encoder.messages(Batch.of([point.id], 1.0, 0, T), historical=False)
            assert json.loads(message.payload)["points"] == [point.name]


def test_an_empty_batch_has_no_messages() -> None:
    """Nothing to say, nothing said."""
    assert list(_encoder().messages(Batch.of([], [], [], []), historical=False)) == []


def test_a_limit_that_no_sample_fits_is_refused() -> None:
    """The error says what is needed, what there is, and what to change."""
    with pytest.raises(ValueError, match=r"need \d+ bytes .* may have 300: raise max_message"):
        _encoder(most=300)


@settings(deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 300),
    st.integers(1000, 8000),
    st.sampled_from(QualityFormat),
    st.sampled_from(TimeFormat),
    st.sampled_from(["{gateway}", "{gateway}/{device}", "{name}"]),
    st.booleans(),
)
def test_splitting_loses_nothing_and_keeps_the_order(
    seed: int,
    n: int,
    most: int,
    words: QualityFormat,
    form: TimeFormat,
    topic: str,
    historical: bool,
) -> None:
    """No packet is above the limit; joined again the messages are the batch, in order per topic."""
    random = np.random.default_rng(seed)
    batch = Batch.of(
        random.choice([1, 3, 5, 7], n),
        random.choice([230.1, -1.2345678901234567e-300, math.nan, 1e22], n),
        random.choice([0, 0x81, 0xFFFF, 0x2000], n),
        T + np.arange(n),
    )
    encoder = _encoder(topic, most=most, quality=words, time=form)
    messages = list(encoder.messages(batch, historical=historical))
    # 5 bytes of fixed header, lengths of topic and properties, packet identifier
    sizes = [5 + 2 + len(m.topic.encode()) + 2 + 1 + len(m.payload) for m in messages]
    assert max(sizes) <= most
    assert sum(message.rows for message in messages) == n
    name_of = {point.id: point.name for point in POINTS}
    expected: dict[str, list[tuple[str, float]]] = {}
    for point, value in zip(batch.point.tolist(), batch.value.tolist(), strict=True):
        name = name_of[point]
        device = name.rpartition(".")[0]
        to = {"{gateway}": "north", "{gateway}/{device}": f"north/{device}", "{name}": name}[topic]
        expected.setdefault(to, []).append((name, value))
    found: dict[str, list[tuple[str, float]]] = {}
    for message in messages:
        payload = json.loads(message.payload)
        assert {len(payload[c]) for c in ("values", "quality", "time")} == {message.rows}
        found.setdefault(message.topic, []).extend(
            (name, math.nan if value is None else value)
            for name, value in zip(payload["points"], payload["values"], strict=True)
        )
    assert repr(found) == repr({topic: expected[topic] for topic in found})
    assert found.keys() == expected.keys()


def test_the_published_schema_is_the_one_that_is_tested() -> None:
    """`message.schema.json` is what readers are given; messages are validated with its model."""
    path = Path(gateway_mqtt.__file__).parent / "message.schema.json"
    assert json.loads(path.read_text()) == Payload.model_json_schema()


def test_columns_of_different_lengths_are_no_message() -> None:
    """The schema's model refuses what a schema cannot say."""
    with pytest.raises(ValueError, match="different lengths"):
        Payload(gateway="n", points=["a"], values=[1.0, 2.0], quality=["good"], time=[1])
