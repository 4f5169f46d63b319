"""bdSeq, the number that a birth and the death of the same connection have in common."""

from __future__ import annotations

import os
from pathlib import Path

FILE = "bdseq"


def advance(folder: Path) -> int:
    """Return the number for a new CONNECT: 0 at first, then one more each time, 0 after 255.

    It is on disk before it is used (clause 5.4): a death of the connection before, which
    the broker still has to send, is never taken for one of the new connection.
    Blocks on the disk; raises OSError.
    """
    file = folder / FILE
    try:
        number = (int(file.read_text()) + 1) % 256
    except (FileNotFoundError, ValueError):
        number = 0
    new = file.with_suffix(".new")
    with new.open("w") as stream:
        stream.write(f"{number}\n")
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    return number
