"""The port, taken before anything that costs time."""

from __future__ import annotations

import socket


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, not listening yet; raises OSError.

    Done before anything that costs time: a port that is taken is said at once.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, for asyncio sends small pieces at once only over sockets that say they are TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
