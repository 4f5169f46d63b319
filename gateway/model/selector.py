"""Names with * and ?: how sinks, roles and bays say which points they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache


@lru_cache(1024)  # patterns come from clients, too
def selector(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Return the test of a point's name that a `select` stands for.

    * is any text and ? any character, dots included; a name is taken where one of the patterns fits
    and none with a leading ! does. Where all patterns have a !, everything else is taken.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if not wanted:
        wanted = ["*"]
    take, leave = _any(wanted), _any(unwanted)
    if "*" in wanted:
        if not unwanted:
            return lambda name: True
        return lambda name: leave.fullmatch(name) is None
    return lambda name: take.fullmatch(name) is not None and leave.fullmatch(name) is None


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_one, patterns)) if patterns else r"(?!)", re.DOTALL)


def _one(pattern: str) -> str:
    first, *others = [
        "".join("." if character == "?" else re.escape(character) for character in part)
        for part in pattern.split("*")
    ]
    if not others:
        return first
    # Each part but the last stands as far in front as it can, and never moves: without that,
    # a few asterisks take a regular expression longer than anybody waits.
    return first + "".join(f"(?>.*?{part})" for part in others[:-1]) + ".*" + others[-1]
