"""The tables that were written by hand, `quality.csv` and `words.csv`, and words as qualities."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from gateway import Quality, quality_text

HERE = Path(__file__).parent
KINDS = ("status", "analog", "counter")

# The words of IEC 61850-7-3 clause 6.2, and the bits of its packed list.
_WORDS = {
    "good": 0x0000,
    "invalid": 0x0001,
    "reserved": 0x0002,
    "questionable": 0x0003,
    "overflow": 0x0004,
    "outOfRange": 0x0008,
    "badReference": 0x0010,
    "oscillatory": 0x0020,
    "failure": 0x0040,
    "oldData": 0x0080,
    "inconsistent": 0x0100,
    "inaccurate": 0x0200,
    "substituted": 0x0400,
    "test": 0x0800,
    "operatorBlocked": 0x1000,
}


def quality(text: str) -> Quality:
    """Return the quality that words say."""
    bits = 0
    for word in text.split(","):
        bits |= _WORDS[word]
    return Quality(bits)


def text(found: int) -> str:
    return quality_text(found)


class Said(NamedTuple):
    """A cell of what leaves: the word, and what is read of it elsewhere."""

    word: str
    back: str


class Word(NamedTuple):
    """A row of `words.csv`, for one kind; `again` is what is said of its quality."""

    protocol: str
    kind: str
    word: str
    quality: str
    again: str


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of this folder."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter=";"))


def cells(name: str, key: str) -> dict[str, dict[str, Said]]:
    """Return by row and column what is said, and what of that is read elsewhere."""
    found: dict[str, dict[str, Said]] = {}
    for row in rows(name):
        title = row.pop(key)
        assert title not in found, f"{title} stands in {name} twice"
        parts = {column: cell.partition(" => ") for column, cell in row.items()}
        found[title] = {
            column: Said(word, back or title) for column, (word, _, back) in parts.items()
        }
    return found


def _words() -> list[Word]:
    found = [
        Word(row["protocol"], kind, row["word"], row["quality"], row["again"] or row["word"])
        for row in rows("words.csv")
        for kind in (KINDS if row["kind"] == "any" else row["kind"].split())
    ]
    found += [Word("mqtt", kind, name, name, name) for name in SAID for kind in KINDS]
    return found


SAID = {
    # MQTT says the quality itself.
    name: {**row, "mqtt": Said(name, name)}
    for name, row in cells("quality.csv", "quality").items()
}
"""By quality and column, what leaves."""
WORDS = _words()
"""What arrives."""


def said(protocol: str, kind: str, name: str) -> Said:
    """Return what a protocol says of a quality."""
    row = SAID[name]
    return row.get(protocol) or row[f"{protocol}.{kind}"]
