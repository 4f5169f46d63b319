"""Who is who at one socket: groups, their connections, strangers, TLS (104 clause 10)."""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from gateway.testing import Emitter, free_port, paused, running
from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))
from control_centre import POINTS, STOPDT_ACT, Centre, octets, server, station

MS = 1_000_000
NOON = 1_767_268_800_000 * MS
INITIALISED = octets("46 01 04 00 07 00 00 00 00 00")
BOTH = "\n".join(
    line + ("," + line.split(",")[8] if n else ",second.ioa")
    for n, line in enumerate(POINTS.splitlines())
)
"""The points of `scada`, and the same at `second`."""
TEST, TESTED = (octets(f"68 01 {cause} 00 07 00 00 00 00 aa 55") for cause in ("06", "07"))


def reading(asdu: bytes) -> int:
    return int.from_bytes(asdu[9:13], "little")


@paused
async def test_the_started_connection_takes_over(tmp_path: Path) -> None:
    """What the one before has not acknowledged comes on the new one, in its order; the old one
    stays open, is told nothing any more, and may take over again."""
    async with station(tmp_path) as s, Centre.at(s.port) as one:
        assert await one.hear() == INITIALISED
        one.acknowledges = False
        for n in range(3):
            await s.emit(energy=n, time=NOON + n * MS)
        await one.hear_all(3)
        async with Centre.at(s.port) as two:
            assert [reading(asdu) for asdu in await two.hear_all(3)] == [0, 1, 2]
            await s.emit(energy=3, time=NOON)
            assert reading(await two.hear()) == 3
            await s.gw.until(lambda: not s.gw.held("scada"))
            two.acknowledges = False
            await s.emit(energy=4, time=NOON)
            await two.hear()
            # Not closed: it is started again, and acknowledges what it had before that.
            await one.start()
            one.acknowledge()
            assert reading(await one.hear()) == 4
            await s.gw.until(lambda: s.gw.counters("scada").get("switchovers") == 2)
            assert s.gw.held("scada") == 1
            one.acknowledge()
            await s.gw.until(lambda: not s.gw.held("scada"))
        ledger = s.gw.ledger("scada")
        assert (ledger.taken, ledger.delivered) == (5, 5)


@paused
async def test_a_connection_that_stops_and_starts_again(tmp_path: Path) -> None:
    """What is sent again counts as arrived when it is acknowledged, not when that is of before."""
    async with station(tmp_path) as s, Centre.at(s.port) as one:
        assert await one.hear() == INITIALISED
        one.acknowledges = False
        assert await one.ask(TEST) == [TESTED]
        await s.emit(energy=0, time=NOON)
        assert reading(await one.hear()) == 0
        # It asks to stop, and thinks better of it before it has acknowledged the two.
        one.writer.write(STOPDT_ACT)
        await one.start()
        assert reading(await one.hear()) == 0
        await s.emit(energy=1, time=NOON + MS)
        assert reading(await one.hear()) == 1
        one.acknowledged = 3
        assert await one.ask(TEST) == [TESTED]
        assert s.gw.held("scada") == 2
        one.acknowledge()
        await s.gw.until(lambda: not s.gw.held("scada"))


@paused
async def test_what_comes_as_another_takes_over_is_not_left_without_a_word(tmp_path: Path) -> None:
    """Nobody answers on a connection that is not started any more: it is closed."""
    async with station(tmp_path) as s, Centre.at(s.port) as one:
        assert await one.hear() == INITIALISED
        async with Centre.at(s.port, start=False) as two:
            one.say(TEST)
            await two.start()
            assert await one.ended()
            await s.gw.until(lambda: s.gw.counters("scada").get("too_late") == 1)
            assert await two.ask(TEST) == [TESTED]


@paused
async def test_a_selection_ends_with_its_connection(tmp_path: Path) -> None:
    """The other connection of the group cannot execute what this one has selected."""
    async with station(tmp_path) as s, Centre.at(s.port) as one:
        assert await one.hear() == INITIALISED
        await one.ask(octets("2e 01 06 00 07 00 c8 00 00 82"))
        async with Centre.at(s.port) as two:
            assert await two.ask(octets("2e 01 06 00 07 00 c8 00 00 02")) == [
                octets("2e 01 47 00 07 00 c8 00 00 02")
            ]
            assert await s.told() == []


@paused
async def test_groups_have_their_own_events(tmp_path: Path) -> None:
    """Two control centres at one socket, told apart by their addresses: one that is slow, or away,
    holds nothing up for the other, and misses nothing."""
    others = {"second": {"clients": ["127.0.0.2"]}}
    async with station(tmp_path, points=BOTH, others=others) as s, Centre.at(s.port) as one:
        assert await one.hear() == INITIALISED
        async with Centre.at(s.port, host="127.0.0.2") as two:
            assert await two.hear() == INITIALISED
            two.acknowledges = False
            for n in range(50):
                await s.emit(energy=n, time=NOON + n * MS)
                assert reading(await one.hear()) == n
            await s.gw.until(lambda: not s.gw.held("scada"))
            assert s.gw.held("second") == 50
        for n in range(50, 60):
            await s.emit(energy=n, time=NOON + n * MS)
            assert reading(await one.hear()) == n
        async with Centre.at(s.port, host="127.0.0.2") as two:
            found: list[int] = []
            while len(found) < 60:
                asdu = await two.hear()
                found += [asdu[9 + 15 * n] for n in range(asdu[1])]
            assert found == list(range(60))
            await s.gw.until(lambda: not s.gw.held("second"))
            assert await one.ask(TEST) == [TESTED]
            assert await two.ask(TEST) == [TESTED]


@paused
async def test_an_address_of_nobody_is_closed(tmp_path: Path) -> None:
    """At once, and counted; those who are expected are served."""
    async with station(tmp_path, clients=["127.0.0.2", "10.0.0.0/8"]) as s:
        async with Centre.at(s.port, start=False) as stranger:
            assert await stranger.ended()
        async with Centre.at(s.port, host="127.0.0.2") as centre:
            assert await centre.hear() == INITIALISED
        await s.gw.until(lambda: s.gw.counters("scada").get("refused") == 1)


@paused
async def test_the_closest_network_counts(tmp_path: Path) -> None:
    """127.0.0.3 is named by a /30 and by a /8: it is of the first; the others are of the second."""
    others = {"second": {"clients": ["127.0.0.0/8"]}}
    fields = {"clients": ["127.0.0.0/30"], "ca": 7}
    async with station(tmp_path, points=BOTH, others=others, **fields) as s:
        async with Centre.at(s.port, host="127.0.0.3") as one:
            assert await one.hear() == INITIALISED
            await s.gw.until(lambda: s.gw.counters("scada").get("connections") == 1)
        async with Centre.at(s.port, host="127.0.0.4") as two:
            assert await two.hear() == INITIALISED
            await s.gw.until(lambda: s.gw.counters("second").get("connections") == 1)


@paused
async def test_a_group_is_full(tmp_path: Path) -> None:
    """Above its bound a connection is closed; when one has left there is room again."""
    async with station(tmp_path, max_clients=2) as s, Centre.at(s.port) as one:
        assert await one.hear() == INITIALISED
        async with Centre.at(s.port, start=False), Centre.at(s.port, start=False) as third:
            assert await third.ended()
            assert await one.ask(TEST) == [TESTED]
        await s.gw.until(lambda: s.gw.counters("scada").get("refused_full") == 1)
        async with Centre.at(s.port) as fourth:
            assert await fourth.ask(TEST) == [TESTED]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({}, "expects anybody already"),
        ({"clients": ["127.0.0.2"], "tls": True}, "with other settings"),
    ],
)
async def test_two_links_that_cannot_share_a_socket(
    tmp_path: Path, second: dict[str, object], why: str
) -> None:
    """The first one works, the second says what is the matter, and stays down."""
    if second.get("tls"):
        Authority(tmp_path).issue("gateway", "127.0.0.1")
        files = {"certificate": tmp_path / "gateway.pem", "key": tmp_path / "gateway.key"}
        second = second | {"tls": files}
    port, field = free_port(), Emitter(name="field")
    sinks = [server(port), server(port, "again", **second)]
    async with running([field], sinks, "name,field.at\n", data=tmp_path / "data") as gw:
        await gw.until(lambda: gw.status("again").error)
        await gw.until(lambda: gw.state("scada") == "up")
        assert gw.state("again") != "up"
        assert why in gw.status("again").error


async def test_a_socket_that_is_taken(tmp_path: Path) -> None:
    """The link says where it cannot listen, and why."""
    field = Emitter(name="field")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with running([field], [server(port)], "name,field.at\n", data=tmp_path) as gw:
            await gw.until(lambda: gw.status("scada").error)
            assert (
                f"cannot listen at 127.0.0.1:{port}: Address already in use"
                in gw.status("scada").error
            )


async def test_tls(tmp_path: Path) -> None:
    """A centre with the right certificate is served; one with another is turned away."""
    authority = Authority(tmp_path)
    for name in ("gateway", "centre", "other"):
        authority.issue(name, "127.0.0.1")
    shown = load_pem_x509_certificate((tmp_path / "centre.pem").read_bytes())
    digest = hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest()
    tls = {
        "certificate": tmp_path / "gateway.pem",
        "key": tmp_path / "gateway.key",
        "ca": tmp_path / "ca.pem",
    }

    def context(name: str) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        made.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        return made

    async with station(tmp_path / "data", tls=tls, fingerprints=[digest]) as s:
        async with Centre.at(s.port, ssl=context("centre")) as centre:
            assert await centre.hear() == INITIALISED
            assert await centre.ask(TEST) == [TESTED]
        async with Centre.at(s.port, start=False, ssl=context("other")) as other:
            assert await other.ended()
        await s.gw.until(lambda: s.gw.counters("scada").get("refused") == 1)
