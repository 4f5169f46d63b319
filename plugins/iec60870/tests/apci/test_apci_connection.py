"""A connection over channels: who waits for what, by a paused clock.

The other side is played with octets written by hand (`apdu_wire`), or is another connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.apci import (
    ApciSettings,
    Connection,
    LinkBroken,
    NotStarted,
    State,
)

from gateway.channel import Channel, ChannelClosed, Listener, StreamChannel
from gateway.testing import advance, paused

sys.path.insert(0, str(Path(__file__).parent))
from apdu_wire import stream, words

HOST = "127.0.0.1"


class Wire(Channel):
    """A channel in memory; the test is the other side.

    open: cleared, the other side takes nothing.
    """

    connection = True

    def __init__(self) -> None:
        super().__init__("wire")
        self.came: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.left: list[bytes] = []
        self.writes = 0
        self.open = asyncio.Event()
        self.open.set()
        self.closed = ""

    def say(self, text: str) -> None:
        """The other side sends these frames, in one read."""
        self.came.put_nowait(stream(text))

    def heard(self) -> str:
        """What the other side has received since it was asked last."""
        data, self.left = b"".join(self.left), []
        return words(data)

    async def read(self) -> bytes:
        data = await self.came.get()
        if data is None:
            raise ChannelClosed("wire: cut")
        return data

    async def write(self, frames: Sequence[bytes]) -> None:
        await self.open.wait()
        if self.closed:
            raise ChannelClosed(f"wire: {self.closed}")
        self.writes += 1
        self.left += frames

    async def close(self, why: str = "closed") -> None:
        self.closed = self.closed or why
        self.open.set()
        self.came.put_nowait(None)


class Watcher:
    """Takes note of what a connection says, and of its frames."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.frames: list[tuple[str, str, str]] = []
        self.tracing = True

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        self.frames.append((direction, frame.hex(), note))

    @property
    def hooks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_started": lambda: self.said.append("started"),
            "on_stopping": lambda: self.said.append("stopping"),
            "on_stopped": lambda: self.said.append("stopped"),
            "on_acknowledged": lambda count: self.said.append(f"acked{count}"),
        }


@contextlib.asynccontextmanager
async def runs(*connections: Connection) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Connections at work; how they end is left to the test."""
    tasks = [asyncio.create_task(one.run()) for one in connections]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def turns(count: int = 20) -> None:
    """Let everybody do what can be done without time passing."""
    for _ in range(count):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def begun(
    controlling: bool = True, settings: ApciSettings | None = None, **more: Any
) -> AsyncIterator[tuple[Connection, Wire, asyncio.Task[None]]]:
    """A connection that is started, on a wire."""
    wire = Wire()
    one = Connection(wire, settings or ApciSettings(), controlling=controlling, **more)
    async with runs(one) as (task,):
        if controlling:
            wire.say("STARTDT.con")
            await one.start()
        else:
            wire.say("STARTDT")
            await turns()
        wire.heard()
        yield one, wire, task


@paused
async def test_start_and_stop() -> None:
    """`start` and `stop` return when they are confirmed, and do nothing where it is so already."""
    wire, watcher = Wire(), Watcher()
    one = Connection(wire, ApciSettings(), controlling=True, **watcher.hooks)
    async with runs(one):
        starting = [asyncio.create_task(one.start()) for _ in range(2)]
        await turns()
        assert (wire.heard(), one.state, one.started) == ("STARTDT", State.STARTING, False)
        assert not any(task.done() for task in starting)
        wire.say("STARTDT.con")
        await asyncio.gather(*starting)
        assert one.started
        await one.start()
        stopping = [asyncio.create_task(one.stop()) for _ in range(2)]
        await turns()
        assert wire.heard() == "STOPDT"
        with pytest.raises(ValueError, match="STARTDT act of the controlling station when STOP"):
            await one.start()
        wire.say("STOPDT.con")
        await asyncio.gather(*stopping)
        await one.stop()
        assert (wire.heard(), watcher.said) == ("", ["started", "stopped"])


@paused
async def test_only_the_controlling_station_starts() -> None:
    """A controlled station is started, and `start` or `stop` of it is a mistake."""
    async with begun(controlling=False) as (one, _, _):
        with pytest.raises(ValueError, match="controlled station"):
            await one.start()
        with pytest.raises(ValueError, match="controlled station"):
            await one.stop()
        assert one.started


@paused
async def test_start_without_an_answer() -> None:
    """After t1 the connection is closed, and whoever waits is told why."""
    wire = Wire()
    one = Connection(wire, ApciSettings(t1=5, t2=1), controlling=True)
    loop = asyncio.get_running_loop()
    async with runs(one) as (task,):
        with pytest.raises(LinkBroken, match=r"^wire: no STARTDT con within 5 s \(t1\)$"):
            await one.start()
        assert loop.time() == 5
        with pytest.raises(LinkBroken, match="no STARTDT con"):
            await task
        assert wire.closed == "wire: no STARTDT con within 5 s (t1)"
        with pytest.raises(LinkBroken):
            await one.receive()
        with pytest.raises(LinkBroken):
            await one.start()


@paused
async def test_asdus_both_ways() -> None:
    """ASDUs pass in order; what is confirmed is acknowledged, what is acknowledged is told."""
    watcher = Watcher()
    async with begun(**watcher.hooks) as (one, wire, _):
        wire.say("I0/0:a I1/0:b")
        assert await one.receive() == [b"a", b"b"]
        assert one.unconfirmed == 2
        one.confirm(1)
        await one.send([b"x", b"y"])
        assert wire.heard() == "I0/1:x I1/1:y"
        assert (one.unacknowledged, one.room, one.unconfirmed) == (2, 10, 1)
        wire.say("I2/1:c S2")
        assert await one.receive() == [b"c"]
        assert watcher.said == ["started", "acked2"]
        one.confirm(2)
        await asyncio.sleep(9.9)
        assert wire.heard() == ""
        await asyncio.sleep(0.2)
        assert wire.heard() == "S3"
        assert one.counts["i_in"] == 3


@paused
async def test_receive_waits_and_gathers() -> None:
    """`receive` returns all that has come, in several reads too, and waits for the first."""
    async with begun() as (one, wire, _):
        waiting = asyncio.create_task(one.receive())
        await turns()
        assert not waiting.done()
        wire.say("I0/0:a")
        assert await waiting == [b"a"]
        wire.say("I1/0:b")
        wire.say("I2/0:c I3/0:d")
        await turns()
        assert await one.receive() == [b"b", b"c", b"d"]


@paused
async def test_send_waits_for_room() -> None:
    """More than k wait for acknowledgements, in order, and nobody comes between."""
    async with begun(settings=ApciSettings(k=3, w=2)) as (one, wire, _):
        first = asyncio.create_task(one.send([b"a", b"b", b"c", b"d", b"e"]))
        await turns()
        second = asyncio.create_task(one.send([b"f"]))
        await turns()
        assert (wire.heard(), wire.writes) == ("I0/0:a I1/0:b I2/0:c", 2)
        wire.say("S1")
        await turns()
        assert (wire.heard(), first.done()) == ("I3/0:d", False)
        wire.say("S4")
        await turns()
        assert wire.heard() == "I4/0:e I5/0:f"
        await first
        await second
        await one.send([])
        assert wire.heard() == ""


@paused
async def test_nobody_comes_between() -> None:
    """Who finds room by chance, while another one has not sent all, waits his turn."""
    async with begun(settings=ApciSettings(k=3, w=2)) as (one, wire, _):
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(one.send([b"a", b"b", b"c", b"d", b"e"]))
        await turns()
        wire.say("S1")
        while not one.room:
            await asyncio.sleep(0)
        loop.call_later(1, wire.say, "S3")
        await one.send([b"z"])
        await first
        assert wire.heard() == "I0/0:a I1/0:b I2/0:c I3/0:d I4/0:e I5/0:z"


@paused
async def test_room_free() -> None:
    """`room_free` says how many may be sent, as soon as it is one."""
    async with begun(settings=ApciSettings(k=2, w=2)) as (one, wire, _):
        assert await one.room_free() == 2
        await one.send([b"a", b"b"])
        waiting = asyncio.create_task(one.room_free())
        await turns()
        assert not waiting.done()
        wire.say("S1")
        assert await waiting == 1


@paused
async def test_send_refuses_what_does_not_fit() -> None:
    """An ASDU that no frame carries is refused before any of them is sent."""
    async with begun() as (one, wire, _):
        with pytest.raises(ValueError, match="ASDU of 250 octets"):
            await one.send([b"a", bytes(250)])
        await turns()
        assert wire.heard() == ""


@paused
async def test_send_returns_when_it_was_handed_on() -> None:
    """While the socket takes nothing, `send` waits; a cancelled one disturbs nobody."""
    async with begun() as (one, wire, _):
        wire.open.clear()
        first = asyncio.create_task(one.send([b"a"]))
        await turns()
        second = asyncio.create_task(one.send([b"b"]))
        third = asyncio.create_task(one.send([b"c"]))
        await turns()
        second.cancel()
        await turns()
        assert not first.done()
        assert not third.done()
        wire.open.set()
        await first
        await third
        assert wire.heard() == "I0/0:a I1/0:b I2/0:c"


@paused
async def test_nothing_is_sent_unless_started() -> None:
    """Before STARTDT, after STOPDT and when halted, senders are told so."""
    wire = Wire()
    one = Connection(wire, ApciSettings(k=1, w=1), controlling=False)
    async with runs(one):
        with pytest.raises(NotStarted, match="wire: data transfer is STOPPED"):
            await one.send([b"a"])
        wire.say("STARTDT")
        await turns()
        waiting = asyncio.create_task(one.send([b"a", b"b"]))
        await turns()
        wire.say("STOPDT")
        with pytest.raises(NotStarted, match="STOPPING"):
            await waiting
        assert wire.heard() == "STARTDT.con I0/0:a"
        wire.say("S1 STARTDT")
        await turns()
        waiting = asyncio.create_task(one.send([b"b", b"c"]))
        await turns()
        one.halt()
        with pytest.raises(NotStarted, match="STOPPED"):
            await waiting
        assert wire.heard() == "STOPDT.con STARTDT.con I1/0:b"


@paused
async def test_controlled_station_stops_when_all_is_settled() -> None:
    """STOPDT con leaves when what came is confirmed and what was sent is acknowledged."""
    watcher = Watcher()
    async with begun(controlling=False, **watcher.hooks) as (one, wire, _):
        await one.send([b"x"])
        wire.say("I0/0:a STOPDT")
        assert await one.receive() == [b"a"]
        assert wire.heard() == "I0/0:x"
        one.confirm(1)
        await turns()
        assert wire.heard() == "S1"
        wire.say("S1")
        await turns()
        assert wire.heard() == "STOPDT.con"
        assert watcher.said == ["started", "stopping", "acked1", "stopped"]


@paused
async def test_refused() -> None:
    """A connection that is ended in `on_started` confirms nothing and hands out nothing."""
    wire = Wire()
    one = Connection(wire, ApciSettings(), controlling=False)
    one.on_started = lambda: one.end("another one is started")
    async with runs(one) as (task,):
        wire.say("STARTDT I0/0:command")
        with pytest.raises(LinkBroken, match=r"^wire: another one is started$"):
            await one.receive()
        with pytest.raises(LinkBroken, match="another one is started"):
            await task
        assert (wire.heard(), wire.closed) == ("", "wire: another one is started")


@paused
async def test_ended_before_it_runs() -> None:
    """A connection that was ended ends at once when it is run."""
    wire = Wire()
    one = Connection(wire, ApciSettings(), controlling=False)
    one.end("not wanted")
    one.end("twice")
    with pytest.raises(LinkBroken, match="wire: not wanted"):
        await one.run()


@paused
async def test_the_other_side_closes() -> None:
    """What has come is still received; then everybody is told."""
    async with begun(settings=ApciSettings(k=1, w=1)) as (one, wire, task):
        await one.send([b"a"])
        waiting = [asyncio.create_task(wait) for wait in (one.send([b"b"]), one.test())]
        await turns()
        wire.say("I0/0:x")
        wire.came.put_nowait(None)
        with pytest.raises(ChannelClosed, match=r"^wire: cut$"):
            await task
        assert await one.receive() == [b"x"]
        with pytest.raises(ChannelClosed, match="wire: cut"):
            await one.receive()
        for one_of_them in waiting:
            with pytest.raises(ChannelClosed, match="wire: cut"):
                await one_of_them
        one.confirm(99)
        assert not isinstance(task.exception(), LinkBroken)
        assert (one.room, one.state, one.started) == (0, State.CLOSED, False)


@paused
async def test_writing_fails() -> None:
    """Whoever waits for the socket gets its reason and is not told that all is well."""
    async with begun() as (one, wire, task):
        wire.open.clear()
        waiting = asyncio.create_task(one.send([b"a"]))
        await turns()
        wire.closed = "has taken nothing for 10 s"
        wire.open.set()
        with pytest.raises(ChannelClosed, match="has taken nothing"):
            await waiting
        with pytest.raises(ChannelClosed, match="has taken nothing"):
            await task


@paused
async def test_cancelled() -> None:
    """Who cancels `run` closes the channel; whoever waits is told."""
    async with begun() as (one, wire, task):
        waiting = asyncio.create_task(one.receive())
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ChannelClosed, match="wire: not used any more"):
            await waiting
        assert wire.closed == "wire: not used any more"


@paused
async def test_close_acknowledges() -> None:
    """A farewell acknowledges what is in custody, so that the other side need not repeat it."""
    async with begun() as (one, wire, task):
        wire.say("I0/0:a I1/0:b")
        await one.receive()
        one.confirm(1)
        await one.close("shutting down")
        assert (wire.heard(), wire.closed) == ("S1", "shutting down")
        with pytest.raises(ChannelClosed, match="wire: shutting down"):
            await task
        with pytest.raises(ChannelClosed, match="wire: shutting down"):
            await one.receive()
        await one.close()


@paused
async def test_close_does_not_wait_for_ever() -> None:
    """Where the socket takes nothing, the farewell is left after a second."""
    async with begun() as (one, wire, _):
        wire.say("I0/0:a")
        await one.receive()
        one.confirm(1)
        wire.open.clear()
        before = asyncio.get_running_loop().time()
        await one.close()
        assert asyncio.get_running_loop().time() == before + 1


@paused
async def test_close_before_it_runs() -> None:
    """A connection that was never run can be closed."""
    wire = Wire()
    one = Connection(wire, ApciSettings(), controlling=True)
    await one.close()
    with pytest.raises(ChannelClosed, match="wire: closed"):
        await one.start()


@paused
async def test_silence() -> None:
    """t3 asks, t1 gives up; `test` asks by itself."""
    async with begun() as (one, wire, task):
        loop = asyncio.get_running_loop()
        heard = loop.time()
        testing = asyncio.create_task(one.test())
        await turns()
        assert wire.heard() == "TESTFR"
        wire.say("TESTFR.con")
        await testing
        await asyncio.sleep(20.001)
        assert wire.heard() == "TESTFR"
        with pytest.raises(LinkBroken, match="no TESTFR con within 15 s"):
            await task
        assert loop.time() == pytest.approx(heard + 35)


@paused
async def test_custody_that_is_slow_holds_the_other_side_up() -> None:
    """At the bound nothing more is read, no t1 or t3 is judged by, and nothing is acknowledged."""
    settings = ApciSettings(k=4, w=2)
    async with begun(settings=settings, bound=4) as (one, wire, task):
        await one.send([b"x"])
        wire.say("I0/0:a I1/0:b I2/0:c I3/0:d")
        wire.say("I4/1:e TESTFR")
        await turns()
        assert await one.receive() == [b"a", b"b", b"c", b"d"]
        await asyncio.sleep(1000)
        assert (wire.came.qsize(), wire.heard(), task.done()) == (1, "I0/0:x", False)
        assert one.counts["reading_paused"] == 1
        one.confirm(1)
        await turns()
        assert wire.heard() == "S1 TESTFR.con"
        assert (one.unconfirmed, one.unacknowledged) == (4, 0)


@paused
async def test_what_stays_full_stays_unread() -> None:
    """Confirming too little does not begin to read again."""
    async with begun(bound=2) as (one, wire, _):
        wire.say("I0/0:a I1/0:b I2/0:c")
        wire.say("I3/0:d")
        await turns()
        one.confirm(1)
        await turns()
        assert wire.came.qsize() == 1
        one.confirm(1)
        await turns()
        assert wire.came.qsize() == 0


@paused
async def test_a_flood_of_questions_is_bounded() -> None:
    """Who asks without taking the answers is not read any more."""
    async with begun(controlling=False) as (one, wire, _):
        wire.open.clear()
        for _ in range(100):
            wire.say(" ".join(["TESTFR"] * 100))
        await turns(500)
        assert one.counts["u_out"] < 600
        assert wire.came.qsize() > 90
        wire.open.set()
        await turns(500)
        assert len(wire.heard().split()) == 10_000


@paused
async def test_a_stalled_process_hears_first() -> None:
    """A loop that stood still for longer than t1 takes what came before it judges silence."""
    async with begun() as (one, wire, task):
        loop = asyncio.get_running_loop()
        for number in range(3):
            await one.send([b"x"])
            advance(60)
            # Timers first, then the sockets: some loops look in this order.
            loop.call_later(0.01, wire.say, f"S{number + 1} TESTFR")
            await asyncio.sleep(1)
            assert not task.done()
            assert one.unacknowledged == 0
        await one.send([b"y"])
        advance(60)
        with pytest.raises(LinkBroken, match=r"I frame N\(S\) 3 not acknowledged"):
            await task


@paused
async def test_silence_after_a_pause() -> None:
    """When reading goes on, so do the times: a station that has gone meanwhile is found out."""
    async with begun(bound=1) as (one, wire, task):
        wire.say("I0/0:a")
        await one.receive()
        await asyncio.sleep(1000)
        one.confirm(1)
        with pytest.raises(LinkBroken, match="no TESTFR con within 15 s"):
            await task
        assert asyncio.get_running_loop().time() == pytest.approx(1035)


@paused
async def test_trace() -> None:
    """Every frame is shown in both directions, and what is none, too."""
    watcher = Watcher()
    async with begun(tracer=watcher) as (one, wire, task):
        watcher.frames.clear()
        wire.say("I0/0:a TESTFR")
        await one.receive()
        watcher.tracing = False
        wire.say("I1/0:b")
        await one.receive()
        watcher.tracing = True
        one.confirm(2)
        await one.send([b"x"])
        wire.came.put_nowait(bytes.fromhex("680401000200 16FF"))
        with pytest.raises(LinkBroken):
            await task
        assert watcher.frames == [
            ("rx", "68050000000061", ""),
            ("rx", "680443000000", ""),
            ("tx", "680483000000", ""),
            ("tx", "68050000040078", ""),
            ("rx", "680401000200", ""),
            ("rx", "16ff", "start octet 0x16, not 0x68, at octet 32"),
        ]


@contextlib.asynccontextmanager
async def tcp() -> AsyncIterator[tuple[StreamChannel, StreamChannel]]:
    """Both ends of a connection over TCP."""
    listener = await Listener.open(HOST, 0)
    ours = await StreamChannel.connect(HOST, listener.port)
    try:
        yield ours, await listener.accept()
    finally:
        await ours.close()
        await listener.close()


async def exchange(count: int, settings: ApciSettings) -> None:
    """Send so many ASDUs in each direction at the same time, then stop."""
    said = {True: [], False: []}  # type: dict[bool, list[bytes]]
    acknowledged = {True: 0, False: 0}

    def told(controlling: bool) -> Callable[[int], None]:
        def add(more: int) -> None:
            acknowledged[controlling] += more

        return add

    async with tcp() as (ours, theirs):
        ends = {
            True: Connection(ours, settings, controlling=True, on_acknowledged=told(True)),
            False: Connection(theirs, settings, controlling=False, on_acknowledged=told(False)),
        }

        async def speak(one: Connection) -> None:
            await one.send([b"%d" % number for number in range(count)])

        async def listen(controlling: bool) -> None:
            one, heard = ends[controlling], said[controlling]
            while len(heard) < count:
                came = await one.receive()
                heard += came
                one.confirm(len(came))

        async with runs(*ends.values()), asyncio.timeout(60):
            await ends[True].start()
            async with asyncio.TaskGroup() as group:
                for controlling, one in ends.items():
                    group.create_task(speak(one))
                    group.create_task(listen(controlling))
            await ends[True].test()
            await ends[True].stop()
            assert acknowledged == {True: count, False: count}
            for heard in said.values():
                assert heard == [b"%d" % number for number in range(count)]


@paused
async def test_over_tcp_paused() -> None:
    """Over TCP both directions carry all, in order, to the last acknowledgement."""
    await exchange(2000, ApciSettings())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_over_tcp(loop: str) -> None:
    """The same on the loops that gateways run on, past the wrap of the numbers."""
    if loop == "asyncio":
        asyncio.run(exchange(40_000, ApciSettings(k=100, w=60)))
    else:
        import uvloop

        uvloop.run(exchange(40_000, ApciSettings(k=100, w=60)))


def test_a_deadline_that_is_now() -> None:
    """What is due within the millisecond is no timer to uvloop; nobody asks it for its time."""
    import uvloop

    async def check() -> None:
        wire = Wire()
        one = Connection(wire, ApciSettings(t2=0.0004), controlling=False)
        async with runs(one):
            wire.say("STARTDT " + " ".join(f"I{n}/0:a" for n in range(5)))
            for _ in await one.receive():
                one.confirm(1)
            async with asyncio.timeout(10):
                while stream("S5") not in wire.left:
                    await asyncio.sleep(0)

    uvloop.run(check())


@paused
async def test_a_lost_tcp_connection() -> None:
    """When the other end goes, `run` says so."""
    async with tcp() as (ours, theirs):
        one = Connection(ours, ApciSettings(), controlling=True)
        async with runs(one) as (task,):
            await turns()
            await theirs.close()
            with pytest.raises(ChannelClosed, match="closed the connection"):
                await task
