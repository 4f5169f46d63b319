"""Unsolicited responses: events without a request (IEEE 1815 clause 5.1.1).

    silent ─ connected ─▶ null response ─ confirmed ─▶ ready ─ enabled events wait ─▶ response sent
                                                         ▲                               │
                                                         └───────── confirmed ───────────┤
                                        sent again, byte for byte ◀─ pause ◀─ overdue ───┘

The pause doubles. A READ in the pause takes the events into its own response: then the unsolicited
one is withdrawn, and the next one has a new sequence number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_dnp3.app import Fragment, Iin, Writer
from gateway_dnp3.outstation.reading import EventRead, Reader
from gateway_dnp3.outstation.settings import UnsolicitedSettings

if TYPE_CHECKING:
    from gateway_dnp3.outstation.session import Session

HEAD = 4
CLASSES = (1, 2, 3)


class Unsolicited:
    """The unsolicited half of a session; never says anything where `settings` is None.

    enabled: a mask of the classes that the master wants: bit 1 for class 1 …
    """

    def __init__(
        self, session: Session, settings: UnsolicitedSettings | None, reader: Reader
    ) -> None:
        self.settings = settings
        self.enabled = 0
        self._session = session
        self._reader = reader
        self._announced = False
        self._sequence = 0
        self._response = b""
        self._told = Iin.NONE
        self._carries = False
        self._confirm_by: float | None = None
        self._not_before: float | None = None
        self._tries = 0
        self._since: dict[int, float] = {}

    @property
    def waits(self) -> bool:
        """Whether a response waits for its confirmation, which is not overdue."""
        return self._confirm_by is not None and not self._unwanted

    @property
    def _unwanted(self) -> bool:
        return self._carries and not self.enabled

    @property
    def deadline(self) -> float | None:
        """When there is something to do; None for never."""
        if self.settings is None or not self._session.online:
            return None
        if self._confirm_by is not None:
            return self._confirm_by
        if self._session.busy:
            return None
        if self._response or not self._announced:
            return self._not_before
        due = self._due()
        return due if due is None else max(due, self._not_before or due)

    def begin(self) -> None:
        """The master can be spoken to: begin without a pause."""
        self._not_before = None
        self._tries = 0

    def end(self) -> None:
        """It cannot: what was not confirmed will be made anew."""
        self.withdraw()
        self._not_before = None

    def withdraw(self) -> None:
        """Give up the response that was sent; its events can be reported otherwise."""
        if self._response:
            if self._carries:
                self._session.events.put_back()
            self._sequence = (self._sequence + 1) % 16
        self._response = b""
        self._carries = False
        self._confirm_by = None

    def enable(self, classes: int) -> None:
        self.enabled |= classes

    def disable(self, classes: int) -> None:
        """Stop reporting some classes.

        What is on its way and was of no other is not sent again, and delays no READ; its
        confirmation may be on its way too, and counts.
        """
        self.enabled &= ~classes
        if self._unwanted and self._confirm_by is None:
            self.withdraw()

    def confirmed(self, sequence: int) -> None:
        """Take the confirmation of a response; a late one counts until the next one is made."""
        if not self._response or sequence != self._sequence:
            self._session.counts["unexpected"] += 1
            return
        carried = self._carries
        self._announced = True
        self._carries = False
        self._response = b""
        self._confirm_by = self._not_before = None
        self._tries = 0
        self._sequence = (self._sequence + 1) % 16
        self._session.had(self._told, events=carried)

    def tick(self) -> None:
        """Do what is due by now."""
        now = self._session.clock()
        if self._confirm_by is not None and now >= self._confirm_by:
            self._session.counts["unsolicited_timeouts"] += 1
            self._confirm_by = None
            if self._unwanted:
                self.withdraw()
            else:
                self._not_before = now + self._pause()

    def _pause(self) -> float:
        settings = self.settings
        assert settings is not None  # noqa: S101 - else nothing was sent
        if self._tries > settings.retries:
            return settings.retry_max
        return float(min(settings.retry * 2 ** (self._tries - 1), settings.retry_max))

    def go_on(self) -> None:
        """Send what is due; called while the master can be spoken to and nothing else waits."""
        settings = self.settings
        if settings is None or self._confirm_by is not None:
            return
        now = self._session.clock()
        if self._not_before is not None and now < self._not_before:
            return
        if self._response and self._tries <= settings.retries:
            self._send()
            return
        if self._response:
            self.withdraw()
            self._tries = 0
        if not self._announced:
            self._make(b"", carries=False)
            return
        due = self._due()
        if due is not None and now >= due:
            writer = Writer(self._session.settings.fragment - HEAD)
            wanted = EventRead(classes=self.enabled)
            wrote, _ = self._reader.write_events(writer, wanted, self._session.events.order)
            if wrote:
                self._since.clear()
                self._make(writer.objects(), carries=True)

    def _due(self) -> float | None:
        """Return when events are to be reported; None where none are that may be."""
        settings, events = self.settings, self._session.events
        if settings is None or not self.enabled & events.classes:
            self._since.clear()
            return None
        now = self._session.clock()
        due: list[float] = []
        for number in CLASSES:
            count = events.waiting(number) if self.enabled >> number & 1 else 0
            if not count:
                self._since.pop(number, None)
                continue
            since = self._since.setdefault(number, now)
            enough = count >= settings.counts[number - 1]
            due.append(since if enough else since + settings.holds[number - 1])
        return min(due)

    def _make(self, objects: bytes, *, carries: bool) -> None:
        session = self._session
        self._carries = carries
        self._told = session.indications()
        self._response = Fragment.response(
            self._told, objects, self._sequence, con=True, unsolicited=True
        ).encode()
        self._send()

    def _send(self) -> None:
        session = self._session
        self._tries += 1
        self._not_before = None
        self._confirm_by = session.clock() + session.settings.confirm_timeout
        session.counts["unsolicited"] += 1
        session.application.send(self._response)
