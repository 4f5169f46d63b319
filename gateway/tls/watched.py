"""One link's TLS settings at work: the context in use, its files, when they expire."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from gateway.model.errors import LinkError
from gateway.model.tls import Tls
from gateway.tls.build import build
from gateway.tls.context import Context
from gateway.tls.expiry import Expiry, papers
from gateway.tls.files import Stamp, stamp

log = logging.getLogger("gateway")

REPEAT = 60.0
"""Seconds between two lines in the log of those who were not let in."""


class Watched:
    """Settings and what became of them. Its methods block on the disk: call them from a thread.

    problem:  why the files as they are now cannot be used; empty where they are in use.
    expiries: of the files in use, the first to end in front.
    """

    def __init__(
        self, link: str, settings: Tls, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.link = link
        self.settings = settings
        self.problem = ""
        self.expiries: tuple[Expiry, ...] = ()
        self._clock = clock
        self._lock = threading.Lock()
        self._context: Context | None = None
        self._used = False
        self._count: Callable[[str], None] = lambda what: None
        self._log = log
        self._next_line = 0.0
        self._silent = 0
        self._seen: Stamp | None = None
        self._taken: Stamp | None = None
        self._built = 0.0

    def open(self, count: Callable[[str], None], log: logging.Logger) -> Context:
        """Return the context, which follows the files; `count` and `log` are the link's own,
        for those who are not let in.

        Raises LinkError naming the file at fault.
        """
        with self._lock:
            self._count, self._log = count, log
            self._used = True
            if self._context is None:
                self._take(stamp(self.settings))
            if self._context is None:
                raise LinkError(self.problem)
            return self._context

    def look(self) -> None:
        """Take files that changed, and have stood still for one look: a renewal of certificate
        and key is two writes."""
        with self._lock:
            now = stamp(self.settings)
            first, still = self._seen is None, now == self._seen
            self._seen = now
            if (first or still) and (now != self._taken or self._stale()):
                self._take(now)

    def _stale(self) -> bool:
        """Whether sessions in the context's memory may be older than the limit."""
        limit = self.settings.session_limit
        return limit is not None and not self.problem and self._clock() - self._built >= limit

    def _take(self, now: Stamp) -> None:
        changed = now != self._taken
        self._taken = now
        try:
            found = papers(self.settings)
            fresh = build(self.settings, found)
        except LinkError as error:
            if self._context is not None and self._used and str(error) != self.problem:
                log.error("%s: renewed files are not taken, the old stay: %s", self.link, error)
            self.problem = str(error)
            return
        fresh.clock = self._clock
        fresh.refused = self._refused
        self.problem = ""
        self.expiries = found.expiries
        self._built = self._clock()
        if self._context is None:
            self._context = fresh
            return
        self._context.successor = fresh
        if changed and self._used:
            log.info("%s: renewed certificates are in use for new sessions", self.link)

    def _refused(self, why: str) -> None:
        self._count("tls_refused")
        now = self._clock()
        if now < self._next_line:
            self._silent += 1
            return
        more = f" ({self._silent} more were not let in before)" if self._silent else ""
        self._next_line, self._silent = now + REPEAT, 0
        self._log.warning("TLS: %s%s", why, more)
