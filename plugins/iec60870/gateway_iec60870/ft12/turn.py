"""What a session of the link layer wants done after each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from gateway_iec60870.ft12.address import longest
from gateway_iec60870.ft12.frame import Frame

Asdu: TypeAlias = bytes | Callable[[], bytes]
"""An ASDU, or what makes it at each moment that it goes on the line: with the time of sending."""


def check_asdu(asdu: Asdu, octets: int) -> None:
    """Raise ValueError for an ASDU that no frame can carry; one that is still to be made passes."""
    if isinstance(asdu, bytes) and not 1 <= len(asdu) <= longest(octets):
        raise ValueError(f"an ASDU of {len(asdu)} octets, not 1..{longest(octets)}")


class LinkFull(Exception):  # noqa: N818 - it says what is the matter
    """More ASDUs than there is room for."""


class LinkEvent(Enum):
    """What became known of the other station.

    UP:     a life begins: the link has been reset.
    RESET:  balanced: it has reset its link to us; it may have restarted.
    SILENT: an unbalanced primary station has asked nothing for long.
    HEARD:  it asks again.
    """

    UP = auto()
    RESET = auto()
    SILENT = auto()
    HEARD = auto()


@dataclass(slots=True)
class Turn:
    """Frames to send in their order, and what became known of one other station, in this order:

    received:       ASDUs that came, to be confirmed or refused.
    acknowledged:   how many of ours it has now, oldest first; `acknowledged_2` those of class 2.
    broken:         the sentence why a life has ended, or "".
    lost:           how many of ours were given up with it: all that were not acknowledged;
                    `lost_2` those of class 2.
    doubtful:       whether the first of those was on the line: it may have arrived.
    events:         what else became known.
    station:        its link address.
    """

    frames: list[Frame] = field(default_factory=list)
    station: int = 0
    received: list[bytes] = field(default_factory=list)
    acknowledged: int = 0
    acknowledged_2: int = 0
    broken: str = ""
    lost: int = 0
    lost_2: int = 0
    doubtful: bool = False
    events: list[LinkEvent] = field(default_factory=list)
