"""APDUs and their octets (IEC 60870-5-104:2006, 5.1 and 5.3)."""

from __future__ import annotations

import pytest
from gateway_iec60870.apci import (
    ApciError,
    Frame,
    Function,
    IFrame,
    Reader,
    SFrame,
    UFrame,
    decode,
    encode,
)
from hypothesis import given
from hypothesis import strategies as st

GI = bytes.fromhex("64 01 06 00 0A 00 00 00 00 14")

TABLE: dict[str, tuple[str, Frame]] = {
    # 5.3, figures 6 to 8: the control field of each format.
    "STARTDT act": ("68 04 07 00 00 00", UFrame(Function.STARTDT_ACT)),
    "STARTDT con": ("68 04 0B 00 00 00", UFrame(Function.STARTDT_CON)),
    "STOPDT act": ("68 04 13 00 00 00", UFrame(Function.STOPDT_ACT)),
    "STOPDT con": ("68 04 23 00 00 00", UFrame(Function.STOPDT_CON)),
    "TESTFR act": ("68 04 43 00 00 00", UFrame(Function.TESTFR_ACT)),
    "TESTFR con": ("68 04 83 00 00 00", UFrame(Function.TESTFR_CON)),
    # N(R) = 0x147E / 2 = 2623
    "S": ("68 04 01 00 7E 14", SFrame(2623)),
    "S 0": ("68 04 01 00 00 00", SFrame(0)),
    "S 32767": ("68 04 01 00 FE FF", SFrame(32767)),
    # The least significant bit of a number is bit 2 of the first octet, its eighth bit 1 of the
    # second one.
    "I 127/128": ("68 0E FE 00 00 01 640106000A0000000014", IFrame(127, 128, GI)),
    "I 32767/0": ("68 0E FE FF 00 00 640106000A0000000014", IFrame(32767, 0, GI)),
    "I shortest": ("68 05 02 00 04 00 FF", IFrame(1, 2, b"\xff")),
    # 253 octets counted, 249 of them the ASDU (5, 5.1)
    "I longest": ("68 FD 00 00 00 00" + "68" * 249, IFrame(0, 0, b"\x68" * 249)),
}


@pytest.mark.parametrize(("octets", "frame"), TABLE.values(), ids=TABLE)
def test_frames(octets: str, frame: Frame) -> None:
    """Each format is written and read as the standard draws it."""
    data = bytes.fromhex(octets)

    assert encode(frame) == data
    assert decode(data) == frame


@pytest.mark.parametrize(("octets", "frame"), TABLE.values(), ids=TABLE)
@pytest.mark.parametrize("after", ["", "68", "6804", "680443000000", "68FD0000"])
def test_however_it_is_cut(octets: str, frame: Frame, after: str) -> None:
    """A frame is found whole, octet by octet and with octets after it."""
    data, rest = bytes.fromhex(octets), bytes.fromhex(after)
    more = [UFrame(Function.TESTFR_ACT)] if len(rest) == 6 else []

    whole = Reader()
    assert whole.feed(data + rest) == [frame, *more]
    single = Reader()
    found = [one for octet in data + rest for one in single.feed(bytes((octet,)))]
    assert found == [frame, *more]
    for reader in (whole, single):
        assert reader.held == (0 if more else len(rest))
        assert reader.error is None


def test_text() -> None:
    """A frame says in a trace what it is, in the standard's words."""
    texts = [str(TABLE[name][1]) for name in ("TESTFR act", "S", "I 127/128")]
    assert texts == ["U TESTFR act", "S N(R) 2623", "I N(S) 127 N(R) 128, ASDU of 10 octets"]


BROKEN = {
    "start octet": ("10 04", 0, "start octet 0x10, not 0x68, at octet 0"),
    "empty": ("68 00", 1, "length 0, not 4..253, at octet 1"),
    "short": ("68 03", 1, "length 3, not 4..253, at octet 1"),
    "long": ("68 FE", 1, "length 254, not 4..253, at octet 1"),
    "long, all there": ("68 FE" + "00" * 254, 1, "length 254, not 4..253, at octet 1"),
    "I without ASDU": (
        "68 04 02 00 00 00", 1, "an I frame without an ASDU: length 4, not 5..253, at octet 1",
    ),
    "S with more": (
        "68 05 01 00 00 00 00", 1, "length 5 of a frame in S format, not 4, at octet 1",
    ),
    "U with more": (
        "68 05 43 00 00 00 00", 1, "length 5 of a frame in U format, not 4, at octet 1",
    ),
    # One function at a time (5.1).
    "two functions": (
        "68 04 C3 00 00 00", 2,
        "control field 0xc3, not an even octet (I frame) or one of "
        "0x01, 0x07, 0x0b, 0x13, 0x23, 0x43, 0x83, at octet 2",
    ),
    "no function": (
        "68 04 03 00 00 00", 2,
        "control field 0x03, not an even octet (I frame) or one of "
        "0x01, 0x07, 0x0b, 0x13, 0x23, 0x43, 0x83, at octet 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("octets", "offset", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_frame(octets: str, offset: int, sentence: str) -> None:
    """Octets that are no APDU are named: what was found, what is allowed, where."""
    with pytest.raises(ApciError) as caught:
        decode(bytes.fromhex(octets))
    assert str(caught.value) == sentence
    assert caught.value.offset == offset


@pytest.mark.parametrize(("octets", "offset", "sentence"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("after", ["", "680443000000"])
def test_a_stream_ends_with_it(octets: str, offset: int, sentence: str, after: str) -> None:
    """A reader hands out what came before, names the place in the stream, and reads no more."""
    before = bytes.fromhex("680443000000 680401000200")
    data = bytes.fromhex(octets)
    expected = [UFrame(Function.TESTFR_ACT), SFrame(1)]
    there = sentence.replace(f"at octet {offset}", f"at octet {12 + offset}")

    whole = Reader()
    assert whole.feed(before + data + bytes.fromhex(after)) == expected
    single = Reader()
    assert [one for octet in before + data for one in single.feed(bytes((octet,)))] == expected
    for reader in (whole, single):
        assert str(reader.error) == there
        assert reader.error is not None
        assert reader.error.octets[: len(data)] == data[: len(reader.error.octets)]
        assert reader.feed(bytes.fromhex("680443000000")) == []
        assert reader.held == 0


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        ("", "0 octets, not 6, at octet 0"),
        ("68", "1 octets, not 6, at octet 0"),
        ("68 04 43 00 00", "5 octets, not 6, at octet 0"),
        ("68 04 43 00 00 00 00", "7 octets, not 6, at octet 0"),
        ("68 0E 00 00 00 00 64", "7 octets, not 16, at octet 0"),
    ],
)
def test_one_frame_and_nothing_else(octets: str, sentence: str) -> None:
    """`decode` wants exactly one frame."""
    with pytest.raises(ApciError, match=sentence):
        decode(bytes.fromhex(octets))


def test_reserved_bits_are_left() -> None:
    """Bits that are fixed to 0 and mean nothing may be anything: TCP has seen to the rest."""
    assert decode(bytes.fromhex("68 04 43 01 02 03")) == UFrame(Function.TESTFR_ACT)
    assert decode(bytes.fromhex("68 04 01 55 03 00")) == SFrame(1)
    assert decode(bytes.fromhex("68 05 02 00 05 00 FF")) == IFrame(1, 2, b"\xff")


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (SFrame(32768), r"N\(R\) 32768, not 0..32767"),
        (IFrame(0, -1, b"a"), r"N\(R\) -1, not 0..32767"),
        (IFrame(32768, 0, b"a"), r"N\(S\) 32768, not 0..32767"),
        (IFrame(0, 0, b""), "ASDU of 0 octets, not 1..249"),
        (IFrame(0, 0, bytes(250)), "ASDU of 250 octets, not 1..249"),
    ],
)
def test_what_no_frame_carries(frame: Frame, sentence: str) -> None:
    """A value outside its range is refused, not truncated."""
    with pytest.raises(ValueError, match=sentence):
        encode(frame)


NUMBERS = st.integers(0, 32767)
FRAMES = st.one_of(
    st.builds(IFrame, NUMBERS, NUMBERS, st.binary(min_size=1, max_size=249)),
    st.builds(SFrame, NUMBERS),
    st.builds(UFrame, st.sampled_from(Function)),
)


@given(st.lists(FRAMES, max_size=8), st.data())
def test_any_frames_cut_anywhere(frames: list[Frame], data: st.DataObject) -> None:
    """What is encoded is read again, wherever the reads cut it."""
    stream = b"".join(encode(frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = Reader()

    found: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])

    assert found == frames
    assert (reader.held, reader.error) == (0, None)
    assert [decode(encode(frame)) for frame in frames] == frames
