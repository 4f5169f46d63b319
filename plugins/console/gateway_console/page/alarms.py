"""Alarms: what is wrong now, or was and nobody has acknowledged it.

They are found by comparing the image with what it was, as columns, and live as long as the
gateway runs. A link that is down is one alarm, not one for each of its points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import Definition, Image, Quality, quality_text
from gateway_console.page.wording import quality_state

MOST = 1_000
"""Alarms that are kept; the oldest that is over goes first, and then the oldest."""
SETTLES = 10 * 10**9
"""Nanoseconds that a link has, when it came up, to bring its points."""
_VALIDITY = int(Quality.VALIDITY)
_WORDS = int(Quality.VALIDITY | Quality.DETAIL)


@dataclass(slots=True)
class Alarm:
    """One thing that went wrong; times in ns, `ended` is 0 while it lasts.

    point: id of the point; -1 where it is a link.
    """

    n: int
    what: str
    point: int
    text: str
    state: str
    began: int
    ended: int = 0
    acknowledged: int = 0
    by: str = ""


class Alarms:
    """The alarms of one console; `look` is called about once a second."""

    def __init__(self, definitions: Sequence[Definition | None], image: Image) -> None:
        self._definitions = definitions
        self._image = image
        self._bad: npt.NDArray[np.uint16] = np.zeros(len(image.quality), np.uint16)
        self._down: dict[str, tuple[str, str]] = {}
        self._open: dict[int | str, Alarm] = {}
        self._alarms: dict[int, Alarm] = {}
        self.newest = 0
        """The number of the newest alarm, 0 before the first."""
        self.spoken = ""
        """What a reader aloud says of it."""
        self.lost = 0
        self._points: npt.NDArray[np.bool_] = np.array(
            [d is not None and not d.name.startswith("_health.") for d in definitions], np.bool_
        )
        of: dict[str, list[int]] = {}
        for number, definition in enumerate(definitions):
            if definition is not None and definition.source:
                of.setdefault(definition.source, []).append(number)
        self._of = {source: np.array(numbers, np.int64) for source, numbers in of.items()}

    def look(self, now: int, links: Sequence[tuple[str, str, int, str]]) -> None:
        """Compare with what was; `links` are name, state, since when (ns) and error of each."""
        hidden = ~self._points
        for name, state, since, error in links:
            was = self._down.get(name)
            if state == "down":
                if was is None:
                    self._begin(name, name, -1, error or "link down", "bad", now)
                elif was[1] != error and error:
                    self._open_text(name, error)
                self._down[name] = (state, error)
            elif was is not None and state == "up":
                del self._down[name]
                self._end(name, now)
            if (state != "up" or now - since < SETTLES) and name in self._of:
                hidden[self._of[name]] = True
        quality = self._image.quality
        bad = np.where(hidden | ((quality & _VALIDITY) == 0), 0, quality & _WORDS)
        for point in [key for key in self._open if isinstance(key, int) and not bad[key]]:
            self._end(point, now)
        worse = np.flatnonzero((bad != self._bad) & (bad != 0))
        for point in worse[:MOST].tolist():
            self._stands(point, int(bad[point]), now)
        self.lost += max(0, len(worse) - MOST)
        self._bad = bad.astype(np.uint16)

    def _stands(self, point: int, quality: int, now: int) -> None:
        if point in self._open:
            alarm = self._open[point]
            alarm.text, alarm.state = quality_text(quality), quality_state(quality)
        else:
            definition = self._definitions[point]
            name = definition.name if definition is not None else str(point)
            self._begin(point, name, point, quality_text(quality), quality_state(quality), now)

    def _open_text(self, name: str, text: str) -> None:
        if name in self._open:
            self._open[name].text = text

    def _begin(
        self, key: int | str, what: str, point: int, text: str, state: str, now: int
    ) -> None:
        self.newest += 1
        self.spoken = f"Alarm: {what}, {text}"
        alarm = Alarm(self.newest, what, point, text, state, now)
        self._open[key] = alarm
        self._alarms[alarm.n] = alarm
        if len(self._alarms) > MOST:
            over = next((n for n, one in self._alarms.items() if one.ended), None)
            gone = self._alarms.pop(over if over is not None else next(iter(self._alarms)))
            self._open = {k: one for k, one in self._open.items() if one is not gone}
            self.lost += 1

    def _end(self, key: int | str, now: int) -> None:
        alarm = self._open.pop(key, None)
        if alarm is None:
            return
        alarm.ended = now
        if alarm.acknowledged:
            self._alarms.pop(alarm.n, None)

    @property
    def unacknowledged(self) -> int:
        return sum(not alarm.acknowledged for alarm in self._alarms.values())

    def acknowledge(self, number: int, by: str, now: int) -> bool:
        """Note who has seen an alarm; one that is over is gone with it."""
        alarm = self._alarms.get(number)
        if alarm is None or alarm.acknowledged:
            return False
        alarm.acknowledged, alarm.by = now, by
        if alarm.ended:
            del self._alarms[number]
        return True

    def all(self, takes: Callable[[int], bool]) -> list[Alarm]:
        """Return alarms of the points that `takes` allows: unacknowledged first, newest first."""
        found = [a for a in self._alarms.values() if a.point < 0 or takes(a.point)]
        return sorted(found, key=lambda a: (bool(a.acknowledged), -a.n))
