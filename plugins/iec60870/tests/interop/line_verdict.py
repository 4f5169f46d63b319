"""What tshark makes of a session, beside what the gateway logged of it."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from gateway_iec60870.asdu import IEC104, LAYOUTS, Use, decode, parse
from tapped_line import TappedLine

HEAD = ("typeid", "sq", "numix", "causetx", "nega", "test", "oa", "addr", "ioa")
MARKS = ("_ws.malformed", "_ws.expert", "_ws.expert.message")
RAW = {20, 38, 39, 40, 102, 104, 107, 113, *range(120, 128)}
"""Types of which tshark 4.0 shows the first object address and then octets."""

Row = tuple[str, ...]


def verdict(
    line: TappedLine,
    folder: Path,
    log: pytest.LogCaptureFixture,
    link: str,
    *,
    controlling: bool,
    cut: bool = False,
) -> list[Row]:
    """Assert that tshark finds nothing wrong in a session, and reads in it what the link logged.

    link:        its trace has every frame that passed on the line, and its own codec reads in them
                 the same types, causes, addresses and object addresses as tshark.
    controlling: whether the link is the controlling station.
    cut:         the line was cut: not all that was said passed on it, nor was it heard.
    Returns what tshark reads, see `HEAD`, of all ASDUs of both sides in their order.
    """
    path = folder / "session.pcap"
    line.write(path)
    logged = _traced(log, link)
    for ours in (True, False):
        passed = [frame.octets for frame in line.frames if frame.outward is (ours is controlling)]
        if not cut:
            # What was said at the very end, the other side may not have heard any more.
            assert logged[ours][: len(passed)] == passed[: len(logged[ours])]
            assert abs(len(passed) - len(logged[ours])) <= 2
    read = _dissected(path)
    assert read == [_read(frame.asdu) for frame in line.frames if frame.numbered]
    assert len(read) > 1
    return read


def _dissected(path: Path) -> list[Row]:
    """Return what tshark reads in each ASDU; asserts that it has no remark to any frame."""
    names = ("frame.protocols", *MARKS, *(f"iec60870_asdu.{name}" for name in HEAD))
    wanted = [word for name in names for word in ("-e", name)]
    form = ("-T", "fields", "-E", "separator=|", "-E", "aggregator=;")
    rows = csv.reader(io.StringIO(tshark(path, *form, *wanted)), delimiter="|")
    found: list[Row] = []
    for protocols, *cells in rows:
        assert "iec60870_104" in protocols.split(":")
        marks, head = cells[: len(MARKS)], tuple(cells[len(MARKS) :])
        assert not any(marks), (marks, head)
        if head[0]:
            found.append(head)
    return found


def tshark(path: Path, *words: str) -> str:
    """Return what tshark prints."""
    program = shutil.which("tshark")
    if program is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    command = [program, "-r", str(path), *words]
    environment = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    return done.stdout


def _traced(log: pytest.LogCaptureFixture, link: str) -> dict[bool, list[bytes]]:
    """Return the frames of a link's trace, by whether it said them."""
    found: dict[bool, list[bytes]] = {True: [], False: []}
    for record in log.records:
        if isinstance(record.args, tuple) and record.args[:1] == (link,) and len(record.args) == 4:
            _, direction, frame, _ = record.args
            found[direction == "tx"].append(bytes.fromhex(str(frame)))
    return found


def _read(octets: bytes) -> Row:
    """Return what our codec reads in an ASDU."""
    asdu = parse(octets, IEC104)
    if LAYOUTS[asdu.type].use is Use.MEASUREMENT and asdu.type not in RAW:
        objects = decode(asdu, IEC104).object.tolist()
    else:
        objects = [int.from_bytes(asdu.body[:3], "little")]
    numbers = (
        asdu.type, asdu.sequence, asdu.count, asdu.cause, asdu.negative, asdu.test,
        asdu.originator, asdu.address,
    )  # fmt: skip
    return (*(str(int(one)) for one in numbers), ";".join(map(str, objects)))
