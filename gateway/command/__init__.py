"""Commands as one audited transaction, from whoever asks to the source that owns the point."""

from gateway.command.desk import Desk
from gateway.command.order import Outbox
from gateway.command.preconditions import Preconditions

__all__ = ["Desk", "Outbox", "Preconditions"]
