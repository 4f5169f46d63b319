"""An APDU in words, for who looks at a trace."""

from __future__ import annotations

from collections.abc import Callable

from gateway_iec60870.apci.error import ApciError
from gateway_iec60870.apci.frame import IFrame, decode


def describe(data: bytes, asdu: Callable[[bytes], str]) -> str:
    """Return the APDU, and what `asdu` says of the ASDU in it; of what is none, why not."""
    try:
        frame = decode(data)
    except ApciError as error:
        return f"no APDU: {error}"
    if isinstance(frame, IFrame):
        return f"I({frame.send},{frame.receive}) {asdu(frame.asdu)}"
    return str(frame)
