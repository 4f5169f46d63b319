"""DNP3 as the partners of a test speak it: frames of dnp3py, and a few objects by hand.

Nothing of the gateway's codec is in here, so that a mistake of both ends would show.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from dnp3.datalink.builder import build_link_status, build_unconfirmed_user_data
from dnp3.datalink.parser import FrameParser
from dnp3.transport.reassembler import Reassembler
from dnp3.transport.segment import TransportSegment
from dnp3.transport.segmenter import Segmenter

CONFIRM, READ, WRITE, ENABLE, DISABLE, RESPONSE, UNSOLICITED = 0, 1, 2, 20, 21, 129, 130
FIR, FIN, CON, UNS = 0x80, 0x40, 0x20, 0x10
WHOLE = FIR | FIN
LINK_STATUS = 9
LONGEST = 65_536

COUNTER, BINARY = 22, 2
EVENT_CLASSES = b"\x3c\x02\x06\x3c\x03\x06\x3c\x04\x06"
STATIC_CLASS = b"\x3c\x01\x06"
CLEAR_RESTART = b"\x50\x01\x00\x07\x07\x00"
POINTS = 8
"""Half of them counters, half binary inputs."""
EPOCH = 1_700_000_000_000
"""ms since 1970 of event 0: long before any time that the gateway puts in by itself."""


class Event(NamedTuple):
    """One event: `group` is that of the event object, `place` the index of the point."""

    group: int
    place: int
    value: int
    time: int


def event(number: int) -> Event:
    """Return the event of this number: no two have the same time."""
    place, index = divmod(number % POINTS, POINTS // 2)
    if place:
        return Event(BINARY, index, number // POINTS % 2, EPOCH + number)
    return Event(COUNTER, index, number, EPOCH + number)


def event_objects(events: Iterable[Event]) -> bytes:
    """Return g22v5 and g2v2 in the order of the events (IEEE 1815 annex A)."""
    made = b""
    for group, run in groupby(events, key=lambda one: one.group):
        rows = [_row(one) for one in run]
        made += struct.pack("<BBBH", group, {COUNTER: 5, BINARY: 2}[group], 0x28, len(rows))
        made += b"".join(rows)
    return made


def _row(one: Event) -> bytes:
    time = one.time.to_bytes(6, "little")
    if one.group == BINARY:
        return struct.pack("<HB", one.place, one.value << 7 | 1) + time
    return struct.pack("<HBI", one.place, 1, one.value) + time


# Octets of the objects that a master may be sent, without their prefixes.
_SIZES = {(22, 5): 11, (22, 1): 5, (2, 1): 1, (2, 2): 7, (20, 1): 5, (21, 5): 11, (1, 2): 1}
_PREFIXED = {0x17: ("<B", 1), 0x28: ("<H", 2)}


def events(objects: bytes) -> Iterator[tuple[Event, int]]:
    """Yield the events with time of a response, and their flags; statics are passed over."""
    at = 0
    while at < len(objects):
        group, variation, qualifier = objects[at : at + 3]
        size = _SIZES[group, variation]
        if qualifier in (0x00, 0x01):
            layout = "<BB" if qualifier == 0x00 else "<HH"
            start, stop = struct.unpack_from(layout, objects, at + 3)
            count = stop - start + 1
            at += 3 + struct.calcsize(layout) + count * size
            continue
        layout, width = _PREFIXED[qualifier]
        (count,) = struct.unpack_from(layout, objects, at + 3)
        at += 3 + width
        for _ in range(count):
            (index,) = struct.unpack_from(layout, objects, at)
            row = objects[at + width : at + width + size]
            at += width + size
            if group == COUNTER:
                value, flags = int.from_bytes(row[1:5], "little"), row[0]
                yield Event(group, index, value, int.from_bytes(row[5:11], "little")), flags
            else:
                time = int.from_bytes(row[1:7], "little")
                yield Event(group, index, row[0] >> 7, time), row[0] & 0x7F
    assert at == len(objects), f"{at} octets of {len(objects)}"


class Wire:
    """One end of a connection: fragments to octets and back."""

    def __init__(self, local: int, remote: int, *, master: bool) -> None:
        self._ends = {"destination": remote, "source": local, "dir_from_master": master}
        self._frames = FrameParser()
        self._segments = Segmenter()
        self._fragments = Reassembler(max_fragment_size=LONGEST)
        self.answers = b""
        """What the link layer has to say, to be sent at once."""

    def pack(self, fragment: bytes) -> bytes:
        return b"".join(
            build_unconfirmed_user_data(**self._ends, user_data=one.to_bytes()).to_bytes()  # type: ignore[arg-type]
            for one in self._segments.segment(fragment)
        )

    def feed(self, data: bytes) -> Iterator[bytes]:
        for frame in self._frames.feed(data):
            if frame.user_data:
                whole = self._fragments.add(TransportSegment.from_bytes(frame.user_data))
                if whole is not None:
                    yield whole.data
            elif frame.header.control.prm and frame.header.control.function_code == LINK_STATUS:
                ends = self._ends
                self.answers += build_link_status(
                    ends["destination"], ends["source"], bool(ends["dir_from_master"])
                ).to_bytes()
