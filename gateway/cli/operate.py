"""`gateway command` and `gateway point`: an operator at the machine, through the local socket."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gateway.engine.local import Local

T = TypeVar("T")

FOLDER = click.Path(path_type=Path)
PATIENCE = 3700.0
"""Seconds to wait for what the gateway itself ends sooner."""
WIDTH = 100
"""Characters of a line where stdout is no terminal."""

who = click.option("--user", metavar="NAME", help="Who asks; the password is asked for.")
from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the user's password from the first line of stdin."
)


@click.command()
@click.argument("data", type=FOLDER)
@click.argument("point")
@click.argument("value", type=float)
@click.option("--select", "selects", is_flag=True, help="Select first, then execute.")
@click.option("--test", is_flag=True, help="A test: checked and recorded, never sent.")
@who
@from_stdin
def command(
    data: Path,
    point: str,
    value: float,
    selects: bool,
    test: bool,
    user: str | None,
    password_stdin: bool,
) -> None:
    """Command POINT of the gateway that runs with the folder DATA to VALUE.

    Exits with 0 after success, with 1 where it was refused, with 2 where the device may have acted.
    """

    async def ask(local: Local) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for operation in ("select", "execute") if selects else ("direct",):
            answer = await local.ask(
                "command", PATIENCE, point=point, value=value, operation=operation, test=test
            )
            click.echo(_sentence(f"{operation} {point} {value:g}", answer))
            if answer["status"] != "success":
                break
        return answer

    status = _speak(data, user, password_stdin, ask)["status"]
    sys.exit({"success": 0, "timeout": 2, "no_indication": 2}.get(status, 1))


@click.group()
def point() -> None:
    """Look at points of the gateway that runs with the folder DATA, or put a hand on them."""


@point.command()
@click.argument("data", type=FOLDER)
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def show(data: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Print the last sample of points; NAMES may have * and ?, and default to all but health."""

    async def ask(local: Local) -> list[dict[str, Any]]:
        answer = await local.ask("points", names=names or ("!_health.*",))
        found: list[dict[str, Any]] = answer["points"]
        return found

    points = _speak(data, None, False, ask)
    if as_json:
        click.echo(json.dumps(points, indent=2))
    else:
        _print(points)
    sys.exit(0 if points else 1)


def _action(action: str, sentence: str, *, takes_value: bool = False) -> None:
    @point.command(action.replace("_", "-"), help=sentence)
    @click.argument("data", type=FOLDER)
    @click.argument("name")
    @who
    @from_stdin
    def act(
        data: Path,
        name: str,
        user: str | None,
        password_stdin: bool,
        value: float | None = None,
    ) -> None:
        async def ask(local: Local) -> dict[str, Any]:
            return await local.ask("override", action=action, point=name, value=value)

        answer = _speak(data, user, password_stdin, ask)
        click.echo(_sentence(f"{action.replace('_', ' ')} {name}", answer))
        sys.exit(0 if answer["status"] == "success" else 1)

    if takes_value:
        act.params.insert(2, click.Argument(["value"], type=float))


_action("block", "Freeze the last value of NAME, and refuse commands to it.")
_action("substitute", "Show VALUE in the place of NAME's own value.", takes_value=True)
_action("release", "Show what the device of NAME says again: undo block and substitute.")
_action("test", "Take commands to NAME as tests only, of which nothing reaches the device.")
_action("end_test", "Undo test.")


def _speak(
    data: Path,
    user: str | None,
    password_stdin: bool,
    ask: Callable[[Local], Awaitable[T]],
) -> T:
    """Let `ask` speak to the gateway, or say why nobody answers and exit."""
    from gateway.engine.local import LocalError, conversation

    password = None
    if user is not None:
        password = _password(user, password_stdin)

    async def speak() -> T:
        async with conversation(data) as local:
            if user is not None:
                await local.ask("login", user=user, password=password)
            return await ask(local)

    try:
        return asyncio.run(speak())
    except LocalError as error:
        click.echo(f"gateway: {error}", err=True)
    except (OSError, TimeoutError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
        click.echo(f"{data}: no gateway answers: {reason}", err=True)
    sys.exit(1)


def _password(user: str, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt(f"Password of {user}", hide_input=True)
    return password


def _sentence(what: str, answer: dict[str, Any]) -> str:
    detail = f": {answer['detail']}" if answer["detail"] else ""
    number = f" ({answer['id']})" if answer["id"] else ""
    return f"{what}: {answer['status']}{detail}{number}"


def _print(points: list[dict[str, Any]]) -> None:
    from rich.console import Console

    from gateway.cli.table import header, layout

    rows: list[Any] = [header("point", ">value", "unit", "quality", "time (UTC)")]
    for one in points:
        value = "-" if one["value"] is None else f"{one['value']:.10g}"
        rows.append(
            [
                (one["point"] + (" *" if one["commands"] else ""), ""),
                (value, ""),
                (one["unit"], "dim"),
                (one["quality"], "" if one["quality"] == "good" else "red"),
                (_time(one["time"]), "dim"),
            ]
        )
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    console = Console(width=width, highlight=False)
    for line in layout(rows, width):
        console.print(line)
    if any(one["commands"] for one in points):
        console.print("* takes commands", style="dim")


def _time(time: int) -> str:
    from datetime import UTC, datetime

    if not time:
        return "never"
    moment = datetime.fromtimestamp(time // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time // 1_000_000 % 1000:03d}"
