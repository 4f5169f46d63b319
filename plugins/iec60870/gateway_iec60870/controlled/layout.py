"""Where the points stand at a controlled station: columns, sorted as they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway import Kind, LinkPoint
from gateway_iec60870.controlled.point import address_of, ca_of, output_of, type_of
from gateway_iec60870.controlled.type import STATES, TYPES, ControlType, Type

Slots = NDArray[np.int32]
NOT_SHOWN = 0
"""The object address of a system object (101 clause 7.2.5), which no point has."""


class Output(NamedTuple):
    """A point that is commanded, and with what."""

    point: LinkPoint
    type: ControlType


class Segment(NamedTuple):
    """Neighbouring slots of one common address and one type."""

    address: int
    type: int
    first: int
    last: int


class Layout:
    """One slot for each point, sorted by common address, type and object address.

    A point that is only commanded has a slot, too, with the object address 0 (NOT_SHOWN).

    addresses: the common addresses, in order.
    outputs:   by common and object address, what is commanded there.
    objects:   by common and object address, the slot that is shown there.
    point, ca, ioa, group, counter_group: by slot.
    shown:     by slot, whether it has an object.
    type, timed: by slot, its type without a time tag, and that of its events.
    eventful, background: by slot, whether it has events, and is in the background scan.
    cycles:    the slots of each period of cyclic transmission, in seconds.
    """

    def __init__(self, points: Sequence[LinkPoint], default: int | None) -> None:
        """`default` is the common address of points that name none; raises LinkError."""

        def place(point: LinkPoint) -> tuple[int, int, int]:
            ioa = address_of(point).ioa or NOT_SHOWN
            return ca_of(point, default), TYPES[type_of(point)].none, ioa

        rows = sorted(points, key=place)
        places = [place(point) for point in rows]
        shapes = [address_of(point) for point in rows]
        self.points = rows
        self.point = np.array([point.id for point in rows], np.int32)
        self.ca = np.array([ca for ca, _, _ in places], np.int32)
        self.type = np.array([kind for _, kind, _ in places], np.uint8)
        self.ioa = np.array([ioa for _, _, ioa in places], np.int32)
        self.shown = self.ioa != NOT_SHOWN
        self.timed = np.array(
            [getattr(TYPES[type_of(p)], address_of(p).time.value) for p in rows], np.uint8
        )
        self.group = np.array([one.group for one in shapes], np.uint8)
        self.counter_group = np.array([one.counter_group for one in shapes], np.uint8)
        self.eventful = np.array([one.eventful for one in shapes], np.bool_)
        self.background = np.array([one.background for one in shapes], np.bool_)
        self.addresses = tuple(sorted({ca for ca, _, _ in places}))
        self.objects = {
            (ca, ioa): slot for slot, (ca, _, ioa) in enumerate(places) if ioa != NOT_SHOWN
        }
        self.outputs: dict[tuple[int, int], Output] = {}
        for point, (ca, _, _) in zip(rows, places, strict=True):
            output = output_of(point)
            if output is not None:
                self.outputs[ca, output[0]] = Output(point, output[1])
        self.cycles: dict[float, Slots] = {}
        for period in sorted({one.cycle for one in shapes if one.cycle is not None}):
            cyclic = [slot for slot, one in enumerate(shapes) if one.cycle == period]
            self.cycles[period] = np.array(cyclic, np.int32)
        self._values()
        highest = int(self.point.max(initial=-1))
        self.slot = np.full(highest + 1, -1, np.int32)
        self.slot[self.point] = np.arange(len(rows), dtype=np.int32)

    def _values(self) -> None:
        states = [point.kind in STATES for point in self.points]
        shapes = [address_of(point) for point in self.points]
        self.scale = np.array(
            [1.0 if state else one.scale for state, one in zip(states, shapes, strict=True)]
        )
        self.offset = np.array(
            [0.0 if state else one.offset for state, one in zip(states, shapes, strict=True)]
        )
        self.scaled = bool((self.scale != 1.0).any() or self.offset.any())
        kinds = [(point.kind, type_of(point)) for point in self.points]
        self.narrowed = np.array([k == (Kind.DOUBLE, Type.SINGLE) for k in kinds], np.bool_)
        self.widened = np.array([k == (Kind.STATUS, Type.DOUBLE) for k in kinds], np.bool_)
        self.shaped = bool(self.narrowed.any() or self.widened.any())

    def __len__(self) -> int:
        return len(self.point)

    def segments(self, slots: Slots) -> Iterator[Segment]:
        """Yield where, in sorted slots, those of one common address and type begin and end."""
        if not len(slots):
            return
        ca, kind = self.ca[slots], self.type[slots]
        cuts = np.flatnonzero((ca[1:] != ca[:-1]) | (kind[1:] != kind[:-1])) + 1
        bounds = [0, *cuts.tolist(), len(slots)]
        for first, last in pairwise(bounds):
            yield Segment(int(ca[first]), int(kind[first]), first, last)
