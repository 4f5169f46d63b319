"""One connection of `c37118.client`: frames in, samples out, commands as the session wants."""

from __future__ import annotations

import asyncio

import numpy as np

from gateway import CustodyRefused, LinkError, LinkPoint, Quality, SourceContext
from gateway.c37118 import (
    Command,
    Configuration,
    Frame,
    FrameKind,
    decode_configuration,
)
from gateway_c37118.client.columns import Columns
from gateway_c37118.client.fragments import Fragments
from gateway_c37118.client.places import Place, find_places
from gateway_c37118.client.sequence import Sequence
from gateway_c37118.client.session import NAMES, Manners, Session
from gateway_c37118.client.stream import Data, Stream, Unfit
from gateway_c37118.client.wires import Wires

CHANGING = 0x0400
"""Bit 10 of STAT (table 7): the configuration changes."""
NOWHERE = Quality.INVALID | Quality.BAD_REFERENCE
MOST_NAMED = 10
"""Missing points that the log names."""
HEADER_TEXT = 400
UNRELIABLE = 0x0F
"""Time quality of commands: nobody takes the time from them."""


class Service:
    """Serves one open connection until it breaks."""

    def __init__(
        self, ctx: SourceContext, wires: Wires, idcode: int, manners: Manners, gather: float
    ) -> None:
        self._ctx = ctx
        self._wires = wires
        self._idcode = idcode
        self._gather = gather
        self._loop = asyncio.get_running_loop()
        self._session = Session(manners, self._loop.time())
        self._feeds = [
            (arrivals, Stream(idcode, ctx.count, whole=whole)) for arrivals, whole in wires.feeds
        ]
        self._sequence = Sequence(ctx.count, duplicates=any(whole for _, whole in wires.feeds))
        self._fragments = Fragments()
        self._configuration: Configuration | None = None
        self._body = b""
        self._every = Columns(())
        self._judged = Columns(())
        self._up = False

    async def run(self) -> None:
        """Read until the connection breaks; raises LinkError that says why."""
        while True:
            for command in self._session.outgoing():
                await self._send(command)
            await self._some()
            now = self._loop.time()
            closed = [arrivals.closed for arrivals, _ in self._feeds]
            for arrivals, stream in self._feeds:
                for event in stream.feed(arrivals.take(), now):
                    await self._take(event, now)
            for why in closed:
                if why is not None:
                    raise LinkError(why)
            before = self._session.timeouts
            try:
                self._session.tick(now)
            except LinkError as error:
                raise LinkError(f"{self._wires.name}, stream {self._idcode}: {error}") from None
            finally:
                if self._session.timeouts > before:
                    self._ctx.count("timeouts", self._session.timeouts - before)

    def frame(self, command: Command) -> bytes:
        """Return a command to this stream."""
        second, ns = divmod(self._ctx.now(), 1_000_000_000)
        base = 1_000_000 if self._configuration is None else self._configuration.time_base
        # Version 1 has all but this one (table 2, table 15): a device of 2005 takes the rest.
        version = 2 if command is Command.SEND_CONFIG_3 else 1
        return Frame(
            FrameKind.COMMAND,
            self._idcode,
            command.body(),
            second,
            ns * base // 1_000_000_000,
            UNRELIABLE,
            version,
        ).encode()

    async def _send(self, command: Command) -> None:
        frame = self.frame(command)
        if self._ctx.tracing:
            self._ctx.trace("tx", frame, command.name)
        await self._wires.send(frame)

    async def _some(self) -> None:
        """Wait until something came or the session has something to do."""
        some = self._wires.some
        if not some.is_set():
            try:
                async with asyncio.timeout_at(self._session.deadline):
                    await some.wait()
            except TimeoutError:
                return
        some.clear()
        if self._gather:
            await asyncio.sleep(self._gather)

    async def _take(self, event: Frame | Data | Unfit, now: float) -> None:
        if isinstance(event, Data):
            await self._data(event, now)
        elif isinstance(event, Unfit):
            self._session.ask(now)
        else:
            if self._ctx.tracing:
                self._ctx.trace("rx", event.encode(), event.kind.name)
            if event.kind in NAMES:
                await self._configure(event, now)
            elif event.kind is FrameKind.HEADER:
                self._ctx.log.info(
                    "%s says of itself: %s", self._wires.name, _printable(event.body)
                )
            else:
                self._ctx.count("ignored_frames")

    async def _data(self, data: Data, now: float) -> None:
        rows, n = data.rows, data.rows.count
        frames = np.frombuffer(data.octets, np.uint8).reshape(n, -1)
        if self._ctx.tracing:
            for frame in frames:
                self._ctx.trace("rx", frame.tobytes(), FrameKind.DATA.name)
        check = frames[:, -2:].copy().view(np.uint16).reshape(n)
        order = self._sequence.order(rows.time[:n], rows.time_quality[:n], check)
        self._session.data(bool((rows.stat[n - 1] & CHANGING).any()), now)
        if not self._up and self._configuration is not None:
            self._up = True
            self._ctx.up(_summary(self._configuration))
        if not len(order):
            return
        batches = [
            self._ctx.emit(columns.batch(rows, order), every=every)
            for columns, every in ((self._every, True), (self._judged, False))
            if len(columns)
        ]
        for refused in await asyncio.gather(*batches, return_exceptions=True):
            if isinstance(refused, CustodyRefused):
                # The device keeps nothing: what the gateway cannot take is lost.
                self._ctx.count("refused_custody", len(order))
            elif refused is not None:
                raise refused

    async def _configure(self, frame: Frame, now: float) -> None:
        kind = frame.kind
        try:
            whole = self._fragments.add(frame) if kind is FrameKind.CONFIG_3 else frame
            if whole is None:
                return
            if not self._session.takes(kind):
                self._ctx.count("ignored_frames")
                return
            if whole.body != self._body:
                configuration = decode_configuration(whole.encode())
                for _, stream in self._feeds:
                    stream.configure(configuration)
                await self._apply(kind, configuration)
                self._body = whole.body
        except ValueError as error:
            self._ctx.count("bad_configurations")
            self._ctx.log.warning(
                "%s: %s of stream %d cannot be used: %s",
                *(self._wires.name, NAMES[kind], self._idcode, error),
            )
            self._session.unreadable(now)
            return
        if self._configuration is not None:
            self._session.configured(kind, self._configuration.rate, now)

    async def _apply(self, kind: FrameKind, configuration: Configuration) -> None:
        """Have the points read where this configuration has them."""
        log = self._ctx.log
        if self._configuration is not None:
            log.warning("%s: the configuration has changed", self._wires.name)
            self._ctx.count("configuration_changes")
        self._configuration = configuration
        log.info(
            "%s: %s of stream %d: %s",
            *(self._wires.name, NAMES[kind], self._idcode, _summary(configuration)),
        )
        self._sequence.rate(configuration.rate)
        places, missing = find_places(self._ctx.points, configuration)
        events = {one.id for one in self._ctx.points if one.definition.deadband.width <= 0}
        self._every = Columns([one for one in places if _each(one, events)])
        self._judged = Columns([one for one in places if not _each(one, events)])
        if missing:
            log.error(
                "%s: %d of %d points are not in the configuration: %s",
                *(self._wires.name, len(missing), len(self._ctx.points), _sentences(missing)),
            )
            await self._ctx.stale([point.id for point, _ in missing], NOWHERE)


def _each(place: Place, events: set[int]) -> bool:
    """Whether each report of a point is taken: a measurement without a deadband."""
    return place.item.measured and place.point in events


def _sentences(missing: list[tuple[LinkPoint, str]]) -> str:
    named = [f"{point.name}: {why}" for point, why in missing[:MOST_NAMED]]
    more = len(missing) - len(named)
    return "; ".join(named + ([f"and {more} more"] if more else []))


def _summary(configuration: Configuration) -> str:
    n, rate = len(configuration.pmus), configuration.rate
    pace = f"{rate} frames/s" if rate > 0 else f"a frame every {-rate} s" if rate else "no rate"
    return f"{n} PMU{'s' if n != 1 else ''}, {pace}"


def _printable(body: bytes) -> str:
    text = body.decode(errors="replace").strip("\0 \r\n")
    return "".join(c if c.isprintable() else " " for c in text[:HEADER_TEXT])
