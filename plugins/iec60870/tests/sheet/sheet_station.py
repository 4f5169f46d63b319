"""A station that has everything, its interoperability sheet, and a control centre to check it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gateway_iec60870.asdu import (
    NO_TIME,
    Asdu,
    Cause,
    Command,
    Sizes,
    Time,
    TypeId,
    encode_command,
    encode_system,
    layout,
    parse,
)
from gateway_iec60870.asdu.system import System

from gateway import LinkPoint
from gateway.testing import Emitter, configured

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
from control_centre import Centre, Station, server, station

EVERYTHING = """\
name,kind,unit,command.model,command.select,command.low,command.high,command.on_time,field.at,scada.ioa,scada.ca,scada.type,scada.time,scada.group,scada.counter_group,scada.cycle,scada.background,scada.spontaneous,scada.scale,scada.offset,scada.control_ioa,scada.control_type,scada.long_pulse
breaker,status,,latch,,,,,x,1,,,,1,,,,,,,,,
relay,status,,,,,,,x,2,,,none,,,,,,,,,,
lamp,status,,,,,,,x,3,,,cp24,,,,,,,,,,
horn,status,,pulse,,,,1s,x,4,,,,,,,,,,,,,3s
bell,status,,pulse,,,,1s,x,5,8,,,,,,,,,,,,
switch,double,,trip_close,local,,,,x,100,,,,16,,,,,,,200,,
isolator,double,,,,,,,x,101,,,cp24,,,,,,,,,,
tie,status,,latch,,,,,x,102,,double,,,,,,,,,202,step,
tap,analog,,,,,,,x,400,,step,,,,10s,,true,,,,,
changer,analog,,,,,,,x,401,,step,cp24,,,,,,,,,,
ratio,analog,%,setpoint,,,,,x,500,,normalised,,,,,,,100,,,,
share,analog,,,,,,,x,501,,normalised,none,,,,,,,,,,
current,analog,A,setpoint,forward,-100,100,,x,600,,scaled,,,,,,,2,5,,,
word,analog,,setpoint,,,,,x,650,,bitstring,,,,,,,,,,,
voltage,analog,kV,,,,,,x,700,8,,,2,,,,,0.1,,,,
limit,analog,,setpoint,,0,500,,x,701,,,,,,5s,false,,-10,50,800,,
energy,counter,kWh,,,,,,x,900,,,,,1,,,,,,,,
water,counter,,,,,,,x,901,8,,cp24,,4,,,,,,,,
gas,counter,,,,,,,x,902,,,none,,,,,false,,,,,
siren,status,,latch,,,,,x,,,,,,,,,,,,950,,
"""
BARE = """\
name,kind,field.at,scada.ioa
breaker,status,x,1
voltage,analog,x,2
"""
MORE: dict[str, Any] = {"restart": True, "background": "1min", "reconnect": {"min": "10ms"}}
"""Fields of the station that has everything."""

Row = dict[str, str]


class Sheet:
    """The document, taken apart: the rows of the tables below each title."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.titles: list[str] = []
        self._rows: dict[str, list[Row]] = {}
        head: list[str] = []
        for line in text.splitlines():
            if line.startswith("#"):
                self.titles.append(line.lstrip("# "))
                head = []
            elif not line.startswith("|"):
                head = []
            elif not head:
                head = _cells(line)
            elif not line.startswith("| ---"):
                row = dict(zip(head, _cells(line), strict=True))
                self._rows.setdefault(self.titles[-1], []).append(row)

    @classmethod
    def of(cls, rows: str = EVERYTHING, **more: Any) -> Sheet:
        """Return the sheet of a station with these points."""
        link = server(20000, **more)
        found = configured([Emitter(name="field")], [link], rows, Path("/nowhere")).points
        points = [LinkPoint(i, one, one.addresses["scada"]) for i, one in enumerate(found)]
        text = link.profile(points)
        assert text is not None
        return cls(text)

    def rows(self, title: str) -> list[Row]:
        return self._rows.get(title, [])

    def used(self, title: str) -> dict[str, bool]:
        """Return what of a table is used, by its first cell."""
        return {next(iter(row.values())): bool(row["used"]) for row in self.rows(title)}

    def said(self, title: str, item: str, column: str = "in this station") -> str:
        """Return what a table says of an item."""
        (cell,) = (row[column] for row in self.rows(title) if item in row.values())
        return cell

    @property
    def selected(self) -> set[TypeId]:
        """The types with an X in the selections of standard ASDUs."""
        rows = [row for title in self.titles for row in self.rows(title) if "information" in row]
        assert len(rows) >= 44
        return {TypeId[row["name"]] for row in rows if row["used"]}

    @property
    def causes(self) -> set[tuple[TypeId, str]]:
        """Type and column of each X of the table of causes."""
        rows = self.rows("Type identifier and cause of transmission assignments")
        return {
            (TypeId[row["name"]], column)
            for row in rows
            for column, cell in row.items()
            if cell == "X"
        }

    @property
    def objects(self) -> list[Row]:
        """The rows of the point lists."""
        return [row for title in self.titles for row in self.rows(title) if "interrogated" in row]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def column(cause: int) -> str:
    """Return the column of the table of causes that a cause stands in."""
    for first, last in ((21, 36), (38, 41)):
        if first <= cause <= last:
            return f"{first}-{last}"
    return str(cause)


class Check:
    """A control centre that asks, and writes down what both sides say: type and cause."""

    def __init__(self, here: Station, centre: Centre, sizes: Sizes) -> None:
        self.here = here
        self.centre = centre
        self.sizes = sizes
        self.seen: set[tuple[int, int]] = set()
        self.longest = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, data: Path, rows: str = EVERYTHING, **more: Any) -> AsyncIterator[Check]:
        """Run a station with these points, and connect."""
        link = server(20000, **more)
        async with station(data, points=rows, **more) as here, Centre.at(here.port) as centre:
            yield cls(here, centre, link.sizes)

    @property
    def now(self) -> int:
        """The wall clock, in ms since 1970 UTC."""
        return int(getattr(asyncio.get_running_loop(), "now")()) // 1_000_000  # noqa: B009

    async def hear(self, seconds: float = 0.5) -> list[Asdu]:
        """Return what is heard within so long."""
        heard: list[Asdu] = []
        until = asyncio.get_running_loop().time() + seconds
        with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError):
            while True:
                octets = await self.centre.hear(until - asyncio.get_running_loop().time())
                self.longest = max(self.longest, len(octets))
                heard.append(parse(octets, self.sizes))
        self.seen |= {(one.type, one.cause) for one in heard}
        return heard

    async def ask(self, asdu: Asdu) -> list[Asdu]:
        """Say an ASDU and return what is heard then; what was accepted is written down."""
        self.centre.say(asdu.encode(self.sizes))
        heard = await self.hear()
        answers = [one for one in heard if one.type == asdu.type and one.address == asdu.address]
        if not any(one.cause >= Cause.UNKNOWN_TYPE for one in answers):
            self.seen.add((asdu.type, asdu.cause))
        return heard

    async def system(self, given: System, cause: int = Cause.ACTIVATION, ca: int = 7) -> list[Asdu]:
        return await self.ask(Asdu(given.type, cause, ca, encode_system(given, self.sizes)))

    async def command(
        self,
        kind: TypeId,
        ca: int,
        ioa: int,
        value: float,
        *,
        select: bool = False,
        qualifier: int = 0,
        cause: int = Cause.ACTIVATION,
        late: float = 0.0,
    ) -> list[tuple[int, bool]]:
        """Command an object and return causes and P/N of the answers."""
        known = layout(kind)
        assert known is not None
        time = self.now - round(late * 1000) if known.time is Time.CP56 else NO_TIME
        said = Command(kind, ioa, value, select=select, qualifier=qualifier, time=time)
        heard = await self.ask(Asdu(kind, cause, ca, encode_command(said, self.sizes)))
        return [(one.cause, one.negative) for one in heard if one.type == kind]


TAKEN, REFUSED = [(7, False), (10, False)], [(7, True)]
"""The answers to a command that is carried out, and to one that is not."""


def numbers(cell: str) -> list[float]:
    """Return the numbers of a cell."""
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", cell)]
