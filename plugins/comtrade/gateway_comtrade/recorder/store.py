"""The folder of a recorder: names as in IEEE C37.232, whole files only, bounded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway_comtrade.codec import Sections

NANO = 1_000_000_000
PART = ".part"
SUFFIXES = (".cfg", ".dat", ".hdr", ".inf")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f?"/\\<>*|:;\[\]$%{},\s]')


def word(text: str) -> str:
    """Return a text as a field of a file's name: what C37.232 forbids there becomes `_`."""
    return _FORBIDDEN.sub("_", text)[:64]


@dataclass(frozen=True, slots=True)
class Store:
    """A folder that a recorder fills and empties.

    station, device, company: fields of every name; other files of the folder are left alone.
    most, most_bytes: recordings, and bytes of them, that stay.
    """

    folder: Path
    station: str
    device: str
    company: str
    most: int
    most_bytes: int

    def prepare(self) -> None:
        """Make the folder, and remove what a power failure left unfinished; raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            stem = path.name.removeprefix(".").removesuffix(PART)
            if path.suffix == PART and self._own(Path(stem).stem):
                path.unlink(missing_ok=True)

    def name(self, start: int, trigger: str) -> str:
        """Return a new name: date and time of the first row (UTC), time code, station, device,
        company, and the trigger as a field of our own.
        """
        second, fraction = divmod(start, NANO)
        moment = datetime.fromtimestamp(second, UTC)
        head = f"{moment:%y%m%d,%H%M%S}{fraction // 1_000_000:03d},0"
        fields = (self.station, self.device, self.company, trigger)
        name = ",".join([head, *map(word, fields)])
        again, number = name, 2
        while (self.folder / f"{again}.cfg").exists():
            again, number = f"{name},{number}", number + 1
        return again

    def save(self, name: str, sections: Sections) -> int:
        """Write a recording, and return its bytes; its CFG file is seen when all of it is there.

        Raises OSError; then nothing of it stays.
        """
        bodies = {
            ".dat": sections.dat,
            ".hdr": sections.hdr,
            ".inf": sections.inf,
            ".cfg": sections.cfg,
        }
        bodies = {suffix: body for suffix, body in bodies.items() if body}
        parts = {suffix: self.folder / f".{name}{suffix}{PART}" for suffix in bodies}
        try:
            for suffix, body in bodies.items():
                with parts[suffix].open("wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
            for suffix, part in parts.items():
                part.replace(self.folder / f"{name}{suffix}")
        except BaseException:
            for suffix, part in parts.items():
                part.unlink(missing_ok=True)
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)
            raise
        _sync(self.folder)
        return sum(map(len, bodies.values()))

    def shed(self) -> list[str]:
        """Remove the oldest recordings beyond the bounds; returns their names, raises OSError."""
        sizes: dict[str, int] = {}
        for path in self.folder.iterdir():
            if path.suffix in SUFFIXES and self._own(path.stem):
                sizes[path.stem] = sizes.get(path.stem, 0) + path.stat().st_size
        names = sorted(sizes)
        total = sum(sizes.values())
        removed = []
        # The newest one stays, however long it is.
        while len(names) > 1 and (len(names) > self.most or total > self.most_bytes):
            oldest = names.pop(0)
            total -= sizes[oldest]
            self._remove(oldest, SUFFIXES)
            removed.append(oldest)
        return removed

    def _remove(self, name: str, suffixes: Iterable[str]) -> None:
        for suffix in suffixes:
            (self.folder / f"{name}{suffix}").unlink(missing_ok=True)

    def _own(self, stem: str) -> bool:
        fields = (re.escape(word(one)) for one in (self.station, self.device, self.company))
        return re.match(rf"\d{{6}},\d{{9}},0,{','.join(fields)},", stem) is not None


def _sync(folder: Path) -> None:
    """Have the names of a folder on disk, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
