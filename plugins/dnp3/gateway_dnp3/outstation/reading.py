"""READ: from object headers to what is to be reported, and from there to fragments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.app import Iin, Writer, indication
from gateway_dnp3.objects import Columns, ObjectError, ObjectHeader, Qualifier, layout, time_object
from gateway_dnp3.objects import header as object_header
from gateway_dnp3.outstation.attributes import Attributes
from gateway_dnp3.outstation.database import Database, Table
from gateway_dnp3.outstation.events import EventBuffer, Key
from gateway_dnp3.outstation.family import BY_CODE, BY_EVENT, BY_STATIC, DEADBANDS, SILENT_EVENTS

CLASSES = 60
CLASS_0 = 1
INDICATIONS = 80
TIME = 50
Rows = slice | NDArray[np.intp]
SMALLEST = 3
"""Octets that an event takes at least: one of prefix and two of the smallest object."""
_HEADER = 5
_ROOM = 1000


@dataclass(slots=True)
class EventRead:
    """Which events to report: some classes or one type, in the point's variation or in one.

    `left` is how many, None for all that were there when the request came.
    """

    classes: int = 0
    code: int | None = None
    variation: int = 0
    left: int | None = None

    def keeps(self, key: Key) -> bool:
        if self.code is not None:
            return key.code == self.code
        return bool(self.classes >> key.event_class & 1)


@dataclass(slots=True)
class Reply:
    """What is left to report of a request: events first, then what is now."""

    events: deque[EventRead] = field(default_factory=deque)
    static: deque[Columns] = field(default_factory=deque)
    raw: deque[bytes] = field(default_factory=deque)
    before: int = 0
    iin: Iin = Iin.NONE
    room: int = 0

    def show(self, parts: Iterable[Columns]) -> None:
        """Add present values; a request that asks for the same over and over is cut short."""
        for columns in parts:
            self.room -= len(columns)
            if self.room < 0:
                self.iin |= Iin.PARAMETER_ERROR
                return
            self.static.append(columns)

    def __bool__(self) -> bool:
        return bool(self.events or self.static or self.raw)


class Reader:
    """Answers READ requests of one master."""

    def __init__(
        self,
        database: Database,
        events: EventBuffer,
        attributes: Attributes,
        wall: Callable[[], int],
        indications: Callable[[], Iin],
    ) -> None:
        self._database = database
        self._events = events
        self._attributes = attributes
        self._wall = wall
        self._indications = indications

    def plan(self, headers: Iterable[ObjectHeader]) -> Reply:
        """Return what a request asks for; what it cannot have is in the indications."""
        reply = Reply(before=self._events.order, room=_ROOM + 4 * len(self._database))
        try:
            for one in headers:
                try:
                    self._add(reply, one)
                except ObjectError as error:
                    reply.iin |= indication(error)
        except ObjectError as error:
            reply.iin |= indication(error)
        return reply

    def _add(self, reply: Reply, one: ObjectHeader) -> None:
        group, variation = one.group, one.variation
        if group == CLASSES:
            self._add_class(reply, one)
        elif group in BY_STATIC:
            if self._known(reply, one):
                self._add_static(reply, one)
        elif group in BY_EVENT or group in SILENT_EVENTS:
            if self._known(reply, one):
                self._add_events(reply, one)
        elif group == DEADBANDS and self._known(reply, one):
            self._add_deadbands(reply, one)
        elif group == 0:
            reply.raw.extend(self._attributes.read(one))
        elif group == INDICATIONS and variation in (0, 1):
            reply.raw.append(self._states())
        elif (group, variation) == (TIME, 1):
            reply.raw.append(time_object(TIME, 1, self._wall()))
        elif group != DEADBANDS:
            reply.iin |= Iin.OBJECT_UNKNOWN

    def _known(self, reply: Reply, one: ObjectHeader) -> bool:
        family = BY_STATIC.get(one.group) or BY_EVENT.get(one.group)
        known = not one.variation or layout(one.group, one.variation) is not None
        if family is not None and one.variation:
            own = family.statics if one.group == family.static else family.events
            known = one.variation in own
        if not known:
            reply.iin |= Iin.OBJECT_UNKNOWN
        return known

    def _add_class(self, reply: Reply, one: ObjectHeader) -> None:
        if not 1 <= one.variation <= 4:
            reply.iin |= Iin.OBJECT_UNKNOWN
        elif one.variation == CLASS_0:
            reply.show(self._database.everything())
        else:
            mask = 1 << one.variation - 1
            last = reply.events[-1] if reply.events else None
            limit = _limit(one)
            if limit is None and last is not None and last.code is None and last.left is None:
                last.classes |= mask
            else:
                reply.events.append(EventRead(classes=mask, left=limit))

    def _add_events(self, reply: Reply, one: ObjectHeader) -> None:
        limit = _limit(one)
        family = BY_EVENT.get(one.group)
        if family is not None:
            reply.events.append(EventRead(0, family.code, one.variation, limit))

    def _add_static(self, reply: Reply, one: ObjectHeader) -> None:
        table = self._database.tables.get(BY_STATIC[one.group].code)
        if table is None:
            # A type that is known and of which there is no point: nothing, or a wrong range.
            if one.qualifier is not Qualifier.ALL:
                reply.iin |= Iin.PARAMETER_ERROR
            return
        rows, complete = rows_of(table, one)
        if not complete:
            reply.iin |= Iin.PARAMETER_ERROR
        reply.show(self._database.static(table, rows, one.variation))

    def _add_deadbands(self, reply: Reply, one: ObjectHeader) -> None:
        table = self._database.tables.get(BY_STATIC[30].code)
        if table is None:
            reply.iin |= Iin.PARAMETER_ERROR
            return
        rows, complete = rows_of(table, one)
        if not complete:
            reply.iin |= Iin.PARAMETER_ERROR
        width = self._database.deadband[table.slot[rows]]
        if len(width):
            reply.show([Columns.of(DEADBANDS, one.variation or 3, table.index[rows], width)])

    def _states(self) -> bytes:
        """Return the internal indications as an object."""
        data = int(self._indications()).to_bytes(2, "little")
        return object_header(INDICATIONS, 1, Qualifier.RANGE_8, start=0, count=16, data=data)

    # Fragments

    def write(self, reply: Reply, writer: Writer) -> bool:
        """Write as much as there is room for; returns whether events are among it.

        What has been written is taken out of the reply, and events are marked as sent.
        """
        reported = False
        while reply.events:
            one = reply.events[0]
            wrote, more = self.write_events(writer, one, reply.before)
            reported |= bool(wrote)
            if more:
                return reported
            reply.events.popleft()
        while reply.raw:
            if not writer.put(reply.raw[0]):
                return reported
            reply.raw.popleft()
        while reply.static:
            columns = reply.static[0]
            count = writer.add(columns)
            if count < len(columns):
                reply.static[0] = columns[count:]
                return reported
            reply.static.popleft()
        return reported

    def write_events(self, writer: Writer, wanted: EventRead, before: int) -> tuple[int, bool]:
        """Write events in their order; returns how many, and whether there are more."""
        room = writer.room
        most = room // SMALLEST + 1
        if wanted.left is not None:
            most = min(most, wanted.left)
        rows, keys, which = self._events.first(most, wanted.keeps, before)
        if not len(rows):
            return 0, False
        variations = [wanted.variation or key.variation for key in keys]
        sizes = np.array(
            [_size(key, variation) for key, variation in zip(keys, variations, strict=True)]
        )
        cost = sizes[which]
        cost[np.unique(which, return_index=True)[1]] += _HEADER
        fits = int(np.searchsorted(np.cumsum(cost), room, "right"))
        wrote = 0
        for number in dict.fromkeys(which[:fits].tolist()):
            key = keys[number]
            mine = rows[:fits][which[:fits] == number]
            count = writer.add(
                Columns.of(
                    BY_CODE[key.code].event,
                    variations[number],
                    mine["index"],
                    mine["value"],
                    mine["flags"],
                    mine["time"],
                    synchronised=bool(mine["synchronised"].all()),
                )
            )
            if count:
                self._events.take(key, int(mine["order"][count - 1]))
                wrote += count
        if wanted.left is not None:
            wanted.left -= wrote
        enough = wanted.left == 0 or (wrote == len(rows) and len(rows) < most)
        return wrote, not enough


def rows_of(table: Table, one: ObjectHeader) -> tuple[Rows, bool]:
    """Return the rows that a header names, and whether all that it names are there."""
    if one.qualifier is Qualifier.ALL:
        return slice(None), True
    if one.qualifier in (Qualifier.COUNT_8, Qualifier.COUNT_16, Qualifier.COUNT_32):
        return slice(0, one.count), one.count <= len(table)
    wanted = one.indexes()
    found = table.find(wanted)
    return found, len(found) == len(wanted)


def _limit(one: ObjectHeader) -> int | None:
    if one.qualifier is Qualifier.ALL:
        return None
    if one.qualifier in (Qualifier.COUNT_8, Qualifier.COUNT_16, Qualifier.COUNT_32):
        return one.count
    raise one.error(f"qualifier 0x{one.qualifier:02X}", "0x06, 0x07, 0x08")


def _size(key: Key, variation: int) -> int:
    """Octets of an event with its index."""
    known = layout(BY_CODE[key.code].event, variation)
    return 2 + (known.size or 0 if known is not None else 0)
