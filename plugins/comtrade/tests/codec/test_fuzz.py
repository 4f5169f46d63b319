"""Whatever the bytes of a recording are, reading them ends in a recording or a ComtradeError, and
playing that in rows or a LinkError.
"""

from __future__ import annotations

import contextlib

from comtrade_recordings import recordings
from gateway_comtrade.codec import (
    ComtradeError,
    Format,
    Recording,
    Sections,
    decode,
    encode,
    join_cff,
    split_cff,
)
from gateway_comtrade.replay.played import Side, played
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import LinkError

PLACES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3), st.integers(0, 4)),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, places: list[tuple[float, bytes, int]]) -> bytes:
    for place, new, old in places:
        at = int(place * len(data))
        data = data[:at] + new + data[at + old :]
    return data


def decoded(sections: Sections) -> Recording | None:
    with contextlib.suppress(ComtradeError):
        found = decode(sections)
        found.values()
        found.offsets()
        with contextlib.suppress(LinkError):
            played(found, Side.PRIMARY)
        return found
    return None


@given(recordings(), PLACES, PLACES, st.floats(0, 1))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_mutated_and_truncated(
    recording: Recording,
    cfg: list[tuple[float, bytes, int]],
    dat: list[tuple[float, bytes, int]],
    part: float,
) -> None:
    """A recording with bytes put in, left out or cut off."""
    whole = encode(recording)
    decoded(Sections(mutated(whole.cfg, cfg), whole.dat))
    decoded(Sections(whole.cfg, mutated(whole.dat, dat)))
    cut = decoded(Sections(whole.cfg, whole.dat[: int(part * (len(whole.dat) - 2))]))
    # The last number of a text may lose a digit unseen.
    assert cut is None or recording.header.format is Format.ASCII
    if recording.header.revision == 2013:
        one = join_cff(whole, recording.header.format)
        with contextlib.suppress(ComtradeError):
            decoded(split_cff(mutated(one, cfg)))


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(list(Format)))
@settings(max_examples=200, deadline=None)
def test_any_bytes(one: bytes, two: bytes, kind: Format) -> None:
    """Bytes that never were a recording."""
    assert decoded(Sections(one, two)) is None
    with contextlib.suppress(ComtradeError):
        split_cff(join_cff(Sections(one, two), kind))
