"""What messages say, as rows: tables of documents against values said by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from gateway_mqtt.source.columns import ColumnsReading
from gateway_mqtt.source.moment import TimeFormat, reader
from gateway_mqtt.source.path import steps
from gateway_mqtt.source.reading import JsonReading, Place, Sight, TextReading, Unreadable
from gateway_mqtt.source.rows import Runs
from gateway_mqtt.source.word import STATES, QualityFormat, qualities, quality
from hypothesis import given
from hypothesis import strategies as st

from gateway import Kind, Quality, quality_text

NOW = 1_800_000_000_000_000_000
# 2023-11-14T22:13:20.123456789Z.
T = 1_700_000_000_123_456_789
DEVICE = int(Quality.DEVICE_TIME)
VOID = 1
SEEN = Sight(NOW)
Row = tuple[int, float | None, int, int]


def _place(point: int, path: str = "", kind: Kind = Kind.ANALOG) -> Place:
    return Place(point, steps(path), STATES.get(kind, {}), kind is Kind.STATUS)


def _json(
    *places: Place,
    time: str | None = None,
    form: TimeFormat = TimeFormat.NS,
    flags: str | None = None,
    said: QualityFormat = QualityFormat.WORDS,
    words: dict[str, str] | None = None,
) -> JsonReading:
    way = None if time is None else steps(time)
    of = None if flags is None else steps(flags)
    return JsonReading([(places, way, of)], reader(form), qualities(said, words or {}))


def _rows(runs: Runs) -> list[Row]:
    return [
        (point, None if value is None or math.isnan(value) else value, quality, time)
        for rows in runs.take()
        for point, value, quality, time in zip(
            rows.point, rows.value, rows.quality, rows.time, strict=True
        )
    ]


def _read(reading: Any, payload: Any, sight: Sight = SEEN) -> tuple[list[Row], str]:
    runs = Runs()
    octets = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    wrong = reading.read(octets, sight, runs)
    return _rows(runs), wrong


def test_a_document_gives_each_point_its_value() -> None:
    """Points beside each other and in other places, in one message."""
    reading = _json(_place(1, "u[0]"), _place(2, "u[1]"), _place(3, "deep.er.p"), _place(4, "x"))
    rows, wrong = _read(reading, {"u": [230.5, 231], "deep": {"er": {"p": -4}}, "x": 1e3})
    assert (sorted(rows), wrong) == (
        [(1, 230.5, 0, NOW), (2, 231.0, 0, NOW), (3, -4.0, 0, NOW), (4, 1000.0, 0, NOW)],
        "",
    )


def test_what_a_message_leaves_out_stays_as_it_was() -> None:
    """Devices send what changed: the rest has no row. Null says that there is no value."""
    reading = _json(_place(1, "a"), _place(2, "b"), _place(3, "c[5]"))
    assert _read(reading, {"b": 2, "c": []}) == ([(2, 2.0, 0, NOW)], "")
    assert _read(reading, {}) == ([], "")
    assert _read(reading, {"a": None, "b": 1}) == ([(1, None, 0, NOW), (2, 1.0, 0, NOW)], "")


VALUES: list[tuple[Kind, Any, float | None]] = [
    (Kind.ANALOG, "21.5", 21.5),
    (Kind.ANALOG, " -1e3 ", -1000.0),
    (Kind.ANALOG, ".5", 0.5),
    (Kind.STATUS, True, 1.0),
    (Kind.STATUS, False, 0.0),
    (Kind.STATUS, "ON", 1.0),
    (Kind.STATUS, "off", 0.0),
    (Kind.STATUS, "True", 1.0),
    (Kind.STATUS, "1", 1.0),
    (Kind.DOUBLE, "intermediate", 0.0),
    (Kind.DOUBLE, "on", 2.0),
    (Kind.DOUBLE, 3, 3.0),
    (Kind.COUNTER, 2**53, 2.0**53),
]
WRONG = [
    (Kind.ANALOG, True), (Kind.ANALOG, "on"), (Kind.ANALOG, "nan"), (Kind.ANALOG, "inf"),
    (Kind.ANALOG, "1_0"), (Kind.ANALOG, "0x10"), (Kind.ANALOG, ""), (Kind.ANALOG, "1,5"),
    (Kind.ANALOG, {"v": 1}), (Kind.ANALOG, [1]), (Kind.ANALOG, "1e999"), (Kind.STATUS, "open"),
    (Kind.DOUBLE, True),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said", "expected"), VALUES)
def test_values_in_the_ways_of_devices(kind: Kind, said: Any, expected: float) -> None:
    """Numbers as text, truth and words of states; in JSON and as the bare message."""
    assert _read(_json(_place(1, "v", kind)), {"v": said}) == ([(1, expected, 0, NOW)], "")
    if isinstance(said, str):
        text = TextReading([_place(1, "", kind)])
        assert _read(text, said.encode()) == ([(1, expected, 0, NOW)], "")


@pytest.mark.parametrize(("kind", "said"), WRONG)
def test_what_is_no_value_makes_its_point_invalid(kind: Kind, said: Any) -> None:
    """The point has no value and is invalid, the others of the message are as they are."""
    rows, wrong = _read(_json(_place(1, "v", kind), _place(2, "w")), {"v": said, "w": 7})
    assert rows == [(1, None, VOID, NOW), (2, 7.0, 0, NOW)]
    assert wrong.startswith("found ")
    if isinstance(said, str):
        assert _read(TextReading([_place(1, "", kind)]), said.encode())[0] == [(1, None, VOID, NOW)]


@pytest.mark.parametrize(
    "payload", [b"", b"ON", b"{", b'{"a": NaN}', b'{"a": 1e999}', b"\xff", b'{"a": 1} x']
)
def test_what_is_no_json_is_unreadable(payload: bytes) -> None:
    """NaN and numbers beyond all floats are no JSON."""
    with pytest.raises(Unreadable, match="not JSON"):
        _read(_json(_place(1, "a")), payload)
    with pytest.raises(Unreadable):
        _read(ColumnsReading({"a": 1}), payload)


def test_a_bare_value_is_a_document() -> None:
    """A message may be the value itself, as many devices send it."""
    assert _read(_json(_place(1), _place(2)), 21.5)[0] == [(1, 21.5, 0, NOW), (2, 21.5, 0, NOW)]


MOMENTS: list[tuple[TimeFormat, Any, int]] = [
    (TimeFormat.NS, T, T),
    (TimeFormat.US, T // 1000, T // 1000 * 1000),
    (TimeFormat.MS, T // 10**6, T // 10**6 * 10**6),
    (TimeFormat.S, T // 10**9, T // 10**9 * 10**9),
    (TimeFormat.S, 1_700_000_000.5, 1_700_000_000_500_000_000),
    # Made with `date -u -d @1700000000 -Ins`, and by hand for the offset.
    (TimeFormat.ISO8601, "2023-11-14T22:13:20Z", 1_700_000_000_000_000_000),
    (TimeFormat.ISO8601, "2023-11-14T22:13:20.123456Z", 1_700_000_000_123_456_000),
    (TimeFormat.ISO8601, "2023-11-14T23:13:20+01:00", 1_700_000_000_000_000_000),
    (TimeFormat.ISO8601, "2023-11-14 22:13:20", 1_700_000_000_000_000_000),
    (TimeFormat.ISO8601, "20231114T221320Z", 1_700_000_000_000_000_000),
]
NO_MOMENTS: list[tuple[TimeFormat, Any]] = [
    (TimeFormat.NS, 0), (TimeFormat.NS, -5), (TimeFormat.NS, 2**63), (TimeFormat.S, T),
    (TimeFormat.NS, "5"), (TimeFormat.MS, True), (TimeFormat.MS, {}), (TimeFormat.S, 1e300),
    (TimeFormat.ISO8601, "yesterday"), (TimeFormat.ISO8601, T), (TimeFormat.ISO8601, "1969-12-31"),
    (TimeFormat.ISO8601, "2300-01-01T00:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "said", "expected"), MOMENTS)
def test_the_time_of_the_device(form: TimeFormat, said: Any, expected: int) -> None:
    """It becomes the sample's, and the quality says whose it is."""
    reading = _json(_place(1, "v"), time="t", form=form)
    assert _read(reading, {"v": 1, "t": said}) == ([(1, 1.0, DEVICE, expected)], "")


@pytest.mark.parametrize(("form", "said"), NO_MOMENTS)
def test_what_is_no_time_leaves_the_time_of_receipt(form: TimeFormat, said: Any) -> None:
    """The value counts all the same; that the time is none, is said."""
    rows, wrong = _read(_json(_place(1, "v"), time="t", form=form), {"v": 1, "t": said})
    assert rows == [(1, 1.0, 0, NOW)]
    assert wrong


def test_what_the_broker_kept_is_doubtful_unless_it_has_a_time() -> None:
    """Nobody knows how old a retained message is; what its device timed says it itself."""
    doubt = Sight(NOW, doubt=int(Quality.QUESTIONABLE | Quality.OLD_DATA))
    reading = _json(_place(1, "v"), time="t")
    assert _read(reading, {"v": 1}, doubt)[0] == [(1, 1.0, 0x83, NOW)]
    assert _read(reading, {"v": 1, "t": T}, doubt)[0] == [(1, 1.0, DEVICE, T)]


# IEC 61850-7-3 table of quality: validity in the two lowest bits, oldData is bit 7 of the list.
QUALITIES: list[tuple[QualityFormat, dict[str, str], Any, int]] = [
    (QualityFormat.WORDS, {}, "good", 0),
    (QualityFormat.WORDS, {}, "invalid,oldData", 0x81),
    (QualityFormat.WORDS, {}, "questionable, outOfRange", 0x0B),
    (QualityFormat.NUMBER, {}, 0x83, 0x83),
    (QualityFormat.BOOLEAN, {}, True, 0),
    (QualityFormat.BOOLEAN, {}, False, 1),
    (QualityFormat.NUMBER, {"192": "good", "0": "invalid"}, 192, 0),
    (QualityFormat.NUMBER, {"192": "good", "0": "invalid"}, 0, 1),
    (QualityFormat.WORDS, {"BAD": "invalid,failure"}, "BAD", 0x41),
]


@pytest.mark.parametrize(("form", "words", "said", "expected"), QUALITIES)
def test_the_quality_of_the_device(
    form: QualityFormat, words: dict[str, str], said: Any, expected: int
) -> None:
    """In the words of the standard, as flags, as truth, or in the device's own words."""
    reading = _json(_place(1, "v"), flags="q", said=form, words=words)
    assert _read(reading, {"v": 1, "q": said}) == ([(1, 1.0, expected, NOW)], "")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (QualityFormat.WORDS, "fine"),
        (QualityFormat.WORDS, 1),
        (QualityFormat.NUMBER, 0x8000),
        (QualityFormat.NUMBER, -1),
        (QualityFormat.BOOLEAN, "true"),
        (QualityFormat.NUMBER, None),
        (QualityFormat.WORDS, {}),
    ],
)
def test_a_quality_that_is_none_makes_questionable(form: QualityFormat, said: Any) -> None:
    """What cannot be understood cannot be good."""
    rows, wrong = _read(_json(_place(1, "v"), flags="q", said=form), {"v": 1, "q": said})
    assert rows == [(1, 1.0, 3, NOW)]
    assert wrong.startswith("found the quality")


@given(st.integers(0, 0x3FFF))
def test_quality_is_mapped_both_ways(flags: int) -> None:
    """What the gateway writes of a quality, it reads as the same."""
    assert quality(quality_text(flags)) == flags


COLUMNS: dict[str, Any] = {
    "gateway": "north",
    "points": ["a", "stranger", "b", "a"],
    "values": [1.5, 7, None, 2],
    "quality": ["good", "good", "invalid,oldData", "good"],
    "time": [T, T, T + 1, T + 2],
}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"quality": [0, 0, 0x81, 0]},
        {"time": [f"2023-11-14T22:13:20.12345678{d}Z" for d in "0000"]},
    ],
)
def test_the_columns_of_another_gateway(other: dict[str, Any]) -> None:
    """The points that are wanted, with quality and time as they were there."""
    times = [T, T, T + 1, T + 2] if "time" not in other else [T // 1000 * 1000] * 4
    rows, _ = _read(ColumnsReading({"a": 1, "b": 2}), COLUMNS | other)
    assert rows == [
        (1, 1.5, DEVICE, times[0]),
        (2, None, DEVICE | 0x81, times[2]),
        (1, 2.0, DEVICE, times[3]),
    ]


def test_history_is_apart() -> None:
    """Historical rows and live ones are not of one batch."""
    reading, runs = ColumnsReading({"a": 1, "b": 2}), Runs()
    for historical in (False, True, True, False):
        payload = json.dumps(COLUMNS | {"historical": historical}).encode()
        reading.read(payload, Sight(NOW), runs)
    assert [(rows.historical, len(rows)) for rows in runs.take()] == [
        (False, 3),
        (True, 6),
        (False, 3),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"points": ["a"]},
        {"points": "a"},
        {"points": [1, 2, 3, 4]},
        {"points": [[], [], [], []]},
        {"values": ["1", 1, 1, 1]},
        {"values": [True, 1, 1, 1]},
        {"quality": ["fine", "good", "good", "good"]},
        {"quality": [0, 0, 0, 0x8000]},
        {"quality": [0, "good", 0, 0]},
        {"time": [0, 1, 1, 1]},
        {"time": ["x", "x", "x", "x"]},
        {"time": [1.5, 1, 1, 1]},
        {"time": None},
    ],
)
def test_columns_that_are_none_are_unreadable(other: dict[str, Any]) -> None:
    """Nothing of the message is taken; names that nobody knows are no fault of it."""
    runs = Runs()
    reading = ColumnsReading({"a": 1, "b": 2})
    if other == {"points": [1, 2, 3, 4]}:
        assert _read(reading, COLUMNS | other)[0] == []
        return
    with pytest.raises(Unreadable):
        reading.read(json.dumps(COLUMNS | other).encode(), Sight(NOW), runs)
    assert runs.take() == []


def test_a_state_that_there_is_none_of_has_no_value() -> None:
    """A status is 0 or 1, a double status 0 to 3; anything else is left out and counted."""
    runs = Runs()
    runs.rows().add([0, 0, 0, 1, 1, 2], [0.5, 1.0, 2.0, 3.0, -1.0, 99.5], 0, NOW)
    batch, wrong = runs.take()[0].batch(np.array([1.0, 3.0, np.nan]))
    assert wrong == 3
    assert [None if math.isnan(v) else v for v in batch.value.tolist()] == [
        None, 1.0, None, 3.0, None, 99.5,
    ]  # fmt: skip


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x, max_size=4) | st.dictionaries(st.sampled_from("vtqpoints"), x),
        max_leaves=12,
    ).map(lambda document: json.dumps(document).encode())
)
def test_no_message_does_more_than_be_unreadable(payload: bytes) -> None:
    """Whatever arrives, it is rows of the topic's own points, or Unreadable."""
    for one in (
        _json(_place(1, "v"), _place(2, "p[0]", Kind.STATUS), time="t", flags="q"),
        TextReading([_place(1)]),
        ColumnsReading({"v": 1}),
    ):
        runs = Runs()
        try:
            one.read(payload, Sight(NOW), runs)
        except Unreadable:
            continue
        for rows in runs.take():
            assert set(rows.point) <= {1, 2}
            batch, _ = rows.batch(np.array([np.nan, np.nan, 1.0]))
            assert len(batch) == len(rows)
            assert not np.isinf(batch.value).any()
