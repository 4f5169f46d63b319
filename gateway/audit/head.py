"""The head: how many records the log has and the hash of the last, in a file of its own.

Without it nobody could see that the end of a log was cut off.
It is written in place, after the records it counts are on disk: it may lag behind, and is never
ahead of them. Its length is fixed and shorter than a sector, so a crash leaves the old or the new.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from gateway.audit.chain import BEGINNING, Chain

HEAD = "head"
LENGTH = 256


class HeadError(Exception):
    """There is no head, or it was changed; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known to be in the log.

    closed: whether the log was closed in order, so that nothing may follow.
    """

    records: int = 0
    hash: bytes = BEGINNING
    closed: bool = False

    def render(self, chain: Chain) -> bytes:
        """Return the whole file."""
        body = json.dumps(
            {"records": self.records, "hash": self.hash.hex(), "closed": self.closed},
            separators=(",", ":"),
        )[:-1]
        seal = chain.link(self.hash, body.encode()).hex()
        return f'{body},"seal":"{seal}"}}'.ljust(LENGTH - 1).encode() + b"\n"

    def write(self, handle: int, chain: Chain) -> None:
        """Write it over the head that is there."""
        if os.pwrite(handle, self.render(chain), 0) != LENGTH:
            raise OSError(0, "the head was not written whole")


def read_head(folder: Path, chain: Chain) -> Head:
    """Read the head of a log; raises HeadError where it is missing or not as it was written."""
    try:
        with (folder / HEAD).open("rb") as file:
            text = file.read(LENGTH + 1)
    except FileNotFoundError:
        raise HeadError("it is missing") from None
    try:
        facts = json.loads(text)
        records, closed = facts["records"], facts["closed"]
        head = Head(records, bytes.fromhex(facts["hash"]), closed)
        if head.render(chain) != text:
            raise ValueError(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise HeadError("it was edited, or sealed with another key") from None
    return head
