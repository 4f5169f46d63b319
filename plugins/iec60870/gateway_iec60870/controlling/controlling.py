"""The controlling station: interrogations, samples and commands, whatever carries the ASDUs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from itertools import compress
from operator import not_

from gateway import Batch, CustodyRefused, LinkError, SourceContext
from gateway_iec60870.asdu import LAYOUTS, Asdu, AsduError, Cause, Sizes, TypeId, Use, layout, parse
from gateway_iec60870.controlling.duties import Duties
from gateway_iec60870.controlling.exchange import refuses
from gateway_iec60870.controlling.legibility import Legibility
from gateway_iec60870.controlling.manners import Manners
from gateway_iec60870.controlling.orders import Orders
from gateway_iec60870.controlling.output import outputs
from gateway_iec60870.controlling.samples import Samples, type_text
from gateway_iec60870.controlling.sending import Send
from gateway_iec60870.controlling.station import Station

MOST_NOTED = 64
"""Sentences of a kind that are logged in one connection; the counters go on."""
MEASUREMENTS = frozenset(kind for kind, one in LAYOUTS.items() if one.use is Use.MEASUREMENT)
_LAST = max(MEASUREMENTS)
_NS_PER_MS = 1_000_000


class Controlling:
    """What a controlling station does in one connection, for all stations behind it.

    Make it in a task group, which carries its tasks; then `begin`, and `take` what comes.

    ca:   common address of points that name none.
    send: see `Send`.
    name: of the other end, for people.
    up:   whether a station has spoken that has points.
    """

    def __init__(
        self,
        ctx: SourceContext,
        ca: int | None,
        sizes: Sizes,
        manners: Manners,
        send: Send,
        name: str,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._ctx = ctx
        self._sizes = sizes
        self._manners = manners
        self._name = name
        self._tasks = tasks
        self.up = False
        self.legibility = Legibility(name, sizes)
        self._nothing = asyncio.get_running_loop().create_future()
        self._nothing.set_result(True)
        self._noted: dict[str, set[object]] = {}
        self._samples = Samples(ctx.points, ca, sizes, manners.zone, self._stranger)
        turn = asyncio.Semaphore(manners.abreast)
        self.stations = {
            address: Station(
                address,
                Duties(address, manners, sizes, self._wall),
                manners,
                sizes,
                send,
                self,
                turn,
                self._wall,
            )
            for address in self._samples.by_station
        }
        for station in self.stations.values():
            tasks.create_task(station.run())
        self._orders = Orders(
            ctx, outputs(ctx.points, ca), sizes, manners, send, self._wall, self._is_silent
        )
        if any(point.command is not None for point in ctx.points):
            tasks.create_task(self._orders.run())

    def begin(self, addresses: Iterable[int] | None = None) -> None:
        """Begin with these stations, by common address, or all: they are there (again)."""
        for address in self.stations if addresses is None else addresses:
            if address in self.stations:
                self.stations[address].begin()

    async def lost(self, addresses: Iterable[int]) -> None:
        """Hear from the transport that stations cannot be reached: their points become stale."""
        for address in addresses:
            station = self.stations.get(address)
            if station is not None and station.begun:
                station.lost()
                await self._report(station)

    def take(self, asdus: Sequence[bytes]) -> Awaitable[bool]:
        """Take ASDUs that came; call it again without waiting for the result.

        Answers count at once. The result, which comes in the order of the calls, is whether all
        measurements are in the gateway's custody: then, and not before, the ASDUs may be
        acknowledged. False is for good: the gateway refused them.
        """
        measured: list[Asdu] = []
        for octets in asdus:
            try:
                asdu = parse(octets, self._sizes)
            except AsduError as error:
                self._malformed(octets, error)
                continue
            if asdu.type <= _LAST:
                measured.append(asdu)
            else:
                self._other(asdu)
        jobs = [
            self._tasks.create_task(self._emit(batch, every))
            for batch, every in (self._measured(measured) if measured else ())
        ]
        if len(jobs) == 1:
            return jobs[0]
        return self._tasks.create_task(_all(jobs)) if jobs else self._nothing

    @property
    def doubt(self) -> str:
        """What could not be read, where that may be what is wrong; else empty."""
        return "" if self.up and self.legibility.proven.is_set() else self.legibility.complaint

    # What stations say

    def _measured(self, asdus: list[Asdu]) -> list[tuple[Batch, bool]]:
        use = [asdu.type in MEASUREMENTS and not asdu.negative for asdu in asdus]
        self.legibility.proven.set()
        if not all(use):
            for asdu in compress(asdus, map(not_, use)):
                self._unexpected(asdu)
            asdus = list(compress(asdus, use))
        for address, cause in {(asdu.address, asdu.cause) for asdu in asdus}:
            station = self._heard(address)
            if station is not None:
                station.gave(cause)
        return self._samples.of(asdus, self._ctx.now()) if asdus else []

    def _other(self, asdu: Asdu) -> None:
        if not refuses(asdu):
            self.legibility.proven.set()
        station = self._heard(asdu.address)
        ours = asdu.originator in (0, self._manners.originator)
        if asdu.type == TypeId.M_EI_NA_1 and asdu.cause == Cause.INITIALISED:
            self._ctx.count("restarts")
            if station is not None:
                station.restarted()
        elif not ours:
            # The answer to another controlling station.
            self._ctx.count("others")
        elif not (station is not None and station.answered(asdu)) and not self._orders.answered(
            asdu
        ):
            self._unexpected(asdu)

    def _heard(self, address: int) -> Station | None:
        station = self.stations.get(address)
        if station is None:
            self._once(
                "stations", address, f"station {address} speaks, and no row names anything of it"
            )
            return None
        if not self.up:
            self.up = True
            self._ctx.up(self._name)
        station.heard()
        return station

    async def _emit(self, batch: Batch, every: bool) -> bool:
        try:
            await self._ctx.emit(batch, every=every)
        except CustodyRefused:
            return False
        return True

    # What is wrong

    def _stranger(self, count: int, type_id: int, address: int, at: int) -> None:
        self._ctx.count("unknown_objects", count)
        if address in self.stations:
            sentence = f"station {address} sends {type_text(type_id)} of object {at}, which no row "
            self._once("objects", (address, type_id), sentence + "names as such; perhaps others")

    def _unexpected(self, asdu: Asdu) -> None:
        known = layout(asdu.type)
        self._ctx.count("unexpected" if known is not None else "unknown_types")
        if known is None or known.use is not Use.COMMAND:
            sentence = f"station {asdu.address} sends {type_text(asdu.type)} with cause "
            self._once("types", (asdu.type, asdu.cause), f"{sentence}{asdu.cause}: of no use here")

    def _malformed(self, octets: bytes, error: AsduError) -> None:
        self._ctx.count("malformed")
        if not self.legibility.complaint:
            self.legibility.failed(error)
            self._tasks.create_task(self.legibility.judge(self._manners.timeout))
        self._once("malformed", octets[:1], f"what cannot be read: {error}")

    def _once(self, kind: str, what: object, sentence: str) -> None:
        noted = self._noted.setdefault(kind, set())
        if what not in noted and len(noted) < MOST_NOTED:
            noted.add(what)
            self.note(sentence)

    # For the stations, see `Owner`

    def note(self, sentence: str) -> None:
        self._ctx.log.warning("%s: %s", self._name, sentence)

    def relief(self, sentence: str) -> None:
        self._ctx.log.info("%s: %s", self._name, sentence)

    def count(self, what: str, n: int = 1) -> None:
        self._ctx.count(what, n)

    async def silent(self, station: Station) -> None:
        begun = [one for one in self.stations.values() if one.begun]
        if all(one.silent for one in begun):
            why = "; ".join(filter(None, (self.doubt, self._nobody(begun))))
            raise LinkError(f"{self._name}: {why}")
        await self._report(station)

    async def _report(self, station: Station) -> None:
        self._ctx.count("silent_stations")
        self.note(f"station {station.address} does not answer")
        await self._ctx.stale(self._samples.by_station[station.address])

    def _nobody(self, stations: Sequence[Station]) -> str:
        addresses = ", ".join(str(one.address) for one in stations)
        others = ", ".join(str(one) for one in sorted(self._noted.get("stations", ()), key=str))
        also = f", station {others} does, which no row names" if others else ""
        if len(stations) == 1:
            return f"station {addresses} does not answer{also}"
        return f"none of the stations {addresses} answers{also}"

    def _is_silent(self, address: int) -> bool:
        station = self.stations.get(address)
        return station is None or station.silent or not station.begun

    def _wall(self) -> int:
        return self._ctx.now() // _NS_PER_MS


async def _all(jobs: Sequence[Awaitable[bool]]) -> bool:
    results = [await job for job in jobs]
    return all(results)
