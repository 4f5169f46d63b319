"""A line in a model of its own: octets take time, get lost, are damaged, doubled and held up.

What it does to frames it does in order: whatever is late holds up what comes after it, as on a wire
or a connection. Sessions are run on it by events; nothing sleeps.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gateway_iec60870.ft12 import Frame, Reader, Turn, encode

OCTET = 11 / 9600
"""Seconds of one octet at 9600 bit/s, with start, parity and stop bit."""
IDLE = 0.05
AWKWARD = b"\xe5\x10\x68\x16\x00\xff"
"""Octets of ASDUs that look like parts of frames."""


@dataclass
class Faults:
    """Probabilities of what happens to a frame on its way to one end."""

    lost: float = 0.0
    damaged: float = 0.0
    cut: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    noise: float = 0.0


class Field:
    """The clock and what is to happen when."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.chance = random.Random(seed)
        self.faults = faults
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Do something then."""
        heapq.heappush(self._events, (max(when, self.now), next(self._number), what))

    def run(self, done: Callable[[], bool], until: float) -> None:
        """Go on until it is done, and no longer than that."""
        while not done():
            when, _, what = heapq.heappop(self._events)
            assert when <= until, f"not done at {until:g} s"
            self.now = when
            what()


@dataclass
class End:
    """One station's end of the line.

    turnaround: seconds of silence before it speaks.
    doubles:    whether these octets may be doubled on their way here.
    """

    field: Field
    session: Any
    turnaround: float = 0.0
    take: Callable[[Turn], None] = lambda turn: None
    doubles: Callable[[bytes], bool] = lambda data: True
    octets: int = 1
    others: list[End] = field(default_factory=list)
    reader: Reader = field(init=False)
    _quiet: float = 0.0  # since when it has heard nothing, and has said nothing
    _arrives: float = 0.0  # when the latest of what is on its way here does
    _came: int = 0
    _writing: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = Reader(self.octets)
        self.field.at(0.0, self.wake)

    def carry_out(self, turn: Turn) -> None:
        """Do what the session wants."""
        idle = not self._writing
        self._writing += turn.frames
        if idle and self._writing:
            self.field.at(self.field.now, self._begin)
        self.take(turn)
        self._plan()

    def wake(self) -> None:
        """Let the session do what is due."""
        deadline = self.session.deadline
        if deadline is None or deadline > self.field.now:
            return
        if self.reader.held:
            # It may be what is overdue; silence ends it.
            self.field.at(self.field.now + IDLE, self.wake)
        else:
            self.carry_out(self.session.tick(self.field.now))

    def _plan(self) -> None:
        deadline = self.session.deadline
        if deadline is not None:
            self.field.at(deadline, self.wake)

    def _begin(self) -> None:
        now = self.field.now
        if self.turnaround and now < self._quiet + self.turnaround:
            self.field.at(self._quiet + self.turnaround, self._begin)
            return
        frame = self._writing[0]
        self.session.leaves(frame)
        data = encode(frame, self.octets)
        done = now + len(data) * OCTET
        self._quiet = max(self._quiet, done)
        for other in self.others:
            other.hear(data, done)
        self.field.at(done, lambda: self._sent(frame))

    def _sent(self, frame: Frame) -> None:
        self._writing.pop(0)
        if self._writing:
            self._begin()
        self.carry_out(self.session.sent(frame, self.field.now))

    def hear(self, data: bytes, when: float) -> None:
        """Have octets under way that leave at `when`."""
        chance, faults = self.field.chance, self.field.faults

        def happens(probability: float) -> bool:
            return chance.random() < probability

        copies = 1 + (happens(faults.doubled) and self.doubles(data))
        delay = chance.uniform(0.0, 3.0) if happens(faults.late) else 0.002
        if happens(faults.lost):
            copies -= 1
        for copy in range(copies):
            octets = bytearray(data)
            if happens(faults.damaged):
                octets[chance.randrange(len(octets))] ^= chance.randrange(1, 256)
            if happens(faults.cut):
                at = chance.randrange(len(octets))
                del octets[at : at + chance.randrange(1, 4)]
            if happens(faults.noise):
                # A single character has no check: no protocol could tell it from noise.
                noise = chance.randbytes(chance.randrange(1, 5))
                octets[:0] = noise.replace(b"\xe5", b"\xe6")
            begin = max(self._arrives, when + delay - len(octets) * OCTET)
            if copy == 0:
                self._arrives = begin + len(octets) * OCTET
            arrives = self._arrives
            self.field.at(begin, lambda arrives=arrives: self._busy(arrives))
            self.field.at(arrives, lambda octets=bytes(octets): self._hear(octets))

    def _busy(self, until: float) -> None:
        self._quiet = max(self._quiet, until)

    def _hear(self, octets: bytes) -> None:
        now = self.field.now
        self._quiet = max(self._quiet, now)
        self._came += 1
        came = self._came
        self.field.at(now + IDLE, lambda: self._silence(came))
        for frame in self.reader.feed(octets):
            self.carry_out(self.session.receive(frame, now))

    def _silence(self, came: int) -> None:
        if came == self._came:
            for frame in self.reader.flush():
                self.carry_out(self.session.receive(frame, self.field.now))


class Sender:
    """An application that has numbers to send, in order, and says those again that were lost.

    ends: how many lives have ended for it.
    """

    def __init__(self, end: End, association: Any, numbers: int, group: int = 1) -> None:
        self.left = list(range(numbers))
        self.out: list[int] = []
        self.ends = 0
        self._end = end
        self._association = association
        self._group = group
        self.feed()

    @property
    def done(self) -> bool:
        """Whether all are acknowledged."""
        return not self.left and not self.out

    def take(self, turn: Turn) -> None:
        """Hear what became of those that are out."""
        first = self._group == 1
        del self.out[: turn.acknowledged if first else turn.acknowledged_2]
        if turn.broken:
            assert len(self.out) == (turn.lost if first else turn.lost_2)
            self.ends += 1
            self.left, self.out = self.out + self.left, []

    def feed(self) -> None:
        """Hand over some of those for which there is room, now and then."""
        field, chance = self._end.field, self._end.field.chance
        room = min(self._association.room(self._group), chance.randrange(1, 5))
        part, self.left = self.left[:room], self.left[room:]
        if part:
            self.out += part
            tail = bytes((self._group,))
            asdus = [
                bytes(chance.choices(AWKWARD, k=n % 40)) + n.to_bytes(2, "big") + tail for n in part
            ]
            self._end.carry_out(self._association.send(asdus, field.now, self._group))
        if self.left:
            field.at(field.now + chance.uniform(0.0, 0.5), self.feed)
        elif not self.done:
            field.at(field.now + 5.0, self.feed)


class Receiver:
    """An application that takes ASDUs into custody after a while, or refuses them.

    kept: the numbers in custody, by group of the sender.
    """

    def __init__(self, end: End, association: Any, refuses: float = 0.0) -> None:
        self.kept: dict[int, list[int]] = {1: [], 2: []}
        self._waiting: list[tuple[int, int]] = []
        self._end = end
        self._association = association
        self._refuses = refuses

    @property
    def done(self) -> bool:
        """Whether nothing waits to be decided."""
        return not self._waiting

    def take(self, turn: Turn) -> None:
        """Hear what came."""
        if not turn.received:
            return
        self._waiting += [(asdu[-1], int.from_bytes(asdu[-3:-1], "big")) for asdu in turn.received]
        assert len(self._waiting) == self._association.unconfirmed
        chance = self._end.field.chance
        wait = chance.uniform(0.0, 4.0) if chance.random() < 0.05 else chance.uniform(0.0, 0.02)
        self._end.field.at(self._end.field.now + wait, self._decide)

    def _decide(self) -> None:
        field, waiting = self._end.field, self._waiting
        self._waiting = []
        if waiting and field.chance.random() < self._refuses:
            self._end.carry_out(self._association.refuse(field.now))
        elif waiting:
            for group, number in waiting:
                self.kept[group].append(number)
            self._end.carry_out(self._association.confirm(len(waiting), field.now))
