"""Plans: the fields of one raw block, compiled for the kernel."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.points import INTEGRATED, Points
from gateway.kernel.rows import Rows
from gateway.model.field import WIDTHS, Field

# Shorter stretches of neighbouring points cost more as runs of their own than in a list.
_SHORTEST_RUN = 8
_NAMED = 4


class _Place(NamedTuple):
    """A field as the kernel sees it: numbers only, a bit of a register as a bit of its byte."""

    type: int
    order: int
    point: int
    position: int


class Plan:
    """The compiled fields of one raw block, for one points table.

    Fields of one type and order become runs: neighbouring ids at a constant stride, which the
    kernel takes as vectors, and a list of the rest.  Number points in the order of their
    addresses and the block is one run.
    Compile after `rate` and `deadband_kind` of the points are set: whether a run needs the history
    of its points is decided here.

    size:   number of fields.
    first:  points of the first ones, as they were given: octets of int32.
    length: bytes that the block must have.

    Raises ValueError, naming the field, for a field that cannot be, or two fields of one point.
    """

    __slots__ = ("_c", "_held", "first", "length", "points", "size")

    def __init__(self, points: Points, fields: Iterable[Field]) -> None:
        held = list(fields)
        seen: dict[int, int] = {}
        for index, field in enumerate(held):
            fault = field.fault(points.n)
            if fault is None and field.point in seen:
                fault = f"point {field.point} is already field {seen[field.point]}"
            if fault is not None:
                raise ValueError(f"field {index}: {fault}")
            seen[field.point] = index
        self.points = points
        self.size = len(held)
        self.first = np.array([field.point for field in held[:_NAMED]], np.int32).tobytes()
        self.length = max((field.offset + WIDTHS[field.type] for field in held), default=0)

        runs, listed = _compile(points, sorted(_place(field) for field in held))
        self._c = ffi.new("gw_plan *")
        c_runs = ffi.new("gw_run[]", runs)
        c_points = ffi.new("int32_t[]", [place.point for place in listed])
        c_offsets = ffi.new("int64_t[]", [place.position for place in listed])
        self._held = (c_runs, c_points, c_offsets)
        self._c.table = points._c
        self._c.run_count = len(runs)
        self._c.list_count = len(listed)
        self._c.runs, self._c.points, self._c.offsets = self._held

    def numbers(self, length: int, rows: Rows) -> str:
        """Return what a call with this plan needed and what it got, for an error's sentence."""
        return (
            f"needs {self.length} bytes, got {length}; needs {self.size} free rows, got {rows.free}"
        )


def _place(field: Field) -> _Place:
    if field.type == "bit16":
        high_first = field.order in ("ABCD", "CDAB")
        byte = field.offset + ((field.bit < 8) if high_first else (field.bit >= 8))
        return _Place(lib.GW_BIT, lib.GW_ABCD, field.point, 8 * byte + field.bit % 8)
    if field.type == "bit":
        return _Place(lib.GW_BIT, lib.GW_ABCD, field.point, 8 * field.offset + field.bit)
    order = lib.GW_ABCD if WIDTHS[field.type] == 1 else getattr(lib, f"GW_{field.order}")
    return _Place(getattr(lib, f"GW_{field.type.upper()}"), order, field.point, field.offset)


def _compile(points: Points, places: list[_Place]) -> tuple[list[dict[str, Any]], list[_Place]]:
    """Return the runs, and the places that stand alone in the order of the plan's lists."""
    runs: list[dict[str, Any]] = []
    listed: list[_Place] = []
    for (kind, order), group in groupby(places, key=lambda place: place[:2]):
        alone: list[_Place] = []
        for stretch in _stretches(list(group)):
            if len(stretch) >= _SHORTEST_RUN:
                runs.append(_run(points, stretch))
            else:
                alone += stretch
        if alone:
            runs.append({"type": kind, "order": order, "list": len(listed), "count": len(alone)})
            listed += alone
    return runs, listed


def _stretches(places: list[_Place]) -> Iterable[list[_Place]]:
    """Cut places of one type and order into stretches of neighbouring ids at a constant stride."""
    run: list[_Place] = []
    for place in places:
        fits = not run or (
            place.point == run[-1].point + 1
            and (len(run) < 2 or place.position - run[-1].position == _stride(run))
        )
        if not fits:
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _stride(run: list[_Place]) -> int:
    return run[1].position - run[0].position if len(run) > 1 else 0


def _run(points: Points, stretch: list[_Place]) -> dict[str, Any]:
    first = stretch[0]
    ids = slice(first.point, first.point + len(stretch))
    history = (points.deadband_kind[ids] == INTEGRATED) | (points.rate[ids] < np.inf)
    return {
        "type": first.type,
        "order": first.order,
        "history": bool(history.any()),
        "list": -1,
        "count": len(stretch),
        "first": first.point,
        "offset": first.position,
        "stride": _stride(stretch),
    }
