"""What a link session wants done after each call."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from gateway_dnp3.link.address import Broadcast
from gateway_dnp3.link.frame import Frame


class LinkEvent(Enum):
    """What became known of the other side.

    ALIVE:  it answered a request for its link status, or a test.
    SILENT: it did not answer, retries included.
    RESET:  it has reset the link states: it may have restarted.
    FAILED: user data was given up, because it is silent or takes none; the queue is empty.
    """

    ALIVE = auto()
    SILENT = auto()
    RESET = auto()
    FAILED = auto()


class Payload(NamedTuple):
    """User data of one frame, a transport segment; `broadcast` where it was for everybody."""

    data: bytes
    broadcast: Broadcast | None = None


@dataclass(slots=True)
class Turn:
    """Frames to send in their order, payloads that came, and what became of those to send.

    sent: payloads that have left: with `confirmed`, that the other side has.
    lost: payloads that were given up.
    """

    frames: list[Frame] = field(default_factory=list)
    received: list[Payload] = field(default_factory=list)
    sent: int = 0
    lost: int = 0
    events: list[LinkEvent] = field(default_factory=list)
