"""The points of the console as columns, and their samples as JSON without an object per point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import orjson

from gateway import Image, LinkPoint, Quality, quality_text

Positions = npt.NDArray[np.intp]
VALIDITIES = {
    "good": Quality.GOOD,
    "invalid": Quality.INVALID,
    "reserved": Quality.RESERVED,
    "questionable": Quality.QUESTIONABLE,
}


class PointTable:
    """Points in the order of the point list; a position is a place in that order."""

    def __init__(self, points: Sequence[LinkPoint], image: Image) -> None:
        self.points = points
        self._image = image
        self.ids = np.array([point.id for point in points], np.int32)
        self.names = [point.name for point in points]
        self.position = {name: place for place, name in enumerate(self.names)}
        size = int(self.ids.max(initial=-1)) + 1
        self.of_id = np.full(size, -1, np.intp)
        """Position by id; -1 where there is no such point here."""
        self.of_id[self.ids] = np.arange(len(points))
        self._kinds = np.array([point.kind.value for point in points], np.str_)
        self._links = np.array([point.definition.source or "" for point in points], np.str_)
        self._heads = [_head(point) for point in points]

    def find(
        self,
        *,
        takes: Callable[[str], bool] | None = None,
        kinds: Sequence[str] = (),
        links: Sequence[str] = (),
        qualities: Sequence[str] = (),
        readable: npt.NDArray[np.bool_],
    ) -> Positions:
        """Return the positions of the points that fit all of it.

        qualities: words of `VALIDITIES`; readable: by id.
        """
        fits = readable[self.ids]
        if kinds:
            fits &= np.isin(self._kinds, kinds)
        if links:
            fits &= np.isin(self._links, links)
        if qualities:
            wanted = [int(VALIDITIES[word]) for word in qualities]
            fits &= np.isin(self._image.quality[self.ids] & int(Quality.VALIDITY), wanted)
        found = np.flatnonzero(fits)
        if takes is not None:
            names = self.names
            found = found[[takes(names[place]) for place in found.tolist()]]
        return found

    def rows(self, positions: Positions) -> bytes:
        """Return a JSON array of objects: the points with their last samples."""
        ids = self.ids[positions]
        heads = self._heads
        values, qualities, times = samples(
            self._image.value[ids], self._image.quality[ids], self._image.time[ids]
        )
        rows = [
            b'%b,"value":%b,"quality":"%b","time":%b}' % (heads[place], value, quality, time)
            for place, value, quality, time in zip(
                positions.tolist(), values, qualities, times, strict=True
            )
        ]
        return b"[" + b",".join(rows) + b"]"

    def columns(self, positions: Positions) -> bytes:
        """Return a JSON object of arrays: names, values, qualities and times."""
        names = self.names
        ids = self.ids[positions]
        return columns(
            [names[place] for place in positions.tolist()],
            self._image.value[ids],
            self._image.quality[ids],
            self._image.time[ids],
        )


def columns(
    names: Sequence[str],
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint16],
    time: npt.NDArray[np.int64],
) -> bytes:
    """Return samples as a JSON object of arrays of one length."""
    values, qualities, times = samples(value, quality, time)
    return b'{"point":%b,"value":[%b],"quality":[%b],"time":[%b]}' % (
        orjson.dumps(list(names)),
        b",".join(values),
        b",".join([b'"%b"' % one for one in qualities]),
        b",".join(times),
    )


def samples(
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint16],
    time: npt.NDArray[np.int64],
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the JSON texts of values, qualities (without quotes) and times; NaN is null."""
    if not len(value):
        return [], [], []
    values = orjson.dumps(np.ascontiguousarray(value), option=orjson.OPT_SERIALIZE_NUMPY)
    words, which = np.unique(quality, return_inverse=True)
    texts = [_quality(int(word)) for word in words]
    return values[1:-1].split(b","), [texts[i] for i in which.tolist()], time_texts(time)


def time_texts(time: npt.NDArray[np.int64]) -> list[bytes]:
    """Return times in ns as JSON strings of RFC 3339 with nanoseconds; 0, never, is null."""
    stamps = np.datetime_as_string(time.view("datetime64[ns]")).astype("S29")
    return [b'"%bZ"' % stamp if stamp != _NEVER else b"null" for stamp in stamps.tolist()]


_NEVER = b"1970-01-01T00:00:00.000000000"


@lru_cache(4096)
def _quality(word: int) -> bytes:
    return quality_text(word).encode()


def _head(point: LinkPoint) -> bytes:
    """Return what does not change of a point, as a JSON object that is still open."""
    one = point.definition
    said = {
        "name": one.name,
        "kind": one.kind.value,
        "unit": one.unit,
        "description": one.description,
        "model": one.model,
        "link": one.source,
        "commands": one.command is not None,
    }
    return orjson.dumps(said)[:-1]
