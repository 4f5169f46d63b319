"""Which points reach a sink, and what it must have of each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate

import numpy as np

from gateway.model.batch import Mask
from gateway.model.link import Sink
from gateway.model.point import Definition, Keep, SinkPoint


def matcher(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """Compile patterns with `*` and `?` into one expression; None where there are none."""
    if not patterns:
        return None
    return re.compile("|".join(f"(?:{translate(pattern)})" for pattern in patterns))


def selects(sink: Sink, definition: Definition) -> bool:
    """Say whether the point reaches the sink: it has columns there, or its name is selected."""
    if not sink.by_name and sink.name not in definition.addresses:
        return False
    wanted = matcher([p for p in sink.select if not p.startswith("!")])
    unwanted = matcher([p[1:] for p in sink.select if p.startswith("!")])
    return _matches(wanted, unwanted, definition.name)


def _matches(wanted: re.Pattern[str] | None, unwanted: re.Pattern[str] | None, name: str) -> bool:
    if unwanted is not None and unwanted.match(name):
        return False
    return wanted is None or wanted.match(name) is not None


@dataclass(frozen=True, slots=True)
class Selection:
    """Masks over point ids: which points a sink must have every sample of, and which the latest.

    `rule` is a fingerprint: the same rule keeps the same rows of a journal.
    """

    every: Mask
    latest: Mask
    rule: str

    @classmethod
    def of(cls, sink: Sink, definitions: Sequence[Definition | None]) -> Selection:
        """Apply the sink's `select` and `keep`; `definitions` are in the order of point ids."""
        every = np.zeros(len(definitions), np.bool_)
        latest = np.zeros(len(definitions), np.bool_)
        wanted = matcher([p for p in sink.select if not p.startswith("!")])
        unwanted = matcher([p[1:] for p in sink.select if p.startswith("!")])
        for number, definition in enumerate(definitions):
            if definition is None:
                continue
            address = definition.addresses.get(sink.name)
            if not sink.by_name and address is None:
                continue
            if not _matches(wanted, unwanted, definition.name):
                continue
            keep = address.keep if isinstance(address, SinkPoint) else None
            if (keep or sink.keep.of(definition.kind)) is Keep.EVERY:
                every[number] = True
            else:
                latest[number] = True
        rule = hashlib.sha256(every.tobytes() + latest.tobytes()).hexdigest()
        return cls(every, latest, rule)
