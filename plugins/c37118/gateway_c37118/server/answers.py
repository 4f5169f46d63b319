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

MOST = 65_535
"""Octets of the longest frame: what waits for its end is never more."""
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
    """Cuts frames from the octets of one client."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._octets = bytearray()

    def feed(self, octets: bytes) -> list[tuple[Frame, bytes]]:
        """Return the frames that are whole, each with its octets; noise is passed over."""
        self._octets += octets
        found = []
        while self._octets:
            whole = bytes(self._octets)
            try:
                made = decode_frame(whole)
            except KernelError:
                self._counts["bad_frames"] += 1
                del self._octets[: find_frame(whole)]
                continue
            if made is None:
                break
            frame, size = made
            found.append((frame, whole[:size]))
            del self._octets[:size]
        return found
