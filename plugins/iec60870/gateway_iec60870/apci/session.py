"""One side of a connection, without I/O and without a clock of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import cast

from gateway_iec60870.apci.frame import (
    CONTROL,
    HEAD,
    MODULO,
    START,
    Frame,
    Function,
    IFrame,
    SFrame,
    UFrame,
    check_asdus,
    encode,
)
from gateway_iec60870.apci.numbers import Numbers
from gateway_iec60870.apci.reader import Reader
from gateway_iec60870.apci.settings import ApciSettings
from gateway_iec60870.apci.turn import Event, State, Turn
from gateway_iec60870.apci.watch import Watch

CONFIRMATION = {
    Function.STARTDT_ACT: Function.STARTDT_CON,
    Function.STOPDT_ACT: Function.STOPDT_CON,
    Function.TESTFR_ACT: Function.TESTFR_CON,
}
"""What answers each question."""

MASK = MODULO - 1

CARRYING = (State.STARTED, State.STOPPING)
"""When numbers may be acknowledged."""


class Session:
    """Speaks with the other station over one TCP connection (IEC 60870-5-104:2006, clause 5).

    Give it what comes and call `tick` at `deadline`; do what each `Turn` says.
    Times are seconds of any clock that only goes forward.
    N(R) of what is sent, in I and S frames alike, never passes what was confirmed: an ASDU that
    is not in custody is not acknowledged, and the other side keeps it.

    state:  see `State`.
    counts: `i_in`, `i_out`, `s_in`, `s_out`, `u_in`, `u_out` (frames), `tests` (TESTFR act sent),
            `unexpected` (con that was not asked for), `window_exceeded` (I frames that came
            although k of them were not acknowledged).
    """

    def __init__(self, settings: ApciSettings, *, controlling: bool, now: float) -> None:
        self.settings = settings
        self.controlling = controlling
        self.state = State.STOPPED
        self.counts: Counter[str] = Counter()
        self._reader = Reader()
        self._sent = Numbers()  # ours, settled by the N(R) that come
        self._came = Numbers()  # theirs, settled by the N(R) that are sent
        self._confirmed = 0  # of theirs
        self._watch = Watch(settings, self._sent, now)
        self._halted = False
        self._broken = ""

    @property
    def room(self) -> int:
        """ASDUs that may be sent now: 0 unless started."""
        if self.state is not State.STARTED:
            return 0
        return self.settings.k - self._sent.waiting

    @property
    def unacknowledged(self) -> int:
        """ASDUs that were sent and are not acknowledged by the other side."""
        return self._sent.waiting

    @property
    def unconfirmed(self) -> int:
        """ASDUs that came and were not confirmed."""
        return self._came.total - self._confirmed

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before; None for never."""
        return min(self._times(), default=None)

    def receive(self, data: bytes, now: float) -> Turn:
        """Take octets that came, cut anywhere."""
        turn = Turn(broken=self._broken)
        if turn.broken:
            return turn
        turn.heard = frames = self._reader.feed(data)
        if frames:
            self._watch.heard = now
        for kind, run in groupby(frames, type):
            if kind is IFrame:
                self._information(cast(Iterator[IFrame], run), now, turn)
            else:
                self._controls(run, turn)
            if turn.broken:
                return turn
        if self._reader.error is not None:
            turn.unreadable = self._reader.error.octets
            self._break(turn, str(self._reader.error))
        return turn

    def start(self, now: float) -> Turn:
        """Ask for data transfer (STARTDT act); the answer is the event STARTED.

        Raises ValueError unless this is the controlling station and STOPPED.
        """
        self._may(Function.STARTDT_ACT, State.STOPPED)
        turn = Turn()
        self._ask(turn, Function.STARTDT_ACT, now)
        self.state = State.STARTING
        return turn

    def stop(self, now: float) -> Turn:
        """End data transfer (STOPDT act); the answer is the event STOPPED.

        What is confirmed is acknowledged before; what comes until then is received and, when it
        is confirmed, acknowledged at once: the other side waits for that (5.3).
        Raises ValueError unless this is the controlling station and STARTED.
        """
        self._may(Function.STOPDT_ACT, State.STARTED)
        turn = self.acknowledge()
        self._ask(turn, Function.STOPDT_ACT, now)
        self.state = State.STOPPING
        return turn

    def halt(self) -> None:
        """Take data transfer for stopped without a word, where it is started: for a controlled
        station of which another connection of the same redundancy group was started (10.1).

        What was sent may still be acknowledged; I frames of the other side break the connection.
        """
        if self.state is State.STARTED:
            self.state = State.STOPPED
            self._halted = True

    def send(self, asdus: Sequence[bytes], now: float) -> Turn:
        """Send ASDUs of 1..249 octets, at most `room`; raises ValueError above, and sends none."""
        count = len(asdus)
        if count > self.room:
            raise ValueError(f"{count} ASDUs, not 0..{self.room} ({self.state.name})")
        check_asdus(asdus)
        turn = Turn()
        if not count:
            return turn
        pack, add, number = HEAD.pack, turn.frames.append, self._sent.total
        receive = (self._confirmed & MASK) << 1
        for asdu in asdus:
            add(pack(START, CONTROL + len(asdu), (number & MASK) << 1, receive) + asdu)
            number += 1
        self._sent.add(count, now)
        self._came.settle(self._confirmed)
        self.counts["i_out"] += count
        return turn

    def confirm(self, count: int, now: float) -> Turn:
        """Take note that the oldest `count` ASDUs that came are in custody: they may be
        acknowledged. Raises ValueError above `unconfirmed`.
        """
        if not 0 <= count <= self.unconfirmed:
            raise ValueError(f"{count} ASDUs confirmed, not 0..{self.unconfirmed}")
        self._confirmed += count
        if self.state is State.STOPPING:
            turn = self.acknowledge()
            self._settle_stop(turn)
            return turn
        late = self._late
        full = self._confirmed - self._came.settled >= self.settings.w
        return self.acknowledge() if full or (late is not None and now >= late) else Turn()

    def acknowledge(self) -> Turn:
        """Acknowledge at once what is confirmed (S frame), without waiting for w or t2."""
        turn = Turn()
        if self._owes:
            self._came.settle(self._confirmed)
            turn.frames.append(encode(SFrame(self._confirmed & MASK)))
            self.counts["s_out"] += 1
        return turn

    def test(self, now: float) -> Turn:
        """Test the connection (TESTFR act) unless a test is under way; the answer is TESTED."""
        turn = Turn(broken=self._broken)
        if not turn.broken and not self._watch.expects(Function.TESTFR_CON):
            self._ask(turn, Function.TESTFR_ACT, now)
            self.counts["tests"] += 1
        return turn

    def deafen(self, now: float) -> None:
        """Let t1 and t3 stand still: what comes is not read for a while."""
        if self._watch.deaf is None:
            self._watch.deaf = now

    def listen(self, now: float) -> None:
        """Let t1 and t3 go on: what comes is read again."""
        self._watch.listen(now)

    def tick(self, now: float) -> Turn:
        """Do what is due by now: acknowledge (t2), test (t3), give up (t1)."""
        turn = Turn(broken=self._broken)
        if turn.broken:
            return turn
        if missing := self._watch.overdue(now):
            self._break(turn, missing)
            return turn
        if (late := self._late) is not None and now >= late:
            turn = self.acknowledge()
        if self._watch.idle(now):
            turn.frames += self.test(now).frames
        return turn

    def close(self, why: str) -> None:
        """Take note that the connection has ended: nothing comes of any call any more."""
        if not self._broken:
            self._broken = why
        self.state = State.CLOSED

    @property
    def _owes(self) -> bool:
        """Whether an S frame could acknowledge anything, and may."""
        return self._confirmed > self._came.settled and self.state in CARRYING

    @property
    def _late(self) -> float | None:
        """When the oldest of theirs that may be acknowledged has waited for t2."""
        oldest = self._came.oldest
        return oldest + self.settings.t2 if self._owes and oldest is not None else None

    def _times(self) -> Iterator[float]:
        if self.state is State.CLOSED:
            return
        yield from self._watch.times()
        if (late := self._late) is not None:
            yield late

    def _may(self, act: Function, state: State) -> None:
        if not self.controlling or self.state is not state:
            who = "controlling" if self.controlling else "controlled"
            allowed = f"the controlling station sends it when {state.name}"
            raise ValueError(f"{act} of the {who} station when {self.state.name}: {allowed}")

    def _ask(self, turn: Turn, act: Function, now: float) -> None:
        self._watch.expect(CONFIRMATION[act], now)
        self._say(turn, act)

    def _say(self, turn: Turn, function: Function) -> None:
        turn.frames.append(encode(UFrame(function)))
        self.counts["u_out"] += 1

    def _break(self, turn: Turn, why: str) -> None:
        turn.broken = why
        self.close(why)

    def _information(self, run: Iterator[IFrame], now: float, turn: Turn) -> None:
        """Take I frames that came one after the other."""
        state = self.state
        if state is not State.STARTED and not (state is State.STOPPING and self.controlling):
            self._break(turn, f"an I frame when {state.name}, not only when {State.STARTED.name}")
            return
        received = turn.received
        before = len(received)
        expected = self._came.total & MASK
        known = -1
        for send, receive, asdu in run:
            if send != expected:
                self._break(turn, f"N(S) {send} of an I frame, not {expected}")
                break
            if receive != known:
                if not self._acknowledged(receive, turn):
                    break
                known = receive
            received.append(asdu)
            expected = (expected + 1) & MASK
        count = len(received) - before
        if not count:
            return
        self._came.add(count, now)
        self.counts["i_in"] += count
        over = self._came.waiting - self.settings.k
        if over > 0:
            self.counts["window_exceeded"] += min(over, count)

    def _controls(self, run: Iterable[Frame], turn: Turn) -> None:
        for frame in run:
            if isinstance(frame, UFrame):
                self.counts["u_in"] += 1
                self._unnumbered(frame.function, turn)
            else:
                self.counts["s_in"] += 1
                self._supervisory(cast(SFrame, frame), turn)
            if turn.broken:
                return

    def _supervisory(self, frame: SFrame, turn: Turn) -> None:
        if self.state in CARRYING or self._halted:
            if self._acknowledged(frame.receive, turn):
                self._settle_stop(turn)
        else:
            allowed = " or ".join(state.name for state in CARRYING)
            self._break(turn, f"an S frame when {self.state.name}, not {allowed}")

    def _acknowledged(self, receive: int, turn: Turn) -> bool:
        """Take an N(R) that came; returns whether it can be."""
        sent = self._sent
        more = (receive - sent.settled) & MASK
        if more > sent.waiting:
            allowed = f"{sent.settled & MASK}..{sent.total & MASK}"
            self._break(turn, f"N(R) {receive}, not {allowed}")
            return False
        if more:
            sent.settle(sent.settled + more)
            turn.acknowledged += more
        return True

    def _unnumbered(self, function: Function, turn: Turn) -> None:
        if function is Function.TESTFR_ACT:
            self._say(turn, Function.TESTFR_CON)
        elif function in CONFIRMATION:
            self._asked(function, turn)
        elif not self._watch.answered(function):
            self.counts["unexpected"] += 1
        elif function is Function.STARTDT_CON:
            self.state = State.STARTED
            turn.events.append(Event.STARTED)
        elif function is Function.STOPDT_CON:
            self.state = State.STOPPED
            turn.events.append(Event.STOPPED)
        else:
            turn.events.append(Event.TESTED)

    def _asked(self, act: Function, turn: Turn) -> None:
        """Answer STARTDT or STOPDT act (5.3, figure 17)."""
        if self.controlling:
            self._break(turn, f"{act} of the controlled station")
        elif act is Function.STARTDT_ACT:
            self._say(turn, Function.STARTDT_CON)
            if self.state is not State.STARTED:
                self.state = State.STARTED
                self._halted = False
                turn.events.append(Event.STARTED)
        elif self.state is State.STARTED or (self._halted and self._sent.waiting):
            self.state = State.STOPPING
            self._halted = False
            turn.frames += self.acknowledge().frames
            if not self._settle_stop(turn):
                turn.events.append(Event.STOPPING)
        elif self.state is State.STOPPED:
            self._halted = False
            self._say(turn, Function.STOPDT_CON)

    def _settle_stop(self, turn: Turn) -> bool:
        """Answer STOPDT act if it came and nothing waits for an acknowledgement any more."""
        if self.controlling or self.state is not State.STOPPING:
            return False
        if self._sent.waiting or self._came.waiting:
            return False
        self._say(turn, Function.STOPDT_CON)
        self.state = State.STOPPED
        turn.events.append(Event.STOPPED)
        return True
