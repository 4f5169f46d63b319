"""What the objects of a station show now, and what of the counters was frozen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway import Image
from gateway_iec60870.asdu import Columns, Sizes, TypeId, encode
from gateway_iec60870.controlled.layout import Layout, Slots
from gateway_iec60870.controlled.values import Values, values_of

SEQUENCE = 32
"""The sequence number of a counter reading has five bits (101 clause 7.2.6.9)."""


class Database:
    """Values by slot, from the image, in the units of the controlling station.

    Frozen counters are a copy of their moment; neither they nor what was reset outlive the link's
    run, because the counters themselves are the devices'.
    """

    def __init__(self, layout: Layout, image: Image, sizes: Sizes) -> None:
        self.layout = layout
        self._image = image
        self._sizes = sizes
        self._base = np.zeros(len(layout))
        self._reset = False
        self._sequence = np.zeros(len(layout), np.uint32)
        self._frozen = np.zeros(len(layout), np.bool_)
        self._value = np.zeros(len(layout))
        self._flags = np.zeros(len(layout), np.uint8)
        totals = layout.type == TypeId.M_IT_NA_1
        self.counters = np.flatnonzero(totals & layout.shown).astype(np.int32)
        self.interrogated = np.flatnonzero(~totals & layout.shown).astype(np.int32)

    def group(self, number: int) -> Slots:
        """Return the slots of a group of interrogation, sorted; 0 for the station."""
        slots = self.interrogated
        return slots if not number else slots[self.layout.group[slots] == number]

    def counter_group(self, number: int) -> Slots:
        """Return the slots of a group of counters, sorted; 0 for all."""
        slots = self.counters
        return slots if not number else slots[self.layout.counter_group[slots] == number]

    def of_station(self, slots: Slots, address: int) -> Slots:
        """Return those slots that have a common address."""
        mine: Slots = slots[self.layout.ca[slots] == address]
        return mine

    def one(self, address: int, ioa: int) -> Slots | None:
        """Return the slot of one object, or None where there is none."""
        slot = self.layout.objects.get((address, ioa))
        return None if slot is None else np.array([slot], np.int32)

    # Values

    def now(self, slots: Slots) -> Values:
        """Return what some slots show."""
        points, image = self.layout.point[slots], self._image
        return self.values(slots, image.value[points], image.quality[points])

    def values(
        self, slots: Slots, value: NDArray[np.float64], quality: NDArray[np.uint16]
    ) -> Values:
        """Return what slots show of samples; counters count from their last reset."""
        if self._reset:
            layout = self.layout
            value = value - self._base[slots] * layout.scale[slots]
        shown = values_of(self.layout, slots, value, quality)
        if len(self.counters):
            shown.extra[:] |= self._sequence[slots]
        return shown

    def encode(
        self, slots: Slots, cause: int, originator: int = 0, values: Values | None = None
    ) -> list[bytes]:
        """Return ASDUs with what sorted slots show, without time tags, as few as they can be."""
        shown = self.now(slots) if values is None else values
        layout, asdus = self.layout, []
        for segment in layout.segments(slots):
            rows = slice(segment.first, segment.last)
            columns = Columns.of(
                segment.type,
                layout.ioa[slots[rows]],
                shown.value[rows],
                shown.flags[rows],
                extra=shown.extra[rows],
            )
            tests = shown.test[rows]
            for test in (False, True) if tests.any() else (False,):
                part = columns if not tests.any() else columns[tests == test]
                asdus += [
                    one.encode(self._sizes)
                    for one in encode(
                        part,
                        self._sizes,
                        cause=cause,
                        address=segment.address,
                        test=test,
                        originator=originator,
                    )
                ]
        return asdus

    # Counters

    def freeze(self, slots: Slots, *, copy: bool, reset: bool) -> None:
        """Freeze counters, let them begin anew, or both (FRZ of C_CI_NA_1)."""
        if copy:
            shown = self.now(slots)
            self._value[slots], self._flags[slots] = shown.value, shown.flags
            self._frozen[slots] = True
            self._sequence[slots] = (self._sequence[slots] + 1) % SEQUENCE
        if reset:
            layout, image = self.layout, self._image
            value = (image.value[layout.point[slots]] - layout.offset[slots]) / layout.scale[slots]
            self._base[slots] = np.nan_to_num(value)
            self._reset = True

    def read_counters(self, slots: Slots) -> Values:
        """Return the last frozen values of counters; of those never frozen, what they are now."""
        shown = self.now(slots)
        frozen = self._frozen[slots]
        return Values(
            np.where(frozen, self._value[slots], shown.value),
            np.where(frozen, self._flags[slots], shown.flags),
            shown.extra,
            shown.test,
        )
