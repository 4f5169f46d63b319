"""The cells that a point list has for one model: a link's point model, or that of commands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.config import wording
from gateway.config.problem import did_you_mean, excerpt
from gateway.config.wording import allowed, branches

M = TypeVar("M", bound=BaseModel)

CHUNK = 5_000
Cells: TypeAlias = tuple[str, ...]
Fault: TypeAlias = tuple[str, str]
"""The field that a cell has a problem with, `` for the whole row, and the sentence."""


def fields_of(model: type[BaseModel]) -> dict[str, str]:
    """Return the names that a column may have for each field, with the one of the YAML."""
    names: dict[str, str] = {}
    for name, info in model.model_fields.items():
        alias = info.validation_alias
        choices = getattr(alias, "choices", [alias])
        words = [word for word in choices if isinstance(word, str)]
        if not words or model.model_config.get("populate_by_name"):
            words.append(name)
        for word in words:
            names[word] = words[0]
    return names


class Columns(Generic[M]):
    """The columns of one model in one table, in their order.

    Equal cells give one and the same instance, for these models are frozen.
    """

    def __init__(self, model: type[M], fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self.faults: dict[Cells, list[Fault]] = {}
        self._model = model
        self._schema: dict[str, Any] = {}

    def read(self, rows: Sequence[Cells]) -> list[M | None]:
        """Return the instance of each row, None where all its cells are empty or one is wrong.

        The wrong ones are in `faults`, by their cells.
        """
        empty = ("",) * len(self.fields)
        known: dict[Cells, M | None] = dict.fromkeys(rows)
        distinct = [cells for cells in known if cells != empty]
        self._refuse_not_finite(distinct)
        distinct = [cells for cells in distinct if cells not in self.faults]
        adapter = TypeAdapter(list[self._model])  # type: ignore[name-defined]
        for start in range(0, len(distinct), CHUNK):
            chunk = distinct[start : start + CHUNK]
            data = [self._data(cells) for cells in chunk]
            try:
                known.update(zip(chunk, adapter.validate_python(data), strict=True))
            except Exception:
                # One wrong row, or a validator that raises: find out which, row by row.
                for cells, one in zip(chunk, data, strict=True):
                    known[cells] = self._one(cells, one)
        return list(map(known.__getitem__, rows))

    def _data(self, cells: Cells) -> dict[str, str]:
        return {name: cell for name, cell in zip(self.fields, cells, strict=True) if cell}

    def _one(self, cells: Cells, data: dict[str, str]) -> M | None:
        try:
            return self._model.model_validate(data)
        except ValidationError as error:
            self.faults[cells] = self._sentences(data, error)
        except Exception as error:
            self.faults[cells] = [
                (
                    "",
                    f"{self._model.__name__} failed while it read this row, which is a mistake "
                    f"in the plugin: {type(error).__name__}: {error}",
                )
            ]
        return None

    def _sentences(self, data: dict[str, str], error: ValidationError) -> list[Fault]:
        faults: dict[str, str] = {}
        for one in error.errors(include_input=False):
            name = str(one["loc"][0]) if one["loc"] else ""
            if name in faults:
                faults[name] = f"found {excerpt(data.get(name, ''))}, {self._allowed(name)}"
                continue
            sentence = wording.raised(one)
            cell = data.get(name)
            if one["type"] == "missing":
                faults[name] = f"the cell is empty, {self._allowed(name)}"
            elif cell is None:
                faults[name] = sentence or wording.plain(one["msg"])
            elif sentence is not None:
                faults[name] = f"found {excerpt(cell)}: {sentence}"
            elif bound := wording.bound(one, self._options(name)):
                faults[name] = f"found {excerpt(cell)}, allowed: {bound}"
            else:
                options = self._options(name)
                near = wording.nearest(cell, options)
                faults[name] = f"found {excerpt(cell)}, {self._allowed(name)}{near}" + _comma(cell)
        return list(faults.items())

    def _options(self, name: str) -> list[wording.Schema]:
        if not self._schema:
            self._schema = self._model.model_json_schema()
        return branches(self._schema["properties"].get(name, {}), self._schema)

    def _allowed(self, name: str) -> str:
        return f"allowed: {allowed(self._options(name), self._schema)}"

    def _refuse_not_finite(self, distinct: Sequence[Cells]) -> None:
        """Find nan, inf and numbers too large to be others, which pydantic would take."""
        for i, name in enumerate(self.fields):
            if any(one.get("type") == "number" for one in self._options(name)):
                cells = {one[i] for one in distinct}
                strange = {cell for cell in cells if cell and not _is_finite(cell)}
                for one in distinct if strange else ():
                    if one[i] in strange:
                        sentence = f"found {excerpt(one[i])}, allowed: finite numbers"
                        self.faults.setdefault(one, []).append((name, sentence))


def _is_finite(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return True


def _comma(cell: str) -> str:
    number = cell.replace(",", ".", 1)
    if number != cell and number.replace(".", "", 1).lstrip("+-").isdecimal():
        return "; write decimals with a point"
    return ""


def unknown_column(prefix: str, model: type[BaseModel], column: str) -> str:
    """Return the sentence for a column that the model of a link, or of commands, has not."""
    names = list(dict.fromkeys(fields_of(model).values()))
    known = [f"{prefix}.{name}" for name in names]
    if not known:
        return f"found the column {excerpt(column)}, but points of '{prefix}' have no columns"
    return (
        f"found the unknown column {excerpt(column)}, allowed: {', '.join(known)}"
        + did_you_mean(column, known)
    )
