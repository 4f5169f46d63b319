"""Fragments between stations over a line: retries and time-outs by a paused clock."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from gateway_dnp3.channel import Line, Message, Peer, UdpChannel, UdpListener, Unconfirmed
from gateway_dnp3.link import (
    Broadcast,
    Control,
    Frame,
    Function,
    LinkEvent,
    LinkSettings,
    encode,
)

from gateway.channel import Channel, ChannelClosed, Listener, StreamChannel
from gateway.testing import paused

HOST = "127.0.0.1"
WHOLE = bytes(range(256)) * 8
FIRST = bytes.fromhex("C0C001 3C0206")  # a read of class 1 as the only segment
RESET = bytes.fromhex("056405C001000004E921")


class Wire(Channel):
    """One end of a line in memory; `loses` decides for each frame whether it gets lost."""

    def __init__(
        self, loses: Callable[[], bool] = lambda: False, *, gap: float | None = None
    ) -> None:
        super().__init__("wire")
        self.gap = gap
        self.others: list[Wire] = []
        self.came: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._loses = loses

    @classmethod
    def pair(cls, loses: Callable[[], bool] = lambda: False) -> tuple[Wire, Wire]:
        """Two ends that lose nothing together but frames."""
        a, b = cls(loses), cls(loses)
        a.others, b.others = [b], [a]
        return a, b

    async def read(self) -> bytes:
        data = await self.came.get()
        if data is None:
            self.came.put_nowait(None)
            raise ChannelClosed("wire: cut")
        return data

    async def write(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            if not self._loses():
                for other in self.others:
                    other.came.put_nowait(frame)

    async def close(self, why: str = "closed") -> None:
        self.came.put_nowait(None)


@contextlib.asynccontextmanager
async def lines(*all_of: Line) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Lines that run; what ends them is left to the test."""
    tasks = [asyncio.create_task(line.run()) for line in all_of]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def tcp() -> AsyncIterator[tuple[StreamChannel, StreamChannel]]:
    listener = await Listener.open(HOST, 0)
    ours = await StreamChannel.connect(HOST, listener.port)
    try:
        yield ours, await listener.accept()
    finally:
        await ours.close()
        await listener.close()


@pytest.mark.parametrize("confirmed", [False, True])
def test_fragments_over_tcp(confirmed: bool) -> None:
    """Fragments of any size pass in both directions, with and without confirmations."""

    @paused
    async def test() -> None:
        async with tcp() as (ours, theirs):
            master, outstation = Line(ours), Line(theirs)
            up = master.add(LinkSettings(1, 10, True, confirmed=confirmed))
            down = outstation.add(LinkSettings(10, 1, False, confirmed=confirmed))
            async with lines(master, outstation):
                for size in (1, 249, 250, 2048):
                    await up.send(WHOLE[:size])
                    assert await down.receive() == Message(WHOLE[:size])
                    await down.send(WHOLE[-size:])
                    assert await up.receive() == Message(WHOLE[-size:])
            assert up.counts == down.counts == {"transport_fragments": 4, "inbox_full": 0}
            # 13 segments each way; confirmed, as many answers and one reset of the link.
            assert master.counts["frames_out"] == (13 if not confirmed else 2 * 14)

    test()


@paused
async def test_fragments_over_udp() -> None:
    """Over UDP each datagram stands for itself: one that is cut does not spoil the next one."""
    listener = await UdpListener.open(HOST, 0)
    ours = await UdpChannel.open(HOST, listener.port)
    master = Line(ours)
    up = master.add(LinkSettings(1, 10, True))
    await up.send(WHOLE)
    theirs = await listener.accept()
    outstation = Line(theirs)
    down = outstation.add(LinkSettings(10, 1, False))
    async with lines(master, outstation):
        assert await down.receive() == Message(WHOLE)
        await ours.write([RESET[:7]])
        await up.send(FIRST)
        assert await down.receive() == Message(FIRST)
        await down.send(b"\x01")
        assert await up.receive() == Message(b"\x01")
    assert outstation.counts == {"frames_in": 10, "frames_out": 1, "truncated": 1, "garbage": 7}
    await listener.close()


@paused
async def test_multi_drop() -> None:
    """A master reaches each outstation of a line by its address, and all of them at once; frames
    for others are left, whoever sent them."""
    ends = [Wire() for _ in range(3)]
    for end in ends:
        end.others = [other for other in ends if other is not end]
    master, *drops = (Line(end) for end in ends)
    up = [master.add(LinkSettings(1, 10 + n, True)) for n in range(2)]
    down = [line.add(LinkSettings(10 + n, 1, False)) for n, line in enumerate(drops)]
    async with lines(master, *drops):
        for n in range(2):
            await up[n].send(b"to %d" % n)
            assert await down[n].receive() == Message(b"to %d" % n)
            await down[n].send(b"from %d" % n)
            assert await up[n].receive() == Message(b"from %d" % n)
        await up[0].send(b"to all", Broadcast.CONFIRM)
        for one in down:
            assert await one.receive() == Message(b"to all", Broadcast.CONFIRM)
    assert [one.counts["link_address"] for one in down] == [1, 1]
    assert drops[0].counts["strangers"] == 1  # the other drop's answer


@paused
async def test_a_lossy_line() -> None:
    """Of 300 fragments each way over a line that loses a third of the frames, confirmed ones all
    arrive, in order and once."""
    chance = random.Random(1815)
    a, b = Wire.pair(lambda: chance.random() < 1 / 3)
    master, outstation = Line(a), Line(b)
    up = master.add(LinkSettings(1, 10, True, confirmed=True, retries=100))
    down = outstation.add(LinkSettings(10, 1, False, confirmed=True, retries=100))
    sent = [chance.randbytes(chance.randrange(1, 800)) for _ in range(300)]

    async def send(peer: Peer, fragments: list[bytes]) -> None:
        for fragment in fragments:
            await peer.send(fragment)

    async def heard(peer: Peer) -> list[bytes]:
        return [(await peer.receive()).fragment for _ in sent]

    async with lines(master, outstation), asyncio.TaskGroup() as group:
        group.create_task(send(up, sent))
        group.create_task(send(down, sent[::-1]))
        below, above = await asyncio.gather(heard(down), heard(up))
    assert below == sent
    assert above == sent[::-1]
    assert up.counts["link_repeated"] > 100


@paused
async def test_nobody_confirms() -> None:
    """Without a confirmation the sender is told after the retries; a line without connections
    stays, and the next fragment gets its chance."""
    a, _ = Wire.pair()
    line = Line(a)
    events: list[LinkEvent] = []
    peer = line.add(
        LinkSettings(1, 10, True, confirmed=True, retries=2, timeout=2.0), on_event=events.append
    )
    async with lines(line) as [running]:
        for _ in range(2):
            begin = asyncio.get_running_loop().time()
            with pytest.raises(
                Unconfirmed, match="station 10 has not confirmed user data, sent 3 times"
            ):
                await peer.send(WHOLE)
            assert asyncio.get_running_loop().time() == pytest.approx(begin + 3 * 2.0)
        assert events == [LinkEvent.FAILED, LinkEvent.SILENT] * 2
        assert peer.silent
        assert not running.done()


@paused
async def test_a_silent_connection_is_closed() -> None:
    """A TCP connection on which nothing is heard for the keep-alive, nor when it is asked for, is
    closed; a half-open one would never end by itself."""
    async with tcp() as (ours, _):
        line = Line(ours)
        peer = line.add(LinkSettings(1, 10, True, keep_alive=60.0, timeout=2.0, retries=2))
        receiving = asyncio.create_task(peer.receive())
        async with lines(line) as [running]:
            with pytest.raises(ChannelClosed, match="station 10 is silent"):
                await running
        assert asyncio.get_running_loop().time() == pytest.approx(60.0 + 3 * 2.0)
        with pytest.raises(ChannelClosed, match="station 10 is silent"):
            await receiving
        with pytest.raises(ChannelClosed, match="station 10 is silent"):
            await peer.send(FIRST)


@paused
async def test_keep_alive() -> None:
    """An idle connection to a station that answers stays."""
    async with tcp() as (ours, theirs):
        master, outstation = Line(ours), Line(theirs)
        events: list[LinkEvent] = []
        peer = master.add(LinkSettings(1, 10, True, keep_alive=60.0), on_event=events.append)
        outstation.add(LinkSettings(10, 1, False, keep_alive=None))
        async with lines(master, outstation):
            await asyncio.sleep(601)
            assert events == [LinkEvent.ALIVE] * 10
            await peer.ask()
            await asyncio.sleep(1)
            assert len(events) == 11
            assert not peer.silent


@paused
async def test_added_while_running() -> None:
    """A station that is added later has its keep-alive, too."""
    a, b = Wire.pair()
    line = Line(a)
    async with lines(line):
        await asyncio.sleep(1)
        line.add(LinkSettings(1, 10, True, keep_alive=5.0))
        await asyncio.sleep(5.1)
        asked = await b.read()
    assert asked == encode(Frame(Control(Function.REQUEST_LINK_STATUS, True), 10, 1))
    with pytest.raises(ValueError, match="stations 1 and 10 are connected twice"):
        line.add(LinkSettings(1, 10, True))


@paused
async def test_the_other_side_closes() -> None:
    """When the channel ends, what has come can still be received; then the reason is raised."""
    async with tcp() as (ours, theirs):
        master, outstation = Line(ours), Line(theirs)
        up = master.add(LinkSettings(1, 10, True))
        down = outstation.add(LinkSettings(10, 1, False))
        async with lines(master, outstation) as [_, running]:
            await up.send(FIRST)
            while not down._inbox:
                await asyncio.sleep(0.001)
            await ours.close()
            with pytest.raises(ChannelClosed, match="closed the connection"):
                await running
            assert await down.receive() == Message(FIRST)
            with pytest.raises(ChannelClosed, match="closed the connection"):
                await down.receive()


@paused
async def test_a_cut_while_a_confirmation_is_due() -> None:
    """Whoever waits for a confirmation is told that the channel has ended."""
    a, _ = Wire.pair()
    line = Line(a)
    peer = line.add(LinkSettings(1, 10, True, confirmed=True))
    async with lines(line):
        sending = asyncio.create_task(peer.send(WHOLE))
        await asyncio.sleep(0.1)
        await a.close()
        with pytest.raises(ChannelClosed, match="wire: cut"):
            await sending


@paused
async def test_a_full_inbox() -> None:
    """Fragments above the inbox are dropped and counted; confirmed ones wait at the sender."""
    a, b = Wire.pair()
    master, outstation = Line(a), Line(b)
    up = master.add(LinkSettings(1, 10, True))
    sure = master.add(LinkSettings(1, 11, True, confirmed=True, retries=10))
    down = outstation.add(LinkSettings(10, 1, False), inbox=2)
    below = outstation.add(LinkSettings(11, 1, False), inbox=2)
    async with lines(master, outstation):
        for n in range(5):
            await up.send(b"%d" % n)
        await asyncio.sleep(1)
        assert down.counts["inbox_full"] == 3
        assert [(await down.receive()).fragment for _ in range(2)] == [b"0", b"1"]

        async with asyncio.TaskGroup() as group:
            for n in range(5):
                group.create_task(sure.send(b"%d" % n))
            await asyncio.sleep(10)
            assert len(below._inbox) == 2
            got = [(await below.receive()).fragment for _ in range(5)]
        assert got == [b"0", b"1", b"2", b"3", b"4"]
        assert below.counts["inbox_full"] == 0


@paused
async def test_a_frame_that_breaks_off() -> None:
    """On a line that loses octets, a frame that broke off is given up after the gap, and the one
    that began inside it is found."""
    a, b = Wire(gap=0.1), Wire()
    b.others = [a]
    line = Line(a)
    peer = line.add(LinkSettings(10, 1, False))
    async with lines(line):
        whole = encode(
            Frame(Control(Function.UNCONFIRMED_USER_DATA, True), 10, 1, b"\xc0" + WHOLE[:200])
        )
        await b.write([whole[:100], encode(_data(FIRST))])
        begin = asyncio.get_running_loop().time()
        assert await peer.receive() == Message(FIRST[1:])
        assert asyncio.get_running_loop().time() - begin == pytest.approx(0.1)
        # With its octets in time it is whole, however slowly it comes.
        for octet in whole:
            await b.write([bytes((octet,))])
            await asyncio.sleep(0.09)
        assert await peer.receive() == Message(WHOLE[:200])
    assert line.counts["truncated"] == 1


def _data(segment: bytes) -> Frame:
    return Frame(Control(Function.UNCONFIRMED_USER_DATA, True), 10, 1, segment)


class Trace:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.tracing = True
        self.seen: list[tuple[str, bytes, str]] = []

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        self.seen.append((direction, frame, note))


@paused
async def test_trace() -> None:
    """Whoever traces sees each frame as its octets, and nothing when it has ended."""
    a, b = Wire.pair()
    trace = Trace()
    line = Line(a, trace)
    peer = line.add(LinkSettings(10, 1, False))
    async with lines(line):
        await b.write([encode(_data(FIRST))])
        message = await peer.receive()
        await peer.send(message.fragment)
        trace.tracing = False
        await peer.send(message.fragment)
    assert trace.seen == [
        ("rx", encode(_data(FIRST)), ""),
        ("tx", await b.read(), ""),
    ]
