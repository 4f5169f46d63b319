"""uvicorn inside the link: at a socket of ours, without signals, state or logs of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Generator

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway_console.guard import Guard
from gateway_console.site import Site

GRACE = 2
"""Seconds that requests under way have when the link ends."""
GREETING = 10.0
"""Seconds in which a client must have asked for something."""
KEEP_ALIVE = 30
"""Seconds for which a connection without requests is kept."""
LONGEST_HEADERS = 32_768
"""Bytes of a request's line and headers."""
LARGEST_MESSAGE = 2**20
"""Bytes of a message of a web socket."""


class Peer:
    """The connection that a request came by."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        self.certificate: bytes | None = None if tls is None else tls.getpeercert(binary_form=True)

    def abort(self) -> None:
        """Drop the connection, and what waits to be sent."""
        self._transport.abort()


def protocol(site: Site) -> type[H11Protocol]:
    """Return the protocol of one console's connections."""

    class Protocol(H11Protocol):
        """Drops who is too many, or does not come to the point; tells requests their peer."""

        _alarm: asyncio.TimerHandle | None = None
        _stalled: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.app_state = {**self.app_state, "peer": Peer(transport)}
            super().connection_made(transport)
            if len(self.connections) > site.console.max_clients or self._crowds():
                site.ctx.count("clients_refused")
                transport.abort()
            else:
                self._arm()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._disarm()
            elif self._alarm is None and not self.transport.is_closing():
                self._arm()

        def pause_writing(self) -> None:
            super().pause_writing()
            if self._stalled is None:
                stall = site.console.stream_stall
                self._stalled = self.loop.call_later(stall, self._takes_nothing)

        def resume_writing(self) -> None:
            self._flows()
            super().resume_writing()

        def timeout_keep_alive_handler(self) -> None:
            # A close would wait for who does not take the end of the answer.
            if self.transport.get_write_buffer_size():
                self._takes_nothing()
            else:
                super().timeout_keep_alive_handler()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            self._flows()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            # The web socket's own protocol has the connection from here on.
            self._disarm()
            super().handle_websocket_upgrade(event)
            self._disarm()

        def _crowds(self) -> bool:
            """Say whether one address has more than half of all connections."""
            host = self.client[0] if self.client else ""
            if not host or ipaddress.ip_address(host.partition("%")[0]).is_loopback:
                return False
            peers = [getattr(one, "client", None) for one in self.connections]
            mine: int = sum(peer is not None and peer[0] == host for peer in peers)
            return mine > max(1, site.console.max_clients // 2)

        def _flows(self) -> None:
            if self._stalled is not None:
                self._stalled.cancel()
                self._stalled = None

        def _takes_nothing(self) -> None:
            site.ctx.count("slow_clients")
            self.transport.abort()

        def _arm(self) -> None:
            self._alarm = self.loop.call_later(GREETING, self._silent)

        def _disarm(self) -> None:
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None

        def _silent(self) -> None:
            site.ctx.count("silent_clients")
            self.transport.abort()

    return Protocol


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Signals are the gateway's.
        yield


@contextlib.asynccontextmanager
async def listening(
    app: FastAPI, site: Site, bound: socket.socket, tls: ssl.SSLContext | None
) -> AsyncIterator[str]:
    """Serve the app at a bound socket for the length of the block; gives the address.

    An end that is not graceful within `GRACE` seconds is abrupt.
    """
    # Its lines about starting and ending are the host's to write.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        Guard(app, site),
        loop="none",
        http=protocol(site),
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=LARGEST_MESSAGE,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
        ssl_context_factory=None if tls is None else lambda config, default: tls,
    )
    host, port = bound.getsockname()[:2]
    server = _Server(config)
    serving = asyncio.create_task(server.serve([bound]), name=f"{site.ctx.name} http")
    try:
        while not server.started:
            if serving.done():
                serving.result()
            await asyncio.sleep(0.01)
        yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    finally:
        site.hub.close()
        server.should_exit = True
        await asyncio.wait([serving], timeout=GRACE + 1)
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        serving.cancel()
        await asyncio.wait([serving], timeout=GRACE)
