"""Control centres that come, ask, are slow, and go."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from pathlib import Path

import pytest

from gateway.testing import Emitter, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import pdc_wire as wire
from pdc_bench import POINTS, SECOND, Centre, server, station


@paused
async def test_commands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each command has its frame; who asks under another IDCODE, or makes noise, has none."""
    async with station(tmp_path, header="Substation North") as s, Centre.at(s.port) as centre:
        kinds = [wire.kind(await centre.ask(word)) for word in (3, 4, 5, 6)]
        assert kinds == [wire.HEADER, wire.CONFIG_1, wire.CONFIG_2, wire.CONFIG_3]
        header = await centre.ask(wire.SEND_HEADER)
        assert header[14:-2] == b"Substation North"
        assert int.from_bytes(header[6:10]) == SECOND
        centre.writer.write(b"GET / HTTP/1.1\r\n" + wire.command(2, wire.SEND_HEADER))
        centre.writer.write(wire.command(1, 8) + wire.command(1, 0x7777) + wire.command(2, 2))

        one = wire.configuration(await centre.ask(wire.SEND_CONFIG_1))
        assert one == wire.configuration(await centre.ask(wire.SEND_CONFIG_2))
        await asyncio.sleep(1.5)
        assert s.counters["commands"] == 7
        assert s.counters["wrong_idcode"] == 2
        assert s.counters["unknown_commands"] == 2
        assert s.counters["bad_frames"] >= 1
        assert "frames_sent" not in s.counters
    told = [line for line in caplog.messages if "IDCODE" in line]
    assert len(told) == 1
    assert "asks for IDCODE 2 and has no answer: this stream is 1" in told[0]


@paused
async def test_data_are_on_for_who_asked(tmp_path: Path) -> None:
    """Of two clients that who said so has data, until it says stop; frames follow each other."""
    async with station(tmp_path) as s, Centre.at(s.port) as first, Centre.at(s.port) as second:
        await second.begin()
        await asyncio.sleep(0.5)
        for k in range(1, 11):
            assert (await second.data_at(0.3 + k / 50)).blocks[0].stat == 0x8000
        second.say(wire.STOP)
        header = await first.ask(wire.SEND_HEADER)
        assert wire.kind(header) == wire.HEADER
        await asyncio.sleep(0.2)
        sent = s.counters["frames_sent"]
        await asyncio.sleep(1)
        assert s.counters["frames_sent"] == sent
        await second.begin()
        await first.begin()
        ours = [(await centre.data_at(2.5)).time for centre in (first, second)]
        assert ours == [SECOND + 2.5] * 2


@paused
async def test_who_may_not_come(tmp_path: Path) -> None:
    """Above `max_clients`, and from other networks, clients are turned away and counted."""
    async with station(tmp_path, max_clients=1, clients=["127.0.0.0/8"]) as s:
        async with Centre.at(s.port) as first:
            await first.begin()
            async with Centre.at(s.port) as second:
                assert await second.reader.read() == b""
            await asyncio.sleep(1.5)
            assert s.counters["refused_full"] == 1
        async with Centre.at(s.port) as third:
            await third.begin()
    async with station(tmp_path, clients=["10.0.0.0/8"]) as s, Centre.at(s.port) as centre:
        assert await centre.reader.read() == b""
        await asyncio.sleep(1.5)
        assert s.counters["refused_address"] == 1


@paused
async def test_a_client_that_asks_for_nothing(tmp_path: Path) -> None:
    """It loses its place after `idle`; one that gets data keeps it."""
    async with (
        station(tmp_path, idle="30s") as s,
        Centre.at(s.port) as quiet,
        Centre.at(s.port) as served,
    ):
        await served.begin()
        loop = asyncio.get_running_loop()
        assert await quiet.reader.read() == b""
        assert loop.time() == pytest.approx(30, abs=0.1)
        assert (await served.data_at(29)).blocks[0].stat == 0x8000


@paused
async def test_a_client_of_another_protocol(tmp_path: Path) -> None:
    """Who speaks something else is dropped after a while, and counted."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        centre.writer.write(b"\xaa\x20noise" * 100)
        assert await centre.reader.read() == b""
        await asyncio.sleep(1.5)
        assert s.counters["bad_frames"] > 64


@paused
async def test_a_slow_client(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who reads nothing loses the oldest frames and then its place, and holds up nobody."""
    caplog.set_level(logging.INFO)
    async with station(tmp_path, buffer=5, send_timeout="2s") as s:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.connect(("127.0.0.1", s.port))
        slow.sendall(wire.command(1, wire.START))
        async with Centre.at(s.port) as quick:
            await quick.begin()
            # 16 KiB, which Linux takes twice, are less than 700 frames of 48 octets, 14 s.
            for _ in range(700):
                frame = await quick.frame()
                assert wire.kind(frame) == wire.DATA
                if s.counters.get("frames_dropped", 0):
                    break
            count = s.counters["frames_dropped"]
            await quick.frame()
            await asyncio.sleep(2.5)
            assert s.counters["frames_dropped"] > count
            one = await quick.data()
            later = await quick.data()
            assert later.time - one.time == pytest.approx(0.02, abs=1e-5)
            peer = "{}:{}".format(*slow.getsockname())
            told = [line for line in caplog.messages if peer in line]
            assert sum("takes data too slowly" in line for line in told) == 1
            assert f"{peer} has taken nothing for 2 s" in told[-1]
        slow.close()


@paused
async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The sentence says which address could not be listened at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        field = Emitter(name="field")
        async with running([field], [server(port)], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("wams") == "down")
            assert f"cannot listen at 127.0.0.1:{port}" in gw.status("wams").error
