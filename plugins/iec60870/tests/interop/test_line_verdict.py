"""The judge of this folder can tell: it refuses sessions in which something is wrong."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import verdict
from tapped_line import Frame, TappedLine

ON = bytes.fromhex("680e 0000 0000 01 01 03 00 01 00 01 00 00 01")
OFF = bytes.fromhex("680e 0200 0000 01 01 03 00 01 00 01 00 00 00")


def session(
    log: pytest.LogCaptureFixture, said: list[bytes], logged: list[bytes] | None = None
) -> TappedLine:
    """Return a line on which a station said these frames, and log them as the trace does."""
    line = TappedLine(0)
    line.frames = [Frame(1, False, octets) for octets in said]
    for octets in said if logged is None else logged:
        logging.getLogger("test").info("%s %s %s %s", "rtu", "rx", octets.hex(" "), "")
    return line


def test_a_good_session(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Two single points, as tshark reads them."""
    read = verdict(session(trace, [ON, OFF]), tmp_path, trace, "rtu", controlling=True)
    assert read == [("1", "0", "1", "3", "0", "0", "0", "1", "1")] * 2


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        # An object of two octets of address, and nothing of its state.
        ([ON, bytes.fromhex("680c 0200 0000 01 01 03 00 01 00 01 00")], None),
        # An octet behind the object.
        ([ON, bytes.fromhex("680f 0200 0000 01 01 03 00 01 00 01 00 00 00 00")], None),
        # A frame that is not in the trace as it passed.
        ([ON, OFF], [ON, ON]),
        ([ON, ON, ON, OFF], [ON]),
    ],
    ids=["short", "long", "another", "missing"],
)
def test_a_bad_session(
    tmp_path: Path,
    trace: pytest.LogCaptureFixture,
    said: list[bytes],
    logged: list[bytes] | None,
) -> None:
    """A malformed ASDU, and a trace that is not what passed."""
    line = session(trace, said, logged)
    with pytest.raises(AssertionError):
        verdict(line, tmp_path, trace, "rtu", controlling=True)
