"""Ports for servers under test that have to be named before they listen."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

BELOW = range(20_000, 32_000)
"""Below what systems give to outgoing connections, which would take a free port away again."""


def free_ports(count: int) -> list[int]:
    """Return so many different ports of the loopback at which nobody listens."""
    found: list[int] = []
    with ExitStack() as stack:
        for port in random.sample(BELOW, len(BELOW)):
            if len(found) == count:
                break
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found


def free_port() -> int:
    """Return a port of the loopback at which nobody listens."""
    return free_ports(1)[0]
