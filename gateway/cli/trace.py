"""`gateway trace`: the frames of a gateway that runs, through the local socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gateway.engine.local import Local

FOLDER = click.Path(path_type=Path)
POLL = 0.2
"""Seconds between questions for new frames."""

Answer = dict[str, Any]


class _Enough(Exception):  # noqa: N818 - it says what happened
    """Whoever reads what is printed wants no more of it."""


@click.command()
@click.argument("data", type=FOLDER)
@click.argument("link", nargs=-1)
@click.option("--past", is_flag=True, help="Begin with the frames that the gateway has kept.")
@click.option("--follow/--no-follow", default=None, help="Wait for more, until Ctrl-C.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N of the past.")
@click.option(
    "--filter", "texts", metavar="TEXT", multiple=True, help="Only lines with TEXT in them."
)
@click.option("--hex", "as_hex", is_flag=True, help="Show the octets, too.")
@click.option("--json", "as_json", is_flag=True, help="Print them for machines.")
@click.option("--pcapng", type=FOLDER, metavar="FILE", help="Write them to a file for Wireshark.")
def trace(
    data: Path,
    link: tuple[str, ...],
    past: bool,
    follow: bool | None,
    last: int | None,
    texts: tuple[str, ...],
    as_hex: bool,
    as_json: bool,
    pcapng: Path | None,
) -> None:
    """Show the frames of the gateway that runs with the folder DATA, in words.

    LINK may have * and ?, and a leading ! leaves out; without it all links are shown.
    Frames are shown as they pass; with --past, --last or --pcapng those that the gateway has kept,
    and with --follow both. A filter with a leading ! leaves out; all filters must fit.
    Times are UTC.
    """
    from gateway.cli.frame_lines import lines

    begins = past or last is not None or pcapng is not None
    follows = not begins if follow is None else follow
    fits = _fitting(texts)
    show = lines(as_hex=as_hex)

    def printed(answer: Answer) -> None:
        frames = filter(fits, answer["frames"])
        as_objects = (json.dumps(frame, separators=(",", ":")) for frame in frames)
        try:
            for line in as_objects if as_json else show(answer, frames):
                click.echo(line)
        except BrokenPipeError:
            raise _Enough from None

    async def read(local: Local) -> None:
        answers = _answers(local, link, past=begins, follows=follows)
        if pcapng is not None:
            await _export(pcapng, answers, fits, follows=follows)
        elif last is None:
            async for answer in answers:
                printed(answer)
        else:
            await _tail(answers, last, fits, printed)

    _speak(data, read)


async def _answers(
    local: Local, names: tuple[str, ...], *, past: bool, follows: bool
) -> AsyncIterator[Answer]:
    """Yield what the gateway answers: all that is there, and then, where wanted, for ever."""
    after: dict[str, int] = {}
    while True:
        answer = await local.ask("frames", links=names, after=after, past=past)
        after = answer["after"]
        yield answer
        if answer["more"]:
            continue
        if not follows:
            return
        await asyncio.sleep(POLL)


async def _tail(
    answers: AsyncIterator[Answer],
    last: int,
    fits: Callable[[Answer], bool],
    printed: Callable[[Answer], None],
) -> None:
    """Print the last frames of what is there, and then what comes."""
    kept: deque[Answer] | None = deque(maxlen=last)
    async for answer in answers:
        if kept is None:
            printed(answer)
            continue
        kept.extend(filter(fits, answer["frames"]))
        if not answer["more"]:
            printed(answer | {"frames": list(kept), "missed": {}})
            kept = None


async def _export(
    file: Path,
    answers: AsyncIterator[Answer],
    fits: Callable[[Answer], bool],
    *,
    follows: bool,
) -> None:
    """Write what fits to a file, and say how much that was."""
    from gateway import __version__
    from gateway.cli.frame_lines import count, story
    from gateway.model.dissector import Dissector
    from gateway.trace import Packet, Writer

    written: dict[str, int] = {}
    missed: dict[str, int] = {}
    with file.open("wb") as stream, contextlib.ExitStack() as end:
        end.callback(lambda: _say_written(file, written, missed))
        writer = Writer(stream, f"grid-gateway {__version__}")
        interfaces: dict[str, int] = {}
        dropped: dict[str, int] = {}
        async for answer in answers:
            for name, about in answer["links"].items():
                if name not in interfaces:
                    read = about["dissector"]
                    dissector = None if read is None else Dissector(**read)
                    interfaces[name] = writer.interface(name, about["type"], dissector)
                dropped[name] = dropped.get(name, 0) + answer["missed"].get(name, 0)
                missed[name] = missed.get(name, 0) + answer["missed"].get(name, 0)
            for frame in filter(fits, answer["frames"]):
                name = frame["link"]
                packet = Packet(
                    frame["time"],
                    frame["direction"],
                    bytes.fromhex(frame["octets"]),
                    frame["length"],
                    frame["peer"],
                    story(frame),
                    dropped.pop(name, 0),
                )
                writer.packet(interfaces[name], packet)
                written[name] = written.get(name, 0) + 1
            stream.flush()
            if follows and sys.stderr.isatty():
                click.echo(f"\r{count(sum(written.values()), 'frame')}", nl=False, err=True)


def _say_written(file: Path, written: dict[str, int], missed: dict[str, int]) -> None:
    from gateway.cli.frame_lines import count

    parts = [f"{name} {n}" for name, n in written.items()]
    click.echo(f"{file}: {count(sum(written.values()), 'frame')}: {', '.join(parts) or 'none'}")
    for name, n in missed.items():
        if n:
            click.echo(f"{name}: {count(n, 'frame')} before or between were not kept", err=True)


def _fitting(texts: Iterable[str]) -> Callable[[Answer], bool]:
    from gateway.cli.frame_lines import story

    wanted = [text.lower() for text in texts if not text.startswith("!")]
    unwanted = [text[1:].lower() for text in texts if text.startswith("!")]

    def fits(frame: Answer) -> bool:
        line = f"{frame['link']} {frame['direction']} {story(frame)} {frame['peer']}".lower()
        return all(one in line for one in wanted) and not any(one in line for one in unwanted)

    return fits


def _speak(data: Path, read: Callable[[Local], Any]) -> None:
    """Let `read` speak to the gateway until Ctrl-C, or say why nobody answers and exit."""
    from gateway.engine.local import LocalError, conversation

    async def speak() -> None:
        async with conversation(data) as local:
            await read(local)

    try:
        asyncio.run(speak())
        return
    except (KeyboardInterrupt, _Enough):
        return
    except LocalError as error:
        click.echo(f"gateway: {error}", err=True)
    except (OSError, TimeoutError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
        name = getattr(error, "filename", None)
        if name is not None and Path(str(name)) != data and not str(name).startswith("/proc/"):
            click.echo(f"{name}: {reason}", err=True)
        else:
            click.echo(f"{data}: no gateway answers: {reason}", err=True)
    sys.exit(1)
