"""What the other side is waited for (IEC 60870-5-104:2006, 5.2 and 9.6)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_iec60870.apci.frame import MODULO, Function
from gateway_iec60870.apci.numbers import Numbers, later
from gateway_iec60870.apci.settings import ApciSettings


class Watch:
    """t1 of our I frames and U frames, and t3; while nothing is read, they stand still.

    heard: when the last frame came.
    deaf:  since when nothing is read, None where it is.
    """

    __slots__ = ("_due", "_sent", "_settings", "deaf", "heard")

    def __init__(self, settings: ApciSettings, sent: Numbers, now: float) -> None:
        self._settings = settings
        self._sent = sent
        self._due: dict[Function, float] = {}  # each con that is due, and since when
        self.heard = now
        self.deaf: float | None = None

    def expect(self, con: Function, now: float) -> None:
        """Wait for an answer."""
        self._due[con] = now

    def expects(self, con: Function) -> bool:
        """Return whether an answer is due."""
        return con in self._due

    def answered(self, con: Function) -> bool:
        """Take an answer; returns whether it was due."""
        return self._due.pop(con, None) is not None

    def listen(self, now: float) -> None:
        """Let the time since `deaf` not count."""
        since, self.deaf = self.deaf, None
        if since is not None:
            self.heard = later(self.heard, since, now)
            self._due = {con: later(at, since, now) for con, at in self._due.items()}
            self._sent.pause(since, now)

    def overdue(self, now: float) -> str:
        """Return a sentence on what has not come within t1; empty if nothing is overdue."""
        t1 = self._settings.t1
        if self.deaf is not None:
            return ""
        for con, at in self._due.items():
            if now >= at + t1:
                return f"no {con} within {t1:g} s (t1)"
        since = self._sent.oldest
        if since is not None and now >= since + t1:
            number = self._sent.settled % MODULO
            return f"I frame N(S) {number} not acknowledged within {t1:g} s (t1)"
        return ""

    def idle(self, now: float) -> bool:
        """Return whether nothing has come for t3."""
        return self.deaf is None and now >= self.heard + self._settings.t3

    def times(self) -> Iterator[float]:
        """When one of these becomes true."""
        if self.deaf is not None:
            return
        settings = self._settings
        for at in self._due.values():
            yield at + settings.t1
        if self._sent.oldest is not None:
            yield self._sent.oldest + settings.t1
        if not self.expects(Function.TESTFR_CON):
            yield self.heard + settings.t3
