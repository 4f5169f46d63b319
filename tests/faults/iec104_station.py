"""A controlled station: it forgets an event only when an N(R) has acknowledged it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque

from iec104_wire import (
    MODULO,
    STARTDT_ACT,
    STARTDT_CON,
    TESTFR_ACT,
    TESTFR_CON,
    Breach,
    Frame,
    Frames,
    K,
    i,
    s,
    u,
)
from iec_asdu import (
    CONFIRMED,
    INTERROGATION,
    SETPOINT,
    TERMINATED,
    event,
    events,
    image,
    mirrored,
)
from iec_history import History
from iec_orders import Orders


class Station:
    """Listens for the gateway; of several connections the one that was started last counts.

    deaf:     probability that an acknowledgement is lost, and the connection with it.
    breaches: those that are still to be done.
    wrong:    what the gateway has done that no controlling station may do.
    """

    def __init__(self, history: History, orders: Orders) -> None:
        self.history = history
        self.orders = orders
        self.deaf = 0.0
        self.breaches: list[Breach] = []
        self.counts: Counter[str] = Counter()
        self.wrong: list[Exception] = []
        self.port = 0
        self.active: _Session | None = None
        self.awake = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        history.tell(self._news)
        self.awake.set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for session in self._sessions:
            session.hang_up()

    def sleep(self) -> None:
        """Hear nothing and say nothing, with all connections open."""
        self.awake.clear()

    def wake(self) -> None:
        """Go on, first with what has come meanwhile."""
        self.awake.set()
        self._news()

    def _news(self) -> None:
        if self.active is not None:
            self.active.go_on()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts.update(("connections", "open"))
        session = _Session(self, writer)
        self._sessions.add(session)
        try:
            with contextlib.suppress(OSError):
                await session.run(reader)
        except AssertionError as error:
            self.wrong.append(error)
        finally:
            self._sessions.discard(session)
            self.counts["open"] -= 1
            session.hang_up()


class _Session:
    """One connection; peer: the address that it comes from."""

    def __init__(self, station: Station, writer: asyncio.StreamWriter) -> None:
        self.peer: str = writer.get_extra_info("peername")[0]
        self._station = station
        self._history = station.history
        self._writer = writer
        self._frames = Frames()
        self._sent = 0
        self._settled = 0  # of ours
        self._flight: deque[int] = deque()  # of each of ours that is not: its last event, or 0
        self._came = 0
        self._told = 0  # of theirs
        self._offered = 0  # the latest event that was sent here
        self._answers: deque[bytes] = deque()
        self._broken = False  # it waits for the gateway to close it

    async def run(self, reader: asyncio.StreamReader) -> None:
        while True:
            data = await reader.read(65_536)
            await self._station.awake.wait()
            if not data:
                return
            for frame in self._frames.feed(data):
                if self._writer.is_closing():
                    return
                self._take(frame)
            self.go_on()

    def hang_up(self) -> None:
        if self._started:
            self._station.active = None
        self._writer.transport.abort()

    @property
    def _started(self) -> bool:
        return self._station.active is self

    def _take(self, frame: Frame) -> None:
        if frame.function:
            self._function(frame.function)
            return
        count = (frame.receive - self._settled) % MODULO
        assert count <= len(self._flight), f"N(R) {frame.receive}, {self._sent} were sent"
        if self._acknowledged(count) and frame.send >= 0:
            assert self._started, "an I frame on a connection that is not started"
            assert frame.send == self._came % MODULO, f"N(S) {frame.send}, not {self._came}"
            self._came += 1
            self._asked(frame.asdu)

    def _acknowledged(self, count: int) -> bool:
        """Take note that so many more have arrived; False where that gets lost."""
        if count and self._history.chance.random() < self._station.deaf:
            self._station.counts["lost acknowledgements"] += 1
            self.hang_up()
            return False
        self._settled += count
        for _ in range(count):
            self._history.release(self._flight.popleft())
        return True

    def _function(self, function: int) -> None:
        station = self._station
        if function == STARTDT_ACT:
            station.counts["starts"] += 1
            station.active = self
            self._offered = self._history.released
            self._write(u(STARTDT_CON))
        elif function == TESTFR_ACT:
            station.counts["tests"] += 1
            self._write(u(TESTFR_CON))
        else:
            raise AssertionError(f"function {function:#x}")

    def _asked(self, asdu: bytes) -> None:
        if asdu[0] == SETPOINT:
            self._station.orders.take(asdu, self._answer, self.hang_up)
            return
        assert asdu[0] == INTERROGATION, asdu.hex(" ")
        self._answers.append(mirrored(asdu, CONFIRMED))
        self._answers += image(self._history.state)
        self._answers.append(mirrored(asdu, TERMINATED))

    def _answer(self, asdu: bytes) -> None:
        self._answers.append(asdu)
        self.go_on()

    def go_on(self) -> None:
        """Send what there is to send, as far as k goes."""
        history = self._history
        while self._may and len(self._flight) < K:
            if self._answers:
                self._send(self._answers.popleft(), 0)
            elif history.generated > self._offered:
                numbers = history.offer(self._offered, history.chance.randint(1, K))
                self._offered = numbers[-1]
                self._send(events(map(event, numbers)), self._offered)
            else:
                break
        if self._may and self._came > self._told:
            self._told = self._came
            self._write(s(self._came))

    @property
    def _may(self) -> bool:
        return self._started and self._station.awake.is_set() and not self._broken

    def _send(self, asdu: bytes, last: int) -> None:
        breaches = self._station.breaches
        breach = breaches.pop() if last and breaches else None
        self._broken = breach is not None
        self._sent += breach is Breach.LEFT_OUT
        frame = i(self._sent, self._came + (breach is Breach.AHEAD), asdu)
        self._write(frame * 2 if breach is Breach.TWICE else frame)
        self._sent += 1
        self._told = self._came
        self._flight.append(last)
        self._station.counts["breaches"] += self._broken

    def _write(self, frame: bytes) -> None:
        self._writer.write(frame)
