"""How a controlling station treats the stations behind a link."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway_iec60870.zone import Zone

GENERAL = 0
"""In place of a group of counters: all of them."""


class Freeze(StrEnum):
    """What happens to counters as they are read (101 clause 7.2.6.23, FRZ).

    none:         they are read as they were frozen last, or as they are.
    freeze:       frozen, then read.
    freeze_reset: frozen and set to zero, then read.
    reset:        read, then set to zero.
    """

    NONE = "none"
    FREEZE = "freeze"
    FREEZE_RESET = "freeze_reset"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Scan:
    """A group (1 to 16) that is interrogated every `period` seconds.

    address: the common address of the one station, None for all of them.
    """

    group: int
    period: float
    address: int | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters that are read at whole multiples of `period` seconds, wall clock.

    group: 1 to 4, or GENERAL.
    """

    period: float
    group: int = GENERAL
    freeze: Freeze = Freeze.NONE


@dataclass(frozen=True, slots=True)
class Manners:
    """How a controlling station treats the others; times are in seconds.

    timeout:       for each answer to an interrogation, clock synchronisation or test, and from one
                   ASDU with interrogated data to the next.
    interrogation: period of general interrogations after the one at the start; None for never.
    scans:         groups that are interrogated besides.
    counters:      how counters are read; None for never.
    clock:         whether clocks are set, and their period, which may be `inf`: at the start only.
    test:          silence of a station after which it is sent a test command; None for never.
    tagged_test:   with time tag (C_TS_TA_1), as 104 has it; 101 has it without.
    originator:    the originator address of what is sent.
    zone:          of the times in ASDUs.
    abreast:       stations that are interrogated at one time.
    retry:         longest pause after which something is asked again that failed.
    probe_pause:   least pause before a station that does not answer is asked again; doubles
                   up to `probe_pause_max`.
    """

    timeout: float = 15.0
    interrogation: float | None = 900.0
    scans: tuple[Scan, ...] = ()
    counters: Counters | None = None
    clock: float | None = None
    test: float | None = None
    tagged_test: bool = True
    originator: int = 0
    zone: Zone = field(default_factory=Zone)
    abreast: int = 8
    retry: float = 60.0
    probe_pause: float = 2.0
    probe_pause_max: float = 60.0
