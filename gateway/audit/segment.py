"""The files of the log: `audit-00000001.jsonl` and on."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"audit-(\d{8})\.jsonl")


def segment(folder: Path, number: int) -> Path:
    """Return the path of the file with this number, counted from 1."""
    return folder / f"audit-{number:08d}.jsonl"


def number_of(path: Path) -> int:
    """Return the number in a file's name; 0 where it is no file of the log."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def segments(folder: Path) -> list[Path]:
    """Return the files of a log, oldest first; none where there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if number_of(path))
    except (FileNotFoundError, NotADirectoryError):
        return []
