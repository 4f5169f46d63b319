"""`gateway audit`: what it prints, how it exits, what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small_log import DOCUMENT, START, Wall, judged, steps, written

from gateway import Operation
from gateway.audit.segment import segments
from gateway.cli.command import gateway
from gateway.testing import Collector, Emitter, paused, running

POINTS = """\
name,kind,field.at,command.model,command.interlock
feeder1.breaker,status,1,latch,
feeder2.breaker,status,2,latch,feeder1.breaker
"""

TABLE = """\
2026-01-01
00:05:00.000  answered       feeder1.breaker       direct 1; success; alice (operator) at
                                                   10.0.0.7:50214 through ua; id 19f-1
00:06:00.000  received       bay.with.a.long.name  direct 1; bob (operator) at 10.0.0.7:50214
                                                   through ua; id 19f-2
00:07:00.000  refused        bay.with.a.very.long.name.of.breaker
                                                   direct 1; interlocked: feeder1.earthed is 1, and
                                                   must be 0 before anybody closes this one; bob
                                                   (operator) at 10.0.0.7:50214 through ua; id 19f-2
00:08:00.000  login_refused                        \\x1b[2Jmallory; why there is no such user
00:09:00.000  login                                carol (engineer) through mqtt
00:10:00.000  override       tap                   block; carol; test yes
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a gateway whose audit log has ten records, a minute apart."""
    wall = Wall()

    def now() -> int:
        wall.now += 59 * 10**9
        return wall()

    about = {
        "point": "feeder1.breaker",
        "operation": "direct",
        "value": 1.0,
        "sink": "ua",
        "address": "10.0.0.7:50214",
        "user": "alice",
        "role": "operator",
    }
    records = [
        ("started", {"gateway": "north"}),
        ("received", {"id": "19f-1", **about}),
        ("forwarded", {"id": "19f-1", **about, "source": "meter1"}),
        ("answered", {"id": "19f-1", **about, "status": "success", "detail": ""}),
        ("received", {"id": "19f-2", **about, "user": "bob", "point": "bay.with.a.long.name"}),
        (
            "refused",
            {
                "id": "19f-2",
                **about,
                "user": "bob",
                "point": "bay.with.a.very.long.name.of.breaker",
                "status": "interlocked",
                "detail": "feeder1.earthed is 1, and must be 0 before anybody closes this one",
            },
        ),
        ("login_refused", {"user": "\x1b[2Jmallory", "why": "there is no such user"}),
        ("login", {"user": "carol", "role": "engineer", "sink": "mqtt"}),
        ("override", {"user": "carol", "point": "tap", "action": "block", "test": True}),
    ]
    written(tmp_path / "data" / "audit", records, now=now)
    return tmp_path / "data"


def run(*words: object, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(
        gateway, ["audit", *map(str, words)], catch_exceptions=False
    )


def numbers(result: Result) -> list[int]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["n"] for line in result.stdout.splitlines()]


def test_a_proven_log(data: Path) -> None:
    """Count, span, kind of chain, and the head to note down; the folder itself does as well."""
    verdict = judged(data / "audit")
    expected = (
        f"{data}/audit: proven: 10 records, 1 to 10, SHA-256 without a key\n"
        "from 2026-01-01T00:01:00.000000000Z to 2026-01-01T00:10:00.000000000Z\n"
        f"head 10:{verdict.hash}\n"
    )
    for folder in (data, data / "audit"):
        result = run("verify", folder)
        assert (result.exit_code, result.output) == (0, expected)


def test_the_document_shows_what_is_printed(data: Path) -> None:
    """docs/audit.md has the words of a proven log and of a broken one."""

    def form(text: str) -> str:
        text = text.replace(str(data), "data")
        text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
        return re.sub(r"[\d,]+", "9", text)

    shown = DOCUMENT.read_text()
    (block,) = re.findall(
        r"^```console\n\$ gateway audit verify data\n(.*?)^```", shown, re.M | re.S
    )
    assert form(run("verify", data).output) == form(block)

    path = segments(data / "audit")[0]
    path.write_bytes(path.read_bytes().replace(b"alice", b"bobby", 1))
    (line,) = re.findall(r"^data/audit: BROKEN.*", shown, re.M)
    result = run("verify", data)
    assert result.exit_code == 1
    assert form(result.output.splitlines()[0]) == form(line)
    assert result.output.splitlines()[1:3] == [
        "what holds before it: 2 records, 1 to 2, SHA-256 without a key",
        "from 2026-01-01T00:01:00.000000000Z to 2026-01-01T00:02:00.000000000Z",
    ]
    assert "head" not in result.output


def test_for_machines(data: Path) -> None:
    """--json has what the words have."""
    assert json.loads(run("verify", data, "--json").stdout) == {
        "proven": True,
        "first": 1,
        "last": 10,
        "began": START + 60 * 10**9,
        "ended": START + 600 * 10**9,
        "hash": judged(data / "audit").hash,
        "keyed": False,
        "broken": None,
        "rest": 0,
        "notes": [],
    }
    (data / "audit" / "head").unlink()
    result = run("verify", data, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["broken"] == {
        "file": "head",
        "line": 0,
        "record": 10,
        "what": "head: it is missing",
    }


def test_what_the_log_says_of_itself(tmp_path: Path) -> None:
    """A repair is printed, with what was cut away as it can be shown; so is an unfinished end."""
    folder = tmp_path / "audit"
    written(folder, steps(2), closed=False)
    with segments(folder)[0].open("ab") as file:
        file.write(b'{"n":4,\x1b\xff')
    assert "9 bytes behind the last record are unfinished: " in run("verify", folder).output
    written(folder, [])
    result = run("verify", folder)
    assert result.exit_code == 0
    assert result.output.splitlines()[2] == (
        "record 4, 2026-01-01T00:00:01.000000000Z: repaired: "
        'file audit-00000001.jsonl, bytes 9, text {"n":4,\\x1b\\xff'
    )


def test_with_a_key(tmp_path: Path) -> None:
    """The key comes from a file or from the environment, as in the configuration."""
    written(tmp_path / "audit", steps(2), "secret key")
    (tmp_path / "key").write_text("secret key\n")
    (tmp_path / "other").write_text("secret")
    for words in (("--key-file", tmp_path / "key"), ("--key-env", "AUDIT_KEY")):
        result = run("verify", tmp_path, *words, AUDIT_KEY="secret key")
        assert result.exit_code == 0
        assert "HMAC-SHA-256 with the key" in result.output
    assert run("verify", tmp_path, "--key-file", tmp_path / "other").exit_code == 1
    result = run("verify", tmp_path)
    assert result.exit_code == 2
    assert "the log has a key; it can only be checked with it" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--key-env", "NOWHERE"], "there is nothing in NOWHERE"),
        (["--key-file", "/nowhere/key"], "/nowhere/key: No such file or directory"),
        (["--key-file", os.devnull], "/dev/null is empty"),
        (["--key-file", "a", "--key-env", "B"], "allowed: one of them"),
        (["--anchor", "7:abc"], "found '7:abc', allowed: number:hash"),
    ],
)
def test_bad_words_of_verify(data: Path, words: list[str], sentence: str) -> None:
    """A sentence says what was found and what is allowed, and nothing is proven."""
    result = run("verify", data, *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_an_anchor(data: Path) -> None:
    """What verify printed holds later, and another hash does not."""
    head = run("verify", data).output.splitlines()[-1].removeprefix("head ")
    assert run("verify", data, "--anchor", head).exit_code == 0
    other = head.replace(":", ":f" if head[3] != "f" else ":e")[: len(head)]
    result = run("verify", data, "--anchor", other)
    assert result.exit_code == 1
    assert "the hash that was noted down is another one" in result.output


def test_where_there_is_no_log(tmp_path: Path) -> None:
    """Neither proven nor broken: there is nothing."""
    result = run("verify", tmp_path)
    assert (result.exit_code, result.stderr) == (2, f"gateway: {tmp_path}: there is no audit log\n")
    result = run("show", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert result.stderr == f"gateway: {tmp_path}/nowhere: there is no audit log\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (["--point", "feeder1.*"], [3, 4, 5]),
        (["--point", "bay*", "--point", "tap"], [6, 7, 10]),
        (["--user", "alice", "--step", "forwarded"], [4]),
        (["--user", "!alice"], [6, 7, 8, 9, 10]),
        (["--sink", "mqtt"], [9]),
        (["--status", "interlocked"], [7]),
        (["--status", "*"], [5, 7]),
        (["--id", "19f-2"], [6, 7]),
        (["--since", "2026-01-01T00:08"], [8, 9, 10]),
        (["--since", "2026-01-01T01:08+01:00", "--until", "2026-01-01T00:09:30"], [8, 9]),
        (["--until", "2026-01-01"], []),
        (["--since", "2h"], []),
        (["--until", "1d"], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (["--last", "2"], [9, 10]),
        (["--last", "1", "--user", "alice"], [5]),
    ],
)
def test_filters(data: Path, words: list[str], expected: list[int]) -> None:
    """Each filter takes the records that it names, and all together those that fit all."""
    assert numbers(run("show", data, "--json", *words)) == expected


def test_records_are_printed_as_they_stand(data: Path) -> None:
    """--json is the log itself, byte by byte."""
    assert run("show", data, "--json").stdout == segments(data / "audit")[0].read_text()


def test_the_table_for_people(data: Path) -> None:
    """A line a record, the story in its own column, a hundred characters wide; nothing in a fact
    reaches the terminal that would move its cursor.
    """
    result = run("show", data, "--since", "2026-01-01T00:05", COLUMNS="100")
    assert result.output == TABLE


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--status", "interlockd"], "found 'interlockd', allowed: "),
        (["--status", "interlockd"], "did you mean 'interlocked'?"),
        (["--since", "yesterday"], "found 'yesterday', allowed: a duration such as"),
        (["--last", "0"], "0 is not in the range"),
    ],
)
def test_bad_words_of_show(data: Path, words: list[str], sentence: str) -> None:
    """A sentence says what was found and what is allowed."""
    result = run("show", data, *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_lines_that_are_no_records(data: Path) -> None:
    """What cannot be read is named, and the rest is shown."""
    path = segments(data / "audit")[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b"garbage\n"
    path.write_bytes(b"".join(lines))
    result = run("show", data, "--json")
    assert numbers(result) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert result.stderr == (
        "audit-00000001.jsonl, line 4 is no record: see gateway audit verify\n"
    )


@paused
async def test_of_a_gateway_that_runs(tmp_path: Path) -> None:
    """The log of a gateway at work can be proven and shown, and so can a copy, head first."""
    field = Emitter(name="field", obeys=True)
    out = Collector(name="out", role="operator")
    async with running([field], [out], POINTS, data=tmp_path):
        await field.emit(["feeder1.breaker", "feeder2.breaker"], [0.0, 0.0])
        assert (await out.ask("feeder2.breaker", 1.0, Operation.DIRECT)).status == "interlocked"
        assert await out.ask("feeder1.breaker", 1.0, Operation.DIRECT)
        assert run("verify", tmp_path).exit_code == 0
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in ("head", *(path.name for path in segments(tmp_path / "audit"))):
            shutil.copy(tmp_path / "audit" / name, copy)
        assert run("verify", copy).exit_code == 0
        shown = run("show", copy, "--status", "interlocked").output
    assert "feeder2.breaker       direct 1; interlocked: " in shown
    assert "refused" in shown
    assert run("verify", tmp_path).exit_code == 0


def test_following(data: Path) -> None:
    """What is there is printed, then what comes, also in the next file, until Ctrl-C."""
    command = [sys.executable, "-c", "from gateway.cli import main; main()", "audit", "show"]
    with subprocess.Popen(
        [*command, str(data), "--json", "--follow", "--last", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["n"] == 10
            written(data / "audit", [("started", {}), ("stopped", {})])
            assert json.loads(process.stdout.readline())["n"] == 11
            assert json.loads(process.stdout.readline())["step"] == "stopped"
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=20) == ("", "")
            assert process.returncode == 0
        finally:
            process.kill()
