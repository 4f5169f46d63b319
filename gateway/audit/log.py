"""The audit log as the gateway writes it: append at once, bring to disk in groups."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from gateway.audit.chain import Chain
from gateway.audit.error import AuditError
from gateway.audit.opening import Note, aside, continue_log, lock
from gateway.audit.reading import recall
from gateway.audit.record import Record
from gateway.audit.writer import Writer
from gateway.model.configuration import AuditSettings
from gateway.model.errors import reason

INTERVAL = 1.0
"""Seconds until a record is brought to disk that nobody waits for, and between attempts."""
TELL = 3600.0
"""Seconds between two lines in the gateway's own log that anchor this one."""
PATIENCE = 10.0
"""Seconds that a disk may take."""

log = logging.getLogger(__name__)


class AuditLog:
    """Appends records, chained by hash; docs/audit.md has the format.

    Belongs to one thread, that of the event loop; the disk is waited for in another.
    """

    def __init__(self, folder: Path, writer: Writer, notes: Sequence[Note], held: int) -> None:
        """Use `open`."""
        self._folder = folder
        self._writer = writer
        self._held = held
        self._thread = ThreadPoolExecutor(1, "audit")
        self._syncing: asyncio.Future[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._owed = deque(notes)
        self._unwritten = 0
        self._write_error = ""
        self._sync_error = ""
        self._closed = False
        self._tell()
        try:
            self._resume()
            writer.shrink()
        except OSError as error:
            self._fail(error)

    @classmethod
    def open(cls, folder: Path, settings: AuditSettings, now: Callable[[], int]) -> Self:
        """Open the log in a folder of its own, or begin one; blocks for a second at most.

        `now` gives ns since the Unix epoch. What a crash left unfinished is cut away; a log that
        was changed or has another key is set aside, and a new one begun: both are on record.
        Raises AuditError where there can be no log: in use by another gateway, no permission, no
        room.
        """
        key = None if settings.key is None else settings.key.get_secret_value().encode()
        chain = Chain(key)
        held = lock(folder)
        try:
            return cls(folder, *continue_log(folder, chain, settings.max_size, now), held)
        except OSError as error:
            os.close(held)
            raise AuditError(
                f"{error.filename or folder}: {error.strerror}: the audit log lives there"
            ) from error
        except BaseException:
            os.close(held)
            raise

    @property
    def failing(self) -> str:
        """Why the disk takes nothing at the moment; empty while it does."""
        return self._write_error or self._sync_error

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash (hexadecimal) of the last record: kept elsewhere, they anchor the log."""
        return self._writer.n, self._writer.hash

    def write(self, step: str, **facts: Any) -> int:
        """Append one record and return its number; a killed process does not lose it any more.

        It is on disk, and survives a power failure, after `durable`, or a second later by itself.
        Facts are what JSON knows; NaN and the infinities become texts, so do all other values,
        and texts are cut at 2,000 characters. A fact cannot be called n, time, step or hash.
        Raises AuditError where the disk does not take it; how many were not taken is on record
        as soon as it does again.
        """
        if self._closed:
            raise AuditError("the audit log is closed")
        self._plan()
        try:
            self._resume()
            return self._writer.append(step, facts)
        except OSError as error:
            self._unwritten += 1
            self._fail(error)
            raise AuditError(f"the audit log takes nothing: {self._write_error}") from error

    async def durable(self) -> None:
        """Return when all that was written so far is on disk.

        All who wait at the same time share one sync; it begins at once.
        Raises AuditError where the disk refuses, or does not answer in ten seconds.
        """
        due = self._writer.n
        while self._writer.durable < due:
            if self._closed:
                raise AuditError("the audit log is closed")
            sync = self._sync()
            await asyncio.wait((sync,), timeout=PATIENCE)
            if sync.done():
                sync.result()
            else:
                self._sync_fails(f"the disk has not answered for {PATIENCE:g} s")
            if self._sync_error and self._writer.durable < due:
                raise AuditError(f"the audit log is not on disk: {self._sync_error}")

    def recall(self, since: int, *steps: str) -> Iterator[Record]:
        """Yield the records since a time (ns) of these steps (none: all), oldest first.

        For what must be known over a restart. It looks through 128 MiB from the end at most,
        in logs that were set aside as well; blocks for some seconds at worst.
        """
        return recall([*aside(self._folder), self._folder], since, steps)

    async def close(self) -> None:
        """Bring everything to disk and close; whatever the disk says, it is closed afterwards."""
        if self._closed:
            return
        self._closed = True
        if self._later is not None:
            self._later.cancel()
        with contextlib.suppress(OSError):
            self._resume()
        try:
            async with asyncio.timeout(PATIENCE):
                if self._syncing is not None:
                    await asyncio.shield(self._syncing)
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._thread, self._writer.close)
        except (OSError, TimeoutError) as error:
            log.error("the end of the audit log is not on disk: %s", reason(error))
        finally:
            self._tell()
            self._thread.shutdown(wait=False)
            os.close(self._held)

    def _resume(self) -> None:
        """Put on record what the disk did not take, once it does again."""
        while self._owed:
            self._writer.append(*self._owed[0])
            self._owed.popleft()
        if self._unwritten:
            facts = {"not_written": self._unwritten, "reason": self._write_error}
            self._writer.append("resumed", facts)
            log.warning("the audit log is written again; %d records are lost", self._unwritten)
            self._unwritten = 0
        self._write_error = ""

    def _fail(self, error: OSError) -> None:
        if not self._write_error:
            log.error("the audit log takes nothing: %s", reason(error))
        self._write_error = reason(error)

    def _plan(self) -> None:
        """See to it that what is written now is on disk soon, though nobody waits for it."""
        if self._later is None:
            with contextlib.suppress(RuntimeError):
                loop = asyncio.get_running_loop()
                self._later = loop.call_later(INTERVAL, self._attend)

    def _attend(self) -> None:
        self._later = None
        if self._closed:
            return
        try:
            self._resume()
        except OSError as error:
            self._fail(error)
        if self._writer.durable < self._writer.n:
            self._sync()
        if self.failing:
            self._plan()
        if time.monotonic() > self._tell_again:
            self._tell()

    def _tell(self) -> None:
        """Say in the gateway's own log how far this one is: whoever collects it has an anchor."""
        self._tell_again = time.monotonic() + TELL
        log.info("the audit log is at %d:%s", *self.head)

    def _sync(self) -> asyncio.Future[None]:
        """Return the sync that is under way, or begin one."""
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.ensure_future(self._bring_to_disk())
        return self._syncing

    async def _bring_to_disk(self) -> None:
        mark = self._writer.mark()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.sync, mark)
        except OSError as error:
            self._sync_fails(reason(error))
            self._plan()
        else:
            self._writer.synced(mark)
            self._sync_error = ""

    def _sync_fails(self, why: str) -> None:
        if not self._sync_error:
            log.error("the audit log is not on disk: %s", why)
        self._sync_error = why
