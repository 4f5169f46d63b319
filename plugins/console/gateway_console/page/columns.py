"""All points as columns, so that a filter over 250,000 of them is a few numpy passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import Definition, Image, Quality

Ids = npt.NDArray[np.int64]

QUALITIES = ("any", "not good", "good", "questionable", "invalid", "marked")
"""What can be asked for; marked: substituted, in test or blocked."""
SORTS = ("name", "value", "quality", "age")
_SEVERITY = np.array([0, 3, 2, 1], np.int8)
"""Of a validity: good, invalid, reserved, questionable."""
_MARKED = int(Quality.SUBSTITUTED | Quality.TEST | Quality.OPERATOR_BLOCKED)
_VALIDITY = int(Quality.VALIDITY)
_DEVICE_TIME = int(Quality.DEVICE_TIME)
_OVERRIDDEN = int(Quality.SUBSTITUTED | Quality.OPERATOR_BLOCKED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see: all that fits all of it.

    search:  a part of name or description; several words must all be there.
    link:    name of a link that has the point; empty for all.
    quality: one of QUALITIES.
    older:   seconds that the sample must be older than; 0 takes all.
    """

    search: str = ""
    link: str = ""
    quality: str = "any"
    older: float = 0.0
    sort: str = "name"
    falling: bool = False


class Columns:
    """Names, descriptions and links of every point; made once, the image is read each time."""

    def __init__(self, definitions: Sequence[Definition | None], image: Image) -> None:
        found = [(number, d) for number, d in enumerate(definitions) if d is not None]
        # The gateway's own points last: nobody looks for them first.
        found.sort(key=lambda pair: (pair[1].name.startswith("_"), pair[1].name))
        self.image = image
        self.definitions = definitions
        self.ids: Ids = np.array([number for number, _ in found], np.int64)
        self.numbers = {d.name: number for number, d in found}
        """Ids by name."""
        texts = [f"{d.name} {d.description}".lower() for _, d in found]
        self._texts = np.array(texts, np.str_) if texts else np.empty(0, "U1")
        rows: dict[str, list[int]] = {}
        for row, (_, d) in enumerate(found):
            for link in {*d.addresses, *([d.source] if d.source else [])}:
                rows.setdefault(link, []).append(row)
        self._links = {link: np.array(numbers, np.int64) for link, numbers in rows.items()}
        """Places among `ids` of the points that have an address at a link."""
        sources = sorted({d.source for _, d in found if d.source})
        self.sources = ["", *sources]
        """Names of sources; the first stands for the gateway's own points."""
        numbers = {name: number for number, name in enumerate(self.sources)}
        self._owner = np.array([numbers[d.source or ""] for _, d in found], np.int64)
        self._times = image.time[self.ids]
        self._changed: npt.NDArray[np.int64] = np.zeros(len(self.sources), np.int64)
        self._device_times: npt.NDArray[np.int64] = np.zeros(len(self.sources), np.int64)
        self._searched: tuple[str, str, npt.NDArray[np.bool_]] | None = None

    @property
    def links(self) -> list[str]:
        """Links that points have an address at."""
        return sorted(self._links)

    def changes(self) -> dict[str, int]:
        """Look again; return for each source how many newer samples all looks have found."""
        times = self.image.time[self.ids]
        changed = times != self._times
        newer = self._owner[changed]
        self._times = times
        quality = self.image.quality[self.ids[changed]]
        stamped = (quality & (_DEVICE_TIME | _OVERRIDDEN)) == _DEVICE_TIME
        self._device_times[:] = 0
        np.maximum.at(self._device_times, newer[stamped], times[changed][stamped])
        self._changed += np.bincount(newer, minlength=len(self.sources))
        return dict(zip(self.sources, self._changed.tolist(), strict=True))

    def stamped(self) -> dict[str, int]:
        """Return the newest device's time (ns) among what the last look of `changes` found new.

        By source; those without are left out. What an operator holds has no device's time.
        """
        found = zip(self.sources, self._device_times.tolist(), strict=True)
        return {source: time for source, time in found if source and time}

    def select(self, wish: Wish, now: int, readable: npt.NDArray[np.bool_]) -> Ids:
        """Return the ids of the points that fit, in the order wished for.

        `readable` says of each id whether it may be shown.
        """
        rows = self._fixed(wish.search, wish.link) & readable[self.ids]
        quality = self.image.quality[self.ids]
        validity = quality & _VALIDITY
        if wish.quality == "good":
            rows = rows & (validity == 0)
        elif wish.quality == "not good":
            rows = rows & (validity != 0)
        elif wish.quality == "questionable":
            rows = rows & (validity == _VALIDITY)
        elif wish.quality == "invalid":
            rows = rows & ((validity == 1) | (validity == 2))
        elif wish.quality == "marked":
            rows = rows & ((quality & _MARKED) != 0)
        if wish.older:
            rows = rows & (now - self.image.time[self.ids] > int(wish.older * 1e9))
        ids = self.ids[rows]
        if wish.sort == "value":
            ids = ids[np.argsort(self.image.value[ids], kind="stable")]
        elif wish.sort == "quality":
            severity = _SEVERITY[self.image.quality[ids] & _VALIDITY]
            ids = ids[np.argsort(severity, kind="stable")]
        elif wish.sort == "age":
            ids = ids[np.argsort(-self.image.time[ids], kind="stable")]
        return ids[::-1] if wish.falling else ids

    def _fixed(self, search: str, link: str) -> npt.NDArray[np.bool_]:
        """Return what fits by name and link, which no sample changes: kept for the last wish."""
        if self._searched is not None and self._searched[:2] == (search, link):
            return self._searched[2]
        rows = np.ones(len(self.ids), np.bool_)
        for word in search.lower().split():
            rows &= np.char.find(self._texts, word) >= 0
        if link:
            there = np.zeros(len(self.ids), np.bool_)
            there[self._links.get(link, [])] = True
            rows &= there
        self._searched = (search, link, rows)
        return rows

    def bad(self, readable: npt.NDArray[np.bool_]) -> tuple[int, int]:
        """Return how many points there are to see, and how many of them are not good."""
        ids = self.ids[readable[self.ids]]
        return len(ids), int(np.count_nonzero(self.image.quality[ids] & _VALIDITY))

    def counts(self, link: str) -> tuple[int, int]:
        """Return how many points a link has, and how many of them are not good."""
        rows = self._links.get(link)
        if rows is None:
            return 0, 0
        bad = self.image.quality[self.ids[rows]] & _VALIDITY
        return len(rows), int(np.count_nonzero(bad))

    def newest(self, link: str) -> int:
        """Return the time in ns of the newest sample of a link; 0 where it has none."""
        rows = self._links.get(link)
        return int(self.image.time[self.ids[rows]].max()) if rows is not None else 0
