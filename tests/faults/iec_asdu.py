"""ASDUs as the partners of a test speak them, in octets by hand (IEC 60870-5-101:2003 clause 7).

Nothing of the gateway's codec is in here, so that a mistake of both ends would show.
Two octets of cause, two of common address, three of object address, as 104 has them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

CA = 7
SINGLE, DOUBLE, FLOAT, TOTALS = 30, 31, 36, 37
"""M_SP_TB_1, M_DP_TB_1, M_ME_TF_1, M_IT_TB_1: with CP56Time2a."""
KINDS = (SINGLE, DOUBLE, FLOAT, TOTALS)
UNTIMED = {SINGLE: 1, DOUBLE: 3, FLOAT: 13, TOTALS: 15}
INITIALISED, SETPOINT, INTERROGATION, TEST = 70, 50, 100, 104
"""M_EI_NA_1, C_SE_NC_1, C_IC_NA_1, C_TS_NA_1."""
SPONTANEOUS, ACTIVATION, CONFIRMED, TERMINATED, INTERROGATED = 3, 6, 7, 10, 20
NEGATIVE = 0x40

PLACES = 8
"""Points of each kind; as many events of a kind follow each other."""
EPOCH = 1_700_000_000_000
"""ms since 1970 of event 0: long before any time that the gateway puts in by itself."""
RECENT = EPOCH + 10**9
_TYPES = {one: kind for kind, one in UNTIMED.items()}
_VALUES = {SINGLE: "<B", DOUBLE: "<B", FLOAT: "<fB", TOTALS: "<iB"}


class Event(NamedTuple):
    """One event; `kind` is its type with time. time: ms since 1970 UTC, 0 without."""

    kind: int
    object: int
    value: float
    time: int

    @property
    def number(self) -> int:
        """The number of an event of the station; that of an event of the gateway's is higher."""
        return self.time - EPOCH


def event(number: int) -> Event:
    """Return the event of this number: no two have the same time."""
    run, place = divmod(number, PLACES)
    kind = KINDS[run % len(KINDS)]
    turn = run // len(KINDS) % 2
    value = {SINGLE: turn, DOUBLE: 1 + turn}.get(kind, number)
    return Event(kind, 100 * kind + place, value, EPOCH + number)


def objects() -> Iterator[tuple[str, str, int]]:
    """Yield the name, the gateway's kind and the object address of every point."""
    kinds = {SINGLE: "status", DOUBLE: "double", FLOAT: "analog", TOTALS: "counter"}
    for kind, word in kinds.items():
        for place in range(PLACES):
            yield f"{word}{place}", word, 100 * kind + place


def asdu(kind: int, cause: int, body: bytes, count: int = 1) -> bytes:
    """Type, structure, cause (with P/N), originator, address, objects (7.1, 7.2)."""
    return struct.pack("<BBBBH", kind, count, cause, 0, CA) + body


def mirrored(request: bytes, cause: int) -> bytes:
    """The same with another cause: how commands and interrogations are answered."""
    return request[:2] + bytes((cause,)) + request[3:]


def at(address: int) -> bytes:
    return address.to_bytes(3, "little")


def interrogation() -> bytes:
    """C_IC_NA_1 to the whole station: QOI 20."""
    return asdu(INTERROGATION, ACTIVATION, at(0) + b"\x14")


def probe() -> bytes:
    """C_TS_NA_1 with its fixed pattern."""
    return asdu(TEST, ACTIVATION, at(0) + b"\xaa\x55")


def setpoint(object_: int, value: float) -> bytes:
    """C_SE_NC_1, execute."""
    return asdu(SETPOINT, ACTIVATION, at(object_) + struct.pack("<fB", value, 0))


def setpoint_of(octets: bytes) -> tuple[int, float]:
    """Return the object and the value of a C_SE_NC_1."""
    return int.from_bytes(octets[6:9], "little"), struct.unpack_from("<f", octets, 9)[0]


def events(found: Iterable[Event]) -> bytes:
    """Return one ASDU of spontaneous events of one kind, an address before each (SQ=0)."""
    given = list(found)
    rows = [at(one.object) + _element(one) + _cp56(one.time) for one in given]
    return asdu(given[0].kind, SPONTANEOUS, b"".join(rows), len(rows))


def image(state: Mapping[int, Event]) -> Iterator[bytes]:
    """Yield what a station interrogation says, by type; totals have one of their own."""
    shown = sorted(one for one in state.values() if one.kind != TOTALS)
    for kind, run in groupby(shown, key=lambda one: one.kind):
        rows = [at(one.object) + _element(one) for one in run]
        yield asdu(UNTIMED[kind], INTERROGATED, b"".join(rows), len(rows))


def measurements(octets: bytes) -> Sequence[tuple[Event, int]]:
    """Return the objects of an ASDU of one of these types, and the flags of each.

    Those of the value as they are (7.2.6.3), and 0x100 where the time is said to be invalid.
    """
    timed = octets[0] in _VALUES
    kind = octets[0] if timed else _TYPES[octets[0]]
    sequence, count = octets[1] >> 7, octets[1] & 0x7F
    width = struct.calcsize(_VALUES[kind])
    found, place, address = [], 6, 0
    for n in range(count):
        if n and sequence:
            address += 1
        else:
            address = int.from_bytes(octets[place : place + 3], "little")
            place += 3
        value, flags = _value(kind, octets[place : place + width])
        place += width
        time = 0
        if timed:
            time = _ms(octets[place : place + 7])
            flags |= (octets[place + 2] & 0x80) << 1
            place += 7
        found.append((Event(kind, address, value, time), flags))
    assert place == len(octets), f"{place} octets of {len(octets)}"
    return found


def _element(one: Event) -> bytes:
    """SIQ, DIQ, R32 with QDS, BCR (7.2.6)."""
    if one.kind in (SINGLE, DOUBLE):
        return bytes((int(one.value),))
    return struct.pack(_VALUES[one.kind], one.value if one.kind == FLOAT else int(one.value), 0)


def _value(kind: int, octets: bytes) -> tuple[float, int]:
    if kind in (SINGLE, DOUBLE):
        return octets[0] & 3, octets[0] & 0xF0
    value, flags = struct.unpack(_VALUES[kind], octets)
    return value, flags & (0xE0 if kind == TOTALS else 0xFF)


def _cp56(ms: int) -> bytes:
    """Milliseconds, minute, hour, day, month, year (7.2.6.18), UTC."""
    when = datetime.fromtimestamp(ms // 1000, UTC)
    clock = (when.minute, when.hour, when.day, when.month, when.year % 100)
    return struct.pack("<HBBBBB", when.second * 1000 + ms % 1000, *clock)


def _ms(octets: bytes) -> int:
    ms, minute, hour, day, month, year = struct.unpack("<HBBBBB", octets)
    when = datetime(2000 + year, month, day & 0x1F, hour, minute & 0x7F, tzinfo=UTC)
    return int((when + timedelta(milliseconds=ms)).timestamp() * 1000 + 0.5)
