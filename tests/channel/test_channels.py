"""The channels, each over what it is for: sockets of this machine, TLS, a pair of ptys."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import pty
import socket
import ssl
import termios
import threading
import tty
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.channel import (
    Channel,
    ChannelClosed,
    Listener,
    Parity,
    SerialChannel,
    StreamChannel,
    address_text,
    allows,
)
from gateway.testing import free_port
from gateway.testing.authority import Authority

RESET = bytes.fromhex("056405C001000004E921")
ACK = bytes.fromhex("0564050000040100 19A6")
HOST = "127.0.0.1"


async def soon(channel: Channel, octets: int) -> bytes:
    """So many octets, however they are cut."""
    data = b""
    async with asyncio.timeout(5):
        while len(data) < octets:
            data += await channel.read()
    return data


async def there_and_back(ours: Channel, theirs: Channel) -> None:
    """Frames pass in both directions, and are counted."""
    await ours.write([RESET, RESET])
    assert await soon(theirs, 20) == RESET + RESET
    await theirs.write([ACK])
    assert await soon(ours, 10) == ACK
    assert ours.counts == {"sent": 20, "received": 10}
    assert theirs.counts == {"sent": 10, "received": 20}


async def flood(channel: Channel) -> None:
    """More than any buffer of the system holds."""
    for _ in range(100_000):
        await channel.write([bytes(292)] * 10)


async def closed(channel: Channel) -> str:
    """The reason that whoever reads or writes is given."""
    with pytest.raises(ChannelClosed) as read:
        await soon(channel, 1 << 20)
    with pytest.raises(ChannelClosed) as write:
        await channel.write([RESET])
    assert str(write.value) == str(read.value)
    return str(read.value)


ON_EVERY_LOOP = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
"""The gateway runs on uvloop, whose transports are its own."""

Run = Callable[[Coroutine[Any, Any, None]], None]


@contextlib.asynccontextmanager
async def connected(
    server: ssl.SSLContext | None = None,
    client: ssl.SSLContext | None = None,
    send_buffer: int | None = None,
) -> AsyncIterator[tuple[StreamChannel, StreamChannel, Listener]]:
    listener = await Listener.open(HOST, 0, tls=server, send_buffer=send_buffer)
    ours = await StreamChannel.connect(HOST, listener.port, tls=client)
    async with asyncio.timeout(5):
        theirs = await listener.accept()
    try:
        yield ours, theirs, listener
    finally:
        await ours.close()
        await listener.close()


@ON_EVERY_LOOP
def test_tcp(run: Run) -> None:
    """Over TCP frames pass, and each side hears when the other one has closed."""
    run(over_tcp())


async def over_tcp() -> None:
    async with connected() as (ours, theirs, listener):
        await there_and_back(ours, theirs)
        assert ours.name == f"{HOST}:{listener.port}"
        assert ours.certificate is None
        await ours.close("done with it")
        assert await closed(ours) == f"{ours.name}: done with it"
        assert listener.clients == 1
        assert await closed(theirs) == f"{theirs.name} closed the connection"
        assert listener.clients == 0


async def test_answers_leave_at_once() -> None:
    """A frame does not wait for the confirmation of the one before (Nagle), on either side."""
    async with connected() as (ours, theirs, _):
        for channel in (ours, theirs):
            one = channel._writer.get_extra_info("socket")
            assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@ON_EVERY_LOOP
def test_who_has_vanished_is_asked_for(run: Run) -> None:
    """A side that only listens is told within two minutes that the other one is gone."""
    run(asked_for())


async def asked_for() -> None:
    async with connected() as (ours, theirs, _):
        for channel in (ours, theirs):
            one = channel._writer.get_extra_info("socket")
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, interval, count = (
                one.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_KEEP{name}"))
                for name in ("IDLE", "INTVL", "CNT")
            )
            assert idle + interval * count <= 120


@ON_EVERY_LOOP
def test_little_waits_for_a_slow_client(run: Run) -> None:
    """Of what a client does not take the system keeps what was allowed, not megabytes."""
    run(kept_for_a_slow_client())


async def kept_for_a_slow_client() -> None:
    taken = {}
    for send_buffer in (None, 16_384):
        listener = await Listener.open(HOST, 0, send_timeout=0.2, send_buffer=send_buffer)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((HOST, listener.port))
            channel = await listener.accept()
            with pytest.raises(ChannelClosed, match="has taken nothing"):
                await flood(channel)
        taken[send_buffer] = channel.counts["sent"]
        await listener.close()
    # Linux doubles the number, for what it needs itself; the client's side has some, too.
    assert taken[16_384] < 64_000 < taken[None]


async def test_a_reader_is_woken() -> None:
    """Whoever waits for octets is told that the channel was closed here."""
    async with connected() as (ours, _, _):
        reading = asyncio.ensure_future(ours.read())
        await asyncio.sleep(0)
        await ours.close("enough")
        with pytest.raises(ChannelClosed, match="enough"):
            await reading


async def test_a_reset_connection() -> None:
    """A connection that the other side breaks off ends with a reason."""
    async with connected() as (ours, theirs, _):
        theirs._writer.transport.abort()
        assert await closed(ours) in (
            f"{ours.name} closed the connection",
            f"{ours.name}: Connection reset by peer",
        )


@ON_EVERY_LOOP
def test_whoever_takes_nothing(run: Run) -> None:
    """A side that takes nothing ends the channel after the time-out; memory stays bounded."""
    run(to_nobody())


async def to_nobody() -> None:
    listener = await Listener.open(HOST, 0, send_timeout=0.05)
    slow = socket.create_connection((HOST, listener.port))
    theirs = await listener.accept()
    with pytest.raises(ChannelClosed, match=r"has taken nothing for 0\.05 s"):
        await flood(theirs)
    assert listener.clients == 0
    slow.close()
    await listener.close()


async def test_nobody_listens() -> None:
    """Who cannot be reached is named, with the reason."""
    port = free_port()
    with pytest.raises(ChannelClosed) as error:
        await StreamChannel.connect(HOST, port)

    assert str(error.value) == f"cannot connect to {HOST}:{port}: Connection refused"


async def test_no_answer() -> None:
    """Connecting ends after its time-out."""
    with socket.create_server((HOST, 0), backlog=0) as full:
        port = full.getsockname()[1]
        # What does not fit the queue of an accepting socket is not answered.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        with pytest.raises(ChannelClosed) as error:
            await StreamChannel.connect(HOST, port, timeout=0.1)
        for filler in fillers:
            filler.close()

    assert str(error.value) == f"{HOST}:{port} does not answer within 0.1 s"


async def test_a_port_in_use() -> None:
    """An address that is taken is named, with the reason."""
    async with connected() as (_, _, listener):
        with pytest.raises(ChannelClosed) as error:
            await Listener.open(HOST, listener.port)

    assert str(error.value) == f"cannot listen at {HOST}:{listener.port}: Address already in use"


async def test_too_many_clients() -> None:
    """Above the limit a client is turned away and counted, until another one leaves."""
    listener = await Listener.open(HOST, 0, max_clients=1)
    first = await StreamChannel.connect(HOST, listener.port)
    await listener.accept()
    second = await StreamChannel.connect(HOST, listener.port)
    await closed(second)
    assert listener.counts == {"accepted": 1, "refused_full": 1}

    await listener.close()
    await closed(first)
    with pytest.raises(ChannelClosed, match="not listening any more"):
        await listener.accept()


async def test_strangers() -> None:
    """Who does not come from an allowed network is turned away and counted."""
    allowed = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
    listener = await Listener.open(HOST, 0, allowed=allowed)
    await closed(await StreamChannel.connect(HOST, listener.port))
    assert listener.counts == {"refused_address": 1}
    await listener.close()


async def test_allowed() -> None:
    """Who comes from an allowed network is heard."""
    listener = await Listener.open(HOST, 0, allowed=[ipaddress.ip_network("127.0.0.0/8")])
    ours = await StreamChannel.connect(HOST, listener.port)
    await there_and_back(ours, await listener.accept())
    await ours.close()
    await listener.close()


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's context that trust each other's certificates."""
    authority = Authority(tmp_path)
    made = []
    for name, side in (
        ("server", ssl.PROTOCOL_TLS_SERVER),
        ("client", ssl.PROTOCOL_TLS_CLIENT),
    ):
        authority.issue(name, HOST)
        context = ssl.SSLContext(side)
        context.load_verify_locations(authority.file)
        context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        context.verify_mode = ssl.CERT_REQUIRED
        made.append(context)
    return made[0], made[1]


@ON_EVERY_LOOP
def test_tls(run: Run, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path) -> None:
    """Over TLS frames pass, and each side knows the other one's certificate."""
    run(over_tls(contexts, tmp_path))


async def over_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path) -> None:
    async with connected(*contexts) as (ours, theirs, _):
        await there_and_back(ours, theirs)
        for channel, name in ((ours, "server"), (theirs, "client")):
            pem = (tmp_path / f"{name}.pem").read_text()
            assert channel.certificate == ssl.PEM_cert_to_DER_cert(pem)
        await ours.close()
        assert await closed(theirs) == f"{theirs.name} closed the connection"
    async with connected(*contexts, send_buffer=16_384) as (ours, theirs, _):
        await there_and_back(ours, theirs)
        await theirs.write([bytes(100_000)])
        assert await soon(ours, 100_000) == bytes(100_000)


async def test_tls_with_a_stranger(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """A server whose certificate nobody here vouches for is refused, with the reason."""
    listener = await Listener.open(HOST, 0, tls=contexts[0])
    with pytest.raises(ChannelClosed, match="the other side's certificate is not good"):
        await StreamChannel.connect(HOST, listener.port, tls=ssl.create_default_context())
    await listener.close()


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("127.0.0.1", True), ("::ffff:127.0.0.9", True), ("fe80::1%eth0", True), ("10.0.0.1", False)],
)
def test_networks(host: str, allowed: bool) -> None:
    """An address is the same however the system writes it."""
    networks = [ipaddress.ip_network(text) for text in ("127.0.0.0/8", "fe80::/10")]
    assert allows(networks, host) is allowed


def test_address_text() -> None:
    """Addresses are written as the configuration writes them."""
    assert address_text(("10.0.0.11", 20000)) == "10.0.0.11:20000"
    assert address_text(("::1", 20000, 0, 0)) == "[::1]:20000"
    assert address_text(None) == "?"


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """A serial line: our end as a file, the other one as the name of a port."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        for end in (ours, theirs):
            with contextlib.suppress(OSError):
                os.close(end)


@ON_EVERY_LOOP
def test_serial(run: Run, line: tuple[int, str]) -> None:
    """Over a serial line frames pass; closing wakes whoever reads."""
    run(over_serial(line))


async def over_serial(line: tuple[int, str]) -> None:
    ours, port = line
    channel = await SerialChannel.open(port, baud=115200)
    await channel.write([RESET, ACK])
    assert os.read(ours, 100) == RESET + ACK
    os.write(ours, ACK)
    assert await soon(channel, 10) == ACK
    os.write(ours, ACK[:3])
    os.write(ours, ACK[3:])
    assert await soon(channel, 10) == ACK
    assert channel.counts == {"sent": 20, "received": 20}

    reading = asyncio.ensure_future(channel.read())
    await asyncio.sleep(0.01)
    await channel.close("enough")
    with pytest.raises(ChannelClosed, match=f"{port}: enough"):
        await reading
    assert await closed(channel) == f"{port}: enough"


async def test_serial_takes_its_time(line: tuple[int, str]) -> None:
    """A write lasts as long as the line carries it, and waits for silence before: 10 bits an octet
    and the turnaround."""
    _, port = line
    loop = asyncio.get_running_loop()
    channel = await SerialChannel.open(port, baud=9600, turnaround=0.05)
    begin = loop.time()
    await channel.write([bytes(48)])
    await channel.write([bytes(48)])

    # Twice 50 ms for the octets; twice 50 ms of silence, the first one since the port was opened.
    assert loop.time() - begin >= 0.05 + 2 * 0.05
    await channel.close()


@pytest.mark.parametrize(("parity", "checked"), [(Parity.NONE, False), (Parity.EVEN, True)])
async def test_serial_parity_is_checked(
    line: tuple[int, str], parity: Parity, checked: bool
) -> None:
    """With a parity bit the driver drops octets whose parity is wrong (POSIX: INPCK, IGNPAR)."""
    channel = await SerialChannel.open(line[1], parity=parity)
    flags = termios.tcgetattr(line[0])[0]
    await channel.close()
    both = termios.INPCK | termios.IGNPAR
    assert (flags & both == both) is checked


async def test_serial_is_ours_alone(line: tuple[int, str]) -> None:
    """A port that is open already, is none or is not there is named, with the reason."""
    _, port = line
    channel = await SerialChannel.open(port)
    with pytest.raises(ChannelClosed, match=f"cannot open {port}: "):
        await SerialChannel.open(port)
    await channel.close()
    with pytest.raises(ChannelClosed, match=r"cannot open /dev/nothing: No such file"):
        await SerialChannel.open("/dev/nothing", parity=Parity.EVEN)


@ON_EVERY_LOOP
def test_serial_unplugged(run: Run, line: tuple[int, str]) -> None:
    """A port that goes away ends the channel with the reason."""
    run(unplugged(line))


async def unplugged(line: tuple[int, str]) -> None:
    ours, port = line
    channel = await SerialChannel.open(port)
    reading = asyncio.ensure_future(channel.read())
    await asyncio.sleep(0.01)
    os.close(ours)
    with pytest.raises(ChannelClosed, match=f"{port}: (Input/output error|the port has gone)"):
        async with asyncio.timeout(5):
            await reading


async def test_serial_slow_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that does not open its port in time is named; what it opens late is closed."""
    go_on = threading.Event()
    opened, closed = [], []

    class Port:
        def __init__(self, *_: object, **__: object) -> None:
            go_on.wait(5)
            opened.append(self)

        def close(self) -> None:
            closed.append(self)

    monkeypatch.setattr("serial.Serial", Port)
    monkeypatch.setattr("gateway.channel.serial.OPEN_TIMEOUT", 0.02)
    with pytest.raises(ChannelClosed, match=r"/dev/slow does not open within 0\.02 s"):
        await SerialChannel.open("/dev/slow")
    monkeypatch.setattr("gateway.channel.serial.OPEN_TIMEOUT", 5)
    opening = asyncio.ensure_future(SerialChannel.open("/dev/slow"))
    await asyncio.sleep(0.01)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go_on.set()
    async with asyncio.timeout(5):
        while len(closed) < 2:
            await asyncio.sleep(0.005)
    assert set(closed) == set(opened)


async def test_serial_takes_nothing(line: tuple[int, str]) -> None:
    """A line that takes nothing ends the channel after the time-out."""
    _, port = line
    channel = await SerialChannel.open(port, baud=4_000_000, send_timeout=0.05)
    with pytest.raises(ChannelClosed, match=r"takes nothing for 0\.05 s"):
        await flood(channel)
