"""The names of points, for what refers to them by name or by pattern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from gateway.config.problem import did_you_mean, excerpt
from gateway.model.point import Definition
from gateway.model.selector import selector

HEALTH = "_health."
_SUGGESTIONS = 20
"""Looking for a name like another one takes milliseconds for thousands of points."""


class Names:
    """The points of all point lists by name; the gateway's own are known by their beginning."""

    def __init__(self, points: Sequence[Definition], links: Iterable[str]) -> None:
        self._points = points
        self._health = tuple(f"{HEALTH}{name}." for name in ("gateway", *links))
        self._suggestions = _SUGGESTIONS

    @cached_property
    def points(self) -> dict[str, Definition]:
        return {point.name: point for point in self._points}

    def health(self, name: str) -> bool:
        """Return whether this is a health point of the gateway or of one of its links."""
        return name.startswith(self._health)

    def unknown(self, name: str) -> str:
        """Return the sentence for a name that no point has."""
        return f"found {excerpt(name)}, but there is no point of this name" + self._near(name)

    def without_points(self, patterns: Sequence[str]) -> Iterable[tuple[int, str]]:
        """Yield which patterns fit no point, and a sentence each: most are misspelled."""
        for i, pattern in enumerate(patterns):
            bare = pattern.removeprefix("!")
            if bare in self.points or bare.startswith(HEALTH):
                continue
            if "*" in bare or "?" in bare:
                if not any(map(selector((bare,)), self.points)):
                    yield i, f"found {excerpt(pattern)}, which fits no point"
            else:
                yield i, self.unknown(bare)

    def _near(self, name: str) -> str:
        if self._suggestions <= 0:
            return ""
        self._suggestions -= 1
        return did_you_mean(name, self.points)
