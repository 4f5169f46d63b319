"""What an operator is told of a link."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class State(StrEnum):
    """Of a link: not yet connected, works, broken and tried again, ended with the gateway."""

    STARTING = "starting"
    UP = "up"
    DOWN = "down"
    STOPPED = "stopped"


@dataclass(slots=True)
class LinkStatus:
    """The state of one link.

    since:    wall-clock ns of the last change of state.
    error:    why it is down, empty while it is up.
    detail:   what the link said when it came up.
    counters: what it counted since the gateway started.
    """

    name: str
    type: str
    direction: Literal["source", "sink"]
    state: State = State.STARTING
    since: int = 0
    error: str = ""
    detail: str = ""
    counters: Counter[str] = field(default_factory=Counter)
