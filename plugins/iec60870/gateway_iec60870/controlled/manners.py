"""How a controlled station behaves, whatever carries its ASDUs."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_iec60870.asdu import Sizes
from gateway_iec60870.zone import Zone


@dataclass(frozen=True, slots=True)
class Manners:
    """The settings of a controlled station; times are in seconds.

    ca:                 common address of points that name none.
    zone:               of the civil time in the time tags.
    background:         period of the background scan; None for never.
    interrogation_wait: most that an interrogation waits for the events before it.
    command_timeout:    within which a command is answered; None for the times of its point.
    command_window:     how far the time of a command may be from the gateway's.
    restart:            whether the controlling station may restart the link (C_RP).
    farewell:           in which the confirmation of a restart leaves.
    """

    sizes: Sizes = field(default_factory=Sizes)
    ca: int | None = None
    zone: Zone = field(default_factory=Zone)
    background: float | None = None
    interrogation_wait: float = 5.0
    command_timeout: float | None = None
    command_window: float = 30.0
    restart: bool = False
    farewell: float = 0.1
