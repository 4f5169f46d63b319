"""What there is to do for one station, by the manners."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway_iec60870.asdu import GENERAL as ALL_COUNTERS
from gateway_iec60870.asdu import (
    STATION,
    Asdu,
    Cause,
    ClockSynchronisation,
    CounterInterrogation,
    Interrogation,
    Sizes,
    System,
    Test,
    TimedTest,
    encode_system,
)
from gateway_iec60870.controlling.duty import NEVER, Duty
from gateway_iec60870.controlling.manners import GENERAL, Counters, Freeze, Manners

_INTERROGATED = range(Cause.INTERROGATED, Cause.INTERROGATED_16 + 1)
_COUNTERS = range(Cause.COUNTERS, Cause.COUNTERS_4 + 1)
_FRZ = {Freeze.NONE: 0, Freeze.FREEZE: 1, Freeze.FREEZE_RESET: 2, Freeze.RESET: 3}


class Duties:
    """All duties for one station, the most urgent first.

    wall: the wall clock in ms since 1970 UTC.
    """

    def __init__(
        self, address: int, manners: Manners, sizes: Sizes, wall: Callable[[], int]
    ) -> None:
        self._address = address
        self._manners = manners
        self._sizes = sizes
        self._wall = wall
        self._tests = 0
        self.interrogation = self._interrogation(
            "general interrogation", STATION, manners.interrogation, start=True
        )
        self.test = Duty(
            "test", self._test, sizes.object + (2 if manners.tagged_test else 0), proves=True
        )
        self.all: tuple[Duty, ...] = (
            self.interrogation,
            *self._clock(manners.clock),
            *self._counters(manners.counters),
            *(
                self._interrogation(
                    f"interrogation of group {scan.group}", STATION + scan.group, scan.period
                )
                for scan in manners.scans
                if scan.address in (None, address)
            ),
            self.test,
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

    def silence(self) -> None:
        """Have nothing to do but to ask whether the station is there."""
        for duty in self.all:
            duty.due = NEVER

    def _request(self, given: System) -> Asdu:
        return Asdu(
            given.type,
            Cause.ACTIVATION,
            self._address,
            encode_system(given, self._sizes),
            originator=self._manners.originator,
        )

    def _interrogation(
        self, name: str, qualifier: int, period: float | None, *, start: bool = False
    ) -> Duty:
        return Duty(
            name,
            lambda: self._request(Interrogation(qualifier)),
            self._sizes.object + 1,
            period,
            terminated=True,
            data=_INTERROGATED,
            proves=start,
            start=start,
        )

    def _clock(self, period: float | None) -> Iterator[Duty]:
        if period is not None:
            # The answer has the time of the station.
            yield Duty("clock synchronisation", self._set, self._sizes.object, period, start=True)

    def _set(self) -> Asdu:
        return self._request(ClockSynchronisation(*self._civil()))

    def _test(self) -> Asdu:
        if not self._manners.tagged_test:
            return self._request(Test())
        self._tests = (self._tests + 1) & 0xFFFF
        return self._request(TimedTest(self._tests, *self._civil()))

    def _civil(self) -> tuple[int, int]:
        return self._manners.zone.civil_of(self._wall())

    def _counters(self, counters: Counters | None) -> Iterator[Duty]:
        """At the start counters are read and nothing is frozen: it is not the time for it."""
        if counters is None:
            return
        request = ALL_COUNTERS if counters.group == GENERAL else counters.group
        words = "counter interrogation"

        def duty(
            name: str, freeze: Freeze, period: float | None = None, *, start: bool = False
        ) -> Duty:
            return Duty(
                name,
                lambda: self._request(CounterInterrogation(request, _FRZ[freeze])),
                self._sizes.object + 1,
                period,
                terminated=freeze is Freeze.NONE,
                data=_COUNTERS,
                start=start,
                align=True,
            )

        if counters.freeze is Freeze.NONE:
            yield duty(words, Freeze.NONE, counters.period, start=True)
            return
        read = duty(words, Freeze.NONE, start=True)
        if counters.freeze is Freeze.RESET:
            reset = duty("reset of counters", Freeze.RESET)
            regular = duty(words, Freeze.NONE, counters.period)
            regular.then = reset
            yield from (read, regular, reset)
            return
        freeze = duty("freezing of counters", counters.freeze, counters.period)
        freeze.then = read
        yield from (read, freeze)
