"""A frame of C37.118.2 in words, for who looks at a trace."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.c37118 import Command, FrameKind, KernelError, decode_frame


def describe(data: bytes) -> str:
    """Return stream, time and length of a frame, and what a command asks for; else why it is none.

    Its kind stands in the note with which it is shown.
    """
    try:
        found = decode_frame(data)
    except KernelError as error:
        return f"no frame of C37.118: {error}"
    if found is None:
        return "a frame that is cut short"
    frame, _ = found
    words = f"idcode {frame.idcode}"
    if frame.kind is FrameKind.COMMAND and len(frame.body) >= 2:
        code = int.from_bytes(frame.body[:2], "big")
        words += f", {Command(code).name if code in list(Command) else f'command {code}'}"
    time = datetime.fromtimestamp(frame.second, UTC)
    return f"{words}, {time:%Y-%m-%dT%H:%M:%S} + {frame.fraction}, {len(data)} octets"
