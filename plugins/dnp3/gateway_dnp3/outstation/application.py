"""What an outstation's session needs of whoever it works for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gateway_dnp3.app import Iin
from gateway_dnp3.objects import AnalogOutput, Crob


class ControlOperation(Enum):
    """What is wanted of the outputs of a request."""

    SELECT = "select"
    OPERATE = "operate"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """The controls of one request, in its order; answered with `Session.operated`."""

    operation: ControlOperation
    commands: Sequence[Crob | AnalogOutput] = field(default_factory=tuple)


class Application(Protocol):
    """What stands behind a session; called on its thread, and to return at once."""

    def send(self, fragment: bytes) -> None:
        """Send a fragment to the master."""

    def operate(self, controls: Controls) -> None:
        """Carry controls out, and tell the session with `operated` how each ended."""

    def release(self, controls: Controls) -> None:
        """Give back what these controls have selected."""

    def refused(self, controls: Controls, status: int, why: str) -> None:
        """Take note of controls that the session refused itself."""

    def time_written(self, ms: int, delay: float | None) -> None:
        """Take note of the master's time, in ms since 1970 UTC.

        It held when the request came, or `delay` seconds before, where the master said so.
        """

    def restart(self, *, cold: bool) -> int | None:
        """Restart soon, and return in how many ms the outstation is back; None: it does not."""

    def indications(self) -> Iin:
        """Return the indications that are not the session's own: trouble, local control."""
