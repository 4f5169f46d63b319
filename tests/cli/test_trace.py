"""`gateway trace` at a gateway that runs: a process of its own each time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from gateway import Dissector, SourceContext
from gateway.engine import Engine
from gateway.engine import frames as portions
from gateway.engine.local import LocalError, conversation
from gateway.model.configuration import TraceSettings
from gateway.testing import Emitter, configured, running
from gateway.testing.running import Running, TrustedClock

POINTS = "name,kind,field.at\nvoltage,analog,1\ncurrent,analog,2\nbreaker,status,3\n"
QUERY = bytes.fromhex("0007 0000 0006 01 03 000a 0002")
ANSWER = bytes.fromhex("0007 0000 0007 01 03 04 4366 a000")
PATIENCE = 60.0


class Talker(Emitter):
    """A source that shows frames of Modbus as a test says, in words of its own."""

    type: Literal["testing.talker"] = "testing.talker"  # type: ignore[assignment]

    def describe(self, direction: str, frame: bytes) -> str:
        return {"tx": "asks", "rx": "answers"}[direction] if len(frame) > 8 else ""

    def dissector(self) -> Dissector:
        return Dissector("mbtcp", port=502)

    async def exchange(self, ctx: SourceContext) -> None:
        ctx.trace("tx", QUERY, "", "192.0.2.7:502")
        ctx.trace("rx", ANSWER, "", "192.0.2.7:502")
        await self.emit(["voltage", "current"], [230.0, 3.0])


class Seldom(Talker):
    """Another one."""

    type: Literal["testing.seldom"] = "testing.seldom"  # type: ignore[assignment]


@contextlib.asynccontextmanager
async def traced(folder: Path) -> AsyncIterator[tuple[Running, Talker, SourceContext]]:
    """A gateway with two links that show frames."""
    field, other = Talker(name="field"), Seldom(name="other")
    async with running([field, other], [], POINTS, data=folder) as gateway:
        yield gateway, field, await field.context()


async def gateway(*words: str) -> tuple[int, str]:
    """Run the command line; return its exit code and what it printed."""
    process = await started(*words)
    async with asyncio.timeout(PATIENCE):
        printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def started(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("gateway"),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_the_past(tmp_path: Path) -> None:
    """What was kept is printed: number, direction, words, whom to, and what a frame did."""
    async with traced(tmp_path) as (_, field, ctx):
        await field.exchange(ctx)
        ctx.trace("tx", b"\x01\x02", "a note")
        await ctx.stale([point.id for point in ctx.points])
        await asyncio.sleep(portions.SETTLE / 1e9)
        code, printed = await gateway("trace", str(tmp_path), "field", "--past")
        assert code == 0
        _, *lines = printed.splitlines()
        assert [line[17:] for line in lines] == [
            "field      1  tx  asks [192.0.2.7:502]",
            "field      2  rx  answers",
            "2 samples, 2 taken: voltage, current",
            "field      3  tx  2 octets: 01 02; a note",
            "no longer heard of: 3 points: voltage, current, breaker",
        ]
        code, printed = await gateway("trace", str(tmp_path), "--last", "1", "--hex")
        assert printed.splitlines()[-1] == f"{'':17}0000  {'01 02':47}  .."
        code, printed = await gateway("trace", str(tmp_path), "--past", "--filter", "ANSWERS")
        assert printed.splitlines()[1:][0].endswith("rx  answers [192.0.2.7:502]")
        code, printed = await gateway("trace", str(tmp_path), "--past", "--filter", "!voltage")
        assert [line.split()[2] for line in printed.splitlines()[1:]] == ["1"]


async def test_for_machines(tmp_path: Path) -> None:
    """A line of JSON has all that there is of a frame."""
    async with traced(tmp_path) as (_, field, ctx):
        await field.exchange(ctx)
        await asyncio.sleep(portions.SETTLE / 1e9)
        code, printed = await gateway("trace", str(tmp_path), "--past", "--json")
        asked, answered = map(json.loads, printed.splitlines())
        time = answered.pop("time")
        assert code == 0
        assert asked["time"] <= time <= ctx.now()
        assert answered == {
            "link": "field",
            "number": 2,
            "direction": "rx",
            "peer": "192.0.2.7:502",
            "length": len(ANSWER),
            "says": "answers",
            "note": "",
            "did": [{"samples": 2, "taken": 2, "points": ["voltage", "current"], "lost": False}],
            "octets": ANSWER.hex(),
        }


async def test_frames_as_they_pass(tmp_path: Path) -> None:
    """Without options only what comes from now on is shown, until Ctrl-C, which is no failure."""
    async with traced(tmp_path) as (running_gateway, field, ctx):
        await field.exchange(ctx)
        process = await started("trace", str(tmp_path), "field")
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            # Nothing says when it has begun to follow: frames go on until it shows one.
            first = asyncio.ensure_future(process.stdout.readline())
            while not first.done():
                await field.exchange(ctx)
                await asyncio.wait([first], timeout=0.05)
            line = (await process.stdout.readline()).decode()
            process.send_signal(signal.SIGINT)
            await process.communicate()
        assert int(line.split()[2]) > 2
        assert "asks" in line
        assert process.returncode == 0
        assert running_gateway.engine.rings["field"].gone == 0


async def test_a_file_for_wireshark(tmp_path: Path) -> None:
    """It has the frames of all links, and says how many; what cannot be written is named."""
    async with traced(tmp_path) as (_, field, ctx):
        await field.exchange(ctx)
        await asyncio.sleep(portions.SETTLE / 1e9)
        path = tmp_path / "out.pcapng"
        code, printed = await gateway("trace", str(tmp_path), "--pcapng", str(path))
        assert (code, printed) == (0, f"{path}: 2 frames: field 2\n")
        assert path.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")
        nowhere = tmp_path / "none" / "out.pcapng"
        code, printed = await gateway("trace", str(tmp_path), "--pcapng", str(nowhere))
        assert (code, printed) == (1, f"{nowhere}: No such file or directory\n")


async def test_a_slow_reader_loses_frames_and_is_told(tmp_path: Path) -> None:
    """What was pushed out between two questions is counted, and the answers go on behind it."""
    async with traced(tmp_path) as (running_gateway, field, ctx), conversation(tmp_path) as local:
        await field.exchange(ctx)
        ring = running_gateway.engine.rings["field"]
        answer = await local.ask("frames", links=["field"], after={}, past=False)
        assert (answer["frames"], answer["after"], answer["missed"]) == (
            [],
            {"field": 2},
            {"field": 0},
        )
        while not ring.gone > 100:
            ctx.trace("tx", QUERY * 1000)
        await asyncio.sleep(portions.SETTLE / 1e9)
        known, seen = answer["after"], 0
        while True:
            answer = await local.ask("frames", links=["field"], after=known, past=False)
            seen += answer["missed"]["field"]
            seen += len(answer["frames"])
            assert sum(frame["length"] for frame in answer["frames"]) <= portions.OCTETS
            known = answer["after"]
            if not answer["more"]:
                break
        assert seen == ring.last - 2
        assert known == {"field": ring.last}


async def test_what_cannot_be_asked(tmp_path: Path) -> None:
    """A link that is not there is named, with those that are."""
    async with traced(tmp_path):
        code, printed = await gateway("trace", str(tmp_path), "feild")
        assert (code, printed) == (
            1,
            "gateway: there is no link 'feild', allowed: field, other; did you mean 'field'?\n",
        )
        code, printed = await gateway("trace", str(tmp_path), "x*")
        assert (code, printed) == (1, "gateway: no link has such a name, allowed: field, other\n")
    code, printed = await gateway("trace", str(tmp_path), "field")
    assert (code, printed.startswith(f"{tmp_path}: no gateway answers")) == (1, True)


async def test_a_gateway_that_keeps_no_frames(tmp_path: Path) -> None:
    """With size 0 links are told that nobody looks, and so is who asks."""
    field = Talker(name="field")
    whole = configured([field], [], POINTS, tmp_path)
    settings = whole.gateway.model_copy(update={"trace": TraceSettings(size=0)})
    one = Running(Engine(replace(whole, gateway=settings), clock=TrustedClock()))
    one.start()
    try:
        ctx = await field.context()
        assert not ctx.tracing
        await field.exchange(ctx)
        async with conversation(tmp_path) as local:
            with pytest.raises(LocalError, match=r"keeps no frames: gateway\.trace\.size is 0"):
                await local.ask("frames", links=[], after={}, past=True)
    finally:
        await one.stop()


async def test_many_links_share_the_room(tmp_path: Path) -> None:
    """Each link has its size, until all together would have more than the total."""
    links = [Emitter(name=f"link{n}") for n in range(20)]
    async with running(links, [], "name,link0.at\na,1\n", data=tmp_path) as gateway:
        assert {ring.size for ring in gateway.engine.rings.values()} == {64_000_000 // 20}
    async with running(links[:2], [], "name,link0.at\na,1\n", data=tmp_path) as gateway:
        assert {ring.size for ring in gateway.engine.rings.values()} == {4_000_000}
