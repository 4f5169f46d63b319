"""The log and the status lines as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.log import JsonLines

ROOT = Path(__file__).parents[2]
EXAMPLES = [
    json.loads(block)
    for block in re.findall(
        r"^```json\n(.*)\n```$", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE
    )
]
KEYS = {"time", "level", "logger", "message", "link", "exception"}
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
YAML = """\
gateway: {name: workshop, data: state, log: json}
points: points.csv
sources:
  - {name: field, type: simulator, poll: 100ms}
  - {name: meter2, type: modbus, host: 127.0.0.1, port: 1, poll: 100ms}
"""
CSV = "name,field.signal,meter2.register\na,sine,\nb,,0\n"


def record(name: str, message: str, *args: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "file.py", 1, message, args, exc_info)


def written(one: logging.LogRecord) -> dict[str, Any]:
    text = JsonLines(["meter2", "page"]).format(one)
    assert "\n" not in text
    return dict(json.loads(text))


def test_a_record_is_one_object() -> None:
    """Time, level, logger and message are those of the record, and there is nothing else."""
    one = record("gateway.journal", 'the disk said "%s"\n%d × × °', "no", 3)
    one.created = datetime(2026, 3, 1, 6, 0, 0, 204117, tzinfo=UTC).timestamp()

    assert written(one) == {
        "time": "2026-03-01T06:00:00.204117Z",
        "level": "error",
        "logger": "gateway.journal",
        "message": 'the disk said "no"\n3 × × °',
    }


@pytest.mark.parametrize(
    ("logger", "link"),
    [
        ("gateway_modbus.meter2", "meter2"),
        ("gateway.link.meter2", "meter2"),
        ("gateway_modbus.meter3", None),
        ("meter2", None),
        ("gateway", None),
    ],
)
def test_the_link_is_that_of_the_logger(logger: str, link: str | None) -> None:
    """Only a name that the configuration has is a link, and only behind the part that logs."""
    assert written(record(logger, "x")).get("link") == link


def test_an_exception_is_text() -> None:
    """The traceback is in the object, with its lines."""
    try:
        raise ValueError("found 3, allowed: 4")
    except ValueError:
        said = written(record("gateway", "failed", exc_info=sys.exc_info()))

    assert said["exception"].startswith("Traceback (most recent call last):\n")
    assert said["exception"].endswith("\nValueError: found 3, allowed: 4")


def test_a_record_that_cannot_be_formatted() -> None:
    """A mistake in a log call is an object as well, with what was meant and what is wrong."""
    said = written(record("gateway", "%d points", "many"))

    assert said["message"] == "%d points"
    assert "TypeError" in said["exception"]


def test_half_a_surrogate() -> None:
    """What UTF-8 cannot carry does not make the line unreadable."""
    text = JsonLines([]).format(record("gateway", "file %s", "caf\udce9.csv"))

    assert json.loads(text.encode("utf-8"))["message"] == "file caf?.csv"


async def run(folder: Path, *options: str, yaml: str = YAML) -> tuple[int, list[str], list[str]]:
    """Run the real command until it has told that meter2 is down, in a status line."""
    (folder / "gateway.yaml").write_text(yaml)
    (folder / "points.csv").write_text(CSV)
    command = Path(sys.executable).with_name("gateway")
    process = await asyncio.create_subprocess_exec(
        command, "run", folder / "gateway.yaml", "--status-every", "100ms", *options,
        stdout=PIPE, stderr=PIPE, env=os.environ | {"TERM": "xterm"},
    )  # fmt: skip
    assert process.stdout is not None
    told: list[str] = []
    try:
        async with asyncio.timeout(30):
            async for line in process.stdout:
                told.append(line.decode())
                if "cannot be reached" in told[-1] and '"field"' not in told[-1]:
                    break
            if process.returncode is None and told:
                process.send_signal(signal.SIGTERM)
            rest, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, [*told, *rest.decode().splitlines()], errors.decode().splitlines()


def shape(value: Any) -> Any:
    """Return the keys and the types of an object, of a list those of its first."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value[:1]] if isinstance(value, list) else type(value)


async def test_all_that_it_says_is_json(tmp_path: Path) -> None:
    """Every line of stdout and stderr is an object, with the keys of the document."""
    code, out, errors = await run(tmp_path)

    assert code == 0
    logged = [json.loads(line) for line in errors]
    assert all(set(one) <= KEYS and MICROSECONDS.fullmatch(one["time"]) for one in logged)
    (down,) = [one for one in logged if "is down" in one["message"]]
    example, status = EXAMPLES
    assert (down["link"], down["logger"], down["level"]) == (
        example["link"], example["logger"], example["level"],
    )  # fmt: skip
    assert down.keys() == example.keys()
    states = [json.loads(line) for line in out]
    last = next(one for one in reversed(states) if one["sources"]["up"])
    assert last["sources"] == {"up": 1, "configured": 2}
    assert [one["link"] for one in last["not_up"]] == ["meter2"]
    ledgers = status.pop("ledgers"), last.pop("ledgers")
    assert ledgers[1] == {}
    assert shape(last) == shape(status)


async def test_the_option_is_before_the_file(tmp_path: Path) -> None:
    """`--log text` writes for people where the file says json."""
    code, out, errors = await run(tmp_path, "--log", "text")

    assert code == 0
    assert not any(line.startswith("{") for line in (*out, *errors))
    assert any("WARNING gateway.link.meter2: source meter2 is down" in line for line in errors)


async def test_why_it_could_not_start_is_json(tmp_path: Path) -> None:
    """A data folder that cannot be used is an object, and exit code 1."""
    (tmp_path / "state").write_text("in the way")
    code, out, errors = await run(tmp_path)

    assert (code, out) == (1, [])
    last = json.loads(errors[-1])
    assert last["level"] == "critical"
    assert str(tmp_path / "state") in last["message"]
