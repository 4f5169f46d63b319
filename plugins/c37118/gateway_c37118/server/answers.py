"""Commands and what they are answered with: a session without I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gateway.c37118 import (
    Command,
    Configuration,
    Frame,
    FrameKind,
    KernelError,
    decode_frame,
    find_frame,
)
from gateway_c37118.server.instants import SECOND

MOST = 1024
"""Octets of the longest frame that a client has reason to send."""
_CONFIGURATIONS = {
    Command.SEND_CONFIG_1: FrameKind.CONFIG_1,
    Command.SEND_CONFIG_2: FrameKind.CONFIG_2,
    Command.SEND_CONFIG_3: FrameKind.CONFIG_3,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command asks for: a frame, or data on or off; the note is for people."""

    command: Command
    frame: bytes = b""
    on: bool | None = None


class Answers:
    """Knows the stream, and answers commands (clause 6.6, table 15).

    counts: `commands`, and what was not one for us: `wrong_idcode`, `unknown_commands`,
            `bad_frames`.
    """

    def __init__(self, configuration: Configuration, header: str) -> None:
        self.counts: Counter[str] = Counter()
        self.configuration = configuration
        self._header = header.encode()

    def configured(self, kind: FrameKind, now: int) -> bytes:
        """Return the configuration as of now, ns since the Unix epoch."""
        second, rest = divmod(now, SECOND)
        fraction = rest * self.configuration.time_base // SECOND
        return self.configuration.encode(kind, second, fraction)

    def answer(self, frame: Frame, now: int) -> Answer | None:
        """Return the answer to a frame, or None for what asks for nothing."""
        if frame.kind is not FrameKind.COMMAND or len(frame.body) < 2:
            self.counts["unknown_commands"] += 1
            return None
        if frame.idcode != self.configuration.idcode:
            self.counts["wrong_idcode"] += 1
            return None
        try:
            command = Command(int.from_bytes(frame.body[:2], "big"))
        except ValueError:
            command = Command.EXTENDED
        if command is Command.EXTENDED:
            self.counts["unknown_commands"] += 1
            return None
        self.counts["commands"] += 1
        if command in _CONFIGURATIONS:
            return Answer(command, self.configured(_CONFIGURATIONS[command], now))
        if command is Command.SEND_HEADER:
            second, rest = divmod(now, SECOND)
            fraction = rest * self.configuration.time_base // SECOND
            text = Frame(
                FrameKind.HEADER, self.configuration.idcode, self._header, second, fraction
            )
            return Answer(command, text.encode())
        return Answer(command, on=command is Command.START)


class Reader:
    """Cuts frames from the octets of one client.

    bad: places where no frame was, or one that is too long, or whose check does not hold.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.bad = 0
        self._counts = counts
        self._octets = b""

    def feed(self, octets: bytes) -> list[tuple[Frame, bytes]]:
        """Return the frames that are whole, each with its octets; noise is passed over."""
        left = self._octets + octets
        found = []
        while left:
            try:
                made = _decoded(left)
            except KernelError:
                self.bad += 1
                self._counts["bad_frames"] += 1
                left = left[find_frame(left) :]
                continue
            if made is None:
                break
            frame, size = made
            found.append((frame, left[:size]))
            left = left[size:]
        self._octets = left
        return found


def _decoded(octets: bytes) -> tuple[Frame, int] | None:
    """Do as `decode_frame`, and take what is too long for noise."""
    size = int.from_bytes(octets[2:4], "big")
    if size > MOST:
        raise KernelError(0, f"a frame of {size} octets, allowed: {MOST}")
    return decode_frame(octets)
