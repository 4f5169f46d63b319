"""Frames in words, and as Wireshark reads them."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest
from gateway_c37118.description import describe
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.c37118 import Command, Frame, FrameKind
from gateway.testing import Emitter, dissected, running

# Other plugins have a module of this name, too.
_spec = importlib.util.spec_from_file_location(
    "c37118_both_ends", Path(__file__).with_name("test_both_ends.py")
)
assert _spec is not None
assert _spec.loader is not None
both_ends = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(both_ends)

FIELDS = (
    "synphasor.frtype", "synphasor.idcode_stream_source", "synphasor.frsize", "frame.comment",
    "_ws.malformed",
)  # fmt: skip
KINDS = {"0x0000": "DATA", "0x0003": "CONFIG_2", "0x0004": "COMMAND", "0x0005": "CONFIG_3"}
"""Bits 6-4 of SYNC (IEEE C37.118.2-2011, table 2)."""


def test_what_frames_say() -> None:
    """Stream, time and length are said, and what a command asks for."""
    start = Frame(FrameKind.COMMAND, 7, Command.START.body(), 1_767_268_800, 40_000).encode()
    assert describe(start) == "idcode 7, START, 2026-01-01T12:00:00 + 40000, 18 octets"
    assert describe(start[:9]) == "a frame that is cut short"
    assert describe(b"\x00" + start).startswith("no frame of C37.118: ")


@given(st.binary(max_size=100), st.booleans())
@example(b"\xaa\x41\x00\x12", False)
def test_any_octets_are_one_line(body: bytes, framed: bool) -> None:
    """Whatever comes there is a line without an error, and of bounded length."""
    said = describe(Frame(FrameKind.COMMAND, 7, body).encode() if framed else body)
    assert said.isprintable()
    assert len(said) < 240


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_wireshark_reads_what_passes(transport: str, tmp_path: Path) -> None:
    """Frames of both ends are dissected, in plain and over TLS, as of the kind that was said."""
    server, client = both_ends.ends(transport, tmp_path)
    field = Emitter(name="field")
    async with (
        running([field], [server], both_ends.SENT, data=tmp_path / "a") as sends,
        running([client], [], both_ends.TAKEN, data=tmp_path / "b") as takes,
    ):
        await takes.until(lambda: takes.state("pmu") == "up", timeout=20)
        await both_ends.report(field)
        await asyncio.sleep(0.3)
        for gateway, link in ((sends, "wams"), (takes, "pmu")):
            found = await dissected(gateway, link, *FIELDS)
            assert {row["_ws.malformed"] for row in found} == {""}
            assert {"DATA", "COMMAND"} <= {KINDS[row["synphasor.frtype"]] for row in found}
            for row in found:
                assert row["synphasor.idcode_stream_source"] == "7"
                assert "idcode 7, " in row["frame.comment"]
                assert f", {row['synphasor.frsize']} octets" in row["frame.comment"]
