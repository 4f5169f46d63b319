"""Frames in words, and as Wireshark reads them."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest
from gateway_dnp3.description import describe
from gateway_dnp3.link.frame import LONGEST
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import checksum
from gateway.testing import dissected

# Other plugins have a module of this name, too.
_spec = importlib.util.spec_from_file_location(
    "dnp3_both_ends", Path(__file__).parent / "master" / "test_both_ends.py"
)
assert _spec is not None
assert _spec.loader is not None
both_ends = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(both_ends)

FIELDS = (
    "dnp3.src", "dnp3.dst", "dnp3.al.func", "dnp3.al.seq", "dnp3.al.obj", "dnp3.al.ana.float",
    "frame.comment", "frame.packet_flags_direction", "_ws.malformed",
)  # fmt: skip


def sealed(octets: str) -> bytes:
    """A frame with its checks; its length is set."""
    frame = bytearray(bytes.fromhex(octets))
    frame[2] = len(frame) - 3
    return checksum.seal_dnp(bytes(frame))


# From 1 (master) to 10 and back; IEEE 1815-2012: link 9.2.4, transport 8.2, application 4.2.2.
@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("0564 00 C0 0A00 0100", "master 1 → 10 RESET_LINK_STATES"),
        (
            "0564 00 C4 0A00 0100 C1 C3 01 3C0206 3C0306",
            "master 1 → 10 UNCONFIRMED_USER_DATA: READ seq 3, g60v2, g60v3",
        ),
        (
            "0564 00 44 0100 0A00 C1 E3 81 0200 02 02 17 01 05 81 0000 0000 0000",
            "outstation 10 → 1 UNCONFIRMED_USER_DATA: RESPONSE seq 3 CON IIN CLASS_1_EVENTS, "
            "g2v2 × 1 (5 = 1)",
        ),
        (
            "0564 00 44 0100 0A00 C1 C0 81 0000 1E 05 00 00 02 01 0000803F 01 00000040 01 00004040",
            "outstation 10 → 1 UNCONFIRMED_USER_DATA: RESPONSE seq 0, "
            "g30v5 0 to 2 (0 = 1, 1 = 2, …)",
        ),
        (
            "0564 00 44 0100 0A00 42 E3 81 0000 1E 05 00 00 02 01",
            "outstation 10 → 1 UNCONFIRMED_USER_DATA: segment 2, RESPONSE seq 3 CON, …",
        ),
        (
            "0564 00 44 0100 0A00 83 01 02 03",
            "outstation 10 → 1 UNCONFIRMED_USER_DATA: segment 3 (the last), 3 octets more",
        ),
    ],
)
def test_what_frames_say(octets: str, said: str) -> None:
    """Link, transport and application layer are said as far as the frame has them."""
    assert describe(sealed(octets)) == said


def test_a_frame_that_is_none() -> None:
    """Damage is named."""
    frame = bytearray(sealed("0564 00 C4 0A00 0100 C1 C3 01 3C0206"))
    frame[-1] ^= 1
    assert describe(bytes(frame)).startswith("no frame of DNP3: data check 1")


@given(st.binary(max_size=LONGEST))
@example(b"")
def test_any_octets_are_one_line(frame: bytes) -> None:
    """Whatever comes there is a line without an error, and of bounded length."""
    said = describe(frame)
    assert said.isprintable()
    assert len(said) < 240


@given(st.binary(min_size=1, max_size=250), st.booleans())
@example(b"\xc1\xc0\x81\x00\x00\x1e\x05\x17\xff", True)
def test_any_fragment_is_one_line(data: bytes, master: bool) -> None:
    """The same for whatever stands in a good frame."""
    said = describe(sealed(f"0564 00 {'C4' if master else '44'} 0100 0A00" + data.hex()))
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize("transport", ["tcp", "tls", "serial"])
async def test_wireshark_reads_what_passes(transport: str, tmp_path: Path) -> None:
    """Both ends are dissected, whatever carries them, and say what tshark finds."""
    async with both_ends.bench(tmp_path, transport) as (gw, field, _):
        await field.emit(["level"], [12.5])
        await gw.until(lambda: gw.sample("seen.level").value == 12.5)
        await asyncio.sleep(0.1)
        for link, asks in (("rtu", "0x00000002"), ("station", "0x00000001")):
            rows = await dissected(gw, link, *FIELDS)
            assert {row["_ws.malformed"] for row in rows} == {""}
            for row in rows:
                ends = ("1", "10") if row["frame.packet_flags_direction"] == asks else ("10", "1")
                assert (row["dnp3.src"], row["dnp3.dst"]) == ends
            events = [row for row in rows if "12.5" in row["dnp3.al.ana.float"].split(",")]
            assert events
            assert any("= 12.5" in row["frame.comment"] for row in events)
            functions = {row["dnp3.al.func"] for row in rows}
            assert {"1", "129"} <= functions  # READ and RESPONSE
            reads = [row["frame.comment"] for row in rows if row["dnp3.al.func"] == "1"]
            assert all(": READ seq" in comment for comment in reads)
            if link == "rtu":
                assert any("taken: seen.level" in row["frame.comment"] for row in rows)
