"""The session with a PMU or PDC: what is asked, and when; no I/O, the clock is the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from gateway import LinkError
from gateway.c37118 import Command, FrameKind

PAUSE = 0.1
"""Seconds between two commands: some devices read one at a time."""
LEAST_SILENCE = 2.0
SILENT_FRAMES = 5
"""Data are missing when there were none for so many frames, and for so many seconds."""

ASKING = {FrameKind.CONFIG_2: Command.SEND_CONFIG_2, FrameKind.CONFIG_3: Command.SEND_CONFIG_3}
NAMES = {FrameKind.CONFIG_2: "CFG-2", FrameKind.CONFIG_3: "CFG-3"}


@dataclass(frozen=True, slots=True)
class Manners:
    """How a device is treated.

    commands: whether it takes any; else it sends by itself.
    kinds:    of configuration, the one that is preferred first.
    timeout:  seconds for each answer; attempts: how often each is asked for.
    silence:  seconds without data after which they are missing; None: by the data rate.
    announce: seconds within which a configuration that nobody asks for has come.
    header:   whether the header frame is asked for.
    """

    commands: bool = True
    kinds: tuple[FrameKind, ...] = (FrameKind.CONFIG_2, FrameKind.CONFIG_3)
    timeout: float = 5.0
    attempts: int = 2
    silence: float | None = None
    announce: float = 90.0
    header: bool = False


class Phase(Enum):
    """Where a session stands."""

    STOPPING = auto()  # the data that somebody may have left on
    GREETING = auto()  # the header is asked for
    ASKING = auto()
    STARTING = auto()
    STREAMING = auto()
    LISTENING = auto()  # for a configuration that comes by itself


class Session:
    """Asks for the configuration, has data sent, and watches over both.

    Tell it what came, and `tick` when `deadline` is over; then send what `outgoing` returns, one
    frame each.  Raises LinkError where the device is silent.  Times in s, monotonic.
    """

    def __init__(self, manners: Manners, now: float) -> None:
        self.manners = manners
        self.phase = Phase.STOPPING if manners.commands else Phase.LISTENING
        self.kind: FrameKind | None = None
        """Of the configuration that counts."""
        self.timeouts = 0
        """Answers that did not come."""
        self._commands: list[Command] = [Command.STOP] if manners.commands else []
        self._due = now + (PAUSE if manners.commands else manners.announce)
        self._asked: float | None = None  # until when an answer is waited for beside the data
        self._wanted = 0  # index of the kind that is asked for
        self._left = 0  # attempts
        self._silence = LEAST_SILENCE
        self._changing = False
        self._answered = False  # with what cannot be used

    @property
    def deadline(self) -> float:
        """When `tick` is due."""
        return self._due if self._asked is None else min(self._due, self._asked)

    def outgoing(self) -> Sequence[Command]:
        """Return what is to be sent now."""
        commands, self._commands = self._commands, []
        return commands

    def takes(self, kind: FrameKind) -> bool:
        """Return whether a configuration of this kind counts: the preferred one, or no other is
        there, or it is of the kind that is."""
        kinds = self.manners.kinds
        return kind in kinds and self.kind in (None, kind, *kinds[kinds.index(kind) + 1 :])

    def configured(self, kind: FrameKind, rate: int, now: float) -> None:
        """Note that a configuration came and was taken; rate is its DATA_RATE."""
        self.kind = kind
        self._asked = None
        self._silence = self._silent_after(rate)
        if self.phase in (Phase.STARTING, Phase.STREAMING):
            return
        if self.manners.commands:
            self._begin(Phase.STARTING, now)
        else:
            self.phase, self._due = Phase.STREAMING, now + self._silence

    def unreadable(self, now: float) -> None:
        """Note that a configuration came that cannot be used: the next kind is asked for."""
        if self.phase is Phase.ASKING:
            self._left = 0
            self._due = now + PAUSE
            self._answered = True

    def data(self, changing: bool, now: float) -> None:
        """Note that data came; changing: STAT announces another configuration (bit 10)."""
        self.phase, self._due = Phase.STREAMING, now + self._silence
        # It is set before the change and cleared when that is done (table 7).
        if changing is not self._changing:
            self._changing = changing
            self.ask(now)

    def ask(self, now: float) -> None:
        """Ask for the configuration beside the data, unless that is under way."""
        if self.phase is Phase.STREAMING and self.manners.commands and self._asked is None:
            self._wanted = 0 if self.kind is None else self.manners.kinds.index(self.kind)
            self._left = self.manners.attempts
            self._ask_beside(now)

    def tick(self, now: float) -> None:
        """Do what is due; raises LinkError where nothing more can be done."""
        if self._asked is not None and now >= self._asked:
            self.timeouts += 1
            self._ask_beside(now)
        if now < self._due:
            return
        match self.phase:
            case Phase.STOPPING if self.manners.header:
                self._commands.append(Command.SEND_HEADER)
                self.phase, self._due = Phase.GREETING, now + PAUSE
            case Phase.STOPPING | Phase.GREETING:
                self._begin(Phase.ASKING, now)
            case Phase.ASKING | Phase.STARTING:
                self._again(now)
            case Phase.STREAMING:
                raise LinkError(f"no data for {self._silence:g} s")
            case Phase.LISTENING:
                raise LinkError(f"no configuration came within {self.manners.announce:g} s")

    def _silent_after(self, rate: int) -> float:
        if self.manners.silence is not None:
            return self.manners.silence
        period = 1 / rate if rate > 0 else float(-rate)
        return max(LEAST_SILENCE, SILENT_FRAMES * period)

    def _begin(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self._left = self.manners.attempts
        self._send(now)

    def _send(self, now: float) -> None:
        self._left -= 1
        starting = self.phase is Phase.STARTING
        kind = self.manners.kinds[self._wanted]
        self._commands.append(Command.START if starting else ASKING[kind])
        timeout = self.manners.timeout
        self._due = now + (max(timeout, self._silence) if starting else timeout)

    def _again(self, now: float) -> None:
        self.timeouts += not self._answered
        self._answered = False
        if self._left > 0:
            self._send(now)
        elif self.phase is Phase.STARTING:
            raise LinkError("it sends no data after it was turned on")
        elif self._wanted + 1 < len(self.manners.kinds):
            self._wanted += 1
            self._begin(Phase.ASKING, now)
        else:
            kinds = " nor ".join(NAMES[kind] for kind in self.manners.kinds)
            raise LinkError(
                f"it gives no configuration: neither {kinds}, asked for "
                f"{self.manners.attempts} times each, {self.manners.timeout:g} s"
            )

    def _ask_beside(self, now: float) -> None:
        if self._left <= 0:
            self._asked = None
            return
        self._left -= 1
        self._commands.append(ASKING[self.manners.kinds[self._wanted]])
        self._asked = now + self.manners.timeout
