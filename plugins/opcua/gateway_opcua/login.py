"""Who is let in: what the library asks at every activation of a session."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from asyncua.crypto.permission_rules import User as Role
from asyncua.crypto.permission_rules import UserRole
from asyncua.server.user_managers import UserManager

from gateway_opcua.user import User

_ATTEMPTS, _WITHIN = 5, 60.0


class Users(UserManager):
    """Who is let in, asked by the library at every activation of a session.

    After 5 wrong passwords of a name in a minute that name waits, so that guessing is slow
    and hashing cannot be used to keep the gateway busy.
    """

    def __init__(
        self,
        users: Iterable[User],
        anonymous: bool,
        count: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = {user.name: user for user in users}
        self._anonymous = anonymous
        self._count = count
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {
            name: deque(maxlen=_ATTEMPTS) for name in self._users
        }

    def get_user(
        self,
        iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> Role | None:
        if username is None:
            if self._anonymous:
                return Role(UserRole.User, "anonymous")
        elif self._known(username, password or ""):
            return Role(UserRole.User, username)
        self._count("logins_refused")
        return None

    def _known(self, name: str, password: str) -> bool:
        user = self._users.get(name)
        if user is None:
            return False
        wrong = self._wrong[name]
        if len(wrong) == _ATTEMPTS and self._clock() - wrong[0] < _WITHIN:
            return False
        if user.accepts(password):
            wrong.clear()
            return True
        wrong.append(self._clock())
        return False
