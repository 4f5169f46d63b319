"""The header of a point list: which column is what."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel

from gateway.config.columns import fields_of, unknown_column
from gateway.config.problem import Bounded, did_you_mean, excerpt, listing
from gateway.config.table import Table

COMMAND = "command"
"""The first part of the columns that say how a point is commanded; no link has this name."""
BASE = (
    "name",
    "kind",
    "unit",
    "description",
    "model",
    "scale",
    "offset",
    "low",
    "high",
    "rate",
    "deadband",
)


def read(
    rows: Table,
    models: Mapping[str, type[BaseModel]],
    unread: Collection[str] | None,
    found: Bounded,
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return where the columns are: those of every point by name, others by model and field.

    models: by the first part of their columns: a link's name, or `command`.
    unread: links whose columns are left alone; None where not all links are known.
    """
    base: dict[str, int] = {}
    parts: dict[str, dict[str, int]] = {}
    for i, column in enumerate(rows.header):
        first, dot, field = column.partition(".")
        if not column:
            if any(rows.columns[i]):
                found(rows.problem(-1, i, "found a column without a name that has cells"))
        elif not dot:
            if column in base:
                found(rows.problem(-1, i, f"found the column '{column}' twice"))
            elif column in BASE:
                base[column] = i
            else:
                found(rows.problem(-1, i, _unknown(column, models)))
        elif unread is not None and first in unread:
            continue
        elif first in models:
            names = fields_of(models[first])
            if field not in names:
                found(rows.problem(-1, i, unknown_column(first, models[first], column)))
            elif names[field] in parts.setdefault(first, {}):
                found(rows.problem(-1, i, f"found the column '{column}' twice"))
            else:
                parts[first][names[field]] = i
        elif unread is not None:
            found(rows.problem(-1, i, _unknown_link(first, {*models, *unread})))
    if "name" not in base:
        hint = ""
        if len(rows.header) == 1 and "\t" in rows.header[0]:
            hint = "; cells are separated with , or ;, not with tabs"
        found(rows.problem(-1, 0, f"the column 'name' is missing{hint}"))
    return base, parts


def _unknown(column: str, models: Mapping[str, type[BaseModel]]) -> str:
    columns = [f"{name}.{word}" for name, model in models.items() for word in fields_of(model)]
    return (
        f"found the unknown column {excerpt(column)}, allowed: {', '.join(BASE)} "
        f"and <link>.<field>{did_you_mean(column, [*BASE, *columns])}"
    )


def _unknown_link(link: str, known: Collection[str]) -> str:
    links = sorted(set(known) - {COMMAND})
    return (
        f"found a column of the unknown link {excerpt(link)}, "
        f"allowed: {listing(links)} and {COMMAND}{did_you_mean(link, [*links, COMMAND])}"
    )
