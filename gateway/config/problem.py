"""What is wrong with a configuration, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.model.errors import GatewayError

MAX_PROBLEMS = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: the sentence says what was found and what is allowed.

    `line` and `column` count from 1, in characters, as editors do.
    """

    path: Path
    line: int
    column: int
    sentence: str

    def __post_init__(self) -> None:
        # A plugin's own words may have several lines; a problem is one.
        object.__setattr__(self, "sentence", " ".join(self.sentence.split("\n")))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.sentence}"


class Bounded:
    """Collects problems of one file; beyond a bound it only counts them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._more = 0

    def __call__(self, problem: Problem) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self._more += 1

    def all(self) -> list[Problem]:
        if self._more:
            last = max(self.problems)
            sentence = f"… and {self._more} more problems in this file"
            self.problems.append(Problem(last.path, last.line, last.column, sentence))
            self._more = 0
        return self.problems


class ConfigError(GatewayError):
    """A configuration cannot be used; `problems` has everything that is wrong with it.

    The problems stand in the order of their files, lines and columns.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'host'?` for the known word nearest to the one found, or nothing."""
    words = {word.lower(): word for word in known}
    near = difflib.get_close_matches(found.lower(), words, n=1, cutoff=0.6)
    return f"; did you mean '{words[near[0]]}'?" if near else ""


def listing(words: Iterable[str]) -> str:
    """Return words for a sentence, `a, b, c`, cut where nobody would read on."""
    all_words = list(words)
    shown = ", ".join(all_words[:30])
    return f"{shown} and {len(all_words) - 30} more" if len(all_words) > 30 else shown or "none"


def excerpt(text: str, limit: int = 60) -> str:
    """Return a text on one line, quoted, and cut at `limit` characters."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
