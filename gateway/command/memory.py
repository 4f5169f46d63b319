"""What is remembered of clients: the keys of their requests, and how fast they come."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from gateway.model.command import Client, Request

KEYS = 100_000
"""Most keys remembered; beyond it the oldest is forgotten."""
CLIENTS = 1_000
"""Most clients whose rate is followed; beyond it the one longest silent is forgotten."""
BURST = 1.0
"""Seconds' worth of requests that may come at once."""


class Keys:
    """Which requests were taken before: the same key of the same user at the same sink."""

    def __init__(self, remember: float, clock: Callable[[], float]) -> None:
        """`remember` in seconds of the monotonic `clock`: no step of the day's time matters."""
        self._remember = remember
        self._clock = clock
        self._until: OrderedDict[tuple[str, str, str, str], float] = OrderedDict()

    def seen(self, request: Request) -> bool:
        """Return whether a request was taken before, and remember it; one without a key is new."""
        if not request.key:
            return False
        client = request.client
        return self._note(client.sink, client.user, request.operation, request.key, 0.0)

    def recall(self, sink: str, user: str, operation: str, key: str, age: float) -> None:
        """Remember a request that an earlier run took, `age` seconds ago."""
        if age < self._remember:
            self._note(sink, user, operation, key, max(age, 0.0))

    def _note(self, sink: str, user: str, operation: str, key: str, age: float) -> bool:
        now = self._clock()
        name = (sink, user, operation, key)
        seen = self._until.get(name, now) > now
        if not seen:
            self._until[name] = now + self._remember - age
            self._until.move_to_end(name)
            if len(self._until) > KEYS:
                self._until.popitem(last=False)
        return seen


class Rates:
    """How many requests each client may make: a bucket of tokens, filled at `rate` per second."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._full = max(1.0, rate * BURST)
        self._tokens: OrderedDict[tuple[str, str, str], tuple[float, float]] = OrderedDict()

    def allows(self, client: Client) -> bool:
        """Take a token; False where there is none."""
        now = self._clock()
        name = (client.sink, client.user, client.address)
        tokens, then = self._tokens.pop(name, (self._full, now))
        tokens = min(self._full, tokens + (now - then) * self._rate)
        allowed = tokens >= 1.0
        self._tokens[name] = (tokens - 1.0 if allowed else tokens, now)
        if len(self._tokens) > CLIENTS:
            self._tokens.popitem(last=False)
        return allowed
