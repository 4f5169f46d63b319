"""Measurements as parallel columns: row *i* of each column is one information object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway_iec60870.asdu.civil import NO_TIME
from gateway_iec60870.asdu.layout import LAYOUTS


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Measurements of one type.

    `object` is the information object address.
    `value`: SIQ 0 or 1; DIQ and SEP 0 to 3; VTI -64 to 63; BSI 0 to 2^32-1; NVA the fraction, -1 to
    1-2^-15; SVA a 16-bit, BCR a 32-bit signed number; R32 the float; SPE and OCI their octet as a
    number; SCD its 16 states as a number, the first one the lowest bit.
    `flags` are the quality bits as they stand on the wire, without those of the value:
    OV 0x01, EI 0x08, BL 0x10, SB 0x20, NT 0x40, IV 0x80; of BCR: CY 0x20, CA 0x40, IV 0x80.
    `time` is the civil time that stands in the object, as milliseconds since 1970-01-01 as if it
    were UTC; with CP24 the milliseconds since the full hour; NO_TIME where there is none.
    `clock` are the flags of the time: TIME_INVALID, SUMMER_TIME, SUBSTITUTED_TIME.
    `extra` is what else the object has, else 0: 1 for VTI in transient state; the sequence number
    of BCR; the change detection bits of SCD; the milliseconds (CP16) of protection equipment.
    """

    type: int
    object: NDArray[np.int32]
    value: NDArray[np.float64]
    flags: NDArray[np.uint8]
    time: NDArray[np.int64]
    clock: NDArray[np.uint8]
    extra: NDArray[np.uint32]

    @classmethod
    def of(
        cls,
        type: int,  # noqa: A002
        object: ArrayLike,  # noqa: A002
        value: ArrayLike,
        flags: ArrayLike = 0,
        time: ArrayLike = NO_TIME,
        clock: ArrayLike = 0,
        extra: ArrayLike = 0,
    ) -> Columns:
        """Return columns made from anything numpy takes; one number may serve all rows."""
        at = np.atleast_1d(np.asarray(object, np.int32))

        def column(given: ArrayLike, dtype: Any) -> NDArray[Any]:
            return np.ascontiguousarray(np.broadcast_to(np.asarray(given, dtype), at.shape))

        return cls(
            int(type),
            at,
            column(value, np.float64),
            column(flags, np.uint8),
            column(time, np.int64),
            column(clock, np.uint8),
            column(extra, np.uint32),
        )

    @property
    def time_size(self) -> int:
        """Octets of the time tag: 0, 3 or 7."""
        return LAYOUTS[self.type].time.value

    def __len__(self) -> int:
        return len(self.object)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Columns:
        """Return some of the rows: those of a slice, a mask or an array of row numbers."""
        return Columns(
            self.type,
            self.object[rows],
            self.value[rows],
            self.flags[rows],
            self.time[rows],
            self.clock[rows],
            self.extra[rows],
        )
