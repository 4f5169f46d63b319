"""The outstation's time-outs over real sockets, on a paused clock."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, class_objects
from gateway_dnp3.objects import Crob, encode_commands

from gateway.channel import ChannelClosed, StreamChannel
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from station import POINTS, Master, events, operate, station, statuses

F = FunctionCode


@paused
async def test_a_select_expires(tmp_path: Path) -> None:
    """After 30 s, the point's own time: status 1, TIMEOUT, and nothing is operated."""
    async with station(tmp_path, keep_alive="never") as s, Master.at(s.port) as master:
        assert await operate(master, F.SELECT, Crob(7, 0x41)) == [0]
        await asyncio.sleep(29)
        assert await operate(master, F.OPERATE, Crob(7, 0x41)) == [0]
        assert await operate(master, F.SELECT, Crob(7, 0x41)) == [0]
        await asyncio.sleep(31)
        assert await operate(master, F.OPERATE, Crob(7, 0x41)) == [1]
        assert len(await s.told()) == 1


@paused
async def test_the_answer_waits_for_the_device(tmp_path: Path) -> None:
    """A device that says nothing: status 127 after the point's 10 s, or `command_timeout`."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        s.field.reply(lambda command: None)
        begin = asyncio.get_running_loop().time()
        assert await operate_slowly(master, Crob(0, 0x03)) == 127
        assert asyncio.get_running_loop().time() - begin == pytest.approx(10.0, abs=0.1)
    async with station(tmp_path / "second", command_timeout="2s") as s, Master.at(s.port) as master:
        s.field.reply(lambda command: None)
        begin = asyncio.get_running_loop().time()
        assert await operate_slowly(master, Crob(0, 0x03)) == 127
        assert asyncio.get_running_loop().time() - begin == pytest.approx(2.0, abs=0.1)


async def operate_slowly(master: Master, control: Crob) -> int:

    master.sequence += 1
    objects = encode_commands([control])
    await master.send(Fragment.request(F.DIRECT_OPERATE, objects, master.sequence))
    (status,) = statuses(await master.hear(60))
    return status


@paused
async def test_unsolicited_is_sent_again_with_pauses(tmp_path: Path) -> None:
    """Overdue after 5 s, pauses of 5 and 10 s; the events stay in the journal until confirmed."""
    async with station(tmp_path, unsolicited=True) as s, Master.at(s.port) as master:
        await master.confirm(await master.hear())
        await master.ask(F.ENABLE_UNSOLICITED, class_objects(1, 2, 3))
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await s.emit(breaker=1)
        moments = []
        for _ in range(3):
            report = await master.hear(60)
            moments.append(loop.time() - begin)
        assert moments == [pytest.approx(at, abs=0.1) for at in (0.0, 10.0, 25.0)]
        assert s.gw.held("scada") == 1
        await master.confirm(report)
        await s.gw.until(lambda: not s.gw.held("scada"))


@paused
async def test_a_slow_master_holds_up_nobody(tmp_path: Path) -> None:
    """One never confirms; the other has a hundred events, each at once."""
    lines = POINTS.splitlines()
    both = [lines[0] + ",second.index"]
    both += [line + (",0" if line.startswith("breaker") else ",") for line in lines[1:]]
    async with (
        station(
            tmp_path,
            points="\n".join(both) + "\n",
            masters={"second": {"master": 2}},
            unsolicited=True,
        ) as s,
        Master.at(s.port, 1) as quick,
        Master.at(s.port, 2) as slow,
    ):
        for master in (quick, slow):
            master.sequence = 0
            await master.send(Fragment.request(F.ENABLE_UNSOLICITED, class_objects(1, 2, 3), 1))
        found = []
        # The null responses, which come when each has spoken, and the answers.
        while len(found) < 2:
            answer = await quick.hear()
            found.append(answer)
            if answer.control.con:
                await quick.confirm(answer)
        loop = asyncio.get_running_loop()
        for n in range(100):
            begin = loop.time()
            await s.emit(breaker=n % 2)
            report = await quick.hear()
            assert events([report]) == [(2, 0, float(n % 2))]
            assert loop.time() - begin < 0.1
            await quick.confirm(report)
        await s.gw.until(lambda: not s.gw.held("scada"))
        assert s.gw.held("second") == 100


@paused
async def test_a_dead_connection_is_closed(tmp_path: Path) -> None:
    """After 60 s of silence the link status is asked for three times, within 6 s."""
    async with station(tmp_path) as s:
        channel = await StreamChannel.connect("127.0.0.1", s.port)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with contextlib.suppress(ChannelClosed):
            while await channel.read():
                pass
        assert loop.time() - begin == pytest.approx(66.0, abs=1.0)


@paused
async def test_who_says_nothing_is_shown_out(tmp_path: Path) -> None:
    """Where several masters are expected, a connection has 30 s to say whose it is."""
    lines = POINTS.splitlines()
    both = [lines[0] + ",second.index"]
    both += [line + (",0" if line.startswith("breaker") else ",") for line in lines[1:]]
    async with station(
        tmp_path, points="\n".join(both) + "\n", masters={"second": {"master": 2}}
    ) as s:
        channel = await StreamChannel.connect("127.0.0.1", s.port)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with pytest.raises(ChannelClosed):
            await channel.read()
        assert loop.time() - begin == pytest.approx(30.0, abs=0.5)


@paused
async def test_who_only_connects_replaces_nobody(tmp_path: Path) -> None:
    """A connection without a word leaves the master its own, and is over after 30 s."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        assert await master.read(0)
        stranger = await StreamChannel.connect("127.0.0.1", s.port)
        with pytest.raises(ChannelClosed):
            await stranger.read()
        assert await master.read(0)
