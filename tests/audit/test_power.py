"""The power fails at any instant: the log holds, has what was durable, and is gone on with.

Of what was not synced a disk may have anything: all of it, a part, pages of zeros, an older head,
no name for a new file, the name of a deleted one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from small_log import Wall, abandon, judged, settings

from gateway.audit import AuditLog, records, writer
from gateway.audit.head import HEAD
from gateway.audit.segment import segments


class Disk:
    """Knows what is on the disk for certain, by the calls that the log makes of the system."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        there = list(folder.iterdir()) if folder.exists() else []
        self.names = {path.name for path in there}
        self.synced = {path.name: path.stat().st_size for path in there}
        self.heads = [path.read_bytes() for path in there if path.name == HEAD]
        self.gone: dict[str, bytes] = {}
        for name in ("fdatasync", "fsync", "pwrite", "unlink"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(what: Any, *more: Any, **options: Any) -> Any:
            path = Path(what) if name == "unlink" else Path(f"/proc/self/fd/{what}").readlink()
            if path.parent == self.folder and name == "unlink":
                self.gone[path.name] = path.read_bytes()
            size = path.stat().st_size
            result = real(what, *more, **options)
            if path == self.folder:
                self.names = {one.name for one in self.folder.iterdir()}
                self.gone.clear()
            elif path.parent == self.folder:
                if path.name != HEAD:
                    self.synced[path.name] = size
                elif name == "pwrite":
                    self.heads.append(path.read_bytes())
                else:
                    self.heads = self.heads[-1:]
            return result

        return call

    def after_a_failure(self, target: Path, chance: Random) -> None:
        """Write what may be left of it."""
        target.mkdir()
        (target / HEAD).write_bytes(chance.choice(self.heads))
        for path in segments(self.folder):
            if path.name not in self.names and chance.random() < 0.5:
                continue
            text, sure = bytearray(path.read_bytes()), self.synced.get(path.name, 0)
            del text[chance.randint(sure, len(text)) :]
            if chance.random() < 0.5:
                begin = chance.randint(sure, len(text))
                end = chance.randint(begin, len(text))
                text[begin:end] = bytes(end - begin)
            (target / path.name).write_bytes(text)
        # A file system loses the last deletions first.
        for name in sorted(self.gone)[chance.randint(0, len(self.gone)) :]:
            (target / name).write_bytes(self.gone[name])


@pytest.mark.parametrize("seed", range(60))
async def test_the_power_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Whatever the disk kept of it: no forgery, nothing durable is missing, the log goes on."""
    monkeypatch.setattr(writer, "SEGMENT", 2_500)
    chance = Random(seed)
    folder = tmp_path / "audit"
    durable = 0
    for life in range(3):
        with monkeypatch.context() as watched:
            disk = Disk(folder, watched)
            log = AuditLog.open(folder, settings(max_size=15_000), Wall())
            for _ in range(chance.randrange(80)):
                n = log.write("received", text="x" * chance.randrange(300))
                if chance.random() < 0.3:
                    await log.durable()
                    durable = n
            abandon(log)
        left = tmp_path / f"left-{life}"
        disk.after_a_failure(left, chance)
        assert judged(left).broken is None
        assert judged(left).last >= durable
        folder = left

    log = AuditLog.open(folder, settings(max_size=15_000), Wall())
    abandon(log)
    verdict = judged(folder)
    assert verdict.broken is None
    assert {note.step for note in verdict.notes} <= {"file_deleted", "repaired"}
    kept = [record.n for record in records(folder)]
    assert kept == list(range(verdict.first, verdict.last + 1))
    assert verdict.last >= durable
