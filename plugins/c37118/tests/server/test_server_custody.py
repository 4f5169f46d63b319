"""What outlives a connection of the sink: the ledger, and the configuration's count."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

from gateway.testing import Emitter, free_port, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import pdc_wire as wire
from pdc_bench import NS, POINTS, REPORT, SECOND, TIMED, Centre, server, station


@paused
async def test_the_configuration_count(tmp_path: Path) -> None:
    """CFGCNT counts the starts with another configuration, and STAT says it for a minute."""
    counts = []
    for scale in (10, 10, 20, 20, 10):
        pmus = [{"idcode": 1, "station": "A", "voltage_scale": scale}]
        async with station(tmp_path, pmus=pmus) as s, Centre.at(s.port) as centre:
            counts.append((await centre.begin()).pmus[0].changes)
            stat = (await centre.data()).blocks[0].stat
            assert stat == 0x8000 | 0x0400 * (len(counts) in (3, 5))
            if len(counts) == 5:
                centre.say(wire.STOP)
                await asyncio.sleep(61)
                centre.say(wire.START)
                while stat & 0x0400:
                    frame = await centre.data()
                    stat = frame.blocks[0].stat
                assert frame.time - SECOND > 60
    assert counts == [0, 0, 1, 1, 2]
    (kept,) = tmp_path.rglob("configuration.json")
    kept.write_text("{")
    async with station(tmp_path, pmus=pmus) as s, Centre.at(s.port) as centre:
        assert (await centre.begin()).pmus[0].changes == 0
    assert list(json.loads(kept.read_text())) == ["1"]


@paused
async def test_history_is_not_replayed(tmp_path: Path) -> None:
    """Samples of an outage are shed in the ledger; the first frame is of now."""
    port = free_port()
    field = Emitter(name="field")
    taken = socket.create_server(("127.0.0.1", port))
    reconnect = {"min": "5s", "max": "5s"}
    async with running([field], [server(port, reconnect=reconnect)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("wams") == "down")
        for k in range(100):
            await field.emit(
                list(REPORT), list(REPORT.values()), TIMED, SECOND * NS + k * 20_000_000, every=True
            )
        await asyncio.sleep(2.1)
        taken.close()
        await gw.until(lambda: gw.state("wams") == "up", 20)
        async with Centre.at(port) as centre:
            await centre.begin()
            now = asyncio.get_running_loop().time()
            assert (await centre.data()).time - SECOND > now - 0.25
        await gw.until(lambda: not gw.held("wams"))
        ledger = gw.ledger("wams")
        assert (ledger.taken, ledger.dropped["link_full"], ledger.delivered) == (600, 600, 0)


@paused
async def test_without_a_client_nothing_piles_up(tmp_path: Path) -> None:
    """Reports that nobody wants are replaced by the next, and the ledger balances."""
    async with station(tmp_path) as s:
        for k in range(1, 101):
            await s.report(k / 50)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        ledger = s.gw.ledger("wams")
        assert s.gw.held("wams") == 0
        assert ledger.taken == 600 == ledger.coalesced
        async with Centre.at(s.port) as centre:
            await centre.begin()
            for k in range(150, 200):
                await s.report(k / 50)
                await asyncio.sleep(0.02)
            await centre.data_at(3.5)
        await asyncio.sleep(0.5)
        assert ledger.taken == 900
        assert ledger.delivered > 250
        assert ledger.pending == 0
