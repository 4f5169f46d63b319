"""Frames taken off octets: whole, in pieces, between garbage, in fragments; and their times."""

from __future__ import annotations

import random
import struct
import sys
from collections import Counter
from collections.abc import Sequence as Many
from pathlib import Path

import numpy as np
import pytest
from gateway_c37118.client.fragments import Fragments
from gateway_c37118.client.sequence import Sequence
from gateway_c37118.client.stream import STALL, Data, Stream

from gateway.c37118 import Frame, FrameKind, decode_configuration, decode_frame

sys.path.insert(0, str(Path(__file__).parent))
import c37_octets as c37

PMU = c37.Pmu("North", 7, phasors=(("VA", False, 100_000),))
CONFIGURATION = decode_configuration(c37.config_2(7, [PMU]))
MS = 1_000_000


def report(ms: int) -> bytes:
    return c37.data(7, c37.block(phasors=[(3, 4)]), fraction=ms * 1000)


def made(*, whole: bool = False) -> tuple[Stream, Counter[str]]:
    counts: Counter[str] = Counter()
    stream = Stream(7, lambda what, n: counts.update({what: n}), whole=whole)
    stream.configure(CONFIGURATION)
    return stream, counts


def times(stream: Stream, arrived: Many[bytes], now: float = 0.0) -> list[int]:
    """The ms of the data frames in it."""
    found: list[int] = []
    for event in stream.feed(arrived, now):
        if isinstance(event, Data):
            ns = event.rows.time[: event.rows.count] - c37.SOC * 1_000_000_000
            found += (ns // MS).tolist()
    return found


@pytest.mark.parametrize("seed", range(40))
def test_sound_frames_survive_whatever_is_between_them(seed: int) -> None:
    """However a TCP stream is cut, each frame that stands behind garbage without 0xaa is found."""
    chance = random.Random(seed)
    expected, octets, stretches = [], b"", 0
    for i in range(chance.randrange(1, 30)):
        if chance.random() < 0.3:
            octets += bytes(chance.choices(range(0xAA), k=chance.randrange(1, 50)))
            stretches += 1
        expected.append(i)
        octets += report(i)
    stream, counts = made()
    found: list[int] = []
    while octets:
        n = chance.randrange(1, 200)
        found += times(stream, [octets[:n]])
        octets = octets[n:]
    assert found == expected
    assert counts["bad_frames"] == stretches


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_any_octets(seed: int, whole: bool) -> None:
    """Whatever comes, nothing raises, little is kept, and what is found has a check that holds."""
    chance = random.Random(seed)
    stream, counts = made(whole=whole)
    for second in range(20):
        octets = bytearray(b"".join(report(i) for i in range(chance.randrange(4))))
        for _ in range(chance.randrange(4)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        octets[:0] = bytes(chance.choices((0xAA, 0x01, 0x00, 0x30), k=chance.randrange(20)))
        assert all(0 <= ms < 4 for ms in times(stream, [bytes(octets)], float(second)))
    assert len(stream._octets) < 65536
    assert sum(counts.values()) < 10_000


def test_a_frame_whose_length_is_wrong() -> None:
    """What it seems to be missing is waited for no longer than half a second; the frames that it
    seemed to hold are not lost."""
    wrong = bytearray(report(0))
    struct.pack_into(">H", wrong, 2, 60_000)
    stream, counts = made()
    assert times(stream, [bytes(wrong), report(20)], 5.0) == []
    assert times(stream, [report(40)], 5.0 + STALL) == []
    assert times(stream, [report(60)], 5.1 + STALL) == [20, 40, 60]
    assert counts["bad_frames"] == 1


def test_a_datagram_with_a_wrong_check() -> None:
    """Nothing inside it is taken for a frame: its length says where the next one begins."""
    inner = report(20)
    body = inner + b"\0\0"
    outer = bytearray(c37.frame(c37.HEADER, 7, body))
    outer[-1] ^= 1
    stream, counts = made(whole=True)
    assert times(stream, [bytes(outer), report(40)]) == [40]
    assert counts["bad_frames"] == 1


def pieces(n: int) -> list[Frame]:
    found = [decode_frame(octets) for octets in c37.config_3(7, [PMU], pieces=n)]
    return [one[0] for one in found if one is not None]


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_fragments(n: int) -> None:
    """CONT_IDX 0 alone; 1, 2 … and 0xffff in several: together they are the configuration."""
    fragments = Fragments()
    *before, last = pieces(n)
    assert [fragments.add(frame) for frame in before] == [None] * (n - 1)
    whole = fragments.add(last)
    assert whole is not None
    assert whole.body == b"\0\0" + c37.config_3_body([PMU])
    found = decode_configuration(whole.encode())
    assert [one.name for one in found.pmus] == ["North"]


def test_fragments_out_of_their_order() -> None:
    """One that is missing makes all of it worthless; from the next first one on it works."""
    one, two, three, four = pieces(4)
    fragments = Fragments()
    assert fragments.add(one) is None
    with pytest.raises(ValueError, match="found CONT_IDX 3, allowed: 2, 65535"):
        fragments.add(three)
    with pytest.raises(ValueError, match="found CONT_IDX 65535, allowed: 0, 1"):
        fragments.add(four)
    assert [fragments.add(frame) for frame in (one, one, two, three)] == [None] * 4
    assert fragments.add(four) is not None


def test_fragments_are_bounded() -> None:
    """More than a frame can hold is not gathered."""
    fragments = Fragments()
    body = bytes(40_000)
    assert fragments.add(Frame(FrameKind.CONFIG_3, 7, b"\0\1" + body)) is None
    with pytest.raises(ValueError, match="found 80000 octets in the frames of one"):
        fragments.add(Frame(FrameKind.CONFIG_3, 7, b"\0\2" + body))


def ordered(
    sequence: Sequence, ms: Many[int], quality: int = 0, check: Many[int] | None = None
) -> list[int]:
    order = sequence.order(
        np.array(ms, np.int64) * MS,
        np.full(len(ms), quality, np.uint8),
        np.array([one & 0xFFFF for one in check or ms], np.uint16),
    )
    return [ms[i] for i in order]


def followed(*, duplicates: bool, rate: int = 50) -> tuple[Sequence, Counter[str]]:
    counts: Counter[str] = Counter()
    sequence = Sequence(lambda what, n: counts.update({what: n}), duplicates=duplicates)
    sequence.rate(rate)
    return sequence, counts


def test_order() -> None:
    """Gaps, late ones and doubles, in one batch and between two."""
    sequence, counts = followed(duplicates=True)
    assert ordered(sequence, [20, 40, 100, 60, 100]) == [20, 40, 60, 100]
    assert counts == {"lost_frames": 2, "late_frames": 1, "duplicates": 1}
    assert ordered(sequence, [80, 60, 120]) == [80, 120]
    assert counts == {"lost_frames": 2, "late_frames": 2, "duplicates": 2}
    assert ordered(sequence, [140, 160, 200]) == [140, 160, 200]
    assert counts["lost_frames"] == 3


def test_one_time_and_other_data_is_no_duplicate() -> None:
    """A device whose clock stands still says something new all the same."""
    sequence, counts = followed(duplicates=True)
    assert ordered(sequence, [20, 20, 20], check=[1, 2, 1]) == [20, 20]
    assert counts["duplicates"] == 1


def test_over_tcp_nothing_is_a_duplicate() -> None:
    """What comes twice was sent twice."""
    sequence, counts = followed(duplicates=False)
    assert ordered(sequence, [20, 20, 20]) == [20, 20, 20]
    assert "duplicates" not in counts


def test_times_that_are_rounded() -> None:
    """60 frames/s in whole ms: 17, 33, 50 are no gaps."""
    sequence, counts = followed(duplicates=True, rate=60)
    assert ordered(sequence, [17, 33, 50, 67, 83, 100]) == [17, 33, 50, 67, 83, 100]
    assert counts == {}
    ordered(sequence, [133])  # 117 is missing
    assert counts == {"lost_frames": 1}


def test_frames_that_are_seconds_apart() -> None:
    """DATA_RATE -5: one every 5 s."""
    sequence, counts = followed(duplicates=False, rate=-5)
    ordered(sequence, [5_000, 10_000, 25_000])
    assert counts == {"lost_frames": 2}


def test_a_clock_that_is_set_back() -> None:
    """From an hour behind on, frames are neither late nor lost."""
    sequence, counts = followed(duplicates=True)
    ordered(sequence, [3_600_000])
    assert ordered(sequence, [0, 20, 40]) == [0, 20, 40]
    assert ordered(sequence, [60, 80]) == [60, 80]
    assert counts == {}


def test_a_leap_second() -> None:
    """While one is pending (bit 4 of the time quality) a second may come twice: nothing is late,
    lost or a duplicate; nor is the first frame after it."""
    sequence, counts = followed(duplicates=True)
    ordered(sequence, [980])
    assert ordered(sequence, [990, 1000, 0, 990], 0x10) == [990, 1000, 0, 990]
    assert ordered(sequence, [0, 20], 0x20) == [0, 20]
    assert counts == {}
    # What was seen before it is no measure for what comes after it.
    assert ordered(sequence, [1000], 0x10) == [1000]
    ordered(sequence, [10])
    assert ordered(sequence, [20, 0]) == [0, 20]
    assert "duplicates" not in counts
