"""Where masters arrive: TLS, UDP, a serial line, and who is let in."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pty
import ssl
import sys
import tty
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from gateway_dnp3.app import Fragment, FunctionCode, class_objects, parse
from gateway_dnp3.channel import Line, UdpChannel
from gateway_dnp3.link import LinkSettings
from gateway_dnp3.outstation.sink import DnpOutstation
from pydantic import ValidationError

from gateway.channel import ChannelClosed, SerialChannel
from gateway.testing import Emitter, free_port, running
from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))
from station import Master, measurements, outstation, station

F = FunctionCode
FILES = {"certificate": "a", "key": "b"}


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Certificates of the gateway and of two masters."""
    authority = Authority(tmp_path)
    for name in ("gateway", "master", "other"):
        authority.issue(name, "127.0.0.1")
    return tmp_path


def client(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


async def test_tls(certificates: Path, tmp_path: Path) -> None:
    """A master with the right certificate reads; one with another certificate is turned away."""
    files = {p.name: str(p) for p in certificates.iterdir()}
    assert {"ca.pem", "gateway.pem", "gateway.key", "master.pem"} <= set(files)
    tls = {name: files[f"gateway.{end}"] for name, end in (("certificate", "pem"), ("key", "key"))}
    shown = load_pem_x509_certificate((certificates / "master.pem").read_bytes())
    digest = hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest()
    async with station(
        tmp_path / "data",
        transport="tls",
        tls=tls | {"ca": files["ca.pem"]},
        fingerprints=[digest],
    ) as s:
        async with Master.at(s.port, tls=client(certificates, "master")) as master:
            await s.emit(breaker=1)
            assert (1, 0, 1.0) in await master.read(0)
        async with Master.at(s.port, tls=client(certificates, "other")) as master:
            with pytest.raises(ChannelClosed):
                await master.read(0)


async def test_addresses_that_are_let_in(tmp_path: Path) -> None:
    """A connection from elsewhere is closed at once."""
    async with station(tmp_path, allow=["10.0.0.0/24"]) as s, Master.at(s.port) as master:
        with pytest.raises(ChannelClosed):
            await master.read(0)


async def ask(channel: Any) -> list[tuple[int, int, float]]:
    """Read class 0 as master 1 on a channel."""
    line = Line(channel)
    peer = line.add(LinkSettings(1, 10, master=True, keep_alive=None))
    task = asyncio.create_task(line.run())
    try:
        await peer.send(Fragment.request(F.READ, class_objects(0), 1).encode())
        async with asyncio.timeout(10):
            return measurements([parse((await peer.receive()).fragment)])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_udp(tmp_path: Path) -> None:
    """A datagram for each frame, answered where it came from."""
    async with station(tmp_path, transport="udp") as s:
        await s.emit(breaker=1)
        assert (1, 0, 1.0) in await ask(await UdpChannel.open("127.0.0.1", s.port))


async def test_serial(tmp_path: Path) -> None:
    """Two outstations on one line; each answers to its own address."""
    ends = [pty.openpty(), pty.openpty()]
    for own, other in ends:
        tty.setraw(own)
        tty.setraw(other)
    loop = asyncio.get_running_loop()
    for (own, _), (far, _) in (ends, ends[::-1]):
        os.set_blocking(own, False)
        loop.add_reader(own, lambda own=own, far=far: os.write(far, os.read(own, 4096)))
    ours, theirs = (os.ttyname(other) for _, other in ends)
    field = Emitter(name="field")
    line = {"transport": "serial", "port": ours, "baud": 115200, "master": 1}
    sinks = [
        DnpOutstation.model_validate(line | {"name": name, "address": address})
        for name, address in (("scada", 10), ("second", 11))
    ]
    points = "name,kind,field.at,scada.index,second.index\na,status,x,0,\nb,analog,x,,3\n"
    async with running([field], sinks, points, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("scada") == gw.state("second") == "up")
        await field.emit(["a", "b"], [1, 2.5], every=True)
        channel = await SerialChannel.open(theirs, baud=115200)
        master = Line(channel)
        peers = [master.add(LinkSettings(1, n, master=True, keep_alive=None)) for n in (10, 11)]
        task = asyncio.create_task(master.run())
        found = []
        for peer in peers:
            await peer.send(Fragment.request(F.READ, class_objects(0), 1).encode())
            async with asyncio.timeout(10):
                found.append(measurements([parse((await peer.receive()).fragment)]))
        assert found == [[(1, 0, 1.0)], [(30, 3, 2.5)]]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for own, other in ends:
        loop.remove_reader(own)
        os.close(own)
        os.close(other)


async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The link is down with a sentence, and is up as soon as the port is free."""
    port = free_port()
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", port)
    sink = outstation(port, reconnect={"min": "20ms", "max": "20ms"})
    async with running([Emitter(name="field")], [sink], "name,field.at\n", data=tmp_path) as gw:
        await gw.until(lambda: gw.status("scada").error)
        assert f"cannot listen at 127.0.0.1:{port}" in gw.status("scada").error
        taken.close()
        await taken.wait_closed()
        await gw.until(lambda: gw.state("scada") == "up")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"listen": None}, "the others need listen"),
        ({"transport": "serial"}, "serial needs port"),
        ({"transport": "tls"}, "go together"),
        ({"tls": FILES}, "go together"),
        ({"fingerprints": ["00" * 32]}, "need transport tls"),
        (
            {"transport": "tls", "tls": FILES, "fingerprints": ["00" * 32]},
            "fingerprints need tls.ca",
        ),
        ({"fingerprints": ["zz"]}, "64 hexadecimal digits"),
        ({"allow": ["10.0.0.1/8"]}, "a network is"),
        ({"address": 1}, "address 1 is the outstation's and the master's"),
        ({"master": 65520}, "less than or equal to 65519"),
        ({"max_events": 300_000}, "above window"),
        ({"max_fragment": 100}, "greater than or equal to 249"),
    ],
)
def test_what_cannot_be(fields: dict[str, Any], why: str) -> None:
    """A configuration that makes no sense is refused, with what is allowed."""
    good = {"name": "scada", "listen": "127.0.0.1:20000", "address": 10, "master": 1}
    assert DnpOutstation.model_validate(good)
    with pytest.raises(ValidationError, match=why):
        DnpOutstation.model_validate(good | fields)


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        ("p,analog,,0,binary_input,,,", "type", "cannot show a point of kind analog"),
        ("p,status,,1,,,,", "index", "binary_input 1 is first already"),
        (
            "p,status,,2,,5,,",
            "static_variation",
            "found variation 5 of binary_input, allowed: 1, 2",
        ),
        ("p,analog,,0,,,9,", "event_variation", "found '9', allowed: a whole number from 1 to 8"),
        ("p,status,,2,,,,4", "control_index", "command.model is empty"),
        ("p,status,latch,2,,,,1", "control_index", "crob 1 commands first already"),
        ("p,status,,7,iin,,,", "index", "found indication 7, allowed: 4"),
        ("p,analog,,70000,,,,", "index", "allowed: a whole number from 0 to 65535"),
    ],
)
async def test_rows_that_cannot_be(tmp_path: Path, row: str, column: str, why: str) -> None:
    """The point list names the cell and what is allowed."""
    heads = (
        "name,kind,command.model,scada.index,scada.type,scada.static_variation,"
        "scada.event_variation,scada.control_index,field.at"
    )
    lines = f"{heads}\nfirst,status,latch,1,,,,,x\n{row},x\n"
    before = heads.split(",").index(f"scada.{column}")
    at = 1 + sum(len(cell) + 1 for cell in row.split(",")[:before])
    with pytest.raises(ValueError, match=why) as refused:
        async with running(
            [Emitter(name="field", obeys=True)], [outstation(free_port())], lines, data=tmp_path
        ):
            pass
    assert f"points.csv:3:{at}: scada" in str(refused.value)
