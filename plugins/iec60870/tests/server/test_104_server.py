"""The sink `iec104.server` in a gateway: samples to a control centre, commands to a device."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from gateway import CommandStatus
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from control_centre import STOPDT_ACT, STOPDT_CON, Centre, octets, station

MS = 1_000_000
NOON = 1_767_268_800_000 * MS  # 2026-01-01 12:00 UTC; in CP56 00 00 00 0c 81 01 1a
INITIALISED = octets("46 01 04 00 07 00 00 00 00 00")
ALL, ALL_TERM = (octets(f"64 01 {cause} 00 07 00 00 00 00 14") for cause in ("06", "0a"))


def value(asdu: bytes) -> int:
    """Return the state of a single point, or a counter reading."""
    return asdu[9] & 1 if asdu[0] in (1, 30) else int.from_bytes(asdu[9:13], "little")


@paused
async def test_events_leave_on_the_acknowledgement(tmp_path: Path) -> None:
    """The ledger counts a sample as delivered when N(R) covers it, not before."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        centre.acknowledges = False
        await s.emit(breaker=1, time=NOON)
        await s.emit(energy=5, time=NOON + MS)
        assert await centre.hear_all(2) == [
            octets("1e 01 03 00 07 00 01 00 00 01 00 00 00 0c 81 01 1a"),
            octets("25 01 03 00 07 00 84 03 00 05 00 00 00 00 01 00 00 0c 81 01 1a"),
        ]
        assert s.gw.ledger("scada").delivered == 0
        centre.acknowledge()
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 2)
        assert s.gw.held("scada") == 0


@paused
async def test_nothing_is_said_before_startdt(tmp_path: Path) -> None:
    """A connection that is not started hears test frames and nothing else (104 clause 5.3)."""
    async with station(tmp_path, t3="20s") as s, Centre.at(s.port, start=False) as centre:
        await s.emit(breaker=1, time=NOON)
        assert await centre.frame(30) == bytes.fromhex("680443000000")
        centre.writer.write(bytes.fromhex("680483000000"))
        await centre.start()
        assert (await centre.hear_all(2))[1][:10] == octets("1e 01 03 00 07 00 01 00 00 01")


@pytest.mark.parametrize(("k", "w"), [(12, 8), (1, 1)])
@paused
async def test_stopdt_waits_for_what_is_not_acknowledged(tmp_path: Path, k: int, w: int) -> None:
    """Its con follows the acknowledgement; what happens meanwhile waits for the next STARTDT."""
    async with station(tmp_path, k=k, w=w) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        centre.acknowledges = False
        await s.emit(breaker=1, time=NOON)
        await centre.hear()
        centre.writer.write(STOPDT_ACT)
        await s.emit(breaker=0, time=NOON + MS)
        with pytest.raises(TimeoutError):
            await centre.frame(5)
        centre.acknowledge()
        assert await centre.frame() == STOPDT_CON
        assert s.gw.ledger("scada").delivered == 1
        await centre.start()
        assert value(await centre.hear()) == 0


@paused
async def test_k_bounds_what_is_on_its_way(tmp_path: Path) -> None:
    """With k 5 the sixth ASDU waits for an acknowledgement, whatever it is."""
    async with station(tmp_path, k=5, w=3) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        centre.acknowledges = False
        for n in range(7):
            await s.emit(energy=n, time=NOON + n * MS)
        heard = await centre.hear_all(5)
        assert [value(one) for one in heard] == [0, 1, 2, 3, 4]
        centre.say(octets("68 01 06 00 07 00 00 00 00 aa 55"))
        with pytest.raises(TimeoutError):
            await centre.hear(5)
        centre.acknowledge()
        assert await centre.hear() == octets("68 01 07 00 07 00 00 00 00 aa 55")
        assert value(await centre.hear()) == 5


@paused
async def test_events_survive_a_broken_connection(tmp_path: Path) -> None:
    """What was not acknowledged comes again on the next one, once, in order, before the rest."""
    async with station(tmp_path) as s:
        async with Centre.at(s.port) as centre:
            assert await centre.hear() == INITIALISED
            for n in range(5):
                await s.emit(energy=n, time=NOON + n * MS)
                if n == 2:
                    centre.acknowledges = False
                await centre.hear()
        await s.emit(energy=5, time=NOON)
        async with Centre.at(s.port) as centre:
            assert [value(one) for one in await centre.hear_all(4)] == [2, 3, 4, 5]
            await s.gw.until(lambda: not s.gw.held("scada"))
        ledger = s.gw.ledger("scada")
        assert (ledger.taken, ledger.delivered, ledger.coalesced) == (6, 6, 0)


async def test_events_survive_a_crash(tmp_path: Path) -> None:
    """What the control centre has not acknowledged is sent after the next start, in its order."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        centre.acknowledges = False
        for n in range(4):
            await s.emit(energy=n, time=NOON + n * MS)
        await centre.hear_all(4)
        await s.gw.crash()
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        # They are together now, and share an ASDU.
        (heard,) = await centre.hear_all(1)
        assert [heard[6 + 15 * n + 3] for n in range(heard[1])] == [0, 1, 2, 3]


async def test_an_interrogation_comes_behind_the_journal(tmp_path: Path) -> None:
    """Events that wait on the disk are older than the image: they go first."""
    async with station(tmp_path) as s:
        for n in range(300):
            await s.emit(energy=n, breaker=n % 2, time=NOON + n * MS)
        await s.gw.crash()
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        await s.emit(breaker=1, time=NOON + 1000 * MS)
        centre.say(ALL)
        heard = await centre.until(ALL_TERM)
        causes = [one[2] for one in heard if one[0] not in (70, 100)]
        first = causes.index(20)
        assert set(causes[:first]) == {3}
        assert set(causes[first:]) == {20}
        events = sum(one[1] & 0x7F for one in heard if one[2] == 3)
        assert events == 601


@paused
async def test_analog_keeps_the_latest_and_status_keeps_all(tmp_path: Path) -> None:
    """Of 100 values of each that nobody fetched, one and a hundred come; the ledger balances."""
    async with station(tmp_path) as s:
        for n in range(100):
            await s.emit(breaker=n % 2, current=n, time=NOON + n * MS)
        await s.gw.until(lambda: s.gw.ledger("scada").taken == 200)
        async with Centre.at(s.port) as centre:
            assert await centre.hear() == INITIALISED
            heard = []
            while sum(one[1] for one in heard) < 101:
                heard.append(await centre.hear())
            assert sum(one[1] for one in heard if one[0] == 30) == 100
            assert [one[9:11] for one in heard if one[0] == 35] == [b"\x63\x00"]
            await s.gw.until(lambda: not s.gw.held("scada"))
        ledger = s.gw.ledger("scada")
        assert (ledger.delivered, ledger.coalesced) == (101, 99)


@paused
async def test_commands_reach_the_device(tmp_path: Path) -> None:
    """Select and execute of the switch, a pulse, a set point in the centre's own unit."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        select, execute = (octets(f"2e 01 06 00 07 00 c8 00 00 {one}") for one in ("82", "02"))
        assert await centre.ask(execute) == [octets("2e 01 47 00 07 00 c8 00 00 02")]
        assert await centre.ask(select) == [octets("2e 01 07 00 07 00 c8 00 00 82")]
        assert await centre.ask(execute, 2) == [
            octets(f"2e 01 {cause} 00 07 00 c8 00 00 02") for cause in ("07", "0a")
        ]
        await centre.ask(octets("2d 01 06 00 07 00 03 00 00 09"), 2)
        await centre.ask(octets("32 01 06 00 07 00 20 03 00 00 00 f6 42 00"), 2)
        assert await centre.ask(octets("32 01 06 00 07 00 20 03 00 00 80 fa 43 00")) == [
            octets("32 01 47 00 07 00 20 03 00 00 80 fa 43 00")
        ]
        assert await s.told() == [
            ("switch", "execute", 1.0),
            ("horn", "direct", 1.0),
            ("limit", "direct", 123.0),
        ]
        pulse = s.field.commands[1].pulse
        assert pulse is not None
        assert pulse.on_time == 3.0


@paused
async def test_a_silent_device_ends_in_a_negative_answer(tmp_path: Path) -> None:
    """After the time of the command, and not before; the connection is not held up by it."""
    async with station(tmp_path, command_timeout="4s") as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        s.field.reply(lambda _: None)
        centre.say(octets("2d 01 06 00 07 00 01 00 00 01"))
        assert await centre.ask(octets("68 01 06 00 07 00 00 00 00 aa 55")) == [
            octets("68 01 07 00 07 00 00 00 00 aa 55")
        ]
        with pytest.raises(TimeoutError):
            await centre.hear(3.5)
        assert await centre.hear(1) == octets("2d 01 47 00 07 00 01 00 00 01")


@paused
async def test_what_the_device_says_reaches_the_centre(tmp_path: Path) -> None:
    """A device that fails at it has taken it: positive confirmation, negative termination."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        s.field.reply(lambda _: CommandStatus.DEVICE_ERROR)
        assert await centre.ask(octets("2d 01 06 00 07 00 01 00 00 01"), 2) == [
            octets(f"2d 01 {cause} 00 07 00 01 00 00 01") for cause in ("07", "4a")
        ]


@paused
async def test_who_has_no_role_only_reads(tmp_path: Path) -> None:
    """A command is refused, an interrogation is not."""
    async with station(tmp_path, role=None) as s, Centre.at(s.port) as centre:
        assert await centre.hear() == INITIALISED
        assert await centre.ask(octets("2d 01 06 00 07 00 01 00 00 01")) == [
            octets("2d 01 47 00 07 00 01 00 00 01")
        ]
        centre.say(ALL)
        assert (await centre.until(ALL_TERM))[-1] == ALL_TERM
        assert await s.told() == []


@paused
async def test_a_restart_is_the_links(tmp_path: Path) -> None:
    """Where it is allowed: confirmed, the connection ends, and the station is there again."""
    async with station(tmp_path, restart=True, reconnect={"min": "10ms"}) as s:
        async with Centre.at(s.port) as centre:
            assert await centre.hear() == INITIALISED
            assert await centre.ask(octets("69 01 06 00 07 00 00 00 00 01")) == [
                octets("69 01 07 00 07 00 00 00 00 01")
            ]
            assert await centre.ended()
            await s.gw.until(lambda: s.gw.state("scada") != "up")
        await s.gw.until(lambda: s.gw.state("scada") == "up")
        async with Centre.at(s.port) as centre:
            assert await centre.hear() == INITIALISED


@paused
async def test_who_breaks_the_rules_is_closed(tmp_path: Path) -> None:
    """An I frame before STARTDT; octets that are no frame."""
    async with station(tmp_path) as s:
        async with Centre.at(s.port, start=False) as centre:
            centre.say(ALL)
            assert await centre.ended()
        async with Centre.at(s.port) as centre:
            centre.writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await centre.ended()
        async with Centre.at(s.port) as centre:
            assert await centre.hear() != b""


@paused
async def test_who_is_silent_is_closed(tmp_path: Path) -> None:
    """What is not acknowledged within t1 (15 s) comes again on the next connection."""
    async with station(tmp_path) as s:
        async with Centre.at(s.port) as centre:
            assert await centre.hear() == INITIALISED
            centre.acknowledges = False
            await s.emit(energy=7, time=NOON)
            await centre.hear()
            begin = asyncio.get_running_loop().time()
            assert await centre.ended(20)
            assert 14.9 < asyncio.get_running_loop().time() - begin < 15.1
        async with Centre.at(s.port) as centre:
            assert value(await centre.hear()) == 7
