"""Wrong passwords: whom and where from they lock out, and for how long.

Three counts run beside each other:

- of a user, from all addresses where that user has not logged in before;
- of a user at an address where it has: so nobody elsewhere can lock out an operator at the
  console that is in daily use;
- of an address, whoever is named.

A lock is not made longer by who runs against it, and ends by itself.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TypeAlias

from gateway.model.access import Lockout

MOST_COUNTS = 4096
MOST_FAMILIAR = 1024
MOST_CHARACTERS = 128

_IPV6_PREFIX = 64
"""What one subscriber has at least: guesses from all of it are one guesser's."""

_PORT = re.compile(r"(?:\[(?P<six>[^]]*)\]|(?P<host>[^:]*)):\d+")

Key: TypeAlias = tuple[str, str]
"""User and host; one of them is empty, or both are there for a user at a familiar address."""


def host_of(address: str) -> str:
    """Return what guesses from an address are counted under: no port, an IPv6 /64 as a whole.

    What is no IP address (a topic, a master's number) is taken as it is.
    """
    match = _PORT.fullmatch(address)
    text = (match["six"] or match["host"]) if match else address
    try:
        host = ip_address(text.split("%")[0])
    except ValueError:
        return text[:MOST_CHARACTERS]
    if host.version == 6:
        if host.ipv4_mapped:
            return str(host.ipv4_mapped)
        return str(ip_network((host, _IPV6_PREFIX), strict=False))
    return str(host)


@dataclass(slots=True)
class Count:
    """Failures of one key, and the lock that they led to.

    until:   when the lock ends, on the clock; 0 without one.
    refused: how many ran against the lock.
    """

    key: Key
    times: deque[tuple[float, str]] = field(default_factory=deque)
    until: float = 0.0
    refused: int = 0

    def __str__(self) -> str:
        user, host = self.key
        return " ".join([f"user {user!r}"] * bool(user) + [f"address {host}"] * bool(host))


class Failures:
    """What is remembered of wrong passwords; bounded, and gone with the process."""

    def __init__(self, lockout: Lockout, clock: Callable[[], float]) -> None:
        self._lockout = lockout
        self._clock = clock
        self._counts: OrderedDict[Key, Count] = OrderedDict()
        self._familiar: OrderedDict[Key, None] = OrderedDict()

    def locked(self, user: str, host: str) -> Count | None:
        """Return the lock that keeps a user from logging in from a host, or None."""
        now = self._clock()
        for key in self._keys(user, host):
            count = self._counts.get(key)
            if count is not None and count.until > now:
                return count
        return None

    def locks(self) -> list[tuple[Count, float]]:
        """Return every lock that holds, with the seconds that it still does."""
        now = self._clock()
        return [(one, one.until - now) for one in self._counts.values() if one.until > now]

    def failed(self, user: str, host: str) -> list[Count]:
        """Count a wrong password; returns the locks that begin with it."""
        now = self._clock()
        begun: list[Count] = []
        for key in self._keys(user, host):
            count = self._counts.pop(key, None)
            if count is None or (count.until and count.until <= now):
                count = Count(key)
            self._counts[key] = count
            count.times.append((now, user))
            while count.times[0][0] <= now - self._lockout.within:
                count.times.popleft()
            most = self._lockout.attempts if key[0] else self._lockout.address_attempts
            if len(count.times) >= most and not count.until:
                count.until = now + self._lockout.lasts
                begun.append(count)
        self._prune(now)
        return begun

    def succeeded(self, user: str, host: str) -> None:
        """Forget the failures that a right password ends; the address is familiar from now on.

        Those of other users from this address stay: who has an account may not use it
        to guess at others'.
        """
        for key in self._keys(user, host)[:1]:
            self._counts.pop(key, None)
        count = self._counts.get(("", host))
        if count is not None:
            count.times = deque(one for one in count.times if one[1] != user)
        self._familiar[user, host] = None
        self._familiar.move_to_end((user, host))
        if len(self._familiar) > MOST_FAMILIAR:
            self._familiar.popitem(last=False)

    def forgive(self, user: str) -> None:
        """Forget everything about a user: its password was changed."""
        for key in [key for key in self._counts if key[0] == user]:
            del self._counts[key]
        for key in [key for key in self._familiar if key[0] == user]:
            del self._familiar[key]

    def _keys(self, user: str, host: str) -> tuple[Key, Key]:
        own = (user, host) if (user, host) in self._familiar else (user, "")
        return own, ("", host)

    def _prune(self, now: float) -> None:
        if len(self._counts) <= MOST_COUNTS:
            return
        past = now - self._lockout.within
        for key, count in list(self._counts.items()):
            if count.until <= now and (not count.times or count.times[-1][0] <= past):
                del self._counts[key]
        for held in (False, True):
            for key, count in list(self._counts.items()):
                if len(self._counts) <= MOST_COUNTS:
                    return
                if held or count.until <= now:
                    del self._counts[key]
