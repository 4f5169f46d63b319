"""IEC 60870-5-104 as the ends of a run speak it: plain octets, as fast as Python can.

Built from the standard's figures alone, so that it shares no mistake with the gateway.
Events have numbers; the number is the millisecond in the time tag, and settles point and value.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

POINTS = 100
"""Points of a station that change, one after the other, object addresses from 1 on."""
ANALOGS = 80
"""Those before are measured values (M_ME_TF_1), the others are single points (M_SP_TB_1)."""
EPOCH = 1_699_920_000_000
"""The midnight, 2023-11-14 UTC, of which the numbers are milliseconds."""
DAY, MONTH, YEAR = 14, 11, 23
VALUES = 1 << 16
"""The values of measured values are the numbers modulo this."""

M_SP_NA_1, M_ME_NC_1, M_SP_TB_1, M_ME_TF_1, C_IC_NA_1 = 1, 13, 30, 36, 100
SPONTANEOUS, ACTIVATION, CONFIRMED, TERMINATED, INTERROGATED = 3, 6, 7, 10, 20
STARTDT_ACT, STARTDT_CON, TESTFR_ACT, TESTFR_CON = 0x07, 0x0B, 0x43, 0x83
MASK = 0x7FFF
LONGEST = 249 - 6
"""Octets of the objects of one ASDU."""
SETTLE = 1.0
"""Seconds after which less than w ASDUs are acknowledged (t2)."""

APCI = struct.Struct("<BBHH")
HEAD = struct.Struct("<BBBBH")

Numbers = npt.NDArray[np.int64]

_OBJECT = [("low", "<u2"), ("high", "u1")]
_CP56 = [("ms", "<u2"), ("minute", "u1"), ("hour", "u1"), ("date", "u1", 3)]
FLOAT = np.dtype([*_OBJECT, ("value", "<f4"), ("quality", "u1"), *_CP56])
SINGLE = np.dtype([*_OBJECT, ("value", "u1"), *_CP56])
SHAPES = {M_ME_TF_1: FLOAT, M_SP_TB_1: SINGLE}


def head(kind: int, count: int, cause: int, station: int = 1) -> bytes:
    """Return what stands before the objects; `count` with the bit SQ."""
    return HEAD.pack(kind, count, cause, 0, station)


def events(numbers: Numbers, objects: int, room: int) -> tuple[list[bytes], int]:
    """Return at most `room` ASDUs of the first events, and how many events are in them.

    objects: of an ASDU at the most; neighbours of one type share one as far as it holds them.
    """
    single = numbers % POINTS >= ANALOGS
    cuts = np.flatnonzero(single[1:] != single[:-1]) + 1
    found: list[bytes] = []
    done = 0
    for first, last in pairwise([0, *cuts.tolist(), len(numbers)]):
        kind = M_SP_TB_1 if single[first] else M_ME_TF_1
        width = SHAPES[kind].itemsize
        most = min(objects, LONGEST // width)
        last = min(last, first + (room - len(found)) * most)
        octets = _rows(numbers[first:last], kind).tobytes()
        for at in range(0, last - first, most):
            count = min(most, last - first - at)
            body = octets[at * width : (at + count) * width]
            found.append(head(kind, count, SPONTANEOUS) + body)
        done = last
        if len(found) == room:
            break
    return found, done


def _rows(numbers: Numbers, kind: int) -> npt.NDArray[np.void]:
    rows = np.zeros(len(numbers), SHAPES[kind])
    rows["low"] = numbers % POINTS + 1
    rows["value"] = values(numbers)
    rows["ms"] = numbers % 60_000
    rows["minute"] = numbers // 60_000 % 60
    rows["hour"] = numbers // 3_600_000
    rows["date"] = DAY, MONTH, YEAR
    return rows


def values(numbers: Numbers) -> Numbers:
    """Return what the points of these events show."""
    single = numbers % POINTS >= ANALOGS
    return np.where(single, numbers // POINTS % 2, numbers % VALUES)


def read(asdu: bytes) -> tuple[Numbers, Numbers, Numbers]:
    """Return object addresses, numbers and values of an ASDU of events."""
    rows: Any = np.frombuffer(asdu, SHAPES[asdu[0]], asdu[1], HEAD.size)
    address = rows["high"].astype(np.int64) << 16 | rows["low"]
    time = (rows["hour"] & 31) * np.int64(3_600_000)
    time += (rows["minute"] & 63) * np.int64(60_000) + rows["ms"]
    value = rows["value"] & 1 if asdu[0] == M_SP_TB_1 else rows["value"]
    dated = (rows["date"] & (31, 15, 127) == (DAY, MONTH, YEAR)).all(axis=1)
    return address, np.where(dated, time, -1), value.astype(np.int64)


def made(asdu: bytes) -> bool:
    """Say whether the last object of an ASDU has the date of the events that have numbers."""
    return asdu[-3] & 31 == DAY and asdu[-2] & 15 == MONTH and asdu[-1] & 127 == YEAR


class End(asyncio.Protocol):
    """One end of a connection.

    k, w:   most ASDUs on their way, and after how many of theirs one acknowledges.
    pause:  seconds for which an acknowledgement waits: of a slow end.
    wrong:  numbers N(S) that did not follow each other.
    """

    def __init__(self, k: int, w: int) -> None:
        self.k, self.w = k, w
        self.pause = 0.0
        self.started = False
        self.wrong = 0
        self.sent = self.acknowledged = self.came = self.settled = 0
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> int:
        """ASDUs that may be sent now."""
        return self.k - (self.sent - self.acknowledged) if self.started else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        at, end, unpack = 0, len(data), APCI.unpack_from
        asdus: list[bytes] = []
        while end - at >= APCI.size and at + 2 + data[at + 1] <= end:
            _, length, first, second = unpack(data, at)
            if not first & 1:
                self.wrong += first >> 1 != self.came & MASK
                self.came += 1
                asdus.append(data[at + APCI.size : at + 2 + length])
            if not first & 1 or first & 3 == 1:
                self.acknowledged += ((second >> 1) - self.acknowledged) & MASK
            else:
                self._function(first)
            at += 2 + length
        self._held = data[at:]
        if asdus:
            self.take(asdus)
            self._settle()
        self.go_on()

    def send(self, asdus: Sequence[bytes]) -> None:
        """Send ASDUs, for which there is room."""
        number, pack = self.sent, APCI.pack
        receive = (self.settled & MASK) << 1
        frames = []
        for asdu in asdus:
            frames.append(pack(0x68, 4 + len(asdu), (number & MASK) << 1, receive) + asdu)
            number += 1
        self.sent = number
        self._write(b"".join(frames))

    def function(self, octet: int) -> None:
        """Send a U frame."""
        self._write(APCI.pack(0x68, 4, octet, 0))

    def take(self, asdus: list[bytes]) -> None:
        """Take what has come."""

    def start(self) -> None:
        """Begin: data transfer is started."""

    def go_on(self) -> None:
        """Send what waits, as far as there is room."""

    def settle(self) -> None:
        """Acknowledge all that has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.settled != self.came:
            self.settled = self.came
            self._write(APCI.pack(0x68, 4, 1, (self.settled & MASK) << 1))

    def _settle(self) -> None:
        due = self.came - self.settled >= self.w
        if due and not self.pause:
            self.settle()
        elif self._timer is None:
            wait = self.pause if due else SETTLE
            self._timer = asyncio.get_running_loop().call_later(wait, self.settle)

    def _function(self, octet: int) -> None:
        if octet == STARTDT_ACT:
            self.function(STARTDT_CON)
        elif octet == TESTFR_ACT:
            self.function(TESTFR_CON)
        if octet in (STARTDT_ACT, STARTDT_CON):
            self.started = True
            self.start()

    def _write(self, octets: bytes) -> None:
        assert self._transport is not None
        self._transport.write(octets)
