"""The sink `iec101.slave` in a whole gateway, asked by control centres made of octets."""

from __future__ import annotations

import asyncio
import logging
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.controlled.outgoing import MOST_ANSWERS
from gateway_iec60870.iec101.drop import QUEUE

from gateway import CommandStatus
from gateway.testing import free_port, paused

sys.path.insert(0, str(Path(__file__).parent))
from line_bench import station
from octet_line import (
    ACD,
    E5,
    FCB,
    FCV,
    PRM,
    Line,
    Poller,
    asdu,
    at,
    fixed,
    kinds,
    mirrored,
    octets,
    variable,
)

MS = 1_000_000
NOON = 1_767_268_800_000 * MS  # 2026-01-01 12:00 UTC; in CP56 00 00 00 0c 81 01 1a
INITIALISED = octets("46 01 04 01 00 00 00")
INTERROGATION = octets("64 01 06 01 00 00 14")


def numbers(*asdus: bytes) -> list[int]:
    """Return the counter readings of events: objects of 14 octets, the address first."""
    return [
        struct.unpack_from("<i", one, 6 + 14 * n)[0]
        for one in asdus
        if one[0] == 37
        for n in range(one[1])
    ]


def number(one: bytes) -> int:
    """Return the counter reading of the only event of an ASDU."""
    (found,) = numbers(one)
    return found


@paused
async def test_the_octets_of_an_event(tmp_path: Path) -> None:
    """Status with ACD, reset, class 1: the end of initialisation, then events, with CP56."""
    async with station(tmp_path) as s, Line.to(s.port) as line:
        await s.emit(breaker=1, time=NOON)
        await s.emit(energy=5, time=NOON + MS)
        for asked, answer in (
            # Nothing has been reset: no data may be asked for.
            ("10 5b 01 5c 16", "10 0e 01 0f 16"),
            ("10 49 01 4a 16", "10 0b 01 0c 16"),
            ("10 40 01 41 16", "e5"),
        ):
            line.say(octets(asked))
            assert await line.reader.readexactly(len(octets(answer))) == octets(answer)
        await asyncio.sleep(0.1)
        for asked, answer in (
            # No class 2 data; ACD is set.
            ("10 7b 01 7c 16", "10 29 01 2a 16"),
            ("10 5a 01 5b 16", "68 09 09 68 28 01 46 01 04 01 00 00 00 75 16"),
            (
                "10 7a 01 7b 16",
                "68 10 10 68 28 01 1e 01 03 01 01 00 01 00 00 00 0c 81 01 1a f6 16",
            ),
            # The same FCB: once more the same.
            (
                "10 7a 01 7b 16",
                "68 10 10 68 28 01 1e 01 03 01 01 00 01 00 00 00 0c 81 01 1a f6 16",
            ),
            (
                "10 5a 01 5b 16",
                "68 14 14 68 08 01 25 01 03 01 84 03 05 00 00 00 00 01 00 00 0c 81 01 1a 68 16",
            ),
            ("10 7a 01 7b 16", "e5"),
        ):
            line.say(octets(asked))
            assert await line.reader.readexactly(len(octets(answer))) == octets(answer)


@paused
async def test_delivered_with_the_next_fcb(tmp_path: Path) -> None:
    """The ledger counts a sample when the next request with another FCB comes, not before."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        await s.emit(energy=5, time=NOON)
        await asyncio.sleep(0.1)
        assert number(await poller.poll()) == 5
        assert number(await poller.poll(again=True)) == 5
        await asyncio.sleep(5)
        assert s.gw.ledger("scada").delivered == 0
        assert await poller.poll() == b""
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 1)
        assert s.gw.held("scada") == 0


@paused
async def test_a_link_that_is_reset(tmp_path: Path) -> None:
    """What was not acknowledged comes again, in order, before the rest, and no answers do."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        for n in range(10):
            await s.emit(energy=n, time=NOON + n * MS)
        await asyncio.sleep(0.1)
        assert [number(await poller.poll()) for _ in range(4)] == [0, 1, 2, 3]
        await poller.send(octets("68 01 06 01 00 00 aa 55"))  # it is answered, and nobody asks
        await poller.reset()
        await asyncio.sleep(0.1)
        heard = await poller.drain()
        assert [number(one) for one in heard] == [4, 5, 6, 7, 8, 9]
        await s.gw.until(lambda: not s.gw.held("scada"))
        assert s.gw.ledger("scada").delivered == 10


@paused
async def test_cut_and_connected_again(tmp_path: Path) -> None:
    """On each new connection the events go on where they were; none is lost, none passes."""
    # Three events in an ASDU.
    async with station(tmp_path, max_length=48) as s:
        for n in range(60):
            await s.emit(energy=n, time=NOON + n * MS)
        heard: list[int] = []
        for polls in (3, 1, 7, 0, 5):
            async with Poller.to(s.port) as poller:
                await poller.reset()
                await asyncio.sleep(0.1)
                for _ in range(polls):
                    heard += numbers(await poller.poll())
        async with Poller.to(s.port) as poller:
            await poller.reset()
            await asyncio.sleep(0.1)
            heard += numbers(*await poller.drain())
        # The last ASDU of a connection has no acknowledgement, and comes again.
        assert list(dict.fromkeys(heard)) == list(range(60))
        assert len(heard) == 60 + 4 * 3
        await s.gw.until(lambda: not s.gw.held("scada"))
        assert s.gw.ledger("scada").delivered == 60


async def test_events_survive_a_crash(tmp_path: Path) -> None:
    """What the control centre has not acknowledged is there after the next start."""
    port = free_port()
    async with station(tmp_path, port=port) as s, Poller.to(port) as poller:
        await poller.reset()
        for n in range(4):
            await s.emit(energy=n, time=NOON + n * MS)
        await asyncio.sleep(0.1)
        assert await poller.poll() == INITIALISED
        assert [number(await poller.poll()) for _ in range(2)] == [0, 1]
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 1)
        await s.gw.crash()
    async with station(tmp_path, port=port) as s, Poller.to(port) as poller:
        await poller.reset()
        await asyncio.sleep(0.1)
        heard = await poller.drain()
        assert heard[0] == INITIALISED
        assert numbers(*heard)[-3:] == [1, 2, 3]


@paused
async def test_class_2_is_what_is_cyclic(tmp_path: Path) -> None:
    """Scans wait for class 2 requests and have the value of the moment; class 1 has the others."""
    async with station(tmp_path, silence="never") as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        await s.emit(current=100)
        await asyncio.sleep(3)
        await s.emit(current=200)
        await asyncio.sleep(0.1)
        # Of M_ME_NB_1 with cause 1, ACD not set.
        answer = await poller.next(11)
        assert answer.control == 0x08
        assert answer.asdu == octets("0b 01 01 01 58 02 c8 00 00")
        assert await poller.poll() == b""
        assert await poller.poll(2) == b""
        await asyncio.sleep(60)
        # Thirty cycles nobody has asked for are one.
        assert (await poller.poll(2))[:3] == octets("0b 01 01")
        await asyncio.sleep(0.1)
        assert await poller.poll(2) == b""


@paused
async def test_scans_go_on_after_a_reset(tmp_path: Path) -> None:
    """One that waited to be asked for is gone with its life; the next cycle is not."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        await s.emit(current=1)
        await asyncio.sleep(3)
        await poller.reset()
        await s.emit(current=2)
        await asyncio.sleep(3)
        assert await poller.poll(2) == octets("0b 01 01 01 58 02 02 00 00")


@paused
async def test_classes_are_acknowledged_apart(tmp_path: Path) -> None:
    """Class 2 data between events: each event is acknowledged by what follows it, none early."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        await s.emit(current=1)
        for n in range(12):
            await s.emit(energy=n, time=NOON + n * MS)
        await asyncio.sleep(0.1)
        for n in range(12):
            await asyncio.sleep(2)
            assert (await poller.poll(2))[2] == 1
            assert number(await poller.poll()) == n
            await asyncio.sleep(0.1)
            assert s.gw.ledger("scada").delivered == n
        await poller.poll(2)
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 12)


@paused
async def test_class_1_for_class_2(tmp_path: Path) -> None:
    """Where it is allowed, a request for class 2 data has class 1 data where there is no other."""
    async with station(tmp_path, class_1_for_2=True) as s, Poller.to(s.port) as poller:
        await poller.reset()
        await asyncio.sleep(0.1)
        assert await poller.poll(2) == INITIALISED
        await s.emit(energy=3, time=NOON)
        await asyncio.sleep(0.1)
        assert number(await poller.poll(2)) == 3
        assert await poller.poll(2) == b""
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 1)


@paused
async def test_an_interrogation(tmp_path: Path) -> None:
    """Confirmation, data behind older events, termination: class 1, ACD until the last one."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await s.emit(breaker=1, switch=2, voltage=230.5, current=7, energy=9, time=NOON)
        await poller.reset()
        await poller.send(INTERROGATION)
        await asyncio.sleep(0.1)
        heard = []
        while (answer := await poller.next(10)).control != -1:
            heard.append(answer.asdu)
            if not answer.control & ACD:
                break
        causes = [one[2] for one in heard if one[0] not in (70, 100)]
        first = causes.index(20)
        assert set(causes[:first]) == {3}
        assert set(causes[first:]) == {20}
        assert heard[-1] == mirrored(INTERROGATION, 10)
        assert heard[-5:-1] == [
            asdu(1, 20, at(1) + b"\x01"),
            asdu(3, 20, at(100) + b"\x02"),
            asdu(11, 20, at(600) + struct.pack("<hB", 7, 0)),
            # The limit never had a value: invalid and not topical.
            asdu(13, 20, at(700) + struct.pack("<fB", 230.5, 0)
                 + struct.pack("<fB", 0, 0xC0), count=0x82),
        ]  # fmt: skip


@paused
async def test_an_answer_passes_events(tmp_path: Path) -> None:
    """Behind a thousand events an answer waits for no more than what the link has already."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        for n in range(1000):
            await s.emit(energy=n, time=NOON + n * MS)
        await asyncio.sleep(0.1)
        await poller.send(octets("68 01 06 01 00 00 aa 55"))
        heard = [(await poller.poll())[0] for _ in range(QUEUE + 2)]
        assert heard.index(0x68) <= QUEUE + 1


@paused
async def test_commands(tmp_path: Path) -> None:
    """Select and execute, a set point, one out of range, one of an object that is not there."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]

        async def ask(request: bytes) -> list[bytes]:
            await poller.send(request)
            await asyncio.sleep(0.1)
            return await poller.drain()

        select, execute = (octets(f"2e 01 06 01 c8 00 {dco}") for dco in ("82", "02"))
        # Without its select.
        assert await ask(execute) == [mirrored(execute, 0x47)]
        assert await ask(select) == [mirrored(select, 7)]
        assert await ask(execute) == [mirrored(execute, 7), mirrored(execute, 10)]
        setpoint = octets("32 01 06 01 bd 02 00 00 f6 42 00")
        assert await ask(setpoint) == [mirrored(setpoint, 7), mirrored(setpoint, 10)]
        beyond = octets("32 01 06 01 bd 02 00 80 fa 43 00")
        assert await ask(beyond) == [mirrored(beyond, 0x47)]
        nowhere = octets("2d 01 06 01 05 00 01")
        assert await ask(nowhere) == [mirrored(nowhere, 0x6F)]
        stranger = octets("2d 01 06 09 01 00 01")
        assert await ask(stranger) == [mirrored(stranger, 0x6E)]
        assert await s.told() == [("switch", "execute", 1.0), ("limit", "direct", 123.0)]


@paused
async def test_a_command_comes_once(tmp_path: Path) -> None:
    """A frame that is repeated, because its ACK was lost, is acknowledged and not done again."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        command = octets("2d 01 06 01 01 00 01")
        await poller.send(command)
        answer = await poller.next(3, command, again=True)
        assert answer.control in (-1, 0)
        await asyncio.sleep(0.1)
        assert await poller.drain() == [mirrored(command, 7), mirrored(command, 10)]
        assert await s.told() == [("breaker", "direct", 1.0)]


@paused
async def test_a_command_of_a_life_that_is_over(tmp_path: Path) -> None:
    """One that had to wait behind answers that nobody asks for, until the link was reset: whoever
    gave it has given it up, and it is not carried out."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        # Beside 64 answers that wait, those in the link layer.
        for _ in range(MOST_ANSWERS + QUEUE + 8):
            await poller.send(octets("68 01 06 01 00 00 aa 55"))
        await poller.send(octets("2d 01 06 01 01 00 01"))
        await asyncio.sleep(1)
        assert await s.told() == []
        await poller.reset()
        assert await poller.drain() == []
        await asyncio.sleep(2)
        assert await s.told() == []
        assert s.gw.counters("scada")["link_too_late"] > 0
        command = octets("2d 01 06 01 01 00 00")
        await poller.send(command)
        await asyncio.sleep(0.1)
        assert await poller.drain() == [mirrored(command, 7), mirrored(command, 10)]
        assert await s.told() == [("breaker", "direct", 0.0)]


@paused
async def test_a_silent_device(tmp_path: Path) -> None:
    """It ends in a negative answer, after the time of the command."""
    async with station(tmp_path, command_timeout="4s") as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        s.field.reply(lambda _: None)
        command = octets("2d 01 06 01 01 00 01")
        await poller.send(command)
        await asyncio.sleep(3.5)
        assert await poller.drain() == []
        await asyncio.sleep(1)
        assert await poller.drain() == [mirrored(command, 0x47)]
        s.field.reply(lambda _: CommandStatus.DEVICE_ERROR)
        await poller.send(command)
        await asyncio.sleep(0.1)
        assert await poller.drain() == [mirrored(command, 7), mirrored(command, 0x4A)]


@paused
async def test_the_clock(tmp_path: Path) -> None:
    """It is answered with the gateway's own time, which stays as it is."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        await poller.send(octets("67 01 06 01 00 00 00 00 1e 0c 01 06 19"))
        await asyncio.sleep(0.1)
        (answer,) = await poller.drain()
        assert answer[:6] == octets("67 01 07 01 00 00")
        # The paused clock stands in the first minutes of 2026.
        assert answer[-3:] == octets("81 01 1a")
        assert s.gw.counters("scada")["times_written"] == 1


@paused
async def test_a_broadcast(tmp_path: Path) -> None:
    """SEND/NO REPLY to the link address of all reaches it; nothing is said to it."""
    async with station(tmp_path) as s, Poller.to(s.port) as poller:
        await poller.reset()
        assert await poller.drain() == [INITIALISED]
        poller.say(variable(PRM | 4, octets("64 01 06 ff 00 00 14"), 255))
        await poller.quiet(1)
        assert kinds(await poller.drain())[0] == (100, 7)
        assert s.gw.counters("scada")["interrogations"] == 1


@paused
async def test_who_asks_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A connection on which nothing comes for `silence` is closed, and it is said."""
    caplog.set_level(logging.INFO)
    async with station(tmp_path, silence="20s") as s:
        async with Poller.to(s.port) as poller:
            await poller.reset()
            began = asyncio.get_running_loop().time()
            assert await poller.reader.read() == b""
            assert 19.9 < asyncio.get_running_loop().time() - began < 20.1
        async with Poller.to(s.port) as poller:
            await poller.reset()
            await asyncio.sleep(0.1)
            assert await poller.poll() == INITIALISED
    said = [r.getMessage() for r in caplog.records if r.name == "gateway_iec101.scada"]
    assert any("nothing that can be read has come for 20 s" in one for one in said)


@paused
async def test_a_new_connection_takes_the_place_of_a_dead_one(tmp_path: Path) -> None:
    """Without waiting for its end; what was not acknowledged on it comes on the new one."""
    async with station(tmp_path) as s, Poller.to(s.port) as dead:
        await dead.reset()
        assert await dead.drain() == [INITIALISED]
        await s.emit(energy=1, time=NOON)
        await asyncio.sleep(0.1)
        assert number(await dead.poll()) == 1
        async with Poller.to(s.port) as poller:
            await poller.reset()
            await asyncio.sleep(0.1)
            assert number(await poller.poll()) == 1
            assert await dead.reader.read() == b""
        await asyncio.sleep(1.1)
        assert s.gw.counters("scada")["link_replaced"] == 1


@paused
async def test_a_restart(tmp_path: Path) -> None:
    """Where it is allowed: confirmed, the link ends, and the station is there again."""
    async with station(tmp_path, restart=True) as s:
        async with Poller.to(s.port) as poller:
            await poller.reset()
            assert await poller.drain() == [INITIALISED]
            request = octets("69 01 06 01 00 00 01")
            await poller.send(request)
            await asyncio.sleep(2)  # a master that asks every two seconds
            assert await poller.drain() == [mirrored(request, 7)]
            assert await poller.reader.read() == b""
        await s.gw.until(lambda: s.gw.state("scada") != "up")
        await s.gw.until(lambda: s.gw.state("scada") == "up")
        async with Poller.to(s.port) as poller:
            await poller.reset()
            await asyncio.sleep(0.1)
            assert await poller.poll() == INITIALISED


@paused
async def test_without_the_single_character(tmp_path: Path) -> None:
    """ACK and NO DATA have their own frames then, and other link addresses hear nothing."""
    async with station(tmp_path, single_character=False, link=300, link_octets=2) as s, Line.to(
        s.port, 2
    ) as line:  # fmt: skip
        line.say(fixed(PRM | 9, 1, 2))
        await line.quiet(1)
        assert await line.ask(fixed(PRM | 9, 300, 2)) == (0x0B, 300, b"")
        assert await line.ask(fixed(PRM | 0, 300, 2)) == (0x00, 300, b"")
        await asyncio.sleep(0.1)
        assert await line.ask(fixed(PRM | FCV | FCB | 11, 300, 2)) == (0x09 | ACD, 300, b"")


@pytest.mark.parametrize("longest", [48, 120, 255])
def test_no_frame_is_longer_than_agreed(longest: int, tmp_path: Path) -> None:
    """`max_length` is the largest L: of control field, link address and ASDU."""
    rows = "name,kind,field.at,scada.ioa\n" + "".join(
        f"p{n},analog,x,{2 * n}\n" for n in range(1, 200)
    )

    @paused
    async def test() -> None:
        async with station(tmp_path, points=rows, max_length=longest) as s, Poller.to(
            s.port
        ) as poller:  # fmt: skip
            await poller.reset()
            await poller.send(INTERROGATION)
            await asyncio.sleep(0.1)
            lengths = [2 + len(one) for one in await poller.drain()]
            # An object has an address of two octets, a float and its quality.
            assert longest - 7 < max(lengths) <= longest

    test()


# Several stations on one line


@paused
async def test_two_stations_on_one_line(tmp_path: Path) -> None:
    """Two links at one place answer for their link addresses, each with its own events."""
    points = "name,kind,field.at,scada.ioa,second.ioa\nenergy,counter,x,900,900\n"
    others = {"second": {"ca": 2}}
    async with station(tmp_path, points=points, others=others) as s, Line.to(s.port) as line:
        one, two = (Poller(line.reader, line.writer) for _ in range(2))
        two.address = 2
        for poller in (one, two):
            await poller.reset()
        await s.emit(energy=1, time=NOON)
        await asyncio.sleep(0.1)
        assert [one[3] for one in (await one.poll(), await two.poll())] == [1, 2]
        assert number(await one.poll()) == 1
        await one.poll(2)
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 1)
        assert s.gw.ledger("second").delivered == 0
        assert number(await two.poll()) == 1
        await two.poll(2)
        await s.gw.until(lambda: s.gw.ledger("second").delivered == 1)
        three = Poller(line.reader, line.writer)
        three.address = 3
        line.say(fixed(PRM | 9, 3))
        await line.quiet(1)


@paused
async def test_two_stations_on_a_line_that_is_cut(tmp_path: Path) -> None:
    """Where the gateway connects, both of them are there again after it has done so."""
    port = free_port()
    points = "name,kind,field.at,scada.ioa,second.ioa\nenergy,counter,x,900,900\n"
    fields: dict[str, Any] = {"host": "127.0.0.1", "points": points, "up": False, "port": port}
    async with (
        Line.at(port) as came,
        station(tmp_path, others={"second": {"ca": 2}}, **fields) as s,
    ):
        for n in range(3):
            line = await came.get()
            await s.gw.until(lambda: s.gw.state("scada") == s.gw.state("second") == "up")
            for address in (1, 2):
                poller = Poller(line.reader, line.writer)
                poller.address = address
                await poller.reset()
                await s.emit(energy=n, time=NOON + n * MS)
                await asyncio.sleep(0.1)
                assert numbers(*await poller.drain())[-1] == n
            line.writer.transport.abort()
            await s.gw.until(lambda: s.gw.state("scada") == s.gw.state("second") == "down")
        assert came.empty()


SHARED = [
    ({"ca": 1}, "with link address 1"),
    ({"ca": 2, "link_octets": 2}, "with other settings"),
    ({"ca": 2, "silence": "1s"}, "with other settings"),
]


@pytest.mark.parametrize(("more", "sentence"), SHARED)
def test_places_that_cannot_be_shared(more: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    """The second link is down with a sentence, the first one goes on."""

    @paused
    async def test() -> None:
        async with station(tmp_path, others={"second": more}, up=False) as s:
            await s.gw.until(lambda: s.gw.state("second") == "down")
            assert sentence in s.gw.status("second").error
            assert s.gw.state("scada") == "up"

    test()


@paused
async def test_a_balanced_line_is_not_shared(tmp_path: Path) -> None:
    """It has two ends."""
    others = {"second": {"ca": 2}}
    async with station(tmp_path, others=others, up=False, mode="balanced") as s:
        await s.gw.until(lambda: s.gw.state("second") == "down")
        assert "a balanced line has one station" in s.gw.status("second").error


# Balanced


async def answered(line: Line) -> None:
    """Answer status and reset of its direction, so that it comes up."""
    assert await line.hear() == (0x49, 1, b"")
    assert await line.ask(fixed(0x8B)) == (0x40, 1, b"")
    line.say(E5)


async def data(line: Line) -> bytes:
    """Return the next ASDU, acknowledged; acknowledgements of ours are passed over."""
    while True:
        frame = await line.hear()
        if frame.control & PRM and frame.control != -1:
            assert frame.code == 3
            line.say(E5)
            return frame.asdu


@paused
async def test_balanced_octets(tmp_path: Path) -> None:
    """Both directions are reset; an event stays until it is acknowledged."""
    async with station(tmp_path, mode="balanced") as s, Line.to(s.port) as line:
        await s.emit(energy=5, time=NOON)
        # Theirs begins by itself, with DIR 0: status, reset.
        assert await line.hear() == (0x49, 1, b"")
        assert await line.ask(fixed(0x8B)) == (0x40, 1, b"")
        assert await line.ask(E5) == (0x73, 1, INITIALISED)
        heard = await line.ask(E5)
        assert (heard.control, number(heard.asdu)) == (0x53, 5)
        await asyncio.sleep(0.5)
        assert s.gw.ledger("scada").delivered == 0
        # The time-out of a second, and the same frame again.
        assert await line.hear() == heard
        # Which of the two was acknowledged its status tells.
        assert await line.ask(E5) == (0x49, 1, b"")
        line.say(fixed(0x8B))
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 1)
        # Ours: DIR 1.
        assert await line.ask(fixed(0x80 | PRM | 9)) == (0x0B, 1, b"")
        assert await line.ask(fixed(0x80 | PRM | 0)) == (-1, 0, b"")
        assert await line.ask(variable(0x80 | PRM | FCV | FCB | 3, INTERROGATION)) == (-1, 0, b"")
        assert await line.hear() == (0x73, 1, mirrored(INTERROGATION, 7))


@paused
async def test_balanced_both_ways_at_once(tmp_path: Path) -> None:
    """A request that comes before its own direction is there waits for it, and is not lost."""
    async with station(tmp_path, mode="balanced") as s, Line.to(s.port) as line:
        assert await line.hear() == (0x49, 1, b"")
        assert await line.ask(fixed(0x80 | PRM | 0)) == (-1, 0, b"")
        line.say(variable(0x80 | PRM | FCV | FCB | 3, INTERROGATION))
        # Its own reset makes it ask again at once; it acknowledges nothing before it can answer.
        await answered(line)
        assert await data(line) in (INITIALISED, mirrored(INTERROGATION, 7))
        assert await data(line) in (INITIALISED, mirrored(INTERROGATION, 7))
        assert s.gw.counters("scada")["interrogations"] == 1


@paused
async def test_balanced_cut(tmp_path: Path) -> None:
    """On each new connection the events go on where they were."""
    async with station(tmp_path, mode="balanced", max_length=48) as s:
        for n in range(60):
            await s.emit(energy=n, time=NOON + n * MS)
        heard: list[int] = []
        for count in (3, 0, 5, 1):
            async with Line.to(s.port) as line:
                await answered(line)
                for _ in range(count):
                    heard += numbers(await data(line))
                # This one is heard, and not acknowledged.
                heard += numbers((await line.hear()).asdu)
        async with Line.to(s.port) as line:
            await answered(line)
            while heard[-1] < 59:
                heard += numbers(await data(line))
            await s.gw.until(lambda: not s.gw.held("scada"))
        assert list(dict.fromkeys(heard)) == list(range(60))
        assert len(heard) == 60 + 4 * 3
        assert s.gw.ledger("scada").delivered == 60


@paused
async def test_it_connects_to_a_terminal_server(tmp_path: Path) -> None:
    """With host and port the gateway connects, again where that is cut; events go on."""
    port = free_port()
    fields = {"listen": None, "host": "127.0.0.1"}
    async with Line.at(port) as came, station(tmp_path, up=False, port=port, **fields) as s:
        await s.emit(energy=7, time=NOON)
        line = await came.get()
        await s.gw.until(lambda: s.gw.state("scada") == "up")
        poller = Poller(line.reader, line.writer)
        await poller.reset()
        await asyncio.sleep(0.1)
        assert await poller.poll() == INITIALISED
        assert number(await poller.poll()) == 7
        line.writer.transport.abort()
        await s.gw.until(lambda: s.gw.state("scada") == "down")
        line = await came.get()
        poller = Poller(line.reader, line.writer)
        await poller.reset()
        await asyncio.sleep(0.1)
        assert [one[0] for one in await poller.drain()] == [70, 37]
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 1)
