"""docs/commands.md says what becomes of a command."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua

from gateway import (
    ANSWERS,
    FROM_DNP3,
    FROM_IEC104,
    FROM_MODBUS,
    FROM_MQTT,
    FROM_OPCUA,
    Answer,
    CommandStatus,
    Operation,
    Override,
)
from gateway.command.table import ASKED, ASKED_BY_OTHERS, State
from gateway.engine.local import conversation
from gateway.model.configuration import Bay, CommandSettings
from gateway.testing import Collector, Emitter, free_ports, paused, running

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[2]
GATEWAY = Path(sys.executable).with_name("gateway")
TEXT = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
S = CommandStatus


def table(heading: str) -> list[list[str]]:
    """Return the rows of the first table that begins with these cells, without its rule."""
    body = TEXT[TEXT.index(heading) :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in body.splitlines()[2:]]


# The console ---------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return what was printed without what differs from run to run: times, account, layout."""
    account = pwd.getpwuid(os.getuid()).pw_name
    text = " ".join(text.replace(",clockNotSynchronised", "").split())
    text = text.replace(f"{account} (admin) at {account} through", "anna (admin) at anna through")
    text = re.sub(r"\b[0-9a-f]{8,}-(\d+)\b", r"RUN-\1", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d\b", "DAY", text)
    return re.sub(r"\b\d\d:\d\d:\d\d\.\d{3}\b", "TIME", text)


def started(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            [GATEWAY, "run", "configs/commands.yaml"],
            cwd=folder,
            stdout=log,
            stderr=log,
        )


@asynccontextmanager
async def bay(folder: Path) -> AsyncIterator[Callable[[], Any]]:
    """Run configs/commands.yaml in a folder, at free ports; yields what waits until it is calm."""
    shutil.copytree(ROOT / "configs", folder / "configs", ignore=shutil.ignore_patterns("data"))
    path = folder / "configs" / "commands.yaml"
    text = path.read_text()
    ports = sorted(set(re.findall(r"(?:127\.0\.0\.1:|port: )(\d+)", text)))
    for port, free in zip(ports, free_ports(len(ports)), strict=True):
        text = text.replace(port, str(free))
    path.write_text(text)
    process = started(folder)

    async def calm() -> None:
        """The cable's voltage is polled, and follows the breaker half a second later at most."""
        async with asyncio.timeout(60):
            while process.poll() is None:
                try:
                    async with conversation(folder / "configs" / "data") as local:
                        found = (await local.ask("points", names=["e01.*"]))["points"]
                except OSError:
                    found = []
                shown = {one["point"]: one["value"] for one in found if one["value"] is not None}
                alive = {shown.get("e01.voltage"), 20.0 * shown.get("e01.breaker", -1.0)}
                if len(alive) == 1 and len(shown) == len(found):
                    return
                await asyncio.sleep(0.02)
        raise AssertionError((folder / "log").read_text())

    try:
        yield calm
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(10)


async def test_the_console_shows_what_is_printed(tmp_path: Path) -> None:
    """Every command of the document, one after the other, prints what stands below it."""
    steps = [
        (line, shown)
        for block in CONSOLE
        for line, shown in re.findall(r"^\$ gateway (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]
    assert len(steps) == "".join(CONSOLE).count("$ gateway ") >= 14

    async with bay(tmp_path) as calm:
        for line, shown in steps:
            await calm()
            process = await asyncio.create_subprocess_exec(
                GATEWAY,
                *shlex.split(line),
                cwd=tmp_path,
                env=os.environ | {"COLUMNS": "160"},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            printed, _ = await asyncio.wait_for(process.communicate(), 60)
            assert plain(printed.decode()) == plain(shown), line


# The tables ----------------------------------------------------------------------------------

ANSWER_TABLE = "| status | in short |"
FROM_TABLE = "| status | DNP3 | IEC 104 | OPC UA | Modbus |"
ORDER_TABLE = "| | what must hold | else |"
ASKED_TABLE = "| asked for | point is free |"


def named(code: int) -> str:
    """Return the name of an OPC UA StatusCode, as the OPC Foundation's list has it."""
    return ua.status_codes.get_name_and_doc(code)[0]


def cause(code: tuple[int, bool]) -> str:
    return f"{code[0]}{'−' if code[1] else '+'}"


def test_every_status_stands_in_the_words_of_each_protocol() -> None:
    """The table of answers is `ANSWERS`, and MQTT's word is the status itself."""
    rows = {row[0].strip("`"): row[2:] for row in table(ANSWER_TABLE) if row[0]}

    assert rows == {
        status.value: [str(w.dnp3), cause(w.iec104), named(w.opcua), str(w.modbus)]
        for status, w in ANSWERS.items()
    }
    assert all(words.mqtt == status.value for status, words in ANSWERS.items())


def test_a_status_stands_below_what_it_means_for_the_switch() -> None:
    """Done, perhaps done, not done: as the model says of `success`, `timeout`, `no_indication`."""
    groups: list[list[str]] = []
    for row in table(ANSWER_TABLE):
        if row[0]:
            groups[-1].append(row[0].strip("`"))
        else:
            groups.append([])

    assert groups[:2] == [["success"], ["timeout", "no_indication"]]
    assert len(groups) == 3


def test_every_word_of_a_device_is_told() -> None:
    """The table of what devices say is `FROM_…`, code by code."""
    rows = {row[0].strip("`"): row[1:] for row in table(FROM_TABLE)}
    known: list[tuple[Mapping[Any, CommandStatus], Callable[[Any], str]]] = [
        (FROM_DNP3, str),
        (FROM_IEC104, cause),
        (FROM_OPCUA, named),
        (FROM_MODBUS, str),
    ]
    for column, (words, text) in enumerate(known):
        told = {
            word: status
            for status, cells in rows.items()
            for word in filter(None, cells[column].split(", "))
        }
        assert told == {text(code): status.value for code, status in words.items()}
    assert {word: status.value for word, status in FROM_MQTT.items()} == {
        status.value: status.value for status in S
    }


def test_what_becomes_of_each_operation() -> None:
    """The refusals in the table of operations are those of the desk's own table."""
    columns: list[Callable[[Operation], State | CommandStatus]] = [
        lambda asked: ASKED[State.FREE, asked],
        lambda asked: ASKED[State.SELECTED, asked],
        lambda asked: ASKED_BY_OTHERS[State.SELECTED],
        lambda asked: ASKED[State.OPERATING, asked],
    ]
    rows = table(ASKED_TABLE)

    assert [row[0] for row in rows] == [operation.value for operation in Operation]
    for row in rows:
        for cell, column in zip(row[1:], columns, strict=True):
            step = column(Operation(row[0]))
            refusal = re.fullmatch(r"`(\w+)`", cell)
            assert (refusal[1] if refusal else None) == (
                step.value if isinstance(step, CommandStatus) else None
            )


@paused
async def test_the_checks_are_made_in_the_order_that_is_told(tmp_path: Path) -> None:
    """Where everything is wrong and one thing after the other is mended, the answers come so."""
    points = (
        "name,kind,field.at,aux.at,command.model,command.select,command.low,command.high,"
        "command.step,command.interval,command.interlock\n"
        "p,analog,1,,setpoint,local,0,100,10,1min,ready\n"
        "measured,analog,2,,,,,,,,\n"
        "remote,status,,1,,,,,,,\n"
        "ready,status,,2,,,,,,,\n"
    )
    field, aux = Emitter(name="field", obeys=True), Emitter(name="aux")
    guests, console = Collector(name="guests"), Collector(name="console", role="engineer")
    bays = (Bay(name="E01", points=("p",), switch="remote"),)
    settings = CommandSettings(bays=bays, rate=4)
    links = ([field, aux], [guests, console])
    heard: list[str] = []

    async with running(*links, points, data=tmp_path, commands=settings) as gateway:
        ctx = await console.context()
        client, p = ctx.client("console"), gateway.engine.id("p")

        async def ask(value: float, operation: Operation, **more: Any) -> Answer:
            """Ask, no faster than the rate allows, and note what is refused."""
            await asyncio.sleep(1)
            answer = await console.ask("p", value, operation, client, **more)
            if not answer:
                heard.append(answer.status.value)
            return answer

        async def act(action: Override, value: float | None = None) -> None:
            assert await ctx.override(client, p, action, value)

        await field.emit(["p"], [0.0])
        await aux.emit(["remote", "ready"], [0.0, 0.0])
        await act(Override.SUBSTITUTE, 50.0)
        await act(Override.BLOCK)
        await act(Override.TEST)

        await ask(900.0, Operation.EXECUTE, timeout=-1.0)
        many = [await guests.ask("p", 900.0, Operation.EXECUTE) for _ in range(5)]
        await asyncio.sleep(1)
        heard.append(many[-1].status.value)
        heard.append((await guests.ask("p", 900.0, Operation.EXECUTE)).status.value)
        heard.append((await console.ask("measured", 900.0, client=client)).status.value)
        first = await console.ask("p", 900.0, Operation.EXECUTE, client, key="k")
        assert first.status is S.OUT_OF_RANGE
        await ask(900.0, Operation.EXECUTE, key="k")
        await ask(900.0, Operation.EXECUTE)
        await ask(90.0, Operation.EXECUTE)
        await ask(90.0, Operation.SELECT)
        await act(Override.RELEASE)
        await act(Override.SUBSTITUTE, 50.0)
        await ask(90.0, Operation.SELECT)
        await act(Override.END_TEST)
        await ask(90.0, Operation.SELECT)
        await aux.emit(["remote"], [1.0])
        await ask(90.0, Operation.SELECT)
        await aux.emit(["ready"], [1.0])
        # The host waits for a second before it connects again.
        field.lose()
        await gateway.until(lambda: gateway.state("field") == "down")
        for value in (90.0, 55.0):
            answer = await console.ask("p", value, Operation.SELECT, client)
            heard.append(answer.status.value)
        await field.context()
        for value in (55.0, 56.0):
            assert await ask(value, Operation.SELECT)
            await ask(value, Operation.EXECUTE)
        assert [command.value for command in field.commands] == [55.0]

    told = [re.findall(r"`(\w+)`", row[2])[0] for row in table(ORDER_TABLE)]
    # Who else has the point, and what is under way, is in the tests of the desk; so is the disk.
    others = ("selected_by_other", "already_active", "failed")
    assert heard == [status for status in told if status not in others]


# docs/operating.md ---------------------------------------------------------------------------


def test_the_questions_at_night_can_be_asked(tmp_path: Path) -> None:
    """Each look at the audit log that docs/operating.md advises is one that the command takes."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    asked = re.findall(r"gateway (audit (?:show|verify) DATA[^`\n]*)", text)
    assert len(asked) >= 5

    async def run() -> None:
        async with running([Emitter(name="field")], [], "name,field.at\na,1\n", data=tmp_path):
            pass

    asyncio.run(run())
    for line in asked:
        words = shlex.split(line.replace("DATA", str(tmp_path)))
        done = subprocess.run([GATEWAY, *words], capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (line, done.stderr)


def test_statuses_that_an_operator_is_sent_to_are_there() -> None:
    """Every status in the table of docs/operating.md is one of a command's."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    body = text[text.index("| status | where to look |") :].partition("\n\n")[0]
    told = {word for line in body.splitlines()[2:] for word in re.findall(r"`(\w+)`", line[:60])}
    assert told <= {status.value for status in S}
    assert {"timeout", "no_indication", "interlocked", "local", "failed"} <= told
