"""The one door for everybody who wants something of the gateway."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from gateway.access.certificates import Certificates
from gateway.access.directory import Directory
from gateway.access.failures import Failures, host_of
from gateway.access.password import verified
from gateway.access.roles import Roles
from gateway.access.users import MOST_CHARACTERS, User, prepared
from gateway.model.access import AccessRefused, AccessSettings, Permission
from gateway.model.command import Client
from gateway.model.fields import seconds_text

log = logging.getLogger("gateway.access")

MOST_WAITING = 16
"""Log-ins that wait for their turn; one is looked at, at any time."""
MOST_WAITING_OF_HOST = 4
"""Of one address, so that it cannot take all of them."""
MOST_SHOWN = 128
"""Characters of a stranger's text that stand in a log."""
MOST_PASSWORD = 1024
"""Characters of a password that are looked at."""


class Access:
    """Says who a client is, and what it may do.

    names:    of the points by id; an empty name is no point.
    on_event: told of `login`, `login_refused`, `locked_out` and `users_changed` for the audit log,
              with facts that are text and numbers; must not raise.
    clock:    a monotonic one, in seconds.
    Raises UsersError where the users file cannot be used.
    """

    def __init__(
        self,
        settings: AccessSettings,
        names: Sequence[str],
        on_event: Callable[[str, dict[str, Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roles = Roles(settings.roles, names)
        self._certificates = Certificates(settings.certificates)
        self._settings = settings
        self._failures = Failures(settings.lockout, clock)
        self._on_event = on_event
        self._directory = Directory(settings.users, self._roles.names, clock, self._users_changed)
        self._hasher = ThreadPoolExecutor(1, "password")
        self._turn = asyncio.Lock()
        self._waiting: Counter[str] = Counter()
        self._busy = 0
        self._salt = secrets.token_bytes(16)

    @property
    def authenticates(self) -> bool:
        """Whether there is a users file, be it without anybody who could log in just now.

        A link that lets anybody in where this is false must not open its door
        because the last user was removed.
        """
        return self._settings.users is not None

    @property
    def locks(self) -> list[str]:
        """Who is locked out now, a sentence each, for the operator."""
        return [f"{one} for {left:.0f}s more" for one, left in self._failures.locks()]

    def reload(self) -> None:
        """Read the users file again now; a broken one leaves the users as they were."""
        self._directory.reload()

    def close(self) -> None:
        """End the thread that hashes, when it is done with the password that it has."""
        self._hasher.shutdown(wait=False, cancel_futures=True)

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool:
        """Return whether a client may do this to a point; with None, to any point at all.

        A user's role is the one that the users file has now, whatever it was at the log-in;
        who was removed or disabled may nothing.
        """
        role = self._role(client)
        return role is not None and self._roles.may(role, permission, point)

    def points(self, client: Client, permission: Permission) -> bytes:
        """Return a byte for each point id: 1 where `may` says yes."""
        role = self._role(client)
        # A role that is not there may nothing.
        return self._roles.points("-" if role is None else role, permission)

    def _role(self, client: Client) -> str | None:
        """Return the role that a client has now; None where it may nothing at all."""
        self._directory.refresh()
        if client.user:
            user = self._directory.users.get(client.user)
            if user is not None:
                return None if user.disabled else user.role
            if client.user in self._directory.gone:
                return None
        return client.role

    def client(
        self,
        sink: str,
        address: str,
        *,
        user: str = "",
        certificate: bytes | None = None,
        session: str = "",
        role: str | None = None,
    ) -> Client:
        """Return who a client is that gave no password.

        The rule of its certificate counts first, then the account of the user that the transport
        vouches for, then `role`, which is the link's. A disabled account gives no role.
        Raises ValueError where the certificate (DER) is none.
        """
        self._directory.refresh()
        name = prepared(user)
        account = self._directory.users.get(name)
        if certificate is not None:
            subject, given = self._certificates.who(certificate)
            if given is not None:
                return Client(sink, address, subject, given, session)
            if account is None:
                name = name or subject
        if account is not None:
            return Client(sink, address, name, "" if account.disabled else account.role, session)
        if name in self._directory.gone:
            return Client(sink, address, name, "", session)
        return Client(sink, address, name, role or "", session)

    async def login(
        self, sink: str, user: str, password: str, address: str, session: str = ""
    ) -> Client:
        """Return who this is, with the user's role.

        Takes one password hash, and those of at most `MOST_WAITING` log-ins before it.
        An unknown name takes as long as a known one.
        Raises AccessRefused; its sentence is for the log and not for the client.
        """
        self._directory.refresh()
        # One character more than a name may have: what is cut off never makes it a user's.
        name = prepared(user[: 4 * MOST_CHARACTERS])[: MOST_CHARACTERS + 1]
        host = host_of(address)
        facts = {"sink": sink, "user": _shown(name), "address": _shown(address)}
        self._turn_away(name, host, facts)
        if self._waiting.total() > MOST_WAITING or self._waiting[host] >= MOST_WAITING_OF_HOST:
            self._busy += 1
            self._refuse(facts, "too many log-ins at once", self._busy)
        self._waiting[host] += 1
        try:
            async with self._turn:
                # Those who waited before may have locked this one out.
                self._turn_away(name, host, facts)
                try:
                    account = await self._proved(name, password)
                except asyncio.CancelledError:
                    # Else who hangs up in time would have the processor hash without end.
                    self._failed(name, host, facts)
                    self._tell(facts, "the client left before the answer")
                    raise
                if account is None:
                    self._failed(name, host, facts)
                    self._refuse(facts, self._why(name))
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host]
            if not self._waiting:
                self._busy = 0
        self._failures.succeeded(name, host)
        self._on_event("login", {**facts, "role": account.role})
        return Client(sink, address, name, account.role, session)

    async def _proved(self, name: str, password: str) -> User | None:
        """Return the user, where the password is the user's and the account may be used."""
        hashed = self._hash_for(name)
        if not hashed or len(password) > MOST_PASSWORD:
            return None
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(self._hasher, verified, hashed, password)
        # Looked up behind the hash: the file may have changed meanwhile.
        account = self._directory.users.get(name)
        if account is None or account.disabled or account.password != hashed or not right:
            return None
        return account

    def _hash_for(self, name: str) -> str:
        """Return the user's hash, or for an unknown name one of another user, always the same.

        So the time of an answer says nothing about which names there are, even where hashes
        were made with different parameters.
        """
        account = self._directory.users.get(name)
        if account is not None and account.password:
            return account.password
        hashes = self._hashes()
        if not hashes:
            return ""
        digest = hashlib.blake2b(name.encode(errors="surrogatepass"), key=self._salt).digest()
        return hashes[int.from_bytes(digest[:8]) % len(hashes)]

    def _hashes(self) -> list[str]:
        return [one.password for one in self._directory.users.values() if one.password]

    def _why(self, name: str) -> str:
        account = self._directory.users.get(name)
        if account is None:
            return "there is no such user"
        if account.disabled:
            return "the user is disabled"
        return "the password is wrong" if account.password else "the user has no password"

    def _failed(self, name: str, host: str, facts: dict[str, Any]) -> None:
        """Count a failure, and tell of the locks that begin with it."""
        lasts = self._settings.lockout.lasts
        for lock in self._failures.failed(name, host):
            log.warning(
                "%s is locked out for %s: %d wrong passwords, the last from %s",
                lock, seconds_text(lasts), len(lock.times), facts["address"],
            )  # fmt: skip
            self._on_event("locked_out", {**facts, "locked": str(lock), "seconds": lasts})

    def _turn_away(self, name: str, host: str, facts: dict[str, Any]) -> None:
        lock = self._failures.locked(name, host)
        if lock is not None:
            lock.refused += 1
            self._refuse(facts, f"{lock} is locked out", lock.refused)

    def _refuse(self, facts: dict[str, Any], why: str, count: int = 1) -> NoReturn:
        self._tell(facts, why, count)
        raise AccessRefused(f"'{facts['user']}' from {facts['address']}: {why}")

    def _tell(self, facts: dict[str, Any], why: str, count: int = 1) -> None:
        """Tell of a refusal; what can come without end, at its 1st, 10th, 100th … time only.

        Otherwise who floods the gateway with log-ins would flush the audit log.
        """
        if str(count).strip("0") == "1":
            more = {"count": count} if count > 1 else {}
            self._on_event("login_refused", {**facts, "why": why, **more})

    def _users_changed(self, before: Mapping[str, User], after: Mapping[str, User]) -> None:
        both = before.keys() & after.keys()
        for name in both:
            if before[name].password != after[name].password:
                self._failures.forgive(name)
        facts = {
            "added": sorted(after.keys() - before.keys()),
            "removed": sorted(before.keys() - after.keys()),
            "changed": sorted(name for name in both if before[name] != after[name]),
        }
        words = {what: ", ".join(names) for what, names in facts.items() if names}
        log.info(
            "the users changed: %s", "; ".join(f"{k} {v}" for k, v in words.items()) or "order"
        )
        if words:
            self._on_event("users_changed", words)


def _shown(text: str) -> str:
    """Return a text of a stranger's as it may stand in a log."""
    return "".join(one if one.isprintable() else "?" for one in text[:MOST_SHOWN])
