"""The edge node as a state machine: which message follows which; without I/O.

The spec's rules that decide here: clauses 5.4 to 5.7 (births and deaths), 5.15 (data),
5.16 (rebirth), and 6.4.5 (one sequence number for all messages of the node).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway import Batch, Image, Quality
from gateway_mqtt.sparkplug import birth, quality
from gateway_mqtt.sparkplug.datatype import Floats, Mask
from gateway_mqtt.sparkplug.rows import Rows, framed
from gateway_mqtt.sparkplug.topic import topic
from gateway_mqtt.sparkplug.tree import Device

LULL = 5.0
"""Seconds without history after which a device that was born only for its history dies."""
SETTLING = 60.0
"""Seconds behind a birth in which older samples are history; then its time counts no more,
so that a device whose clock was put back is not history for long."""
FRAME = 64
"""Octets of a packet and payload around topic and metrics."""

_LONG_AGO = np.iinfo(np.int64).min


class Message(NamedTuple):
    """What is to be published at QoS 0, and how many samples it carries."""

    kind: str
    topic: str
    payload: bytes
    rows: int = 0


Messages = Iterator[Message | None]
"""Messages to send in this order; None asks for a pause, so that other work gets its turn.

A message's sequence number is taken as it is yielded: send it before asking for the next.
"""


class Node:
    """One connection of an edge node, from its NBIRTH to its NDEATH.

    now:   wall clock, ns.
    clock: for intervals, s.
    count: a counter of the link.
    """

    def __init__(
        self,
        group: str,
        node: str,
        devices: Sequence[Device],
        image: Image,
        bdseq: int,
        most: int,
        now: Callable[[], int],
        clock: Callable[[], float],
        count: Callable[[str, int], None],
    ) -> None:
        self._group, self._node = group, node
        self._devices = devices
        self._image = image
        self._bdseq = bdseq
        self._now = now
        self._clock = clock
        self._count = count
        self._seq = 0
        self._rows = Rows(devices)
        self._ids = [np.array([m.point.id for m in d.metrics], np.int32) for d in devices]
        size = max((int(ids.max()) for ids in self._ids if len(ids)), default=-1) + 1
        self._device = np.zeros(size, np.int64)
        for number, ids in enumerate(self._ids):
            self._device[ids] = number
        self._data = [self._topic("DATA", d) for d in devices]
        self._most = most - max(len(each.encode()) for each in self._data) - FRAME
        self._born = np.zeros(len(devices), np.bool_)
        self._lingering: dict[int, float] = {}
        # Of each point: whether its device has lost it, whether its quality was last shown as
        # other than good, and the sample that was in its birth.
        self._stale = np.ones(size, np.bool_)
        self._shown = np.zeros(size, np.bool_)
        self._born_value = np.full(size, np.nan)
        self._born_quality = np.zeros(size, np.uint16)
        self._born_time = np.full(size, _LONG_AGO)
        self._settled_at = 0.0

    @property
    def alive(self) -> int:
        """How many devices are born."""
        return int(np.count_nonzero(self._born[1:]))

    def death(self) -> Message:
        """Return the NDEATH: the will, and what an orderly end says itself."""
        payload = birth.node_death(self._bdseq, self._now())
        return Message("NDEATH", topic("NDEATH", self._group, self._node), payload)

    def births(self) -> Messages:
        """Yield NBIRTH and the DBIRTH of each device that is there: at first, and on request."""
        self._seq = 0
        self._born[:] = False
        yield from self._bear(0)
        for number, ids in enumerate(self._ids):
            if number and (number in self._lingering or not self._lost(ids).all()):
                yield from self._bear(number)

    def deliver(self, batch: Batch, *, historical: bool) -> Messages:
        """Yield what a delivery becomes: births of devices that are back, data, deaths."""
        if self._settled_at and self._clock() > self._settled_at:
            self._born_time[:] = _LONG_AGO
            self._settled_at = 0.0
        for run in _runs(batch):
            yield from self._history(run) if historical else self._live(run)

    def overdue(self) -> Messages:
        """Yield the death of each device that was born for its history, which is over."""
        now = self._clock()
        for number in [n for n, until in self._lingering.items() if until < now]:
            del self._lingering[number]
            yield from self._bury(number)

    def _history(self, batch: Batch) -> Messages:
        device = self._device[batch.point]
        for number in np.unique(device).tolist():
            if not self._born[number] or number in self._lingering:
                self._linger(number)
            if not self._born[number]:
                yield from self._bear(number)
        yield from self._send(batch, device, np.ones(len(batch), np.bool_))

    def _live(self, batch: Batch) -> Messages:
        device = self._device[batch.point]
        dead = _dead(batch.value, batch.quality)
        back = _distinct(device, ~self._born[device] & ~dead)
        for number in back:
            yield from self._bear(number)
        unborn = ~self._born[device]
        known = ~unborn & self._in_birth(batch)
        self._note("in_death", unborn)
        self._note("in_birth", known)
        old = ~known & (batch.time < self._born_time[batch.point])
        yield from self._send(*_only(~(unborn | known), batch, device, old))
        now = ~(unborn | old)
        points = batch.point[now]
        self._born_time[points] = _LONG_AGO
        self._stale[points] = dead[now]
        self._shown[points] = (batch.quality[now] & quality.SHOWN) != 0
        for number in _distinct(device, now & dead):
            if number not in self._lingering:
                yield from self._bury(number)
        for number in back:
            if self._born[number] and self._stale[self._ids[number]].all():
                # Only older samples spoke for its life: what says that it is lost is to come.
                self._linger(number)

    def _send(self, batch: Batch, device: npt.NDArray[np.int64], old: Mask) -> Messages:
        if (device[1:] < device[:-1]).any() or (batch.time[1:] < batch.time[:-1]).any():
            order = np.lexsort((batch.time, device))
            batch, device, old = batch.take(order), device[order], old[order]
        shown = ((batch.quality & quality.SHOWN) != 0) | self._shown[batch.point]
        before = self._rows.misfits
        for part in self._rows.write(batch, device, old, shown, self._most):
            payload = framed(part.octets, self._next_seq(), self._now())
            kind = "DDATA" if part.device else "NDATA"
            yield Message(kind, self._data[part.device], payload, part.rows)
        if self._rows.misfits > before:
            self._count("misfits", self._rows.misfits - before)

    def _bear(self, number: int) -> Messages:
        device, ids = self._devices[number], self._ids[number]
        image, now = self._image, self._now()
        current = Batch(ids, image.value[ids], image.quality[ids], image.time[ids])
        payload = birth.begin(now)
        for _ in birth.add_metrics(payload, device, current, now):
            yield None
        if number == 0:
            birth.add_control(payload, self._bdseq, now)
        self._born[number] = True
        self._stale[ids] = _dead(current.value, current.quality)
        self._shown[ids] = (current.quality & quality.SHOWN) != 0
        self._born_value[ids] = current.value
        self._born_quality[ids] = current.quality
        self._born_time[ids] = np.where(np.isnan(current.value), _LONG_AGO, current.time)
        self._settled_at = self._clock() + SETTLING
        payload.seq = 0 if number == 0 else self._next_seq()
        yield Message(
            "DBIRTH" if number else "NBIRTH",
            self._topic("BIRTH", device),
            payload.SerializeToString(),
        )

    def _bury(self, number: int) -> Messages:
        if number and self._born[number] and self._stale[self._ids[number]].all():
            self._born[number] = False
            yield Message(
                "DDEATH",
                self._topic("DEATH", self._devices[number]),
                birth.device_death(self._next_seq(), self._now()),
            )

    def _linger(self, number: int) -> None:
        if number:
            self._lingering[number] = self._clock() + LULL

    def _lost(self, ids: npt.NDArray[np.int32]) -> Mask:
        return _dead(self._image.value[ids], self._image.quality[ids])

    def _in_birth(self, batch: Batch) -> Mask:
        points = batch.point
        value = self._born_value[points]
        same: Mask = (batch.value == value) | (np.isnan(batch.value) & np.isnan(value))
        same &= batch.time == self._born_time[points]
        same &= batch.quality == self._born_quality[points]
        return same

    def _note(self, what: str, rows: Mask) -> None:
        number = int(np.count_nonzero(rows))
        if number:
            self._count(what, number)

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq

    def _topic(self, what: str, device: Device) -> str:
        return topic(("D" if device.name else "N") + what, self._group, self._node, device.name)


def _distinct(device: npt.NDArray[np.int64], which: Mask) -> list[int]:
    if not which.any():
        return []
    found: list[int] = np.unique(device[which]).tolist()
    return found


def _only(
    rows: Mask, batch: Batch, device: npt.NDArray[np.int64], old: Mask
) -> tuple[Batch, npt.NDArray[np.int64], Mask]:
    if rows.all():
        return batch, device, old
    return batch.take(rows), device[rows], old[rows]


def _dead(value: Floats, flags: npt.NDArray[np.uint16]) -> Mask:
    """Mask samples that say that the device does not answer, or never did."""
    dead: Mask = ((flags & int(Quality.OLD_DATA)) != 0) | np.isnan(value)
    dead &= (flags & int(Quality.VALIDITY)) == int(Quality.INVALID)
    return dead


def _runs(batch: Batch) -> Iterator[Batch]:
    """Yield a batch in runs in which no point's time goes back, so that each can be sorted."""
    while len(batch):
        reversals = _reversals(batch)
        if not len(reversals):
            yield batch
            return
        first = int(reversals.min())
        yield batch.take(slice(0, first))
        batch = batch.take(slice(first, None))


def _reversals(batch: Batch) -> npt.NDArray[np.intp]:
    """Return the rows that are older than the row before of the same point."""
    if not (batch.time[1:] < batch.time[:-1]).any():
        return np.empty(0, np.intp)
    order = np.argsort(batch.point, kind="stable")
    point, time = batch.point[order], batch.time[order]
    back = (point[1:] == point[:-1]) & (time[1:] < time[:-1])
    rows: npt.NDArray[np.intp] = order[1:][back]
    return rows
