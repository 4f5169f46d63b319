"""What plugins are tested with: a gateway in a test, links in memory, a paused clock."""

from gateway.model.access import AccessSettings
from gateway.model.configuration import CommandSettings
from gateway.testing.clock import PausedClock, advance, held, paused, run_paused
from gateway.testing.links import Collector, Emitter, Row
from gateway.testing.port import free_port, free_ports
from gateway.testing.running import Running, configured, running
from gateway.testing.waves import Sampler, circuit
from gateway.testing.wireshark import dissected

__all__ = [
    "AccessSettings",
    "Collector",
    "CommandSettings",
    "Emitter",
    "PausedClock",
    "Row",
    "Running",
    "Sampler",
    "advance",
    "circuit",
    "configured",
    "dissected",
    "free_port",
    "free_ports",
    "held",
    "paused",
    "run_paused",
    "running",
]
