"""Who is logged in: tokens that only their holders know, and the sessions that they stand for."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway import Client

TOKEN_BYTES = 32
"""256 bits, from the system's generator."""


class Way(StrEnum):
    """How a session's token travels.

    bearer: in the header Authorization, put there by a program.
    cookie: put there by a browser by itself, so that writes need the CSRF token as well.
    """

    BEARER = "bearer"
    COOKIE = "cookie"


@dataclass(slots=True, eq=False)
class Session:
    """One log-in.

    began, seen: seconds on the sessions' clock.
    csrf:        what a browser must say with every write.
    """

    client: Client
    way: Way
    began: float
    seen: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    ended: bool = False


class Full(Exception):  # noqa: N818 - there is no room
    """There are as many sessions as there may be."""


class Sessions:
    """All sessions of one console; of a token only its hash is kept.

    clock:  monotonic, in seconds.
    on_end: told of every session that ends: logged out, too old, idle for too long.
    """

    def __init__(
        self,
        *,
        idle: float,
        lasts: float,
        most: int,
        clock: Callable[[], float],
        on_end: Callable[[Session], None],
    ) -> None:
        self._idle = idle
        self._lasts = lasts
        self._most = most
        self._clock = clock
        self._on_end = on_end
        self._sessions: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, client: Client, way: Way) -> tuple[str, Session]:
        """Return the token of a new session, and the session; raises Full."""
        self.sweep()
        if len(self._sessions) >= self._most:
            raise Full
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock()
        session = Session(client, way, now, now)
        self._sessions[_hash(token)] = session
        return token, session

    def find(self, token: str, way: Way) -> Session | None:
        """Return the session of a token, which has been used now; None where there is none."""
        key = _hash(token)
        session = self._sessions.get(key)
        if session is None or session.way is not way:
            return None
        if self._over(session):
            self._end(key)
            return None
        session.seen = self._clock()
        return session

    def alive(self, session: Session) -> bool:
        """Return whether a session still stands; a look does not count as use."""
        return not session.ended and not self._over(session)

    def left(self, session: Session) -> float:
        """Return the seconds until a session ends, if it is used until then."""
        return session.began + self._lasts - self._clock()

    def close(self, session: Session) -> None:
        """End a session: its client logged out."""
        for key, one in self._sessions.items():
            if one is session:
                self._end(key)
                return

    def sweep(self) -> None:
        """End the sessions whose time is over."""
        for key in [key for key, one in self._sessions.items() if self._over(one)]:
            self._end(key)

    def close_all(self) -> None:
        """End every session."""
        for key in list(self._sessions):
            self._end(key)

    def _over(self, session: Session) -> bool:
        now = self._clock()
        return now - session.seen >= self._idle or now - session.began >= self._lasts

    def _end(self, key: bytes) -> None:
        session = self._sessions.pop(key)
        session.ended = True
        self._on_end(session)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
