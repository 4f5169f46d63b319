"""The stream over UDP: commanded at one port, commanded over TCP, and spontaneous."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
import pdc_wire as wire
from pdc_bench import SECOND, Centre, server, station


class Listening(asyncio.DatagramProtocol):
    """A UDP socket of a control centre."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.port = 0
        self.config: wire.Config | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, group: str = "") -> AsyncIterator[Listening]:
        loop = asyncio.get_running_loop()
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind((group or "127.0.0.1", 0))
        if group:
            member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        transport, self = await loop.create_datagram_endpoint(cls, sock=bound)
        self.transport = transport
        self.port = bound.getsockname()[1]
        try:
            yield self
        finally:
            transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.frames.put_nowait((data, addr))

    def say(self, port: int, word: int, idcode: int = 1) -> None:
        self.transport.sendto(wire.command(idcode, word), ("127.0.0.1", port))

    async def frame(self) -> bytes:
        async with asyncio.timeout(5):
            return (await self.frames.get())[0]

    async def data(self) -> wire.Data:
        """Return the next data frame; a configuration on the way counts from then on."""
        while wire.kind(frame := await self.frame()) == wire.CONFIG_2:
            self.config = wire.configuration(frame)
        assert self.config is not None
        return wire.data(frame, self.config)


@paused
async def test_commands_and_data_at_one_port(tmp_path: Path) -> None:
    """Answers and data go back to where the command came from, until it says stop."""
    async with station(tmp_path, transport="udp") as s, Listening.at() as centre:
        centre.say(s.port, wire.SEND_CONFIG_2)
        centre.config = wire.configuration(await centre.frame())
        centre.say(s.port, wire.SEND_CONFIG_3)
        assert wire.kind(await centre.frame()) == wire.CONFIG_3
        centre.say(s.port, wire.START)
        centre.say(s.port, wire.START)
        await asyncio.sleep(0.1)
        await s.report(0.5)
        found = [await centre.data() for _ in range(40)]
        steps = {round(b.time - a.time, 6) for a, b in pairwise(found)}
        assert steps == {0.02}
        assert any(f.blocks[0].stat == 0 for f in found)
        centre.say(s.port, wire.STOP)
        await asyncio.sleep(0.1)
        while not centre.frames.empty():
            centre.frames.get_nowait()
        await asyncio.sleep(1)
        assert centre.frames.empty()


@paused
async def test_who_may_not_send_datagrams(tmp_path: Path) -> None:
    """A foreign network gets no answer."""
    more = {"transport": "udp", "clients": ["10.0.0.0/8"]}
    async with station(tmp_path, **more) as s, Listening.at() as centre:
        centre.say(s.port, wire.SEND_CONFIG_2)
        await asyncio.sleep(1)
        assert centre.frames.empty()
        assert s.counters["refused_address"] == 1


@paused
async def test_more_ports_than_clients(tmp_path: Path) -> None:
    """Above `max_clients` the new port of a host takes the place of its old one."""
    more = {"transport": "udp", "max_clients": 1}
    async with station(tmp_path, **more) as s, Listening.at() as old, Listening.at() as new:
        for centre in (old, new):
            centre.say(s.port, wire.SEND_CONFIG_2)
            centre.config = wire.configuration(await centre.frame())
            centre.say(s.port, wire.START)
            await centre.data()
        await asyncio.sleep(0.1)
        while not old.frames.empty():
            old.frames.get_nowait()
        await asyncio.sleep(0.5)
        assert old.frames.empty()
        assert s.counters["clients_replaced"] == 1


@paused
async def test_noise_in_datagrams(tmp_path: Path) -> None:
    """A datagram that is no frame, or a part of one, is counted and passed over."""
    async with station(tmp_path, transport="udp") as s, Listening.at() as centre:
        whole = wire.command(1, wire.SEND_CONFIG_2)
        for octets in (b"", b"\xaa", whole[:-1], whole[:-1] + b"\0", b"noise" * 100):
            centre.transport.sendto(octets, ("127.0.0.1", s.port))
        centre.say(s.port, wire.SEND_HEADER)
        assert wire.kind(await centre.frame()) == wire.HEADER
        await asyncio.sleep(1.5)
        assert s.counters["bad_frames"] >= 2
        assert centre.frames.empty()


@paused
async def test_commands_over_tcp_and_data_over_udp(tmp_path: Path) -> None:
    """Data go to the port `data_port` of the host that commanded, while its connection stands."""
    async with Listening.at() as data:
        more = {"transport": "tcp-udp", "data_port": data.port}
        async with station(tmp_path, **more) as s:
            async with Centre.at(s.port) as centre:
                data.config = await centre.begin()
                await s.report(0.5)
                found = [await data.data() for _ in range(60)]
                assert [f.blocks[0].stat for f in found if f.fraction == 0.5] == [0]
                header = await centre.ask(wire.SEND_HEADER)
                assert wire.kind(header) == wire.HEADER
            await asyncio.sleep(0.2)
            while not data.frames.empty():
                data.frames.get_nowait()
            await asyncio.sleep(1)
            assert data.frames.empty()


@paused
async def test_spontaneous_data(tmp_path: Path) -> None:
    """Data go to each destination unasked, and a configuration at once and at each full minute."""
    async with Listening.at() as one, Listening.at("239.77.0.1") as group:
        to = [
            {"to": f"127.0.0.1:{one.port}"},
            {"to": f"239.77.0.1:{group.port}", "ttl": 1, "interface": "127.0.0.1"},
        ]
        async with station(tmp_path, spontaneous=to, listen=None, rate=1) as s:
            for centre in (one, group):
                assert wire.kind(await centre.frame()) == wire.CONFIG_2
            await s.report(1.0)
            await asyncio.sleep(125)
            for centre in (one, group):
                kinds, times = [], []
                while not centre.frames.empty():
                    frame, sender = centre.frames.get_nowait()
                    assert sender[0] == "127.0.0.1"
                    kinds.append(wire.kind(frame))
                    times.append(struct.unpack(">I", frame[6:10])[0] - SECOND)
                assert kinds.count(wire.CONFIG_2) == 2
                assert [t for k, t in zip(kinds, times, strict=True) if k == wire.CONFIG_2] == [
                    60,
                    120,
                ]
                data = [t for k, t in zip(kinds, times, strict=True) if k == wire.DATA]
                assert data == list(range(1, 125))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"listen": None}, "neither listen nor spontaneous"),
        ({"rate": 0}, "found rate 0"),
        ({"rate": 1000}, "less than or equal to 480"),
        ({"clients": ["10.0.0.1/8"]}, "a network is 10.0.0.0/24"),
        ({"station": "A station with a name"}, "names of 1 to 16"),
        ({"pmus": [{"idcode": 1, "station": "A station with a name"}]}, "names of 1 to 16"),
        ({"pmus": [{"idcode": 1, "station": x} for x in "AB"]}, "two PMUs of idcode 1"),
        ({"pmus": [{"idcode": x, "station": "A"} for x in (1, 2)]}, "two PMUs of station A"),
        ({"idcode": 65535}, "less than or equal to 65534"),
        ({"spontaneous": [{"to": "pdc:4713"}]}, "an address"),
        ({"spontaneous": [{"to": "10.0.0.1:4713", "interface": "10.0.0.5"}]}, "multicast"),
    ],
)
def test_what_cannot_be_configured(more: dict[str, object], sentence: str) -> None:
    """The sentence says what was found and what is allowed."""
    with pytest.raises(ValueError, match=sentence):
        server(4712, **more)
