"""`gateway command` and `gateway point` at a gateway that runs: a process of its own each time."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from gateway import CommandStatus, Quality
from gateway.access.password import hash_password
from gateway.engine.local import LocalError, conversation
from gateway.model.access import AccessSettings
from gateway.testing import Collector, Emitter, running

POINTS = """\
name,kind,unit,field.at,command.model,command.select
breaker,status,,1,latch,
tap,analog,%,2,setpoint,local
voltage,analog,V,3,,
"""


async def gateway(*words: str, stdin: str = "") -> tuple[int, str]:
    """Run the command line; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("gateway"),
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, printed.decode()


def links() -> tuple[Emitter, Collector]:
    return Emitter(name="field", obeys=True), Collector(name="out")


async def test_a_command(tmp_path: Path) -> None:
    """It reaches the device, and the exit code tells success, refusal and doubt apart."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path):
        await field.context()
        data = str(tmp_path)
        code, printed = await gateway("command", data, "breaker", "1")
        assert (code, "direct breaker 1: success" in printed) == (0, True)
        code, printed = await gateway("command", data, "tap", "40", "--select")
        assert (code, printed.count("success")) == (0, 2)
        assert [command.value for command in field.commands] == [1.0, 40.0]
        code, printed = await gateway("command", data, "voltage", "1")
        assert (code, "not_supported" in printed) == (1, True)
        code, printed = await gateway("command", data, "brake", "1")
        assert (code, printed) == (1, "gateway: there is no point 'brake'\n")
        field.reply(lambda command: CommandStatus.TIMEOUT)
        code, printed = await gateway("command", data, "breaker", "0")
        assert (code, "timeout" in printed) == (2, True)


async def test_a_hand_on_a_point(tmp_path: Path) -> None:
    """Block, substitute, test and back; `show` says what is there."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as running_gateway:
        await field.emit(["voltage", "breaker"], [230.0, 1.0])
        data = str(tmp_path)
        assert (await gateway("point", "substitute", data, "voltage", "231.5"))[0] == 0
        assert (await gateway("point", "block", data, "breaker"))[0] == 0
        code, printed = await gateway("point", "show", data, "--json")
        shown = {one["point"]: one for one in json.loads(printed)}
        assert code == 0
        assert list(shown) == ["breaker", "tap", "voltage"]
        assert (shown["voltage"]["value"], shown["voltage"]["quality"]) == (
            231.5,
            "good,substituted",
        )
        assert "operatorBlocked" in shown["breaker"]["quality"]
        assert shown["tap"]["value"] is None
        assert (await gateway("point", "release", data, "voltage"))[0] == 0
        sample = running_gateway.sample("voltage")
        assert (sample.value, sample.quality & Quality.SUBSTITUTED) == (230.0, 0)
        assert (await gateway("point", "test", data, "tap"))[0] == 0
        code, printed = await gateway("command", data, "tap", "1", "--select", "--test")
        assert (code, "nothing was sent" in printed) == (0, True)
        assert field.commands == []
        assert (await gateway("point", "end-test", data, "tap"))[0] == 0
        code, printed = await gateway("point", "show", data, "vol*")
        assert printed.splitlines()[1].split()[:3] == ["voltage", "230", "V"]


async def test_where_there_are_users_they_log_in(tmp_path: Path) -> None:
    """The account of the machine is not enough then; the user's name is on record."""
    users = tmp_path / "users.yaml"
    users.write_text(f'anna: {{role: operator, password: "{hash_password("correct horse")}"}}\n')
    field, out = links()
    access = AccessSettings(users=users)
    async with running([field], [out], POINTS, data=tmp_path, access=access):
        await field.context()
        asked = ("command", str(tmp_path), "breaker", "1")
        code, printed = await gateway(*asked)
        assert (code, "not_authorised" in printed) == (1, True)
        who = ("--user", "anna", "--password-stdin")
        code, printed = await gateway(*asked, *who, stdin="wrong horse\n")
        assert (code, printed) == (1, "gateway: not let in\n")
        code, printed = await gateway(*asked, *who, stdin="correct horse\n")
        assert (code, "success" in printed) == (0, True)
        code, printed = await gateway("audit", "show", str(tmp_path), "--user", "anna", "--json")
        assert '"step":"ended"' in printed.replace(" ", "")


async def test_nobody_answers(tmp_path: Path) -> None:
    """A folder without a gateway is named."""
    code, printed = await gateway("command", str(tmp_path), "breaker", "1")
    assert (code, printed.startswith(f"{tmp_path}: no gateway answers")) == (1, True)


async def test_questions_that_are_none(tmp_path: Path) -> None:
    """Whatever is asked, there is an answer that says what is wrong, and the next one is heard."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as running_gateway:
        await running_gateway.until((tmp_path / "gateway.sock").exists)
        reader, writer = await asyncio.open_unix_connection(tmp_path / "gateway.sock")
        for line in (
            b"\n",
            b"[]\n",
            b"{}\n",
            b'{"ask": "?"}\n',
            b"\xff\n",
            b'{"ask": "command"}\n',
            b'{"ask": "command", "point": "tap", "operation": "jump", "value": 1}\n',
            b'{"ask": "command", "point": [], "operation": "direct", "value": "x"}\n',
            b'{"ask": "points", "names": 3}\n',
        ):
            writer.write(line)
            answer = json.loads(await asyncio.wait_for(reader.readline(), 10))
            assert set(answer) == {"error"}, line
        writer.close()
        async with conversation(tmp_path) as local:
            assert (await local.ask("health"))["gateway"] == "test"
            try:
                await local.ask("nothing")
            except LocalError as error:
                assert "nothing" in str(error)  # noqa: PT017 - the next line counts, too
            assert await local.ask("points", names=["tap"])
