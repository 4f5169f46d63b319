"""DAT files in ASCII (IEC 60255-24:2013, clause 8.4).

Numbers are parsed by numpy; lines are looked at one by one only to name the one that is wrong.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np

from gateway_comtrade.codec.error import ComtradeError, excerpt
from gateway_comtrade.codec.recording import (
    MISSING,
    NO_STAMP,
    Analogs,
    Header,
    Integers,
    States,
)

OLDEST_MISSING = 999_999
"""Marks missing data in C37.111-1991 (6.3.4)."""
OLD_MISSING = 99_999
"""Marks missing data in C37.111-1999 (6.3); since 2013 (8.4) an empty field does, and this may be a
count; where the channel's range does not have it, it is none."""
PART = 65_536
"""Bytes, or characters, that are read or written in one call, which keeps other threads waiting."""
_EMPTY = re.compile(rb"(?<=,)[ \t]*(?=,|\r|\n|$)")
_ALLOWED = re.compile(rb"[0-9+\-.eE, \t\r\n]*")
_LIMIT = 2.0**31


def read_ascii(
    data: bytes, header: Header, file: str = "DAT"
) -> tuple[Integers, Integers, Analogs, States]:
    """Return numbers, stamps, samples and states; raises ComtradeError naming line and field."""
    analogs = len(header.analog)
    width = 2 + analogs + len(header.status)
    text = data.replace(b"\x1a", b"").strip()
    if not text:
        raise _fault(text, header, file)
    try:
        table = np.concatenate([_table(part) for part in _parts(text) if part.strip()])
    except ValueError:
        raise _fault(text, header, file) from None
    if table.shape != (header.rows, width):
        raise _fault(text, header, file)
    numbers, stamps = table[:, 0], table[:, 1]
    states = table[:, 2 + analogs :]
    if (
        not _whole(numbers, 0, 2.0**53)
        or not _whole(np.nan_to_num(stamps, nan=0.0), 0, 2.0**53)
        or not np.all((states == 0) | (states == 1))
        or np.any(np.isinf(table))
    ):
        raise _fault(text, header, file)
    return (
        numbers.astype(np.int64),
        np.nan_to_num(stamps, nan=NO_STAMP).astype(np.int64),
        _samples(table[:, 2 : 2 + analogs], header),
        states.astype(np.uint8),
    )


def _parts(text: bytes) -> Iterator[bytes]:
    """Cut a text at ends of lines."""
    begin = 0
    while begin < len(text):
        end = text.find(b"\n", begin + PART) + 1 or len(text)
        yield text[begin:end]
        begin = end


def _table(text: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return rows of numbers, NaN for an empty field; raises ValueError."""
    if not _ALLOWED.fullmatch(text):
        raise ValueError("found what is in no number")
    return np.loadtxt(io.BytesIO(_EMPTY.sub(b"nan", text)), np.float64, delimiter=",", ndmin=2)


def _samples(found: np.ndarray[tuple[int, int], np.dtype[np.float64]], header: Header) -> Analogs:
    high = np.array([channel.high for channel in header.analog])
    mark = OLDEST_MISSING if header.revision == 1991 else OLD_MISSING
    found = np.where((found == mark) & ((header.revision < 2013) | (high < mark)), np.nan, found)
    missing = np.isnan(found)
    kept = np.where(missing, 0.0, found)
    if _whole(kept, 1 - _LIMIT, _LIMIT):
        return np.where(missing, MISSING, kept).astype(np.int32)
    return found


def _whole(
    column: np.ndarray[tuple[int, ...], np.dtype[np.float64]], low: float, high: float
) -> bool:
    return bool(np.all((column == np.rint(column)) & (column >= low) & (column < high)))


def _fault(text: bytes, header: Header, file: str) -> ComtradeError:
    """Find the field at fault, line by line."""
    names = [
        *("n", "timestamp"),
        *(f"A{one.number} {one.name}" for one in header.analog),
        *(f"D{two.number} {two.name}" for two in header.status),
    ]
    rows = 0
    for number, line in enumerate(text.decode("latin-1").splitlines() if text else [], 1):
        if not line.strip():
            continue
        rows += 1
        cells = line.split(",")
        if len(cells) != len(names):
            found, allowed = f"{len(cells)} fields", f"{len(names)}, as the CFG file says"
            return ComtradeError(file, number, "fields", found, allowed)
        for index, (name, cell) in enumerate(zip(names, cells, strict=True)):
            allowed = _allowed(cell.strip(), index, len(header.analog))
            if allowed:
                return ComtradeError(file, number, name, excerpt(cell), allowed)
    allowed = f"{header.rows}, as endsamp says"
    return ComtradeError(file, "", "rows", str(rows), allowed)


def _allowed(cell: str, index: int, analogs: int) -> str:
    """Return what a cell may be, where it is not that."""
    try:
        value = float(cell) if cell or index == 0 else 0.0
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or not cell.isascii() or "_" in cell:
        return "a number"
    if index >= 2 + analogs:
        return "" if cell and value in (0.0, 1.0) else "0, 1"
    if index < 2 and (value < 0 or value != int(value) or value >= 2.0**53):
        return "a whole number, 0 or above"
    return ""


def write_ascii(
    header: Header,
    numbers: Integers,
    stamps: Integers,
    samples: Analogs,
    states: States,
    file: str = "DAT",
) -> bytes:
    """Return the DAT file; raises ComtradeError for what the revision has no room for."""
    whole = samples.dtype == np.int32
    missing = samples == MISSING if whole else np.isnan(samples)
    if header.revision < 2013:
        kept = np.where(missing, 0, samples)
        if not whole or np.any(np.abs(kept + 0.5) > OLD_MISSING):
            low, high = (kept.min(), kept.max()) if kept.size else (0, 0)
            allowed = f"whole numbers from -99999 to 99998 in revision {header.revision}"
            raise ComtradeError(file, "", "counts", f"{low:g} to {high:g}", allowed)
    mark = str(OLD_MISSING) if header.revision < 2013 else ""
    length = max(1, PART // (8 * (2 + samples.shape[1] + states.shape[1])))
    texts = []
    for first in range(0, len(numbers), length):
        rows = slice(first, first + length)
        stamp = np.where(stamps[rows] == NO_STAMP, "", stamps[rows].astype("U20"))
        cells = (
            numbers[rows, None].astype("U20"),
            stamp[:, None],
            np.where(missing[rows], mark, samples[rows].astype("U32")),
            states[rows].astype("U1"),
        )
        lines = np.concatenate(cells, axis=1).tolist()
        texts.append("".join(map("{}\r\n".format, map(",".join, lines))))
    return "".join(texts).encode()
