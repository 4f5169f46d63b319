"""What a session wants done after each call."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from gateway_iec60870.apci.frame import Frame


class State(Enum):
    """Where data transfer stands (IEC 60870-5-104:2006, 5.3 and the figures of its states).

    STOPPED:  only U frames pass; every connection begins so.
    STARTING: controlling station: STARTDT act is sent, its con is due.
    STARTED:  I frames pass in both directions.
    STOPPING: STOPDT act is sent, or has come, and its con is due: what was sent before is still
              received and acknowledged, nothing new is sent.
    CLOSED:   the connection is to be closed, `Turn.broken` has said why.
    """

    STOPPED = auto()
    STARTING = auto()
    STARTED = auto()
    STOPPING = auto()
    CLOSED = auto()


class Event(Enum):
    """What has happened.

    STARTED:  data transfer may begin: STARTDT con has come, or leaves with this turn.
    STOPPING: controlled station: the other side wants to stop (STOPDT act) and waits for what is
              not acknowledged: confirm what has come, nothing more may be sent.
    STOPPED:  STOPDT con has come, or leaves with this turn.
    TESTED:   the other side has answered a test frame.
    """

    STARTED = auto()
    STOPPING = auto()
    STOPPED = auto()
    TESTED = auto()


@dataclass(slots=True)
class Turn:
    """Frames to send, in their order, and what has come.

    frames:       octets of whole APDUs; they may be joined for one write.
    received:     ASDUs that came, in their order; `confirm` them when they are in custody.
    acknowledged: how many more of our ASDUs, oldest first, the other side has acknowledged.
    events:       what has happened, in its order.
    heard:        all frames that came, for a trace.
    unreadable:   octets that came and are no APDU, for a trace.
    broken:       why the connection must be closed, a sentence; empty where it need not be.
    """

    frames: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    acknowledged: int = 0
    events: list[Event] = field(default_factory=list)
    heard: list[Frame] = field(default_factory=list)
    unreadable: bytes = b""
    broken: str = ""
