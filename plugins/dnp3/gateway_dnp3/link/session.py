"""One side of an association on the link layer, without I/O and without a clock of its own."""

from __future__ import annotations

from collections import Counter

from gateway_dnp3.link.address import SELF, broadcast
from gateway_dnp3.link.control import COUNTED, WITH_DATA, Control, Function
from gateway_dnp3.link.frame import DATA, Frame
from gateway_dnp3.link.primary import QUESTIONS, Job, Primary
from gateway_dnp3.link.secondary import Secondary
from gateway_dnp3.link.settings import LinkSettings
from gateway_dnp3.link.turn import LinkEvent, Payload, Turn


class LinkFull(Exception):  # noqa: N818 - it says what is the matter
    """More payloads than may wait."""


class LinkSession:
    """Speaks with one other station: user data, confirmations, retries, keep-alive.

    Give it what comes and call `tick` at `deadline`; do what each `Turn` says.
    Times are seconds of any clock that only goes forward.
    One session lives as long as its channel: a new connection begins with a new one.

    full:   set where there is no room for user data; the other side is told (DFC).
    counts: frames that were left, by reason: `address` (for another station, or from one),
            `direction` (a master's where an outstation's was due, or the reverse), `fcv`,
            `unexpected` (an answer to nothing, or a broadcast that wants an answer),
            `repeated` (user data that had come already), `retries`, `unsupported`.
    """

    def __init__(self, settings: LinkSettings, now: float) -> None:
        self.settings = settings
        self.full = False
        self.counts: Counter[str] = Counter()
        self._primary = Primary(settings)
        self._secondary = Secondary()
        self._unconfirmed = Control(Function.UNCONFIRMED_USER_DATA, settings.master)
        self._heard = now

    @property
    def waiting(self) -> int:
        """Payloads and questions that are not through yet."""
        return self._primary.waiting

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before; None for never."""
        keep_alive = self.settings.keep_alive
        if keep_alive is None or not self._primary.idle:
            return self._primary.deadline
        return self._heard + keep_alive

    def send(self, data: bytes, now: float, destination: int | None = None) -> Turn:
        """Send user data, 1..250 octets, to the other side or, where it is a broadcast, to all.

        What is not confirmed leaves at once, whatever else is waited for.
        Raises LinkFull, and ValueError for what no frame can carry.
        """
        if not 1 <= len(data) <= DATA:
            raise ValueError(f"{len(data)} octets of user data, not 1..{DATA}")
        if destination is not None and (broadcast(destination) is None or not self.settings.master):
            raise ValueError(f"destination {destination}: only a master sends, to 65533..65535")
        if self.settings.confirmed and destination is None:
            return self._add(Job(Function.CONFIRMED_USER_DATA, data), now)
        to = self.settings.remote if destination is None else destination
        frame = Frame(self._unconfirmed, to, self.settings.local, data)
        return Turn(frames=[frame], sent=1)

    def ask(self, now: float, function: Function = Function.REQUEST_LINK_STATUS) -> Turn:
        """Ask whether the other side is there; the answer is the event ALIVE or SILENT.

        Raises LinkFull, and ValueError for other functions than this one and TEST_LINK_STATES.
        """
        if function not in QUESTIONS:
            raise ValueError(f"{function.name} asks nothing")
        return self._add(Job(function), now)

    def receive(self, frame: Frame, now: float) -> Turn:
        """Take a frame that came."""
        turn = Turn()
        settings = self.settings
        control, destination, source, data = frame
        to_all = broadcast(destination)
        mine = destination == settings.local or (
            not settings.master
            and (to_all is not None or (settings.self_address and destination == SELF))
        )
        if not mine or source != settings.remote:
            self.counts["address"] += 1
        elif control.dir == settings.master:
            self.counts["direction"] += 1
        elif not control.prm:
            self._heard = now
            if not self._primary.answer(control, now, turn):
                self.counts["unexpected"] += 1
        elif control.fcv != (control.function in COUNTED):
            self.counts["fcv"] += 1
        elif to_all is not None and control.function != Function.UNCONFIRMED_USER_DATA:
            self.counts["unexpected"] += 1
        else:
            self._heard = now
            self._reply(control, Payload(data, to_all), turn)
        return turn

    def tick(self, now: float) -> Turn:
        """Do what is due by now: say again, give up, keep alive."""
        turn = Turn()
        keep_alive = self.settings.keep_alive
        if not self._primary.idle:
            self._primary.expire(now, turn)
            self.counts["retries"] += len(turn.frames)
            if self._primary.idle:
                # Given up: silence is asked about again after the interval, not at once.
                self._heard = now
        elif keep_alive is not None and now >= self._heard + keep_alive:
            self._primary.add(Job(Function.REQUEST_LINK_STATUS), now, turn)
        return turn

    def _add(self, job: Job, now: float) -> Turn:
        if self._primary.waiting >= self.settings.queue:
            raise LinkFull(f"{self._primary.waiting} payloads wait already")
        turn = Turn()
        self._primary.add(job, now, turn)
        return turn

    def _reply(self, control: Control, payload: Payload, turn: Turn) -> None:
        reply = self._secondary.take(control, self.full)
        if reply.deliver:
            turn.received.append(payload)
        elif control.function in WITH_DATA and reply.function == Function.ACK:
            self.counts["repeated"] += 1
        if control.function == Function.RESET_LINK_STATES:
            turn.events.append(LinkEvent.RESET)
        if reply.function is None:
            return
        if reply.function == Function.NOT_SUPPORTED:
            self.counts["unsupported"] += 1
        answer = Control(reply.function, self.settings.master, fcv=self.full)
        turn.frames.append(Frame(answer, self.settings.remote, self.settings.local))
