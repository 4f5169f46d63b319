"""Duties: what a master does for an outstation by itself, in the order of urgency."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from gateway_dnp3.app import INTEGRITY, FunctionCode, class_objects, clear_restart
from gateway_dnp3.master.manners import EVENT_CLASSES, Manners, TimeSync
from gateway_dnp3.master.script import (
    Script,
    freeze,
    link_status,
    plain,
    read,
    set_time_lan,
    set_time_non_lan,
)

NEVER = math.inf


class Duty:
    """One of them.

    due:    when, on the session's clock; NEVER until something asks for it.
    period: after which it is due again; None for once.
    start:  part of the start of a session.
    align:  due at whole multiples of the period, by the wall clock.
    last:   when it ended last.
    """

    __slots__ = ("align", "begin", "due", "last", "name", "period", "start")

    def __init__(
        self,
        name: str,
        begin: Callable[[], Script],
        period: float | None = None,
        *,
        start: bool = False,
        align: bool = False,
    ) -> None:
        self.name = name
        self.begin = begin
        self.period = period
        self.start = start
        self.align = align
        self.due = NEVER
        self.last = -NEVER

    def call(self, at: float) -> None:
        """Be due at this time, or earlier where it was to be earlier."""
        self.due = min(self.due, at)

    def plan(self, now: float, wall: float) -> None:
        """Be due as a session begins; `wall` is the wall clock in seconds."""
        if self.start:
            self.due = now
        elif self.period is None:
            self.due = NEVER
        elif self.align:
            self.due = now + self.period - wall % self.period
        else:
            self.due = now + self.period

    def done(self, now: float, wall: float) -> None:
        """Be due again, if ever; turns that were missed do not pile up."""
        self.last = now
        if self.period is None:
            self.due = NEVER
        elif self.align:
            self.due = now + self.period - wall % self.period
        elif now < self.due + self.period:
            self.due += self.period
        else:
            self.due = now + self.period

    def later(self, now: float, pause: float) -> None:
        """Be due after a pause, because it failed."""
        self.last = now
        self.due = now + pause


class Duties:
    """All duties of one session, the most urgent first."""

    def __init__(self, manners: Manners, wall: Callable[[], int]) -> None:
        allowed = manners.unsolicited
        forbid = partial(plain, FunctionCode.DISABLE_UNSOLICITED, class_objects(*EVENT_CLASSES))
        self.clear = Duty("clear restart", partial(plain, FunctionCode.WRITE, clear_restart()))
        self.integrity = Duty(
            "integrity", partial(read, class_objects(*INTEGRITY)), manners.integrity, start=True
        )
        setter = set_time_lan if manners.time_sync is TimeSync.LAN else set_time_non_lan
        self.time = Duty("time", partial(setter, wall))
        self.allow = Duty(
            "enable unsolicited",
            partial(plain, FunctionCode.ENABLE_UNSOLICITED, class_objects(*(allowed or ()))),
            start=bool(allowed),
        )
        self.events = Duty("events", partial(read, class_objects(*EVENT_CLASSES)), manners.event)
        self.link = Duty("link status", link_status)
        self.all: tuple[Duty, ...] = (
            Duty("disable unsolicited", forbid, start=allowed is not None),
            self.clear,
            *(
                Duty("assign class", partial(plain, FunctionCode.ASSIGN_CLASS, one), start=True)
                for one in manners.assign
            ),
            self.integrity,
            self.time,
            self.allow,
            self.events,
            *(
                Duty(scan.name, partial(read, scan.objects), scan.period, start=scan.at_start)
                for scan in manners.scans
            ),
            *(
                Duty("freeze", partial(freeze, one.clear), one.period, align=True)
                for one in (manners.freeze,)
                if one is not None
            ),
            self.link,
        )

    def __iter__(self) -> Iterator[Duty]:
        return iter(self.all)

    @property
    def due(self) -> float:
        """When the first of them is due."""
        return min(duty.due for duty in self.all)

    def first(self, now: float) -> Duty | None:
        """Return the most urgent one that is due."""
        return next((duty for duty in self.all if duty.due <= now), None)
