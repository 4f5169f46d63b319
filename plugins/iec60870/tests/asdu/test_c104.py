"""What we encode, as the codec of lib60870 reads it, through c104."""

from __future__ import annotations

import sys
from pathlib import Path

import c104
from gateway_iec60870.asdu import IEC104, Asdu, Cause

sys.path.insert(0, str(Path(__file__).parent))
from asdu_capture import apdu
from asdu_examples import everything


def test_c104_reads_the_same_heads() -> None:
    """Type, number, structure, cause with its bits, both addresses, the first object."""
    for one in everything():
        found = c104.explain_bytes_dict(apdu(one.encode(IEC104)))
        assert found["format"] == "I"
        assert found["type"].value == one.type
        assert found["numberOfObjects"] == one.count
        assert found["sequence"] == one.sequence
        assert found["cot"].value == one.cause
        assert (found["negative"], found["test"]) == (one.negative, one.test)
        assert found["commonAddress"] == one.address
        assert found["originatorAddress"] == one.originator
        assert found["firstInformationObjectAddress"] == int.from_bytes(one.body[:3], "little")
        assert bytes.fromhex(found["elements"]) == one.body


def test_c104_names_the_causes() -> None:
    """Every cause of ours is one of lib60870's, by its number."""
    for cause in Cause:
        octets = Asdu(1, cause, 1, bytes(4)).encode(IEC104)
        assert c104.explain_bytes_dict(apdu(octets))["cot"].value == cause
