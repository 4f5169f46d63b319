"""The source `c37118.client` over UDP, in all its ways, through real sockets of the loopback."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_c37118.client.source import C37Client

from gateway import Quality
from gateway.testing import Collector, free_port, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import c37_octets as c37
from c37_device import tcp_device, udp_device

T = Quality.DEVICE_TIME
NS = c37.SOC * 1_000_000_000
PMU = c37.Pmu("North", 7, phasors=(("VA", False, 100_000),))
ANSWERS = {c37.SEND_CONFIG_2: [c37.config_2(7, [PMU])]}
ROWS = "name,pmu.item\nfrequency,frequency\nvoltage,phasor/VA/magnitude\n"
GROUP = "239.192.37.118"


def source(**more: Any) -> C37Client:
    given = {"name": "pmu", "idcode": 7, "reconnect": {"min": "1s", "max": "1s"}}
    return C37Client.model_validate(given | more)


def report(ms: int, frequency: int = 0) -> bytes:
    return c37.data(7, c37.block(phasors=[(300, 400)], frequency=frequency), fraction=ms * 1000)


def sender(interface: str = "127.0.0.1") -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    made.bind((interface, 0))
    return made


@paused
async def test_udp(tmp_path: Path) -> None:
    """Commands go by UDP, and configuration and data come back to where they came from."""
    async with udp_device(ANSWERS) as device:
        pmu = source(transport="udp", host="127.0.0.1", port=device.port)
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(report(0))
            await gateway.until(lambda: gateway.state("pmu") == "up")
            assert gateway.sample("voltage").value == 500.0  # 3, 4, 5
            assert gateway.sample("voltage").time == NS
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON, c37.OFF)


@paused
async def test_frames_that_udp_loses_doubles_and_delays(tmp_path: Path) -> None:
    """Lost and late ones are counted, late ones taken with their own time, doubles dropped."""
    async with udp_device(ANSWERS) as device:
        sink = Collector(name="all")
        pmu = source(transport="udp", host="127.0.0.1", port=device.port)
        async with running([pmu], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            for i, ms in enumerate((0, 20, 60, 40, 60, 80, 160)):
                device.send(report(ms, frequency=ms))
                await gateway.until(
                    lambda i=i: (
                        len(sink.rows("frequency")) + gateway.counters("pmu").get("duplicates", 0)
                        == i + 1
                    )
                )
            assert [row.time - NS for row in sink.rows("frequency")] == [
                ms * 1_000_000 for ms in (0, 20, 60, 40, 80, 160)
            ]
            # 40 behind 60, and 100, 120, 140 before 160.
            counters = gateway.counters("pmu")
            assert counters["lost_frames"] == 1 + 3
            assert counters["late_frames"] == 1
            assert counters["duplicates"] == 1


@paused
async def test_datagrams_of_nonsense(tmp_path: Path) -> None:
    """A datagram that is cut short, one that is no frame and one with a wrong check are counted,
    and take nothing with them; two frames in one are taken."""
    wrong = bytearray(report(20))
    wrong[-1] ^= 1
    async with udp_device(ANSWERS) as device:
        sink = Collector(name="all")
        pmu = source(transport="udp", host="127.0.0.1", port=device.port)
        async with running([pmu], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(report(0)[:-4], b"hello", bytes(wrong), report(40) + report(60))
            await gateway.until(lambda: len(sink.rows("frequency")) == 2)
            assert gateway.counters("pmu")["bad_frames"] == 3


@paused
async def test_commands_over_tcp_and_data_over_udp(tmp_path: Path) -> None:
    """The configuration comes over TCP, the data to the port that listens, from the host only."""
    port = free_port()
    async with (
        tcp_device(ANSWERS) as device,
        udp_device({}, ("127.0.0.1", port)) as sending,
        udp_device({}, ("127.0.0.1", port), "127.0.0.2") as stranger,
    ):
        pmu = source(
            transport="tcp-udp",
            host="127.0.0.1",
            port=device.port,
            listen=f"127.0.0.1:{port}",
        )
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            stranger.send(report(0, frequency=999))
            await gateway.until(lambda: gateway.counters("pmu").get("other_senders"))
            sending.send(report(20, frequency=100))
            await gateway.until(lambda: gateway.state("pmu") == "up")
            assert gateway.sample("frequency").value == pytest.approx(50.1)
            device.hang_up()
            await gateway.until(lambda: gateway.state("pmu") == "down")


@paused
async def test_data_from_another_address_than_the_commands_go_to(tmp_path: Path) -> None:
    """`allow` says where a device with two interfaces sends from, instead of the host."""
    port = free_port()
    async with (
        tcp_device(ANSWERS) as device,
        udp_device({}, ("127.0.0.1", port)) as stranger,
        udp_device({}, ("127.0.0.1", port), "127.0.0.2") as sending,
    ):
        pmu = source(
            transport="tcp-udp",
            host="127.0.0.1",
            port=device.port,
            listen=f"127.0.0.1:{port}",
            allow=["127.0.0.2/32"],
        )
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            stranger.send(report(0))
            await gateway.until(lambda: gateway.counters("pmu").get("other_senders"))
            sending.send(report(20))
            await gateway.until(lambda: gateway.state("pmu") == "up")


@paused
async def test_multicast(tmp_path: Path) -> None:
    """A group is joined at an interface; data before the first configuration are counted, and
    nothing is sent to anybody."""
    port = free_port()
    pmu = source(
        transport="spontaneous", group=GROUP, listen=f"0.0.0.0:{port}", interface="127.0.0.1"
    )
    with sender() as device:
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            where = (GROUP, port)
            device.sendto(report(0), where)
            await until_counted(gateway, "data_before_configuration", device, report(0), where)
            assert gateway.state("pmu") == "starting"
            device.sendto(c37.config_2(7, [PMU]), where)
            device.sendto(report(20, frequency=100), where)
            await gateway.until(lambda: gateway.state("pmu") == "up")
            assert gateway.sample("frequency").value == pytest.approx(50.1)
            device.setblocking(False)
            with pytest.raises(BlockingIOError):
                device.recv(100)


async def until_counted(
    gateway: Any, what: str, device: socket.socket, octets: bytes, where: tuple[str, int]
) -> None:
    """Send again until it has arrived once: the gateway may not have listened yet."""
    for _ in range(100):
        if gateway.counters("pmu").get(what):
            return
        device.sendto(octets, where)
        await asyncio.sleep(0.01)
    raise TimeoutError(what)


@paused
async def test_an_interface_by_its_name(tmp_path: Path) -> None:
    """`lo` is the loopback; two gateways of one machine may listen to one group."""
    port = free_port()
    rows = "name,pmu.item,other.item\nours,frequency,\ntheirs,,frequency\n"
    both = [
        source(
            name=name,
            transport="spontaneous",
            group=GROUP,
            listen=f"0.0.0.0:{port}",
            interface="lo",
        )
        for name in ("pmu", "other")
    ]
    made = sender()
    index = socket.if_nametoindex("lo")
    made.setsockopt(
        socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", bytes(4), bytes(4), index)
    )
    with made as device:
        async with running(both, [], rows, data=tmp_path) as gateway:
            where = (GROUP, port)
            await until_counted(gateway, "data_before_configuration", device, report(0), where)
            device.sendto(c37.config_2(7, [PMU]), where)
            device.sendto(report(20), where)
            for name in ("pmu", "other"):
                await gateway.until(lambda name=name: gateway.state(name) == "up")


@paused
async def test_spontaneous_without_a_group(tmp_path: Path) -> None:
    """Datagrams to an address of this machine, from the networks that may send."""
    port = free_port()
    pmu = source(transport="spontaneous", listen=f"127.0.0.1:{port}", allow=["127.0.0.3"])
    where = ("127.0.0.1", port)
    with sender("127.0.0.3") as device, sender("127.0.0.4") as stranger:
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await until_counted(gateway, "other_senders", stranger, report(0), where)
            device.sendto(c37.config_2(7, [PMU]), where)
            device.sendto(report(20), where)
            await gateway.until(lambda: gateway.state("pmu") == "up")


@paused
async def test_no_configuration_comes(tmp_path: Path) -> None:
    """The link breaks after `announce`, and says so."""
    pmu = source(transport="spontaneous", listen=f"127.0.0.1:{free_port()}", announce="70s")
    async with running([pmu], [], ROWS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("pmu") == "down", timeout=100)
        assert gateway.status("pmu").error.endswith("no configuration came within 70 s")


@paused
async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The link is down, with the system's words."""
    with sender() as other:
        port = other.getsockname()[1]
        pmu = source(transport="spontaneous", listen=f"127.0.0.1:{port}")
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await gateway.until(lambda: gateway.state("pmu") == "down")
            assert gateway.status("pmu").error == (
                f"cannot listen at 127.0.0.1:{port}: Address already in use"
            )
