"""Text files of the configuration, read whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

MAX_YAML = 32 * 2**20


class Unreadable(Exception):  # noqa: N818 - a sentence on its way to a problem
    """A file cannot be used as text; where its place is known, `line` and `column` name it."""

    def __init__(self, sentence: str, line: int = 1, column: int = 1) -> None:
        super().__init__(sentence)
        self.line = line
        self.column = column


def read(path: Path, limit: int, digests: dict[Path, str] | None = None) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    `digests` gets the SHA-256 of its bytes, in hexadecimal.

    Raises Unreadable where it is missing, a folder, larger than `limit` bytes, or not UTF-8.
    """
    try:
        if path.is_dir():
            raise Unreadable("this is a folder, allowed: a file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unreadable(f"the file cannot be read: {reason}") from None
    if len(data) > limit:
        raise Unreadable(f"the file is larger than {limit // 2**20} MiB")
    if digests is not None:
        digests[path] = hashlib.sha256(data).hexdigest()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise Unreadable("found a file in UTF-16, allowed: UTF-8") from None
        # Where there is a byte order mark, the error counts behind it.
        before = error.object[: error.start].decode()
        line, column = end_of(before)
        raise Unreadable(
            f"found the byte 0x{error.object[error.start]:02x}, which is not UTF-8; "
            "save the file as UTF-8",
            line,
            column,
        ) from None


def end_of(text: str) -> tuple[int, int]:
    """Return line and column, from 1, of what would follow a text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.count("\n") + 1, len(text) - text.rfind("\n")
