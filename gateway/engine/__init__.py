"""What runs: links under supervision, the image, the feeds, custody. Start at `Engine`."""

from gateway.engine.clock import Clock
from gateway.engine.engine import Engine
from gateway.engine.status import LinkStatus, State

__all__ = ["Clock", "Engine", "LinkStatus", "State"]
