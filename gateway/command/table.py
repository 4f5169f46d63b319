"""The states of a commanded point, and every transition between them.

Theory of operation.
A point is free, or one client holds it. A request (`Operation`) is looked up in `ASKED`, for the
client that holds the point or anybody where it is free, and in `ASKED_BY_OTHERS` for the rest: the
entry is the next state, or the status with which the request is refused and nothing changes.
What follows (`Event`) is looked up in `HAPPENED`; a pair that is not there cannot happen.

    free ─select─▶ selecting ─accepted─▶ selected ─execute─▶ operating ─accepted─▶ indicating
      └─────────────────────────direct──────────────────────────▲                      │
      ◀──────────── refused, timed out, indicated ──────────────┴──────────────────────┘

A select that the gateway holds itself is accepted at once; one that the device holds, too, is
accepted by the device. The same goes for the cancel that ends a selection, asked for by the client
or by the gateway when the selection expired, when its client left, or when the execute was refused:
one select, one execute. `indicating` lasts no time where a point has no feedback.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gateway.model.command import CommandStatus, Operation


class State(StrEnum):
    """Of a commanded point."""

    FREE = "free"
    SELECTING = "selecting"
    SELECTED = "selected"
    OPERATING = "operating"
    INDICATING = "indicating"
    CANCELLING = "cancelling"


class Event(StrEnum):
    """What happens to a point that somebody holds."""

    ACCEPTED = "accepted"
    """By the device, or by the gateway in its place."""
    REFUSED = "refused"
    """By the device, or by a check."""
    TIMED_OUT = "timed_out"
    """The device did not answer, or the indication did not come."""
    INDICATED = "indicated"
    EXPIRED = "expired"
    """The selection was held for too long."""
    RELEASED = "released"
    """The client left."""


_BUSY = (State.SELECTING, State.OPERATING, State.INDICATING, State.CANCELLING)

_WHILE_BUSY: dict[tuple[State, Operation], State | CommandStatus] = dict.fromkeys(
    itertools.product(_BUSY, Operation), CommandStatus.ALREADY_ACTIVE
)

ASKED: Mapping[tuple[State, Operation], State | CommandStatus] = MappingProxyType(
    _WHILE_BUSY
    | {
        (State.FREE, Operation.SELECT): State.SELECTING,
        (State.FREE, Operation.EXECUTE): CommandStatus.NO_SELECT,
        (State.FREE, Operation.CANCEL): CommandStatus.NO_SELECT,
        (State.FREE, Operation.DIRECT): State.OPERATING,
        (State.SELECTED, Operation.SELECT): State.SELECTING,
        (State.SELECTED, Operation.EXECUTE): State.OPERATING,
        (State.SELECTED, Operation.CANCEL): State.CANCELLING,
        (State.SELECTED, Operation.DIRECT): State.OPERATING,
    }
)
"""What becomes of a request for a free point, or of one by the client that holds it."""

ASKED_BY_OTHERS: Mapping[State, CommandStatus] = MappingProxyType(
    {State.SELECTED: CommandStatus.SELECTED_BY_OTHER}
    | dict.fromkeys(_BUSY, CommandStatus.ALREADY_ACTIVE)
)
"""What becomes of any request by somebody else."""

HAPPENED: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.SELECTING, Event.ACCEPTED): State.SELECTED,
        (State.SELECTING, Event.REFUSED): State.FREE,
        (State.SELECTING, Event.TIMED_OUT): State.FREE,
        (State.SELECTED, Event.REFUSED): State.CANCELLING,
        (State.SELECTED, Event.EXPIRED): State.CANCELLING,
        (State.SELECTED, Event.RELEASED): State.CANCELLING,
        (State.OPERATING, Event.ACCEPTED): State.INDICATING,
        (State.OPERATING, Event.REFUSED): State.FREE,
        (State.OPERATING, Event.TIMED_OUT): State.FREE,
        (State.INDICATING, Event.INDICATED): State.FREE,
        (State.INDICATING, Event.TIMED_OUT): State.FREE,
        (State.CANCELLING, Event.ACCEPTED): State.FREE,
        (State.CANCELLING, Event.REFUSED): State.FREE,
        (State.CANCELLING, Event.TIMED_OUT): State.FREE,
    }
)
"""What becomes of a point that somebody holds."""
