"""The primary station of an unbalanced line: it asks several secondary stations in turn
(60870-5-2 clause 5; 101 clause 6.2.1).

Whose turn it is: a station that may still send a late answer, until none can come any more; then
broadcasts, then stations to which user data goes, then those that are due, the one that has waited
longest first; after user data whoever else is due has a turn.
Stations that do not answer are asked ever more rarely, and all of them together take no more than
`probe_share` of the time while another one answers.
"""

from __future__ import annotations

from collections import Counter, deque

from gateway_iec60870.ft12.address import broadcast, check_octets
from gateway_iec60870.ft12.control import Control, Function
from gateway_iec60870.ft12.frame import Frame
from gateway_iec60870.ft12.partner import AT_ONCE, NEVER, State
from gateway_iec60870.ft12.polled import Polled
from gateway_iec60870.ft12.settings import PolledSettings
from gateway_iec60870.ft12.turn import Asdu, LinkFull, Turn, check_asdu

BROADCASTS = 16
"""Broadcasts that may wait."""


class Primary:
    """A primary station's line, without I/O and without a clock.

    Give it what comes and call `tick` at `deadline`; do what each `Turn` says, tell `leaves` of
    each frame that goes on the line, and `sent` when it has left. Times are seconds of any clock
    that only goes forward.

    octets:      of the link address, 1 or 2.
    probe_share: part of the time that all silent stations take together while another one answers.
    partners:    the stations by link address.
    counts:      `unexpected` (answers to nothing), `primary` (frames of a primary station: our own,
                 come back, or another one on the line).
    """

    def __init__(self, octets: int = 1, probe_share: float = 0.1) -> None:
        check_octets(octets, 1)
        if not 0 < probe_share <= 1:
            raise ValueError(f"probe_share {probe_share:g}, not above 0 to 1")
        self.octets = octets
        self.probe_share = probe_share
        self.partners: dict[int, Polled] = {}
        self.counts: Counter[str] = Counter()
        self._asked: Polled | None = None
        self._began = 0.0  # when that one was asked
        self._broadcasts: deque[Asdu] = deque()
        self._said: Frame | None = None  # the broadcast that is on its way
        self._turns = 0
        self._data_before = False  # the latest turn was for user data
        self._probe_at = AT_ONCE  # when a silent station may be asked again

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before; None for never."""
        if self._asked is not None:
            return self._asked.until
        if self._said is not None:
            return None
        at = min((at for at, _ in self._wishes()), default=NEVER)
        return None if at == NEVER else at

    def add(self, settings: PolledSettings, now: float) -> Polled:
        """Add a station; it is asked with the next `tick`, which is due now."""
        if settings.octets != self.octets:
            raise ValueError(
                f"a link address of {settings.octets} octets, the line's {self.octets}"
            )
        if settings.address in self.partners:
            raise ValueError(f"station {settings.address} is there already")
        one = Polled(settings, now, self._go)
        self.partners[settings.address] = one
        return one

    def remove(self, address: int, now: float) -> Turn:
        """Forget a station; an answer that is due is waited for, so that nobody else gets it."""
        one = self.partners.pop(address)
        one.abandon()
        turn = Turn()
        self._go(now, turn)
        return turn

    def broadcast(self, asdu: Asdu, now: float) -> Turn:
        """Send an ASDU to all stations, SEND/NO REPLY, as soon as the line is free.

        Raises LinkFull where `BROADCASTS` wait, ValueError for what no frame carries.
        """
        check_asdu(asdu, self.octets)
        if len(self._broadcasts) >= BROADCASTS:
            raise LinkFull(f"{BROADCASTS} broadcasts wait already")
        self._broadcasts.append(asdu)
        turn = Turn()
        self._go(now, turn)
        return turn

    def leaves(self, frame: Frame) -> None:
        """Take note that a frame goes on the line."""
        if self._asked is not None:
            self._asked.leaves(frame)

    def sent(self, frame: Frame, now: float) -> Turn:
        """Take note that a frame has left the line."""
        turn = Turn()
        if self._asked is not None:
            self._asked.sent(frame, now)
        elif frame is self._said:
            self._said = None
            self._go(now, turn)
        return turn

    def receive(self, frame: Frame, now: float) -> Turn:
        """Take a frame that came."""
        turn = Turn()
        control, one = frame.control, self._asked
        if control is not None and control.prm:
            self.counts["primary"] += 1
        elif (
            one is None
            or (control is not None and frame.address != one.address)
            or not one.answer(frame, now, turn)
        ):
            self.counts["unexpected"] += 1
        else:
            turn.station = one.address
            turn = self._answered(one, turn)
            self._go(now, turn)
        return turn

    def tick(self, now: float) -> Turn:
        """Do what is due by now: say again, give up, ask the next one."""
        turn = Turn()
        one = self._asked
        if one is not None:
            turn.station = one.address
            probe = one.state is State.DOWN
            again = one.expire(now, turn)
            if again is not None:
                turn.frames.append(again)
            turn = self._answered(one, turn)
            if probe and self._asked is None and self._anybody:
                self._probe_at = now + (now - self._began) * (1 / self.probe_share - 1)
        self._go(now, turn)
        return turn

    def _answered(self, one: Polled, turn: Turn) -> Turn:
        """Take note of the end of an exchange; return what is known of those that are here."""
        if one.asked is None:
            self._asked = None
        return turn if self.partners.get(one.address) is one else Turn(frames=turn.frames)

    @property
    def _anybody(self) -> bool:
        """Whether a station is up, whom the silent ones shall not hold up."""
        return any(one.up for one in self.partners.values())

    def _wishes(self) -> list[tuple[float, Polled]]:
        """Return when each station is to be asked."""
        probe = self._probe_at if self._anybody else AT_ONCE
        return [
            (max(one.wants, probe) if one.state is State.DOWN else one.wants, one)
            for one in self.partners.values()
        ]

    def _go(self, now: float, turn: Turn) -> None:
        """Say the next thing, if the line is free."""
        if self._asked is not None or self._said is not None:
            return
        doubted = [one for one in self.partners.values() if one.doubted]
        if doubted:
            self._ask(doubted[0], now, turn)
            return
        if self._broadcasts:
            asdu = self._broadcasts.popleft()
            octets = asdu if isinstance(asdu, bytes) else asdu()
            address = broadcast(self.octets) or 0
            self._said = Frame(Control(Function.USER_DATA_NO_REPLY), address, octets)
            turn.frames.append(self._said)
            return
        due = [one for at, one in self._wishes() if at <= now]
        if not due:
            return
        data = [one for one in due if one.urgent]
        others = [one for one in due if not one.urgent]
        self._data_before = bool(data) and not (self._data_before and others)
        one = min(data if self._data_before else others, key=lambda one: one.served)
        self._ask(one, now, turn)

    def _ask(self, one: Polled, now: float, turn: Turn) -> None:
        self._turns += 1
        one.served = self._turns
        self._asked = one
        self._began = now
        turn.frames.append(one.speak(now))
