"""An object header, and the walk over the headers of a fragment (IEEE 1815 clause 4.2.2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.layout import Layout, layout
from gateway_dnp3.objects.qualifier import FORMS, Form, Qualifier

MAX_NAMED = 0x10000
"""How many points a header may name at once: as many as 16-bit indexes tell apart."""

_LETTERS = {1: "B", 2: "H", 4: "I"}
_RANGES = {size: Struct("<" + 2 * letter) for size, letter in _LETTERS.items()}
_COUNTS = {size: Struct("<" + letter) for size, letter in _LETTERS.items()}
_FORMS: dict[int, tuple[Qualifier, Form]] = {int(q): (q, form) for q, form in FORMS.items()}
_NAMES = ", ".join(f"0x{q:02X}" for q in _FORMS)


@dataclass(frozen=True, slots=True)
class ObjectHeader:
    """One object header with the objects after it.

    `start` is None for a qualifier without a range; `count` is 0 for Qualifier.ALL.
    `data` holds the objects with their prefixes; where a request only names objects it holds the
    prefixes, if any. It is a view of the fragment that was read.
    `offset` is where the header began, in octets from the first one.
    """

    group: int
    variation: int
    qualifier: Qualifier
    start: int | None
    count: int
    data: memoryview
    offset: int = 0

    @property
    def stop(self) -> int | None:
        """The last index of the range, itself included."""
        return None if self.start is None else self.start + self.count - 1

    @property
    def prefix(self) -> int:
        """Octets before each object."""
        return FORMS[self.qualifier].prefix

    def indexes(self) -> NDArray[np.int64]:
        """Return the index of each object; raise ObjectError where the header has none."""
        if self.start is not None:
            if self.count > MAX_NAMED:
                raise self.error(f"a range of {self.count} points", f"{MAX_NAMED} at once")
            return np.arange(self.start, self.start + self.count, dtype=np.int64)
        prefix = self.prefix
        if not prefix or self.qualifier is Qualifier.FREE:
            raise self.error(f"qualifier 0x{self.qualifier:02X}, which gives no index", "a range")
        octets = np.frombuffer(self.data, np.uint8)
        if not self.count or len(octets) % self.count:
            return np.zeros(0, np.int64)
        rows = octets.reshape(self.count, -1)[:, :prefix]
        return np.ascontiguousarray(rows).view(f"<u{prefix}")[:, 0].astype(np.int64)

    def error(self, found: str, allowed: str, reason: Reason = Reason.MALFORMED) -> ObjectError:
        """Return the error that says what is wrong with these objects."""
        return ObjectError(
            self.offset, f"g{self.group}v{self.variation}: {found}", f"allowed: {allowed}", reason
        )
