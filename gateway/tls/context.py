"""The context that a link hands to whatever opens its sockets, and the sessions it makes."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable
from typing import Any

from gateway.model.errors import reason
from gateway.model.fields import seconds_text

_LATER = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError, ssl.SSLEOFError)
_FAREWELLS = ("APPLICATION_DATA_AFTER_CLOSE_NOTIFY", "PROTOCOL_IS_SHUTDOWN")
"""What is said of a session that both sides are done with."""


class _Session:
    """What is added to the library's sessions: an end, and a word on what was refused."""

    context: ssl.SSLContext
    server_side: bool
    _ends = math.inf

    def _greeted(self) -> None:
        if isinstance(self.context, Context) and self.context.limit is not None:
            self._ends = self.context.clock() + self.context.limit

    def _failed(self, error: ssl.SSLError) -> None:
        over = isinstance(error, _LATER) or getattr(error, "reason", "") in _FAREWELLS
        if isinstance(self.context, Context) and not over:
            self.context.refused(reason(error))

    def _check(self) -> None:
        if self._ends < math.inf and isinstance(self.context, Context):
            assert self.context.limit is not None  # noqa: S101 - it gave the end
            if self.context.clock() >= self._ends:
                limit = seconds_text(self.context.limit)
                raise ssl.SSLError(
                    ssl.SSL_ERROR_SSL, f"the session is older than its limit of {limit}"
                )


class SessionObject(_Session, ssl.SSLObject):
    """A session of asyncio's transports."""

    context: ssl.SSLContext
    server_side: bool

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            # What a client is refused for, its link says itself.
            if self.server_side:
                self._failed(error)
            raise
        self._greeted()

    def read(self, *args: Any) -> Any:
        self._check()
        try:
            return super().read(*args)
        except ssl.SSLError as error:
            # With TLS 1.3 a client hears here that it was refused, and libraries swallow it.
            self._failed(error)
            raise

    def write(self, data: Any) -> int:
        self._check()
        return super().write(data)


class SessionSocket(_Session, ssl.SSLSocket):
    """A session of a library that has sockets of its own."""

    context: ssl.SSLContext
    server_side: bool

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        self._greeted()

    def read(self, *args: Any) -> Any:
        self._check()
        return super().read(*args)

    def send(self, *args: Any) -> int:
        self._check()
        return super().send(*args)


class Context(ssl.SSLContext):
    """A context of the library's, with three things more.

    successor: made of renewed files; handshakes use it from then on, sessions stay as they are.
    name:      in the other side's certificate, where it is not the host.
    limit:     seconds that a session may last, on `clock`.
    refused:   is told why somebody was not let in.
    """

    sslobject_class = SessionObject
    sslsocket_class = SessionSocket

    successor: Context | None = None
    name: str | None = None
    limit: float | None = None
    clock: Callable[[], float] = staticmethod(time.monotonic)
    refused: Callable[[str], None] = staticmethod(lambda why: None)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        if self.successor is not None:
            return self.successor.wrap_bio(
                incoming, outgoing, server_side, server_hostname, session
            )
        name = server_hostname if server_side else self.name or server_hostname
        return super().wrap_bio(incoming, outgoing, server_side, name, session)

    def wrap_socket(self, *args: Any, **more: Any) -> ssl.SSLSocket:
        if self.successor is not None:
            return self.successor.wrap_socket(*args, **more)
        if self.name is not None and not more.get("server_side"):
            more["server_hostname"] = self.name
        return super().wrap_socket(*args, **more)
