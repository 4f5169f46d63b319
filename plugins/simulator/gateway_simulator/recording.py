"""Recordings: samples in a CSV file, as columns."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway import LinkError, Quality, quality_text

COLUMNS = ("offset", "point", "value")
WORDS = {quality_text(flag).rpartition(",")[2]: flag for flag in Quality} | {
    "good": Quality.GOOD,
    "questionable": Quality.QUESTIONABLE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Samples in the order of their time; row *i* of each column is one.

    offset:   int64 (n,), ns since the beginning of the recording, never less than before.
    point:    int32 (n,), ids.
    value:    float64 (n,); quality: uint16 (n,).
    unlisted: rows of the file whose point is not in the point list, left out.
    """

    offset: npt.NDArray[np.int64]
    point: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]
    unlisted: int


def read(path: Path, ids: Mapping[str, int]) -> Recording:
    """Read a CSV file with the columns offset (seconds), point, value and, if wanted, quality.

    Raises LinkError with file and line for what is not as it should be.
    """
    offset: list[int] = []
    point: list[int] = []
    value: list[float] = []
    quality: list[int] = []
    unlisted = line = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            header = rows.fieldnames or []
            if set(header) - {"quality"} != set(COLUMNS):
                raise ValueError(
                    f"the columns are {', '.join(header) or 'missing'}; "
                    "they must be offset, point, value and, if wanted, quality"
                )
            for row in rows:
                line = rows.line_num
                if None in row or None in row.values():
                    raise ValueError(f"the row must have {len(header)} cells")
                at = round(_number("offset", row["offset"]) * 1e9)
                if at < 0 or (offset and at < offset[-1]):
                    raise ValueError(f"offset {row['offset']} is before that of the row above")
                if row["point"] not in ids:
                    unlisted += 1
                    continue
                offset.append(at)
                point.append(ids[row["point"]])
                value.append(_number("value", row["value"]))
                quality.append(_quality(row.get("quality") or "good"))
    except (ValueError, csv.Error) as error:
        raise LinkError(f"{path}:{max(line, 1)}: {error}") from error
    except OSError as error:
        raise LinkError(f"recording {path}: {error.strerror}") from error
    if not point:
        raise LinkError(f"{path}: none of its {unlisted} samples is of a point of this source")
    return Recording(
        np.array(offset, np.int64),
        np.array(point, np.int32),
        np.array(value, np.float64),
        np.array(quality, np.uint16),
        unlisted,
    )


def _number(column: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{column} is {cell!r}, it must be a number")
    return number


def _quality(cell: str) -> Quality:
    quality = Quality.GOOD
    for word in cell.replace(",", " ").split():
        if word not in WORDS:
            raise ValueError(f"quality word {word!r} is none of {', '.join(WORDS)}")
        quality |= WORDS[word]
    return quality
