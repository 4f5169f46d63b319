"""Where a value stands in a JSON document: the singular queries of RFC 9535.

`a.b[0]['c d']`, with or without the `$` or `$.` before it; `$` alone, or nothing, is the document.
A query that could find several values (`*`, `..`, slices, filters) is no place of one value.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

Steps = tuple[str | int, ...]

MOST = 1000
"""Characters of a path; a cell with more is a mistake."""

_NAME: Final = r"(?:[A-Za-z_]|[^\x00-\x7f])(?:\w|[^\x00-\x7f])*"
_STEP: Final = re.compile(
    rf"""\.(?P<name>{_NAME})
    |\[(?P<index>0|-?[1-9][0-9]*)\]
    |\["(?P<double>(?:[^"\\\x00-\x1f]|\\.)*)"\]
    |\['(?P<single>(?:[^'\\\x00-\x1f]|\\.)*)'\]""",
    re.VERBOSE | re.ASCII,
)
_LARGEST: Final = 2**53 - 1


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""What stands where there is nothing; null is something."""


def steps(text: str) -> Steps:
    """Return the names and indices that lead to the value.

    Raises ValueError with what was found and what is allowed.
    """
    rest = text
    if rest.startswith("$"):
        rest = rest[1:]
    elif rest and not rest.startswith(("[", ".")):
        rest = f".{rest}"
    found: list[str | int] = []
    at = 0
    while at < len(rest) and len(text) <= MOST:
        match = _STEP.match(rest, at)
        step = None if match is None else _step(match)
        if match is None or step is None:
            break
        found.append(step)
        at = match.end()
    if at < len(rest):
        raise ValueError(
            f"the path {text[:80]!r} cannot be read from {rest[at : at + 20]!r} on; a path is "
            "a.b[0], a name with other signs than letters, digits and _ is written ['like-this']"
        )
    return tuple(found)


def check(text: str) -> str:
    """Return the path, or raise ValueError; for fields."""
    steps(text)
    return text


def find(document: Any, way: Steps) -> Any:
    """Return what stands at the end of the way, or ABSENT."""
    node = document
    for step in way:
        kind = type(node)
        if kind is dict:
            if step not in node:
                return ABSENT
        elif kind is not list or type(step) is not int or not -len(node) <= step < len(node):
            return ABSENT
        node = node[step]
    return node


def _step(match: re.Match[str]) -> str | int | None:
    if match["name"] is not None:
        return match["name"]
    if match["index"] is not None:
        index = int(match["index"])
        return index if abs(index) <= _LARGEST else None
    quoted = match["double"]
    if quoted is None:
        # In single quotes \' is an apostrophe and " is itself; else it is a JSON string.
        quoted = re.sub(
            r"\\.|\"", lambda m: {"\\'": "'", '"': '\\"'}.get(m[0], m[0]), match["single"]
        )
    try:
        name: str = orjson.loads(f'"{quoted}"')
    except orjson.JSONDecodeError:
        return None
    return name
