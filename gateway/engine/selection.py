"""What a sink must have of each point, as masks over point ids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.config.selection import takes
from gateway.model.batch import Mask
from gateway.model.link import Sink
from gateway.model.point import Definition, Keep, SinkPoint


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
        for number, definition in enumerate(definitions):
            if definition is None or not takes(sink, definition):
                continue
            address = definition.addresses.get(sink.name)
            keep = address.keep if isinstance(address, SinkPoint) else None
            if (keep or sink.keep.of(definition.kind)) is Keep.EVERY:
                every[number] = True
            else:
                latest[number] = True
        rule = hashlib.sha256(every.tobytes() + latest.tobytes()).hexdigest()
        return cls(every, latest, rule)
