"""Frames as lines for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import click

from gateway.cli.record_lines import printable

HEX = 16
"""Octets of a line of them."""
SHOWN = 24
"""Octets that are shown of a frame that nobody can put into words."""
INDENT = " " * 17
"""What stands under a frame begins under its link."""
DIGITS = 6


def lines(*, as_hex: bool) -> Callable[[Mapping[str, Any], Iterable[Any]], Iterator[str]]:
    """Return what writes frames of an answer, and says how many are missing before them.

    A day stands above its first frame, and whom a link speaks to behind the first one of it.
    """
    day = ""
    peers: dict[str, str] = {}

    def show(answer: Mapping[str, Any], frames: Iterable[Any]) -> Iterator[str]:
        nonlocal day
        width = max(map(len, answer["links"]))
        for name, n in answer["missed"].items():
            if n:
                yield click.style(f"{name}: {count(n, 'frame')} before these were not kept", "red")
        for frame in frames:
            date, clock = moment(frame["time"])
            if date != day:
                yield click.style(date, bold=True)
            day = date
            direction = click.style(frame["direction"], fg="green" if _in(frame) else "cyan")
            head = f"{clock}  {frame['link']:<{width}} {frame['number']:>{DIGITS}}  {direction}"
            peer = f" [{printable(frame['peer'])}]" if frame["peer"] else ""
            yield f"{head}  {said(frame)}{peer if peers.get(frame['link']) != peer else ''}"
            peers[frame["link"]] = peer
            for sentence in outcome(frame):
                yield click.style(f"{INDENT}{sentence}", dim=True)
            if as_hex:
                yield from _octets(bytes.fromhex(frame["octets"]), frame["length"])

    return show


def story(frame: Mapping[str, Any]) -> str:
    """Return all that is said of a frame, in one line."""
    return "; ".join((said(frame), *outcome(frame)))


def said(frame: Mapping[str, Any]) -> str:
    """Return what a frame says: in words, or its first octets."""
    return printable("; ".join(filter(None, (frame["says"] or _briefly(frame), frame["note"]))))


def outcome(frame: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each thing that a frame did."""
    return [_outcome(did) for did in frame["did"]]


def moment(time: int) -> tuple[str, str]:
    """Return day and time of day of ns since the Unix epoch, UTC, to the microsecond."""
    from datetime import UTC, datetime

    then = datetime.fromtimestamp(time // 1_000_000_000, UTC)
    return f"{then:%Y-%m-%d}", f"{then:%H:%M:%S}.{time // 1000 % 1_000_000:06d}"


def count(n: int, what: str) -> str:
    """Return a number with its noun."""
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _in(frame: Mapping[str, Any]) -> bool:
    return bool(frame["direction"] == "rx")


def _briefly(frame: Mapping[str, Any]) -> str:
    octets = bytes.fromhex(frame["octets"][: 2 * SHOWN]).hex(" ")
    more = " …" if frame["length"] > SHOWN else ""
    return f"{count(frame['length'], 'octet')}: {octets}{more}"


def _outcome(did: Mapping[str, Any]) -> str:
    names = ", ".join(did["points"]) + (", …" if did["samples"] > len(did["points"]) else "")
    if did["lost"]:
        return f"no longer heard of: {count(did['samples'], 'point')}: {names}"
    return f"{count(did['samples'], 'sample')}, {did['taken']:,} taken: {names}"


def _octets(octets: bytes, length: int) -> Iterator[str]:
    for at in range(0, len(octets), HEX):
        part = octets[at : at + HEX]
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in part)
        yield f"{INDENT}{at:04x}  {part.hex(' '):<{3 * HEX - 1}}  {text}"
    if length > len(octets):
        yield f"{INDENT}… {count(length - len(octets), 'octet')} more were not kept"
