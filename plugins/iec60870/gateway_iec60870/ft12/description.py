"""A frame of the format class FT1.2 in words, for who looks at a trace."""

from __future__ import annotations

from collections.abc import Callable

from gateway_iec60870.ft12.frame import (
    END,
    FIXED,
    SINGLE,
    SINGLE_CHARACTER,
    VARIABLE,
    FrameError,
    opened,
)


def describe(data: bytes, octets: int, asdu: Callable[[bytes], str]) -> str:
    """Return the frame, and what `asdu` says of the ASDU in it; of what is none, why not.

    octets: of the link address.
    """
    if data == bytes((SINGLE_CHARACTER,)):
        return str(SINGLE)
    start = 1 if data[:1] == bytes((FIXED,)) else 4
    inside = data[start:-2]
    shaped = data[:1] == bytes((FIXED,)) or (
        len(data) > 4 and data[0] == data[3] == VARIABLE and data[1] == data[2] == len(data) - 6
    )
    if not shaped or len(inside) < 1 + octets or data[-1] != END:
        return "no frame of FT1.2"
    try:
        frame = opened(inside, octets)
    except FrameError as error:
        return f"no frame: {error}"
    wrong = "" if sum(inside) & 0xFF == data[-2] else ", its checksum is wrong"
    what = f", {asdu(frame.asdu)}" if frame.asdu else ""
    return f"{frame._replace(asdu=b'')}{what}{wrong}"
