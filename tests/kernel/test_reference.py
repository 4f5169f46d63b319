"""The kernel against the second opinion of conftest.py, on every level, bit for bit."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Field
from gateway.kernel import INTEGRATED, Plan, Points, Rows, levels
from gateway.model.batch import Batch

WIDTHS = {"bit": 1, "int8": 1, "uint8": 1, "bit16": 2, "int16": 2, "uint16": 2, "bcd16": 2}
WIDTHS |= {"int32": 4, "uint32": 4, "float32": 4, "bcd32": 4}
WIDTHS |= {"int64": 8, "uint64": 8, "float64": 8}
ORDERS = ["ABCD", "DCBA", "BADC", "CDAB"]
POINTS = 400

# Values at which something happens: limits of ranges, ends of doubles, and ordinary ones.
edges = st.sampled_from(
    [0.0, -0.0, 1.0, 1.5, 2.0, -1.0, 3.0, 100.0, 1e300, -1.7e308, 5e-324, 2.0**53]
)
values = st.one_of(edges, st.sampled_from([np.nan, np.inf, -np.inf]), st.floats())
qualities = st.sampled_from([0, 0, 0, 1, 3, 2, 0x81, 0x800, 0x4000, 0x6000, 0x203])
steps = st.sampled_from([0, 1, 500_000_000, 1_000_000_000, -7])


@st.composite
def tables(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Parameters of POINTS points, mostly harmless ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def column(usual: float, others: list[float]) -> np.ndarray:
        unusual = rng.random(POINTS) < draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
        return np.where(unusual, rng.choice(others, POINTS), usual)

    return {
        "scale": column(1.0, [0.1, -2.0, 1e200]),
        "offset": column(0.0, [1.5, -100.0]),
        "low": column(-np.inf, [-1.0, 0.0, 1.5]),
        "high": column(np.inf, [2.0, 1.5, 100.0]),
        "rate": column(np.inf, [0.0, 1.0, 2.0, 1e10]),
        "deadband": column(0.0, [0.5, 1.0, 1e6, -1.0, np.inf, np.nan]),
        "deadband_kind": column(0, [INTEGRATED]),
    }


def table(parameters: dict[str, np.ndarray]) -> Points:
    points = Points(POINTS)
    for name, column in parameters.items():
        getattr(points, name)[:] = column
    return points


@st.composite
def stretches(draw: st.DrawFn, first: int) -> list[Field]:
    """Fields of one type for neighbouring points, side by side or with gaps."""
    kind, order = draw(st.sampled_from(list(WIDTHS))), draw(st.sampled_from(ORDERS))
    count = draw(st.sampled_from([1, 2, 7, 8, 9, 63, 64, 65, 130]))
    start = draw(st.integers(0, 9))
    if kind == "bit":
        return [Field(first + i, start + i // 8, "bit", bit=i % 8) for i in range(count)]
    width = WIDTHS[kind]
    stride = draw(st.sampled_from([width, width, width + 1, 0]))
    bit = draw(st.integers(0, 15)) if kind == "bit16" else 0
    return [Field(first + i, start + i * stride, kind, order, bit) for i in range(count)]


@st.composite
def layouts(draw: st.DrawFn) -> list[Field]:
    """The fields of a block: a few stretches, in any order."""
    fields: list[Field] = []
    for _ in range(draw(st.integers(1, 4))):
        more = draw(stretches(len(fields) + draw(st.integers(0, 2))))
        if fields:
            more = [f for f in more if f.point > max(g.point for g in fields)]
        fields += [f for f in more if f.point < POINTS]
    return draw(st.permutations(fields)) if len(fields) < 20 else fields


# What fields are made to say, so that blocks meet limits, deadbands and each other.
SAID = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 100.0, -1.0, -2.0, 1e9, np.nan, np.inf, -np.inf]


@st.composite
def blocks(draw: st.DrawFn, encode: Any, fields: list[Field], length: int) -> list[bytes]:
    """Some blocks in a row, each with a share of its fields saying something new."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    block = bytearray(rng.integers(0, 256, length, np.uint8) if draw(st.booleans()) else length)
    out = []
    for _ in range(draw(st.integers(2, 4))):
        share = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
        same = float(rng.choice(SAID)) if draw(st.integers(0, 4)) == 0 else None
        for place in fields:
            if rng.random() < share:
                encode(block, place, float(rng.choice(SAID)) if same is None else same)
        out.append(bytes(block))
    return out


def same_row(row: tuple[Any, ...]) -> bytes:
    """Return a row as bytes: NaN equals NaN, and one bit of difference is one."""
    point, value, quality, time = row
    return struct.pack("=idHq", point, value, quality, time)


def drained(rows: Rows) -> list[bytes]:
    batch = rows.drain()
    if batch is None:
        return []
    columns = (batch.point, batch.value, batch.quality, batch.time)
    return [same_row(row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def image(points: Points) -> bytes:
    return points.value.tobytes() + points.quality.tobytes() + points.time.tobytes()


marks = st.sampled_from([0, 0, 0x0800, 0x0400, 0x1000, 0x1C00])
puts = st.tuples(marks, values, qualities)


def put(points: Points, expected: Any, point: int, what: tuple[int, float, int], time: int) -> None:
    """Mark a point here and there, and see that it is reported."""
    rows = Rows(1)
    mark, value, quality = what
    points.put(point, mark, value, quality, time, rows)
    assert drained(rows) == [same_row(expected.put(point, mark, value, quality, time))]


def same_said(points: Points, expected: Any) -> None:
    """Check what devices of marked points said, and how much of it was withheld."""
    for point, mark in expected.marks.items():
        _, value, quality, time = expected.said[point]
        said = (points.said_value[point], points.said_quality[point], points.said_time[point])
        if mark and time:
            assert same_row((0, *(x.item() for x in said))) == same_row((0, value, quality, time))
    withheld = {int(i): int(points.withheld[i]) for i in np.flatnonzero(points.withheld)}
    assert withheld == expected.withheld


@settings(max_examples=60, deadline=None)
@given(data=st.data(), parameters=tables(), fields=layouts())
def test_decode(
    reference: Any,
    running_on: Any,
    data: st.DataObject,
    parameters: dict[str, np.ndarray],
    fields: list[Field],
) -> None:
    """A block gives the rows, the image and the history that the reference says."""
    length = max(field.offset + WIDTHS[field.type] for field in fields)
    row_of_blocks = data.draw(blocks(reference.encode, fields, length))
    moments = [(data.draw(steps), data.draw(qualities)) for _ in row_of_blocks]
    ids = st.sampled_from([field.point for field in fields])
    marked = [data.draw(st.dictionaries(ids, puts, max_size=3)) for _ in row_of_blocks]
    images = []
    for name in levels():
        points, rows = table(parameters), Rows(POINTS)
        plan, expected = Plan(points, fields), reference.of(points)
        assert plan.length == length
        time = 1_700_000_000_000_000_000
        with running_on(name):
            for block, (step, quality), new in zip(row_of_blocks, moments, marked, strict=True):
                time += step
                for point, what in new.items():
                    put(points, expected, point, what, time)
                count = points.decode(plan, block, time, quality, rows)
                due = expected.decode(fields, block, time, quality)
                assert count == len(due)
                assert sorted(drained(rows)) == sorted(same_row(row) for row in due)
        same_said(points, expected)
        images.append(image(points))
    assert len(set(images)) == 1


samples = st.tuples(st.integers(0, 5), values, qualities, steps)


@settings(max_examples=200, deadline=None)
@given(
    parameters=tables(),
    batches=st.lists(
        st.tuples(
            st.lists(samples, min_size=1, max_size=20),
            st.booleans(),
            st.dictionaries(st.integers(0, 5), puts, max_size=2),
        ),
        max_size=4,
    ),
)
def test_judge(
    reference: Any,
    parameters: dict[str, np.ndarray],
    batches: list[
        tuple[list[tuple[int, float, int, int]], bool, dict[int, tuple[int, float, int]]]
    ],
) -> None:
    """Columns of samples give the rows that the reference says, in their order."""
    points, rows = table(parameters), Rows(20)
    expected = reference.of(points)
    time = 1_700_000_000_000_000_000
    for batch, every, new in batches:
        for point, what in new.items():
            put(points, expected, point, what, time)
        timed = []
        for point, value, quality, step in batch:
            time += step
            timed.append((point, value, quality, time))
        points.judge(Batch.of(*zip(*timed, strict=True)), every, rows)
        due = [expected.judge(*sample, every) for sample in timed]
        assert drained(rows) == [same_row(row) for row in due if row is not None]
    same_said(points, expected)
