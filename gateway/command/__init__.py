"""Commands as one audited transaction, from whoever asks to the source that owns the point."""

from gateway.command.desk import Desk
from gateway.command.order import Outbox, Outcome
from gateway.command.preconditions import Preconditions
from gateway.command.record import Log
from gateway.command.target import targets

__all__ = ["Desk", "Log", "Outbox", "Outcome", "Preconditions", "targets"]
