"""The point list: rows of CSV files as definitions of points, with their addresses."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from gateway.config import control as control_cells
from gateway.config import deadband as deadband_cell
from gateway.config import header, table
from gateway.config.cells import kind, name_fault, number, rate, scale
from gateway.config.columns import Columns
from gateway.config.header import COMMAND
from gateway.config.names import Names
from gateway.config.problem import Bounded, Problem, excerpt, listing
from gateway.config.selection import points_of
from gateway.config.table import Table
from gateway.model.command import Control
from gateway.model.link import Sink, Source
from gateway.model.point import Deadband, Definition, Kind, Point

T = TypeVar("T")

_INFINITY = math.inf


class PointList:
    """Reads point lists of one gateway; names are unique over all of them.

    `places` says where in the YAML each link stands, for what a link's own check fails with.
    """

    def __init__(
        self,
        links: Sequence[Source | Sink],
        places: Mapping[str, tuple[Path, int, int]] | None = None,
    ) -> None:
        self.links = {link.name: link for link in links}
        self.places = dict(places or {})
        self.problems: list[Problem] = []
        self.definitions: list[Definition] = []
        self._models: dict[str, type[BaseModel]] = {link.name: type(link).Point for link in links}
        self._models[COMMAND] = Control
        self._unread: frozenset[str] | None = frozenset()
        self._origins: list[tuple[Table, dict[str, dict[str, int]]]] = []
        self._rows: list[tuple[int, int]] = []
        self._seen: dict[str, int] = {}
        self._sources = frozenset(link.name for link in links if isinstance(link, Source))
        self._faulty: set[str] = set()
        self._unreported = 0

    def unread(self, names: Iterable[str], *, everything: bool) -> None:
        """Say which links have a problem of their own, so that their columns are left alone.

        everything: there may be more of them, whose names are not known.
        """
        self._unread = None if everything else frozenset(names)

    def add(self, path: Path, text: str) -> None:
        """Read one CSV file; its definitions come behind those of the files before.

        What is wrong goes to `problems`; rows that have a problem may be left out.
        """
        found = Bounded(path)
        rows = table.read(path, text, found)
        if rows is not None:
            base, parts = header.read(rows, self._models, self._unread, found)
            if "name" in base:
                self._body(rows, base, parts, found)
        self.problems += found.all()

    def check(self) -> tuple[Definition, ...]:
        """Let each link check its points among each other, and return all definitions.

        What commands say of other points is checked here as well, for these may be in any file.
        """
        found = Bounded(self.places.get("", (Path("points"), 1, 1))[0])
        for name, link in self.links.items():
            own = type(link).check_points
            if own in (Source.check_points, Sink.check_points) or name in self._faulty:
                continue
            points = points_of(link, self.definitions)
            try:
                for point, field, sentence in link.check_points(points):
                    origin, row = self._rows[point.id]
                    rows, columns = self._origins[origin]
                    column = columns.get(name, {}).get(field, rows.header.index("name"))
                    found(rows.problem(row, column, f"{name}: {sentence}"))
            except Exception as error:
                path, line, column = self.places.get(name, (found.path, 1, 1))
                sentence = (
                    f"{name}: {type(link).__name__}.check_points failed, which is a mistake in "
                    f"the plugin: {type(error).__name__}: {error}"
                )
                found(Problem(path, line, column, sentence))
        if any(one.command is not None for one in self.definitions):
            names = Names(self.definitions, self.links)
            deaf = {
                name: link.type
                for name, link in self.links.items()
                if isinstance(link, Source) and not link.takes_commands
            }
            for i, field, sentence in control_cells.check(self.definitions, names, deaf):
                origin, row = self._rows[i]
                rows, columns = self._origins[origin]
                at = columns[COMMAND][field]
                found(rows.problem(row, at, f"{COMMAND}.{field}: {sentence}"))
        self.problems += found.all()
        return tuple(self.definitions)

    # The rows ------------------------------------------------------------------------------------

    def _body(
        self,
        rows: Table,
        base: dict[str, int],
        parts: dict[str, dict[str, int]],
        found: Bounded,
    ) -> None:
        n = len(rows)

        def column(name: str, default: T, parse: Callable[[str], T]) -> list[T]:
            if name not in base:
                return [default] * n
            cells = rows.columns[base[name]]
            values: dict[str, T] = {"": default}
            faults: dict[str, str] = {}
            for cell in set(cells):
                if cell:
                    try:
                        values[cell] = parse(cell)
                    except ValueError as error:
                        values[cell] = default
                        faults[cell] = str(error)
            if faults:
                for row, cell in enumerate(cells):
                    if cell in faults:
                        found(rows.problem(row, base[name], f"{name}: {faults[cell]}"))
            return list(map(values.__getitem__, cells))

        names = rows.columns[base["name"]]
        self._check_names(rows, base["name"], found)
        kinds = column("kind", Kind.ANALOG, kind)
        units = column("unit", "", str)
        descriptions = column("description", "", str)
        models = column("model", "", str)
        scales = column("scale", 1.0, scale)
        offsets = column("offset", 0.0, number)
        lows = column("low", -_INFINITY, number)
        highs = column("high", _INFINITY, number)
        rates = column("rate", _INFINITY, rate)
        if "low" in base and "high" in base:
            for row, (low, high) in enumerate(zip(lows, highs, strict=True)):
                if low >= high:
                    sentence = f"high: found {high:g}, allowed: above low, which is {low:g}"
                    found(rows.problem(row, base["high"], sentence))
        deadbands = self._deadbands(rows, base, lows, highs, found)
        sources: list[str | None] = [None] * n
        addresses: list[dict[str, Point]] = [{} for _ in range(n)]
        controls: list[Control | None] = [None] * n
        for name, fields in parts.items():
            if name == COMMAND:
                controls = self._controls(rows, fields, found)
            else:
                self._link(rows, name, fields, sources, addresses, found)
        # A column that was not understood may be the source of every row.
        understood = all(one.line != rows.header_line for one in found.problems)
        if understood and self._unread == frozenset() and None in sources:
            rule = f"fill the columns of one, allowed: {listing(sorted(self._sources))}"
            for row, source in enumerate(sources):
                if source is None and names[row]:
                    found(rows.problem(row, base["name"], f"{names[row]} has no source: {rule}"))
        origin = len(self._origins)
        self._origins.append((rows, parts))
        self._rows += [(origin, row) for row in range(n)]
        self.definitions += map(
            Definition,
            names,
            kinds,
            units,
            descriptions,
            models,
            scales,
            offsets,
            lows,
            highs,
            rates,
            deadbands,
            sources,
            addresses,
            controls,
        )

    def _check_names(self, rows: Table, column: int, found: Bounded) -> None:
        seen, start = self._seen, len(self._rows)
        for row, name in enumerate(rows.columns[column]):
            if not name:
                found(rows.problem(row, column, "the name is empty"))
                continue
            if fault := name_fault(name):
                found(rows.problem(row, column, fault))
            first = seen.setdefault(name, start + row)
            if first != start + row:
                place = f"line {rows.lines[first - start]}" if first >= start else self._line(first)
                sentence = f"found the point {excerpt(name)} again, first in {place}"
                found(rows.problem(row, column, sentence))

    def _line(self, point: int) -> str:
        origin, row = self._rows[point]
        rows, _ = self._origins[origin]
        return f"{rows.path}, line {rows.lines[row]}"

    def _deadbands(
        self,
        rows: Table,
        base: dict[str, int],
        lows: list[float],
        highs: list[float],
        found: Bounded,
    ) -> list[Deadband]:
        if "deadband" not in base:
            return [Deadband()] * len(rows)
        cells = rows.columns[base["deadband"]]
        known: dict[tuple[str, float, float], Deadband] = {}
        result: list[Deadband] = []
        for row, key in enumerate(zip(cells, lows, highs, strict=True)):
            width = known.get(key)
            if width is None:
                try:
                    width = known[key] = deadband_cell.parse(*key)
                except ValueError as error:
                    found(rows.problem(row, base["deadband"], f"deadband: {error}"))
                    width = Deadband()
            result.append(width)
        return result

    def _link(
        self,
        rows: Table,
        name: str,
        fields: dict[str, int],
        sources: list[str | None],
        addresses: list[dict[str, Point]],
        found: Bounded,
    ) -> None:
        columns = Columns(type(self.links[name]).Point, list(fields))
        cells = list(zip(*(rows.columns[i] for i in fields.values()), strict=True))
        empty = ("",) * len(fields)
        is_source = name in self._sources
        for row, address in enumerate(columns.read(cells)):
            if address is None and cells[row] == empty:
                continue
            if is_source:
                other = sources[row]
                if other is not None:
                    at = next(
                        i for i, cell in zip(fields.values(), cells[row], strict=True) if cell
                    )
                    sentence = (
                        f"found addresses at two sources, '{other}' and '{name}', allowed: one"
                    )
                    found(rows.problem(row, at, sentence))
                sources[row] = name
            if address is not None:
                addresses[row][name] = address
        if columns.faults:
            self._faulty.add(name)
            _report(rows, name, fields, cells, columns, found)

    def _controls(
        self, rows: Table, fields: dict[str, int], found: Bounded
    ) -> list[Control | None]:
        columns = Columns(Control, list(fields))
        cells = list(zip(*(rows.columns[i] for i in fields.values()), strict=True))
        controls = columns.read(cells)
        _report(rows, COMMAND, fields, cells, columns, found)
        return controls


def _report(
    rows: Table,
    prefix: str,
    fields: dict[str, int],
    cells: list[tuple[str, ...]],
    columns: Columns[Any],
    found: Bounded,
) -> None:
    """Report the faults of a link's columns, or of the commands', at their cells.

    What is wrong with several cells of a row stands at the one that the sentence names first.
    """
    first = next(iter(fields.values()))
    for row, key in enumerate(cells if columns.faults else ()):
        for field, sentence in columns.faults.get(key, ()):
            named = re.search(rf"\b{prefix}\.(\w+)", sentence) if not field else None
            at = fields.get(named[1] if named else field, first)
            label = f"{prefix}.{field}" if field else prefix
            found(rows.problem(row, at, f"{label}: {sentence}"))
