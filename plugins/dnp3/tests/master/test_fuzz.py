"""Whatever an outstation sends, the session neither fails nor confirms what was not taken."""

from __future__ import annotations

import contextlib

from gateway_dnp3.app import (
    AppControl,
    Fragment,
    FragmentError,
    FunctionCode,
    Iin,
    Writer,
    parse,
)
from gateway_dnp3.master.association import Association
from gateway_dnp3.master.manners import Manners, TimeSync
from gateway_dnp3.master.moves import Moves
from gateway_dnp3.master.parcels import MOST, Parcel
from gateway_dnp3.master.reading import measurements
from gateway_dnp3.objects import Columns
from hypothesis import example, given, settings
from hypothesis import strategies as st

MANNERS = Manners(event=1.0, unsolicited=(1, 2, 3), time_sync=TimeSync.NON_LAN, keep_alive=10.0)


def key(fragment: Fragment) -> tuple[int, bool]:
    return fragment.control.sequence, fragment.control.uns


def objects(*columns: Columns) -> bytes:
    writer = Writer(2048)
    for one in columns:
        writer.add(one)
    return writer.objects()


GOOD = [
    b"",
    objects(Columns.of(2, 2, [1, 2], [1, 0], 1, [5, 6])),
    objects(Columns.of(30, 1, [0, 1, 2], [1, 2, 3])),
    objects(Columns.of(22, 1, [7], [9]), Columns.of(10, 2, [0], [1])),
    bytes.fromhex("3402071400"),
]
body = st.one_of(st.sampled_from(GOOD), st.binary(max_size=40))
control = st.builds(
    AppControl, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 15)
)
response = st.tuples(
    st.just("hear"),
    st.builds(
        lambda c, f, iin, octets: bytes((c.encode(), f)) + iin.to_bytes(2, "little") + octets,
        control, st.sampled_from([129, 129, 130, 0, 77]), st.integers(0, 0x3FFF), body,
    ),
)  # fmt: skip
fitting = st.tuples(
    st.just("answer"), st.tuples(st.sampled_from([0, 2, 0x80, 0x10, 0x3FFF]), body, st.booleans())
)
report = st.tuples(
    st.just("hear"),
    st.builds(
        lambda sequence, octets, iin: Fragment.response(
            Iin(iin), octets, sequence, con=True, unsolicited=True
        ).encode(),
        st.integers(0, 3), body, st.sampled_from([0, 0x80]),
    ),
)  # fmt: skip
noise = st.tuples(st.just("hear"), st.binary(max_size=30))
event = st.one_of(
    response,
    noise,
    report,
    fitting,
    fitting,
    fitting,
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("settle"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.1, 1.0, 5.0, 61.0])),
    st.tuples(st.just("settle"), st.booleans()),
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("link"), st.booleans()),
)


NOBODY_ASKED = b"\x00\x81\x00\x00"
TWO_CHANGES = bytes.fromhex("1e01000002 0101000000 0102000000 0103000000")


@settings(max_examples=300, deadline=None)
@given(st.lists(event, min_size=20, max_size=60))
# A confirmed answer again, but for its bits, which say that it was not asked for.
@example(
    [
        *[("hear", NOBODY_ASKED)] * 2,
        ("hear", b""),
        ("hear", NOBODY_ASKED),
        ("start", None),
        ("answer", (0, b"", False)),
        *[("hear", NOBODY_ASKED)] * 2,
        ("start", None),
        ("settle", False),
        ("start", None),
        ("hear", b""),
        ("wait", 5.0),
        ("answer", (0, TWO_CHANGES, True)),
        ("hear", NOBODY_ASKED),
        ("settle", True),
        *[("hear", NOBODY_ASKED)] * 2,
        ("hear", b"\x32\x81\x00\x00" + TWO_CHANGES),
    ]
)
def test_any_outstation(events: list[tuple[str, object]]) -> None:
    """No error, a bounded number of parcels, each confirmation of something that was taken or
    empty, and always something to wait for."""
    now = 0.0
    session = Association(MANNERS, now, lambda: 1_700_000_000_000)
    waiting: list[Parcel] = []
    taken: set[tuple[int, bool]] = set()
    empty: set[tuple[int, bool]] = set()
    heard: dict[tuple[int, bool], bytes] = {}

    def take(moves: Moves) -> None:
        waiting.extend(moves.parcels)
        for octets in moves.fragments:
            sent = parse(octets)
            if sent.function is FunctionCode.CONFIRM:
                assert key(sent) in taken | empty

    def hear(octets: bytes) -> None:
        with contextlib.suppress(FragmentError):
            fragment = parse(octets)
            asked = session._asked
            reads = fragment.control.uns or (asked is not None and asked.reads)
            # What an answer holds that nobody asked for is left alone.
            if not (reads and measurements(fragment).columns):
                empty.add(key(fragment))
            elif heard.get(key(fragment)) != fragment.objects:
                empty.discard(key(fragment))
                taken.discard(key(fragment))
            heard[key(fragment)] = fragment.objects
        take(session.receive(octets, now))

    for what, value in events:
        if what == "wait":
            assert isinstance(value, float)
            now += value
            take(session.tick(now))
        elif what == "settle" and waiting:
            parcel = waiting.pop(0)
            if value:
                taken.add(key(parcel.fragment))
            take(session.settled(parcel, bool(value), now))
        elif what == "start" and session.idle:
            take(session.start(now))
        elif what == "answer":
            iin, octets, con = value  # type: ignore[misc]
            answer = Fragment.response(Iin(iin), octets, session.sequence, con=con)
            hear(answer.encode())
        elif what == "link":
            take(session.linked(now) if value else session.lost(now))
        elif what == "hear":
            assert isinstance(value, bytes)
            hear(value)
        assert len(waiting) <= MOST
        asks_link = not session.idle and session.deadline == float("inf")
        something = min(session.deadline, session.wants) < float("inf")
        assert something or waiting or asks_link
