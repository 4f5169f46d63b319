"""The files that TLS settings name: which there are, whether they changed, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from gateway.model.errors import LinkError, reason
from gateway.model.tls import Tls

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".crl"})
"""Of the files of a folder that count."""
LARGEST = 64_000_000
"""Bytes that a file may have; revocation lists of large authorities have some millions."""

Stamp: TypeAlias = tuple[tuple[str, int, int, int, int], ...]


def listed(field: str, path: Path) -> list[Path]:
    """Return the files of a folder, or the one file; raises LinkError where there is none."""
    try:
        if not path.is_dir():
            return [path]
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise LinkError(f"tls.{field}: {path} cannot be read: {reason(error)}") from None
    if not found:
        raise LinkError(
            f"tls.{field}: the folder {path} has no file named {', '.join(sorted(SUFFIXES))}"
        )
    return found


def content(field: str, path: Path) -> bytes:
    """Return what is in a file; raises LinkError naming it."""
    try:
        if not path.is_file():
            raise LinkError(f"tls.{field}: there is no file {path}")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise LinkError(f"tls.{field}: {path} cannot be read: {reason(error)}") from None
    if len(data) > LARGEST:
        raise LinkError(f"tls.{field}: {path} is larger than {LARGEST // 10**6} MB")
    return data


def stamp(settings: Tls) -> Stamp:
    """Return what tells one state of the files from another: name, times, inode, size.

    A file that is replaced changes its inode, also behind the symbolic links of a mounted secret;
    one that may be read at last changes the time of its inode.
    """
    return tuple(_stamps(settings))


def _stamps(settings: Tls) -> Iterator[tuple[str, int, int, int, int]]:
    for field in ("ca", "certificate", "key", "crl"):
        path: Path | None = getattr(settings, field)
        if path is None:
            continue
        try:
            files = listed(field, path)
        except LinkError:
            files = [path]
        for file in files:
            try:
                state = file.stat()
            except OSError:
                yield str(file), 0, 0, 0, 0
            else:
                yield str(file), state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_size
