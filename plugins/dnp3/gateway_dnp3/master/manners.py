"""How a master treats an outstation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EVENT_CLASSES = (1, 2, 3)


class TimeSync(StrEnum):
    """How the outstation's clock is set when it asks for the time (IEEE 1815 clause 10.3).

    lan:     RECORD_CURRENT_TIME, then g50v3: the moment at which the request left.
    non_lan: DELAY_MEASURE, then g50v1: the time, and half of what the line takes.
    """

    LAN = "lan"
    NON_LAN = "non_lan"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Scan:
    """Objects that are read every `period` seconds; `name` is for people."""

    name: str
    objects: bytes
    period: float
    at_start: bool = True


@dataclass(frozen=True, slots=True)
class Freeze:
    """Counters that are frozen and read at whole multiples of `period` seconds, wall clock."""

    period: float
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Manners:
    """How a master treats an outstation; times are in seconds.

    timeout:     for each fragment of a response, and for the gateway to take what it holds.
    retries:     times that anything but a command is asked again.
    integrity:   period of reading all classes after the one at the start; None for never.
    event:       period of reading the event classes; None for never.
    unsolicited: classes that the outstation may report by itself; all others are forbidden at
                 the start. None leaves it as it is.
    keep_alive:  silence after which the link status is requested; None for never.
    assign:      objects of ASSIGN_CLASS at the start, each a request of its own.
    probe_pause: least pause before an outstation that does not answer is asked again; doubles
                 up to `probe_pause_max`.
    probe_share: largest part of the line's time that asking it takes.
    """

    timeout: float = 5.0
    retries: int = 1
    integrity: float | None = 900.0
    event: float | None = 1.0
    unsolicited: tuple[int, ...] | None = ()
    time_sync: TimeSync = TimeSync.NONE
    keep_alive: float | None = 60.0
    scans: tuple[Scan, ...] = ()
    freeze: Freeze | None = None
    assign: tuple[bytes, ...] = ()
    probe_pause: float = 2.0
    probe_pause_max: float = 60.0
    probe_share: float = 0.1
