"""Which reads cover which points."""

from __future__ import annotations

import itertools

import pytest
from gateway_modbus.plan import Item, Limits, Read, plan_reads, split
from gateway_modbus.register import Order, RegisterType, Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def item(
    point: int,
    register: int,
    kind: str = "uint16",
    table: str = "holding",
    unit: int = 1,
    poll: float = 1.0,
    **more: object,
) -> Item:
    return Item(point, unit, Table(table), register, RegisterType(kind), poll=poll, **more)  # type: ignore[arg-type]


def spans(reads: tuple[Read, ...]) -> list[tuple[int, str, int, int]]:
    return [(read.unit, read.table.value, read.start, read.count) for read in reads]


CASES = [
    ("nothing", [], Limits(), []),
    ("one register", [item(0, 7)], Limits(), [(1, "holding", 7, 1)]),
    ("neighbours", [item(0, 0, "float32"), item(1, 2, "float32")], Limits(),
     [(1, "holding", 0, 4)]),
    ("out of order", [item(0, 5), item(1, 3), item(2, 4)], Limits(), [(1, "holding", 3, 3)]),
    ("a gap at the limit", [item(0, 0), item(1, 11)], Limits(max_gap=10), [(1, "holding", 0, 12)]),
    ("a gap beyond it", [item(0, 0), item(1, 12)], Limits(max_gap=10),
     [(1, "holding", 0, 1), (1, "holding", 12, 1)]),
    ("full to the last register", [item(n, 2 * n, "float32") for n in range(62)] + [item(99, 124)],
     Limits(), [(1, "holding", 0, 125)]),
    ("a value is not cut", [item(n, 2 * n, "float32") for n in range(100)], Limits(),
     [(1, "holding", 0, 124), (1, "holding", 124, 76)]),
    ("tables apart", [item(0, 0), item(1, 1, table="input")], Limits(),
     [(1, "holding", 0, 1), (1, "input", 1, 1)]),
    ("units apart", [item(0, 0, unit=2), item(1, 1)], Limits(),
     [(1, "holding", 1, 1), (2, "holding", 0, 1)]),
    ("rates apart", [item(0, 0, poll=5.0), item(1, 1)], Limits(),
     [(1, "holding", 1, 1), (1, "holding", 0, 1)]),
    ("two views of a register", [item(0, 4, "bit", bit=1), item(1, 4), item(2, 4, "bit", bit=9)],
     Limits(), [(1, "holding", 4, 1)]),
    ("bits", [item(0, 0, "bit", "coil"), item(1, 160, "bit", "coil")], Limits(max_gap=10),
     [(1, "coil", 0, 161)]),
    ("bits beyond the gap", [item(0, 0, "bit", "coil"), item(1, 162, "bit", "coil")],
     Limits(max_gap=10), [(1, "coil", 0, 1), (1, "coil", 162, 1)]),
    ("the last register", [item(0, 65535)], Limits(), [(1, "holding", 65535, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "items", "limits", "expected"), CASES, ids=[c[0] for c in CASES])
def test_reads(
    _name: str, items: list[Item], limits: Limits, expected: list[tuple[int, str, int, int]]
) -> None:
    """Points become the reads that a person would write down."""
    assert expected == spans(plan_reads(items, limits))


kinds = st.sampled_from(["uint16", "int32", "float64", "bit"])


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    found = []
    for point in range(draw(st.integers(0, 40))):
        table = draw(st.sampled_from(list(Table)))
        kind = RegisterType("bit" if table.of_bits else draw(kinds))
        found.append(
            Item(
                point=point,
                unit=draw(st.integers(0, 2)),
                table=table,
                register=draw(st.integers(0, 300)) if draw(st.booleans()) else
                draw(st.integers(0, 65536 - kind.width)),
                type=kind,
                poll=draw(st.sampled_from([1.0, 5.0])),
            )
        )  # fmt: skip
    return found


limits = st.builds(Limits, st.integers(4, 125), st.integers(1, 2000), st.integers(0, 20))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(items(), limits)
def test_every_point_is_covered_once(items: list[Item], limits: Limits) -> None:
    """Each point is in one read, whole; no read is too long, mixes, or bridges a wide gap."""
    reads = plan_reads(items, limits)

    assert sorted(i.point for i in items) == sorted(i.point for r in reads for i in r.items)
    for read in reads:
        assert 1 <= read.count <= (limits.max_bits if read.table.of_bits else limits.max_registers)
        assert read.start + read.count <= 65536
        touched = set()
        for one in read.items:
            assert (one.unit, one.table, one.poll) == (read.unit, read.table, read.poll)
            assert read.start <= one.register
            assert one.register + one.type.width <= read.start + read.count
            touched |= set(range(one.register, one.register + one.type.width))
        edges = sorted(touched)
        widest = max((b - a - 1 for a, b in itertools.pairwise(edges)), default=0)
        assert widest <= limits.max_gap * (16 if read.table.of_bits else 1)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(items(), limits)
def test_splitting_ends_and_loses_nothing(items: list[Item], limits: Limits) -> None:
    """Cut again and again, a read ends as reads whose points share registers, and none is lost."""
    left = list(plan_reads(items, limits))
    whole = []
    while left:
        parts = split(left.pop())
        if parts is None:
            continue
        assert parts[0].start + parts[0].count <= parts[1].start
        left += parts
    left = list(plan_reads(items, limits))
    while left:
        read = left.pop()
        parts = split(read)
        if parts is None:
            whole.append(read)
        else:
            left += parts
    assert sorted(i.point for i in items) == sorted(i.point for r in whole for i in r.items)


def test_split_at_the_gap() -> None:
    """The widest gap is cut first, for nobody asked for what is in it; else the middle."""
    read = Read.of([item(0, 0), item(1, 1), item(2, 5), item(3, 6)])
    even = Read.of([item(n, n) for n in range(8)])

    parts, halves = split(read), split(even)

    assert parts is not None
    assert halves is not None
    assert [(part.start, part.count) for part in parts] == [(0, 2), (5, 2)]
    assert [(half.start, half.count) for half in halves] == [(0, 4), (4, 4)]


FIELDS = [
    # Section 6.1: coil 20-27 is the first byte, coil 27 its most significant bit.
    (item(1, 26, "bit", "coil"), 19, (0, "bit", 7)),
    (item(1, 27, "bit", "coil"), 19, (1, "bit", 0)),
    # Section 6.3: the high byte of a register comes first, so bit 0 is in the second byte.
    (item(1, 108, "bit", bit=0), 107, (3, "bit", 0)),
    (item(1, 108, "bit", bit=15), 107, (2, "bit", 7)),
    (item(1, 108, "bit", bit=8, order=Order.BADC), 107, (3, "bit", 0)),
    (item(1, 108, "bit", bit=7, order=Order.DCBA), 107, (2, "bit", 7)),
    (item(1, 108, "float32"), 107, (2, "float32", 0)),
]


@pytest.mark.parametrize(("one", "start", "expected"), FIELDS)
def test_fields(one: Item, start: int, expected: tuple[int, str, int]) -> None:
    """Bits and bytes stand where the standard's figures have them."""
    field = one.field(start)

    assert expected == (field.offset, field.type, field.bit)
