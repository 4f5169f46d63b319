"""Whatever a master sends, the session answers or is silent; it never fails and never grows."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway_dnp3.app import FunctionCode, parse
from gateway_dnp3.link import Broadcast
from gateway_dnp3.objects import LAYOUTS, Qualifier
from gateway_dnp3.outstation import UnsolicitedSettings
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from bench import Bench

GROUPS = st.sampled_from(sorted(set(LAYOUTS) | {(60, 0), (0, 254), (110, 0), (99, 1)}))
HEADERS = st.builds(
    lambda kind, qualifier, rest: bytes((*kind, qualifier)) + rest,
    GROUPS,
    st.sampled_from([int(q) for q in Qualifier]) | st.integers(0, 255),
    st.binary(max_size=24),
)
FRAGMENTS = st.builds(
    lambda control, function, headers: bytes((control, function)) + b"".join(headers),
    st.sampled_from([0xC0, 0xC1, 0xC2, 0xD0, 0xD1, 0x81]) | st.integers(0, 255),
    st.sampled_from([int(f) for f in FunctionCode]) | st.integers(0, 255),
    st.lists(HEADERS, max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            FRAGMENTS | st.binary(max_size=40),
            st.none() | st.sampled_from(list(Broadcast)),
            st.floats(0, 8),
        ),
        max_size=12,
    )
)
def test_no_request_breaks_a_session(
    said: list[tuple[bytes, Broadcast | None, float]],
) -> None:
    """Each answer can be read, has at most 2048 octets, and events are lost by none of them."""
    bench = Bench(unsolicited=UnsolicitedSettings())
    for number, (fragment, broadcast, pause) in enumerate(said):
        bench.happen((0, 1.0), (4, float(number)), key=number)
        bench.session.receive(fragment, broadcast)
        for controls in bench.controls:
            bench.session.operated(controls, [0] * len(controls.commands))
        bench.controls.clear()
        bench.wait(pause)
    answers = [parse(one) for one in bench.fragments]
    assert all(len(one) <= 2048 for one in bench.fragments)
    assert all(answer.iin is not None for answer in answers)
    assert [one.key for one in bench.finished] == list(range(len(bench.finished)))
    assert not any(one.shed for one in bench.finished)
