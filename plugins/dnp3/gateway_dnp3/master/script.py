"""Scripts: what is asked one after the other, and what follows from each answer.

A script is a generator that yields an `Ask` and is sent the `Reply`.
It runs up to its next question in the very moment in which that question leaves; where no answer
comes it is closed, and begun anew if there are tries left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway_dnp3.app import FunctionCode, Iin
from gateway_dnp3.objects.clock import time_object, times
from gateway_dnp3.objects.error import ObjectError
from gateway_dnp3.objects.header import header, split

STATUS = 0x7F  # the octet's highest bit is reserved (IEEE 1815 clause A.8.1)
ACCEPTED = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A request; without a function code it is the link layer's, for the link status.

    reads: its answer has measurements.
    """

    function: FunctionCode | None
    objects: bytes = b""
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its last fragment. `delay` is the seconds between request and answer."""

    iin: Iin
    objects: bytes
    delay: float

    @property
    def refused(self) -> bool:
        return bool(self.iin & Iin.REFUSED)


Script: TypeAlias = Generator[Ask, Reply, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an outstation says to a command.

    status: control status of its echo; None where there is no echo that could be believed.
    iin:    the indications of the answer.
    why:    what is wrong with an echo; empty where nothing is.
    """

    status: int | None
    iin: Iin
    why: str = ""


def plain(function: FunctionCode, objects: bytes = b"") -> Script:
    """Ask, and return whether it was carried out."""
    reply = yield Ask(function, objects)
    return not reply.refused


def read(objects: bytes) -> Script:
    """Read measurements; return whether all of the objects are there."""
    reply = yield Ask(FunctionCode.READ, objects, reads=True)
    return not reply.refused


def freeze(clear: bool) -> Script:
    """Freeze all counters and read what was frozen."""
    function = FunctionCode.FREEZE_CLEAR if clear else FunctionCode.IMMED_FREEZE
    reply = yield Ask(function, header(20, 0))
    if reply.refused:
        return False
    return (yield from read(header(21, 0)))


def link_status() -> Script:
    """Ask the link layer whether anybody is there."""
    yield Ask(None)
    return True


def set_time_lan(wall: Callable[[], int]) -> Script:
    """Set the clock over a network; `wall` gives the time in ms since 1970 UTC."""
    recorded = wall()
    reply = yield Ask(FunctionCode.RECORD_CURRENT_TIME)
    if reply.refused:
        return False
    return (yield from plain(FunctionCode.WRITE, time_object(50, 3, recorded)))


def set_time_non_lan(wall: Callable[[], int]) -> Script:
    """Set the clock over a line whose delay matters."""
    reply = yield Ask(FunctionCode.DELAY_MEASURE)
    if reply.refused:
        return False
    try:
        held = [ms for one in split(reply.objects) for ms in times(one)]
    except ObjectError:
        return False
    if len(held) != 1:
        return False
    way = max(0, round(reply.delay * 1000) - held[0]) // 2
    return (yield from plain(FunctionCode.WRITE, time_object(50, 1, wall() + way)))


def command(function: FunctionCode, objects: bytes) -> Script:
    """Ask for a control; return the Verdict."""
    reply = yield Ask(function, objects)
    return judge(objects, reply)


def restart(function: FunctionCode) -> Script:
    """Ask for a cold or warm restart; return the Verdict, whose status is the gateway's own."""
    reply = yield Ask(function)
    return Verdict(None if reply.refused else ACCEPTED, reply.iin)


def judge(objects: bytes, reply: Reply) -> Verdict:
    """Compare the echo of one control object with what was sent: equal but for its status,
    which is the last octet (IEEE 1815 clause 4.4.4.3)."""
    echo = reply.objects
    if not echo:
        why = "" if reply.refused else "the answer has no echo of the control"
        return Verdict(None, reply.iin, why)
    if len(echo) != len(objects) or echo[:-1] != objects[:-1]:
        return Verdict(None, reply.iin, f"the answer repeats another control: {echo.hex(' ')}")
    return Verdict(echo[-1] & STATUS, reply.iin)
