"""The users file as it stands now: read again when it changes, without a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from gateway.access.file import UsersError, load_users
from gateway.access.users import User

log = logging.getLogger("gateway.access")

LOOK = 1.0
"""Seconds between two looks at the file."""


class Directory:
    """The users of a file; without a file there are none.

    changed: called with the users before and after a change.
    Raises UsersError where the file cannot be used at the beginning; later on the old users stay.
    """

    def __init__(
        self,
        path: Path | None,
        roles: Collection[str],
        clock: Callable[[], float],
        changed: Callable[[Mapping[str, User], Mapping[str, User]], None],
    ) -> None:
        self._path = path
        self._roles = roles
        self._clock = clock
        self._changed = changed
        self._state = self._look()
        self._next = clock() + LOOK
        self._failing = False
        self.users: Mapping[str, User] = {} if path is None else load_users(path, roles)
        self.gone: frozenset[str] = frozenset()
        """Names that had an account since the start, and have none now."""

    def refresh(self) -> None:
        """Look whether the file changed, at most once in `LOOK` seconds, and read it if so."""
        now = self._clock()
        if now >= self._next:
            self._next = now + LOOK
            if self._look() != self._state:
                self.reload()

    def reload(self) -> None:
        """Read the file again; a broken one leaves the users as they were, and one log line."""
        if self._path is None:
            return
        self._state = self._look()
        try:
            users = load_users(self._path, self._roles)
        except UsersError as error:
            if not self._failing:
                log.error("the users stay as they were: %s", str(error).replace("\n", "; "))
            self._failing = True
            return
        if self._failing:
            log.info("the users file can be read again: %s", self._path)
        self._failing = False
        before, self.users = self.users, users
        self.gone = frozenset((self.gone | before.keys()) - users.keys())
        if users != before:
            self._changed(before, users)

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        if found is None:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
