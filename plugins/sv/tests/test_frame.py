"""What a frame says of itself, of octets written down by hand and of any octets."""

from __future__ import annotations

import pytest
from gateway_sv.frame import FrameText, describe
from hypothesis import given
from hypothesis import strategies as st

# IEC 61850-9-2 tables 13 and 14: two ASDUs of one value each, with datSet and refrTm.
ASDU = (
    "30 2b" " 80 04 4d553031" " 81 02 4453" " 82 02 12c0" " 83 04 00000007"
    " 84 08 0000000000000000" " 85 01 02" " 87 08 0000000100000000"
)  # fmt: skip
FRAME = bytes.fromhex(
    "010ccd040001 020000000001 8100 8005 88ba 4001 0069 8000 000060 5f 80 01 02 a2 5a" + ASDU + ASDU
)


def test_a_frame() -> None:
    """Its head, and what its first ASDU says."""
    found = describe(FRAME)
    assert found == FrameText(0x4001, True, 2, "MU01", 0x12C0, 7, 2, 1)
    assert str(found) == (
        "svID MU01, APPID 0x4001, confRev 7, 2 ASDUs of 1 values, smpSynch global, simulated"
    )


@pytest.mark.parametrize("length", range(123))
def test_a_part_of_a_frame_says_nothing(length: int) -> None:
    """It is 123 octets long."""
    assert len(FRAME) == 123
    assert describe(FRAME[:length]) is None


@given(st.binary(max_size=200))
def test_any_octets(octets: bytes) -> None:
    """Nothing raises."""
    describe(octets)
    describe(FRAME[:26] + octets)
    describe(FRAME[:33] + octets)
