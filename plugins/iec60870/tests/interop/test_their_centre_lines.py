"""The sink `iec104.server` and control centres of c104, which nobody here wrote: connections."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import ssl
import sys
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.testing import free_port
from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))
from line_verdict import verdict
from their_centre import CA, LINK, Station, centre, controlled, server

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import C104Client, point, station
from tls_relay import tls_relay

TIME = 1_800_000_000_000
ROWS = """\
name,kind,command.model,field.at,scada.ioa,scada.time,scada.control_ioa
energy,counter,,x,1,none,
switch,status,latch,x,2,none,102
"""
BOTH = """\
name,kind,field.at,scada.ioa,scada.time,second.ioa,second.time
energy,counter,x,1,none,1,none
switch,status,x,2,none,2,none
"""
SWITCH = point(102, "C_SC_NA_1")


class Windows(NamedTuple):
    """k and w of one side."""

    k: int
    w: int


def heard(client: C104Client) -> list[float]:
    """Return the counter readings that their centre has heard."""
    return [one["value"] for one in client.named("value") if one["ioa"] == 1]


async def count_up(station: Station, readings: Iterable[int]) -> None:
    """Emit readings, each with a state behind it, so that no two of them share an ASDU."""
    for some in batched(readings, 10):
        for reading in some:
            station.put("energy", reading, time=TIME + 2 * reading)
            station.put("switch", reading % 2, time=TIME + 2 * reading + 1)
        await station.emit_all()


def batched(values: Iterable[int], size: int) -> Iterator[tuple[int, ...]]:
    """Yield so many at a time."""
    rest = iter(values)
    while some := tuple(islice(rest, size)):
        yield some


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Windows(12, 8), Windows(12, 8)),
        (Windows(1, 1), Windows(1, 1)),
        (Windows(3, 2), Windows(2, 1)),
        (Windows(32767, 100), Windows(200, 100)),
        # What neither w nor any frame acknowledges, t2 does: of c104, in whole seconds.
        (Windows(40, 2), Windows(12, 60)),
    ],
    ids=str,
)
async def test_flow_control(
    tmp_path: Path, trace: pytest.LogCaptureFixture, ours: Windows, theirs: Windows
) -> None:
    """With any k and w all passes, both ways and in order, and nobody exceeds its own k."""
    fields = {"t2": "200ms", "keep": "every", **ours._asdict()}
    settings = {"t1": 10, "t2": 1, **theirs._asdict()}
    async with (
        controlled(tmp_path, ROWS, **fields) as s,
        centre(s, SWITCH, **settings) as (
            client,
            line,
        ),
    ):
        counting = asyncio.create_task(count_up(s, range(50)))
        for _ in range(10):
            assert await client.command(CA, 102, 1)
        await counting
        await client.until(lambda _: len(heard(client)) >= 50)
        assert heard(client) == list(range(50))
        await s.gw.until(lambda: not s.gw.held(LINK))
        assert line.connections == 1
        assert line.most_unacknowledged(outward=False) <= ours.k
        assert line.most_unacknowledged(outward=True) <= theirs.k
        assert theirs.k > ours.k or "window_exceeded" not in s.gw.counters(LINK)
    verdict(line, tmp_path, trace, LINK, controlling=False)


async def test_the_line_is_cut(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Nothing is lost, nothing passes anything: what was not acknowledged is said again."""
    fields = {"keep": "every"}
    async with controlled(tmp_path, ROWS, **fields) as s, centre(s, w=8, t2=1) as (client, line):
        counting = asyncio.create_task(count_up(s, range(200)))
        for cuts, number in enumerate((20, 60, 110), start=1):
            await client.until(lambda _, n=number: len(set(heard(client))) > n)
            line.cut()
            await s.gw.until(lambda n=cuts: line.connections > n, 20)
        await counting
        await client.until(lambda _: set(heard(client)) >= set(range(200)))
        readings = heard(client)
        first = [readings.index(value) for value in range(200)]
        assert first == sorted(first)
        for before, after in pairwise(readings):
            assert after <= before + 1
        ledger = s.gw.ledger(LINK)
        await s.gw.until(lambda: not s.gw.held(LINK), 15)
        assert (ledger.delivered, ledger.coalesced) == (400, 0)
    verdict(line, tmp_path, trace, LINK, controlling=False, cut=True)


async def test_the_gateway_crashes(tmp_path: Path) -> None:
    """What their centre has not acknowledged is in the journal, and is said after the restart,
    behind nothing newer."""
    async with controlled(tmp_path, ROWS, keep="every") as s, centre(s, w=8) as (client, _):
        await count_up(s, range(60))
        await client.until(lambda _: len(heard(client)) > 20)
        await s.gw.crash()
    before = heard(client)
    assert before == list(range(len(before)))
    async with controlled(tmp_path, ROWS, keep="every") as s, centre(s) as (client, _):
        await count_up(s, range(60, 70))
        await client.until(lambda _: 69 in heard(client))
        after = heard(client)
        assert after == list(range(int(after[0]), 70))
        assert after[0] <= len(before)


async def test_two_masters_one_is_slow(tmp_path: Path, trace: pytest.LogCaptureFixture) -> None:
    """Two control centres at one socket: one hears all at once while the other stands still, and
    hears the same when it goes on."""
    port, fields = free_port(), {"keep": "every", "clients": ["127.0.0.1"]}
    second = server(port, "second", keep="every", clients=["127.0.0.2"])
    async with (
        controlled(tmp_path, BOTH, second, port=port, **fields) as s,
        centre(s) as (one, line),
        centre(s, by="127.0.0.2") as (two, other),
    ):
        await count_up(s, range(20))
        await two.until(lambda _: len(heard(two)) == 20)
        two.signal(signal.SIGSTOP)
        await count_up(s, range(20, 120))
        await one.until(lambda _: len(heard(one)) == 120)
        await s.gw.until(lambda: not s.gw.held(LINK))
        assert s.gw.held("second") >= 200
        two.signal(signal.SIGCONT)
        await two.until(lambda _: len(heard(two)) == 120)
        await s.gw.until(lambda: not s.gw.held("second"))
        assert heard(one) == heard(two) == list(range(120))
    verdict(line, tmp_path, trace, LINK, controlling=False)
    verdict(other, tmp_path, trace, "second", controlling=False)


async def test_the_other_connection_takes_over(
    tmp_path: Path, trace: pytest.LogCaptureFixture
) -> None:
    """The group's connection that is started is the one: it hears what the one before did not
    acknowledge, and what follows; its commands are taken, and it may be taken over in its turn."""
    fields = {"keep": "every"}
    async with (
        controlled(tmp_path, ROWS, **fields) as s,
        centre(s, SWITCH) as (one, line),
        centre(s, SWITCH, start=False) as (two, _),
    ):
        await two.event("state", state="open_muted")
        await count_up(s, range(20))
        await one.until(lambda _: len(heard(one)) == 20)
        await s.gw.until(lambda: not s.gw.held(LINK))
        assert heard(two) == []
        one.signal(signal.SIGSTOP)
        await count_up(s, range(20, 50))
        assert s.gw.held(LINK) == 60
        assert (await two.ask("start"))["done"]
        await two.until(lambda _: len(heard(two)) == 30)
        assert heard(two) == list(range(20, 50))
        assert await two.command(CA, 102, 1)
        await s.gw.until(lambda: not s.gw.held(LINK))
        one.signal(signal.SIGCONT)
        # It has heard of nothing, and starts anew.
        await one.ask("stop")
        await one.ask("start")
        await s.gw.until(lambda: s.gw.counters(LINK).get("switchovers") == 2)
        await count_up(s, range(50, 60))
        await one.until(lambda _: heard(one)[-10:] == list(range(50, 60)))
        assert heard(two) == list(range(20, 50))
        await s.gw.until(lambda: not s.gw.held(LINK))
        ledger = s.gw.ledger(LINK)
        assert (ledger.taken, ledger.delivered, ledger.coalesced) == (120, 120, 0)
    verdict(line, tmp_path, trace, LINK, controlling=False, cut=True)


def certificates(folder: Path) -> dict[str, str]:
    """Write those of the gateway, a centre and a stranger; return the sink's TLS settings."""
    authority, others = Authority(folder), Authority(folder, "others")
    authority.issue("gateway", "127.0.0.1")
    authority.issue("centre")
    others.issue("stranger")
    found = {"certificate": "gateway.pem", "key": "gateway.key", "ca": "ca.pem"}
    return {field: str(folder / name) for field, name in found.items()}


def shown(folder: Path, name: str, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return what a centre with that certificate speaks."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
async def test_tls(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A centre whose certificate is expected is served; a stranger is not, and is counted."""
    tls = certificates(tmp_path)
    digest = hashlib.sha256(
        ssl.PEM_cert_to_DER_cert((tmp_path / "centre.pem").read_text())
    ).hexdigest()
    async with controlled(tmp_path, ROWS, tls=tls, fingerprints=[digest]) as s:
        async with (
            tls_relay(s.port, shown(tmp_path, "centre", version)) as port,
            C104Client(port=port, w=1, stations=[station(CA, SWITCH)]) as client,
        ):
            await client.event("state", state="open")
            await count_up(s, range(5))
            await client.until(lambda _: heard(client) == list(range(5)))
            assert await client.command(CA, 102, 1)
            assert s.told == [("switch", "direct", 1.0)]
        async with (
            tls_relay(s.port, shown(tmp_path, "stranger", version)) as port,
            C104Client(port=port) as client,
        ):
            await s.gw.until(lambda: s.gw.counters(LINK).get("tls_refused"))
            assert not any(one["state"] == "open" for one in client.named("state"))
