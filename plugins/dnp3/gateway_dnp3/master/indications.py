"""Internal indications: what an outstation says of itself, and what the master does about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from gateway_dnp3.app import Iin
from gateway_dnp3.master.duty import Duties, Duty
from gateway_dnp3.master.manners import Manners, TimeSync

AGAIN = 1.0
"""Seconds before events are asked for again that were announced and did not come."""
INSISTENT = 60.0
"""Seconds before the clock is set again, or a restart cleared, where the indication stays."""

_BEGINS: dict[Iin, tuple[str, str]] = {
    Iin.DEVICE_RESTART: ("restarts", "has restarted"),
    Iin.EVENT_BUFFER_OVERFLOW: ("event_overflows", "has lost events: its buffer was full"),
    Iin.DEVICE_TROUBLE: ("device_troubles", "says that something is wrong with it"),
    Iin.CONFIG_CORRUPT: ("config_corrupt", "says that its configuration is corrupt"),
}
"""Indications whose begin is counted and logged: the counter, and the sentence."""
_CLASSES = {1: Iin.CLASS_1_EVENTS, 2: Iin.CLASS_2_EVENTS, 3: Iin.CLASS_3_EVENTS}


class Indications:
    """The latest ones of an outstation.

    latest: None before the first answer.
    """

    def __init__(
        self,
        duties: Duties,
        manners: Manners,
        counts: Counter[str],
        note: Callable[[str], None],
    ) -> None:
        self.latest: Iin | None = None
        self._duties = duties
        self._sets_time = manners.time_sync is not TimeSync.NONE
        self._counts = counts
        self._note = note
        self._unasked: frozenset[int] = frozenset()

    @property
    def events(self) -> bool:
        """Whether events wait that do not come by themselves."""
        latest = self.latest or Iin.NONE
        return any(latest & bit for one, bit in _CLASSES.items() if one not in self._unasked)

    def restarted(self, iin: Iin) -> bool:
        """Whether these indications say so, and the ones before did not."""
        return bool(iin & ~(self.latest or Iin.NONE) & Iin.DEVICE_RESTART)

    def come_unasked(self, classes: Iterable[int]) -> None:
        """Rely on it that events of these classes come by themselves."""
        self._unasked = frozenset(classes)

    def take(self, iin: Iin, now: float, current: Duty | None) -> None:
        """Call for the duties that follow; `current` is the one that is being done."""
        new = iin & ~(self.latest or Iin.NONE)
        self.latest = iin
        for bit, (counter, sentence) in _BEGINS.items():
            if new & bit:
                self._counts[counter] += 1
                self._note(sentence)
        duties = self._duties
        if new & Iin.DEVICE_RESTART:
            self._unasked = frozenset()
            for duty in duties:
                if duty.start and duty is not current:
                    duty.call(now)
            duties.clear.call(now)
        elif iin & Iin.DEVICE_RESTART:
            duties.clear.call(max(now, duties.clear.last + INSISTENT))
        if new & Iin.EVENT_BUFFER_OVERFLOW:
            duties.integrity.call(now)
        if iin & Iin.NEED_TIME and self._sets_time:
            duties.time.call(now if new & Iin.NEED_TIME else duties.time.last + INSISTENT)
        if self.events:
            duties.events.call(max(now, duties.events.last + AGAIN))
