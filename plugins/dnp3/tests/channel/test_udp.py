"""UDP channels, over sockets of this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from gateway_dnp3.channel import UdpChannel, UdpListener

from gateway.channel import Channel, ChannelClosed
from gateway.testing import free_port, paused

RESET = bytes.fromhex("056405C001000004E921")
ACK = bytes.fromhex("0564050000040100 19A6")
HOST = "127.0.0.1"


async def closed(channel: Channel) -> str:
    """The reason that whoever reads or writes is given."""
    with pytest.raises(ChannelClosed) as read:
        await channel.read()
    with pytest.raises(ChannelClosed) as write:
        await channel.write([RESET])
    assert str(write.value) == str(read.value)
    return str(read.value)


ON_EVERY_LOOP = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
"""The gateway runs on uvloop, whose transports are its own."""

Run = Callable[[Coroutine[Any, Any, None]], None]


@ON_EVERY_LOOP
def test_udp(run: Run) -> None:
    """Over UDP frames pass between one address and whoever speaks to it."""
    run(over_udp())


async def over_udp() -> None:
    listener = await UdpListener.open(HOST, 0)
    ours = await UdpChannel.open(HOST, listener.port)
    await ours.write([RESET])
    theirs = await listener.accept()
    assert await theirs.read() == RESET
    await theirs.write([ACK, ACK])
    assert [await ours.read(), await ours.read()] == [ACK, ACK]

    # A second one, with a port of its own: each is answered where it is.
    port = free_port()
    second = await UdpChannel.open(HOST, listener.port, local=(HOST, port))
    await second.write([RESET])
    other = await listener.accept()
    assert other.name == f"{HOST}:{port}"
    await other.write([ACK])
    assert await second.read() == ACK
    assert listener.clients == 2

    await other.close()
    assert await closed(other) == f"{HOST}:{port}: closed"
    assert listener.clients == 1
    await listener.close()
    assert await closed(theirs) == f"{theirs.name}: closed"
    with pytest.raises(ChannelClosed, match="not listening any more"):
        await listener.accept()
    for channel in (ours, second):
        await channel.close()


async def test_udp_without_anybody() -> None:
    """Datagrams to where nobody listens are counted, and the channel stays: one may come yet."""
    port = free_port()
    ours = await UdpChannel.open(HOST, port)
    async with asyncio.timeout(5):
        while not ours.counts["errors"]:
            await ours.write([RESET])
            await asyncio.sleep(0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind((HOST, port))
        await ours.write([ACK])
        assert late.recv(100) == ACK
    await ours.close()


async def test_udp_without_a_way() -> None:
    """An address that is taken is named, with the reason."""
    listener = await UdpListener.open(HOST, 0)
    with pytest.raises(ChannelClosed) as error:
        await UdpChannel.open(HOST, 20000, local=(HOST, listener.port))
    assert str(error.value) == f"no way to {HOST}:20000: Address already in use"
    with pytest.raises(ChannelClosed) as error:
        await UdpListener.open(HOST, listener.port)
    assert str(error.value) == f"cannot listen at {HOST}:{listener.port}: Address already in use"
    await listener.close()


@paused
async def test_udp_floods() -> None:
    """What is not read is dropped and counted, strangers get no channel, and the quietest address
    makes room."""
    listener = await UdpListener.open(
        HOST, 0, max_clients=1, idle=300.0, allowed=[ipaddress.ip_network("127.0.0.1/32")]
    )
    to = (HOST, listener.port)

    async def until(name: str, count: int) -> None:
        async with asyncio.timeout(5):
            while listener.counts[name] < count:
                await asyncio.sleep(0.005)

    def sender(host: str = HOST) -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((host, 0))
        return one

    with sender() as first, sender() as second, sender("127.0.0.2") as third:
        first.sendto(b"noise", to)
        await until("strange", 1)
        third.sendto(RESET, to)
        await until("refused_address", 1)
        for _ in range(70):
            first.sendto(RESET, to)
        theirs = await listener.accept()
        async with asyncio.timeout(5):
            while theirs.counts["dropped_in"] < 6:
                await asyncio.sleep(0.005)
        assert [await theirs.read() for _ in range(64)] == [RESET] * 64
        second.sendto(RESET, to)
        await until("refused_full", 1)
        await asyncio.sleep(301)
        second.sendto(RESET, to)
        fresh = await listener.accept()
        assert await fresh.read() == RESET
        assert await closed(theirs) == f"{theirs.name}: nothing heard for 300 s"
    assert listener.clients == 1
    await listener.close()
