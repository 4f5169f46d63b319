"""All TLS files of a gateway: contexts for its links, renewal, and warning before they expire."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.model.errors import LinkError
from gateway.model.link import Link
from gateway.model.tls import Tls, tls_of
from gateway.tls.expiry import DAY
from gateway.tls.watched import Watched

log = logging.getLogger("gateway")

WARNING = 30
"""Days before the end at which it is said."""
READ_TIMEOUT = 10.0
"""Seconds that reading the files of one link may take."""
LOOK_TIMEOUT = 1.0
"""Seconds that a look at the files may hold up the one who asks for it; then it goes on alone."""


@dataclass(frozen=True, slots=True)
class CertificateHealth:
    """How the files of a link are.

    days:    whole days until the first of them expires; None where that is not known.
    expires: less than 30 days are left, or the files cannot be used.
    """

    link: str
    days: int | None
    expires: bool


class Certificates:
    """The TLS files that links name. `now` gives ns since the Unix epoch."""

    def __init__(
        self,
        links: Iterable[Link],
        now: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._clock = clock
        self._watched: dict[str, list[Watched]] = {
            link.name: [Watched(link.name, settings, clock) for settings in found]
            for link in links
            if (found := list(tls_of(link)))
        }
        self._others: dict[str, list[Watched]] = {}
        self._looking: asyncio.Future[None] | None = None
        self._said: dict[str, int] = {}

    async def context(
        self, link: str, settings: Tls, count: Callable[[str], None], log: logging.Logger
    ) -> ssl.SSLContext:
        """Return the context of a link's settings, the same at every call.

        Raises LinkError naming the file at fault.
        """
        watched = self._find(link, settings)
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await asyncio.to_thread(watched.open, count, log)
        except TimeoutError:
            raise LinkError(f"tls: its files cannot be read within {READ_TIMEOUT:g} s") from None

    def _find(self, link: str, settings: Tls) -> Watched:
        known: list[Watched] = [*self._watched.get(link, ()), *self._others.get(link, ())]
        for watched in known:
            if watched.settings == settings:
                return watched
        watched = Watched(link, settings, self._clock)
        self._others.setdefault(link, []).append(watched)
        return watched

    async def look(self) -> None:
        """Take renewed files, and say once a day what expires soon."""
        if not self._watched and not self._others:
            return
        if self._looking is None or self._looking.done():
            # On its own where a disk hangs: the next look then waits for this one.
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._look))
        done, _ = await asyncio.wait([self._looking], timeout=LOOK_TIMEOUT)
        if done:
            self._looking.result()
            self._warn()

    def _look(self) -> None:
        for watched in self._all():
            watched.look()

    def _all(self) -> Iterator[Watched]:
        for group in (self._watched, self._others):
            for several in list(group.values()):
                yield from list(several)

    def health(self) -> Iterator[CertificateHealth]:
        """Yield the health of every link that has a health point of its certificates."""
        now = self._now()
        for link, several in self._watched.items():
            days = [one.expiries[0].days(now) for one in several if one.expiries]
            first = min(days, default=None)
            soon = first is not None and first < WARNING
            yield CertificateHealth(link, first, soon or any(one.problem for one in several))

    def _warn(self) -> None:
        now = self._now()
        for watched in self._all():
            if not watched.expiries:
                continue
            first = watched.expiries[0]
            # By the file: two links that share one say so once.
            if first.days(now) < WARNING and now - self._said.get(first.what, -DAY) >= DAY:
                self._said[first.what] = now
                log.warning("%s: %s", watched.link, first.sentence(now))
