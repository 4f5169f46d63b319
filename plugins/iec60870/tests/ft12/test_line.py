"""Lines: ASDUs over channels in memory and over TCP, by a paused clock."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.ft12 import (
    BalancedSettings,
    Control,
    Frame,
    Function,
    Line,
    LinkDown,
    LinkEvent,
    LinkFull,
    PolledSettings,
    SecondarySettings,
    Station,
    encode,
)
from gateway_iec60870.ft12.line import WAITING

from gateway.channel import ChannelClosed, Listener, StreamChannel
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from ft12_wire import Wire, lines

HOST = "127.0.0.1"
STATUS_ASKED = bytes.fromhex("10 49 01 4A 16")
STATUS = bytes.fromhex("10 0B 01 0C 16")
RESET = bytes.fromhex("10 40 01 41 16")
ACK = bytes.fromhex("10 00 01 01 16")
NO_DATA = bytes.fromhex("10 09 01 0A 16")
CLASS_2 = bytes.fromhex("10 7B 01 7C 16")  # FCB = 1
CLASS_2_NEXT = bytes.fromhex("10 5B 01 5C 16")  # FCB = 0
GIVE_A = bytes.fromhex("68 03 03 68 08 01 61 6A 16")


def now() -> float:
    return asyncio.get_running_loop().time()


class Log:
    """What a station's callbacks were told."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.how = {
            "on_up": lambda: self.seen.append("up"),
            "on_down": lambda why: self.seen.append(("down", why)),
            "on_acknowledged": lambda count, group: self.seen.append(("ack", count, group)),
            "on_lost": lambda count, group: self.seen.append(("lost", count, group)),
            "on_event": lambda event: self.seen.append(event),
        }


@contextlib.asynccontextmanager
async def tcp() -> AsyncIterator[tuple[StreamChannel, StreamChannel]]:
    listener = await Listener.open(HOST, 0)
    ours = await StreamChannel.connect(HOST, listener.port)
    try:
        yield ours, await listener.accept()
    finally:
        await ours.close()
        await listener.close()


async def heard(wire: Wire, times: int = 1) -> bytes:
    """What has come to an end of the wire that no line reads."""
    return b"".join([await wire.read() for _ in range(times)])


async def up(wire: Wire, *, then: bytes = CLASS_2) -> None:
    """Play a secondary station's part of the start-up."""
    for asked, answer in ((STATUS_ASKED, STATUS), (RESET, ACK)):
        assert await heard(wire) == asked
        await wire.write([answer])
    if then:
        assert await heard(wire) == then


@paused
async def test_balanced_over_tcp() -> None:
    """ASDUs of any length pass in both directions; each is acknowledged when it is confirmed."""
    async with tcp() as (ours, theirs):
        a, b = Line(ours), Line(theirs)
        left = a.add(BalancedSettings(controlling=True, local=1, remote=2))
        right = b.add(BalancedSettings(controlling=False, local=2, remote=1))
        assert (left.address, right.address) == (2, 1)
        async with lines(a, b):
            for size in (1, 100, 253):
                for one, other in ((left, right), (right, left)):
                    await one.started()
                    delivering = asyncio.create_task(one.deliver(bytes(size)))
                    assert await other.receive() == [bytes(size)]
                    assert not delivering.done()
                    assert other.unconfirmed == 1
                    other.confirm()
                    await delivering
        assert a.counts["garbage"] == b.counts["garbage"] == 0


@paused
async def test_multi_drop() -> None:
    """A master reads three stations of a line and sends to each of them, and to all at once."""
    ends = [Wire() for _ in range(4)]
    for end in ends:
        end.others = [other for other in ends if other is not end]
    master, *drops = (Line(end) for end in ends)
    polled = [master.add(PolledSettings(address=n, class_2=0.1)) for n in (1, 2, 3)]
    log = Log()
    stations = [
        line.add(SecondarySettings(address=n), **(log.how if n == 1 else {}))
        for n, line in enumerate(drops, 1)
    ]
    async with lines(master, *drops):
        for one, station in zip(polled, stations, strict=True):
            await one.started()
            await station.send([b"event %d" % n for n in range(3)])
            await station.send([b"cyclic"], group=2)
        for one in polled:
            found: list[bytes] = []
            while len(found) < 4:
                found += await one.receive()
                one.confirm()
            assert [asdu for asdu in found if asdu != b"cyclic"] == [
                b"event 0",
                b"event 1",
                b"event 2",
            ]
        for n, one in enumerate(polled):
            await one.deliver(b"command %d" % n)
            assert await stations[n].receive() == [b"command %d" % n]
            stations[n].confirm()
        master.broadcast(b"to all")
        for station in stations:
            assert await station.receive() == [b"to all"]
        await asyncio.sleep(1)
    assert sorted(log.seen[1:-1]) == [("ack", 1, 1)] * 3 + [("ack", 1, 2)]
    assert (log.seen[0], log.seen[-1]) == ("up", ("down", "wire: not used any more"))
    assert stations[0].counts["others"] > 0
    assert master.counts["unexpected"] == 0


@paused
async def test_two_stations_of_ours_on_a_line() -> None:
    """Two secondary stations share a channel: each hears what is for it, both what is for all."""
    a, b = Wire.pair()
    master, line = Line(a), Line(b)
    polled = [master.add(PolledSettings(address=n)) for n in (1, 2)]
    stations = [line.add(SecondarySettings(address=n)) for n in (1, 2)]
    async with lines(master, line):
        for n in (0, 1):
            await polled[n].started()
            await polled[n].deliver(b"%d" % n)
            assert await stations[n].receive() == [b"%d" % n]
        master.broadcast(b"to all")
        assert [await one.receive() for one in stations] == [[b"to all"]] * 2
        # What another one says is for nobody here.
        await a.write([bytes.fromhex("10 0B 03 0E 16")])
        await asyncio.sleep(0.1)
    assert line.counts["strangers"] == 1
    assert [one.counts["others"] for one in stations] == [0, 0]


@paused
async def test_custody() -> None:
    """The next request leaves when what the last one brought is confirmed; refused, it is the same
    again, and so is what it brings."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, class_2=0.5, again=3.0))
    async with lines(line):
        await up(b)
        await b.write([GIVE_A])
        assert await station.receive() == [b"a"]
        await asyncio.sleep(5)
        assert b.came.empty()
        station.refuse()
        refused = now()
        assert await heard(b) == CLASS_2
        assert now() == refused + 3.0
        await b.write([GIVE_A])
        assert await station.receive() == [b"a"]
        station.confirm()
        assert await heard(b) == CLASS_2_NEXT
    assert station.counts == {"refused": 1}


@paused
async def test_refused_before_it_was_received() -> None:
    """What waits to be received is refused with the rest, and comes again."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, again=1.0))
    async with lines(line):
        await up(b)
        await b.write([GIVE_A])
        await asyncio.sleep(0.1)
        station.refuse()
        receiving = asyncio.create_task(station.receive())
        assert await heard(b) == CLASS_2
        assert not receiving.done()
        await b.write([GIVE_A])
        assert await receiving == [b"a"]


@paused
async def test_time_outs_begin_when_a_frame_has_left() -> None:
    """At 1,200 bit/s a frame takes longer than the time-out; the repetition comes one time-out
    after its last octet."""
    octet = 11 / 1200
    a, b = Wire.pair(octet=octet)
    line = Line(a)
    station = line.add(PolledSettings(address=1, timeout=0.5, retries=1, class_2=100.0))
    async with lines(line):
        await up(b)
        await b.write([NO_DATA])
        await asyncio.sleep(1)
        sending = asyncio.create_task(station.send([bytes(100)]))
        began = now()
        await heard(b)
        carried = 108 * octet
        assert now() == pytest.approx(began + carried)
        await heard(b)
        assert now() == pytest.approx(began + carried + 0.5 + carried)
        await sending


@paused
async def test_an_answer_that_is_coming_in_is_waited_for() -> None:
    """An answer whose first octets come in time is not overdue, however long it takes; noise that
    never ends is not waited for longer than the longest frame."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, timeout=0.5, class_2=100.0))
    async with lines(line):
        await up(b)
        await asyncio.sleep(0.48)
        for octet in GIVE_A:
            await b.write([bytes((octet,))])
            await asyncio.sleep(0.04)
        assert await station.receive() == [b"a"]
        assert now() > 0.5
        assert station.counts["retries"] == 0
        station.confirm()

        sending = asyncio.create_task(station.send([b"x"]))
        asked = await heard(b)
        began = now()
        while b.came.empty():
            await b.write([b"\x68\xff\xff\x68"])  # each the beginning of the longest frame
            await asyncio.sleep(0.04)
        assert await heard(b) == asked
        # 0.5 s, and 261 octets, four in each 0.04 s.
        assert now() == pytest.approx(began + 0.5 + 261 / 4 * 0.04, abs=0.1)
        await sending


@paused
async def test_a_frame_that_breaks_off() -> None:
    """A frame that broke off is given up after the silence, and the one that began inside it is
    found; a channel that knows no gap has one of half a second."""
    for gap, given, silence in ((0.1, None, 0.1), (None, None, 0.5), (0.1, 0.3, 0.3)):
        a, b = Wire(gap=gap), Wire()
        b.others = [a]
        line = Line(a, idle=given)
        station = line.add(SecondarySettings(address=1))
        async with lines(line):
            await b.write([RESET])
            await station.started()
            free = encode(Frame(Control(Function.USER_DATA_NO_REPLY), 1, b"x"), 1)
            began = now()
            await b.write([GIVE_A[:4] + bytes(3), free[:5], free[5:]])
            await b.write([b"\x68\x20\x20\x68\x44" + free])
            assert await station.receive() == [b"x"]
            assert await station.receive() == [b"x"]
            assert now() == pytest.approx(began + silence)
        assert line.counts["truncated"] == 1


@paused
async def test_callbacks() -> None:
    """A life's callbacks: up, acknowledged, lost before down; then the next life."""
    a, b = Wire.pair()
    line = Line(a)
    log = Log()
    station = line.add(
        PolledSettings(address=1, timeout=1.0, retries=0, class_2=100.0, pause=2.0), **log.how
    )
    async with lines(line):
        await up(b)
        await b.write([NO_DATA])
        await asyncio.sleep(0.1)
        assert (station.up, station.room) == (True, 16)
        await station.send([b"1", b"2", b"3"])
        assert station.room == 13
        await heard(b)
        await b.write([ACK])
        await asyncio.sleep(3)
        assert (station.up, station.room) == (False, 0)
        await heard(b)
        await up(b)
    why = "station 1 does not answer, asked once"
    assert log.seen == [
        "up", ("ack", 1, 1), ("lost", 2, 1), ("down", why), "up",
        ("down", "wire: not used any more"),
    ]  # fmt: skip


@paused
async def test_events_of_a_secondary_station() -> None:
    """A master that falls silent and asks again; a reset that ends a life with both classes."""
    a, b = Wire.pair()
    line = Line(a)
    log = Log()
    station = line.add(SecondarySettings(address=1, silence=10.0), **log.how)
    async with lines(line):
        await b.write([RESET])
        await station.started()
        await station.send([b"1", b"2"])
        await station.send([b"3"], group=2)
        await asyncio.sleep(11)
        await b.write([RESET])
        await asyncio.sleep(0.1)
        assert log.seen == [
            "up", LinkEvent.SILENT, ("lost", 2, 1), ("lost", 1, 2),
            ("down", "the primary station has reset the link of station 1"), LinkEvent.HEARD, "up",
        ]  # fmt: skip


@paused
async def test_a_command_is_delivered_or_not() -> None:
    """`deliver` returns with the acknowledgement; without one it raises, and says whether the ASDU
    was on the line."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, timeout=1.0, retries=0, class_2=100.0))
    with pytest.raises(LinkDown, match="station 1 has not been heard yet"):
        await station.deliver(b"x")
    async with lines(line):
        await up(b)
        await b.write([NO_DATA])
        await asyncio.sleep(0.1)
        tasks = [asyncio.create_task(station.deliver(asdu)) for asdu in (b"1", b"2", b"3")]
        await heard(b)
        await b.write([ACK])
        await tasks[0]
        results = await asyncio.gather(*tasks[1:], return_exceptions=True)
        assert [type(one) for one in results] == [LinkDown, LinkDown]
        assert [one.doubtful for one in results if isinstance(one, LinkDown)] == [True, False]
        assert str(results[0]) == "station 1 does not answer, asked once"
        with pytest.raises(LinkDown, match="does not answer"):
            await station.send([b"x"])


@paused
async def test_a_command_is_taken_back() -> None:
    """One that is cancelled before it was on the line never goes out; one that was on it does."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, timeout=1.0, class_2=100.0))
    async with lines(line):
        await up(b)  # the line is busy with a request
        tasks = [asyncio.create_task(station.deliver(asdu)) for asdu in (b"1", b"2", b"3")]
        await asyncio.sleep(0.1)
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        await b.write([NO_DATA])
        assert b"1" in await heard(b)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        await b.write([ACK])
        assert b"3" in await heard(b)
        await b.write([ACK])
        await tasks[2]


@paused
async def test_cancelled_when_it_is_through() -> None:
    """A cancellation that crosses the acknowledgement takes nothing back."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, class_2=100.0))
    async with lines(line):
        await up(b)
        await b.write([NO_DATA])
        await asyncio.sleep(0.1)
        delivering = asyncio.create_task(station.deliver(b"1"))
        await heard(b)
        await b.write([ACK])
        while station.room < 16:
            await asyncio.sleep(0)
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        assert station.room == 16


@paused
async def test_sending_waits_for_room() -> None:
    """More ASDUs than there is room for are handed over as there is, in order; what is left when
    the life ends is not sent, even where the next one begins at once."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(SecondarySettings(address=1, queue=2, single=False))
    async with lines(line):
        await b.write([RESET])
        await station.started()
        assert await heard(b) == ACK
        sending = asyncio.create_task(station.send([b"%d" % n for n in range(5)]))
        found = []
        for n in range(2):
            fcb = n % 2 == 0
            ask = Frame(Control(Function.REQUEST_CLASS_1, False, fcb, True), 1)
            await b.write([encode(ask, 1)])
            found.append((await heard(b))[6:-2])
        assert found == [b"0", b"1"]
        assert not sending.done()
        await b.write([RESET])
        with pytest.raises(LinkDown, match="has reset the link"):
            await sending
        assert station.room == 2


@paused
async def test_the_other_side_closes() -> None:
    """When the channel ends, what has come can still be received; then the reason is raised, and
    whoever waits for an acknowledgement is told."""
    async with tcp() as (ours, theirs):
        a, b = Line(ours), Line(theirs)
        log = Log()
        left = a.add(BalancedSettings(controlling=True), **log.how)
        right = b.add(BalancedSettings(controlling=False))
        async with lines(a, b) as [running, _]:
            await left.started()
            await right.started()
            waiting = asyncio.create_task(right.started())
            delivering = asyncio.create_task(left.deliver(b"x"))
            late = asyncio.create_task(left.deliver(b"y"))
            sending = asyncio.create_task(right.send([b"z"]))
            while not right._inbox or not left._inbox:
                await asyncio.sleep(0.001)
            await theirs.close()
            with pytest.raises(ChannelClosed, match="closed the connection"):
                await running
            with pytest.raises(LinkDown, match="closed the connection") as down:
                await delivering
            assert down.value.doubtful
            with pytest.raises(LinkDown) as down:
                await late
            assert not down.value.doubtful
            assert await left.receive() == [b"z"]
            for again in (left.receive(), left.deliver(b"x"), left.send([b"x"]), left.started()):
                with pytest.raises(ChannelClosed, match="closed the connection"):
                    await again
            left.confirm()
            left.refuse()
            assert not left.up
            await asyncio.gather(waiting, sending)
        with pytest.raises(ChannelClosed):
            a.add(BalancedSettings(controlling=True))
    assert "up" in log.seen
    assert log.seen[-2] == ("lost", 2, 1)
    assert log.seen[-1][0] == "down"


@paused
async def test_whoever_waits_when_it_ends() -> None:
    """Whoever waits for ASDUs, for a life or for room is told that the line has ended."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(SecondarySettings(address=1, queue=1))
    async with lines(line) as [running]:
        starting = asyncio.create_task(station.started())
        receiving = asyncio.create_task(station.receive())
        await asyncio.sleep(0.1)
        await b.write([RESET])
        await starting
        sending = asyncio.create_task(station.send([b"1", b"2"]))
        await asyncio.sleep(0.1)
        await a.close("cut")
        with pytest.raises(ChannelClosed, match="wire: cut"):
            await running
        with pytest.raises(ChannelClosed, match="wire: cut"):
            await receiving
        with pytest.raises(LinkDown, match="wire: cut"):
            await sending

    line = Line(Wire())
    station = line.add(SecondarySettings(address=1))
    async with lines(line):
        starting = asyncio.create_task(station.started())
        await asyncio.sleep(0.1)
    with pytest.raises(ChannelClosed, match="not used any more"):
        await starting


@paused
async def test_a_silent_connection_is_closed() -> None:
    """A connection on which nothing readable comes for the silence is closed, and one on which
    something does is not; a serial line stays."""
    a, b = Wire(connection=True), Wire()
    b.others = [a]
    line = Line(a, silence=30.0)
    line.add(SecondarySettings(address=1))
    async with lines(line) as [running]:
        await asyncio.sleep(20)
        await b.write([STATUS_ASKED])
        await asyncio.sleep(20)
        await b.write([b"noise"])
        with pytest.raises(ChannelClosed, match="wire: nothing that can be read has come for 30 s"):
            await running
        assert now() == pytest.approx(50.0)

    line = Line(Wire(), silence=30.0)
    line.add(SecondarySettings(address=1))
    async with lines(line) as [running]:
        await asyncio.sleep(1000)
        assert not running.done()


@paused
async def test_the_link_is_tested() -> None:
    """An idle balanced line is tested with its interval, by both sides, and stays."""
    a, b = Wire.pair()
    first, second = Line(a), Line(b)
    log = Log()
    left = first.add(BalancedSettings(controlling=True, test=20.0), **log.how)
    second.add(BalancedSettings(controlling=False, test=None))
    async with lines(first, second):
        await asyncio.sleep(205)
        assert left.up
    tests = [at for at, data in a.written if data[1:2] in (b"\xd2", b"\xf2")]
    assert [round(at) for at in tests] == [20 * n for n in range(1, 11)]
    assert log.seen[:2] in (["up", LinkEvent.RESET], [LinkEvent.RESET, "up"])


@paused
async def test_stations_that_come_and_go() -> None:
    """Stations are added and removed while the line runs."""
    a, b = Wire.pair()
    line = Line(a)
    with pytest.raises(ValueError, match="only a primary station of an unbalanced line broadcasts"):
        line.broadcast(b"a")
    async with lines(line):
        await asyncio.sleep(1)
        station = line.add(PolledSettings(address=1))
        await up(b)
        with pytest.raises(ValueError, match="station 1 is there already"):
            line.add(PolledSettings(address=1))
        with pytest.raises(ValueError, match="a link address of 2 octets, the line's 1"):
            line.add(PolledSettings(address=2, octets=2))
        for other in (SecondarySettings(address=2), BalancedSettings(controlling=True, local=2)):
            with pytest.raises(ValueError, match="stations of different kinds"):
                line.add(other)
        for _ in range(16):
            line.broadcast(b"a")
        with pytest.raises(LinkFull):
            line.broadcast(b"a")
        line.remove(1)
        with pytest.raises(ChannelClosed, match="wire: not used any more"):
            await station.receive()
        with pytest.raises(KeyError):
            line.remove(1)
        # The answer that was due to it.
        await b.write([GIVE_A])
        await heard(b, 16)
        assert line.counts["frames_out"] == 19

    line = Line(Wire())
    line.add(BalancedSettings(controlling=True, local=1))
    with pytest.raises(ValueError, match="stations of different kinds, or two of a balanced line"):
        line.add(BalancedSettings(controlling=True, local=2))
    line.remove(1)
    assert not line.stations


@paused
async def test_removed_after_the_end() -> None:
    """A station of a line that has ended can be removed; the reason stays that of the end."""
    line = Line(Wire())
    station = line.add(PolledSettings(address=1))
    async with lines(line) as [running]:
        await asyncio.sleep(0.1)
        await line.channel.close("cut")
        await asyncio.wait([running])
    line.remove(1)
    with pytest.raises(ChannelClosed, match="wire: cut"):
        await station.receive()


@paused
async def test_added_while_the_timer_sleeps() -> None:
    """A balanced station that is added later starts at once."""
    a, b = Wire.pair()
    line = Line(a)
    async with lines(line):
        await asyncio.sleep(1)
        line.add(BalancedSettings(controlling=True))
        assert await heard(b) == bytes.fromhex("10 C9 01 CA 16")
        assert now() == 1.0


@paused
async def test_what_is_not_taken_is_not_read() -> None:
    """While the other side takes nothing, only so many answers wait, and nothing more is read."""
    a, b = Wire.pair()
    gate = asyncio.Event()

    async def stuck(frames: Any) -> None:
        await gate.wait()
        for frame in frames:
            b.came.put_nowait(frame)

    a.write = stuck  # type: ignore[method-assign]
    line = Line(a)
    line.add(SecondarySettings(address=1))
    async with lines(line):
        for _ in range(3 * WAITING):
            await b.write([STATUS_ASKED])
        await asyncio.sleep(10)
        assert len(line._outgoing) <= WAITING
        assert a.came.qsize() >= 2 * WAITING - 1
        gate.set()
        assert await heard(b, 3 * WAITING) == STATUS * 3 * WAITING


@paused
async def test_an_asdu_of_the_moment() -> None:
    """What makes an ASDU is called when it goes on the line, not when it is handed over."""
    a, b = Wire.pair()
    line = Line(a)
    station = line.add(PolledSettings(address=1, class_2=100.0))
    async with lines(line):
        await up(b)
        await station.send([lambda: b"%d" % round(now() * 10)])
        await asyncio.sleep(0.7)
        await b.write([NO_DATA])
        assert b"7" in await heard(b)


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
    line = Line(a, tracer=trace)
    line.add(SecondarySettings(address=1))
    async with lines(line):
        await b.write([STATUS_ASKED])
        assert await heard(b) == STATUS
        trace.tracing = False
        await b.write([RESET])
        assert await heard(b) == b"\xe5"
    assert trace.seen == [
        ("rx", STATUS_ASKED, ""),
        ("tx", STATUS, ""),
    ]


@paused
async def test_a_lossy_line() -> None:
    """Of 200 ASDUs each way over a line that loses a quarter of all frames, all arrive, in order
    and once."""
    chance = random.Random(60870)
    a, b = Wire.pair(lambda: chance.random() < 0.25, octet=11 / 9600)
    first, second = Line(a), Line(b)
    how: dict[str, Any] = {"timeout": 0.3, "retries": 60, "pause": 0.3}
    left = first.add(BalancedSettings(controlling=True, **how))
    right = second.add(BalancedSettings(controlling=False, **how))
    sent = [chance.randbytes(chance.randrange(1, 254)) for _ in range(200)]

    async def receive(station: Station) -> list[bytes]:
        found: list[bytes] = []
        while len(found) < len(sent):
            came = await station.receive()
            await asyncio.sleep(chance.choice([0.0, 0.001, 0.05]))
            found += came
            station.confirm(len(came))
        return found

    async with lines(first, second):
        await left.started()
        await right.started()
        async with asyncio.TaskGroup() as group:
            group.create_task(left.send(sent))
            group.create_task(right.send(sent[::-1]))
            below, above = await asyncio.gather(receive(right), receive(left))
    assert below == sent
    assert above == sent[::-1]
    assert left.counts["retries"] > 50
    assert left.counts["lives"] == right.counts["lives"] == 0
