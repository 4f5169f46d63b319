"""What a simulated device's outputs do to its inputs: a coil closes a breaker, after a while."""

from __future__ import annotations

from collections import deque
from typing import Annotated

from pydantic import Field

from gateway import Duration, Settings
from gateway_modbus.register import Register, Table


class Follows(Settings):
    """The output that a value follows."""

    table: Annotated[Table, Field(description="table of the output: coil or holding")] = Table.COIL
    address: Annotated[Register, Field(alias="register")]
    trip: Annotated[
        Register | None,
        Field(description="second output: while it is on it makes the value 0, the first one 1"),
    ] = None
    after: Annotated[Duration, Field(ge=0, description="how long the value takes to follow")] = 0.0


class Follower:
    """One value that follows outputs with a delay; `seconds` go forward from call to call."""

    def __init__(self, follows: Follows) -> None:
        self._after = follows.after
        self._last: tuple[float, float] = (0.0, 0.0)
        self._due: deque[tuple[float, float]] = deque()
        self._trips = follows.trip is not None

    def start(self, output: float, trip: float) -> float:
        """Return the value before anything was written."""
        self._last = output, trip
        return float(bool(output) and not trip) if self._trips else output

    def moved(self, seconds: float, output: float, trip: float) -> None:
        """Take note of the outputs after a write."""
        before, self._last = self._last, (output, trip)
        if (output, trip) == before:
            return
        if not self._trips:
            self._due.append((seconds + self._after, output))
        elif bool(output) != bool(trip):
            # Letting go of a pulse moves nothing; nor do both at once.
            self._due.append((seconds + self._after, float(bool(output))))

    def at(self, seconds: float) -> float | None:
        """Return what the value has become by now, or None where nothing is new."""
        found: float | None = None
        while self._due and self._due[0][0] <= seconds:
            found = self._due.popleft()[1]
        return found
