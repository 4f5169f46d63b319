"""docs/quality.md says what becomes of a quality and of an answer on their way."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gateway_iec60870.asdu import Cause
from gateway_iec60870.controlling.samples import EVENTS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "translation"))
from translation_table import KINDS, SAID, WORDS, cells  # noqa: E402

TEXT = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
OF = {"all": KINDS, "status, analog": ("status", "analog")}
"""What the page calls the kinds of points."""


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    body = TEXT[TEXT.index(f"\n{heading}\n") + len(heading) + 2 :]
    return re.split(r"^#+ ", body, maxsplit=1, flags=re.MULTILINE)[0]


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading, the head first, the rule left out."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [rows[0], *rows[2:]]


def plain(text: str) -> str:
    """Return words as the tables have them."""
    text = text.replace(", ", ",").replace("−", "-").replace("`", "")
    return "-" if text == "–" else text


# What arrives --------------------------------------------------------------------------------


def arriving(heading: str) -> set[tuple[str, str, str]]:
    """Return kind, word and quality of each word below a heading."""
    found: set[tuple[str, str, str]] = set()
    for *of, words, quality in table(heading)[1:]:
        kinds = OF.get(of[0], (of[0],)) if of else KINDS
        for word in words.split(", "):
            for kind in kinds:
                assert (kind, plain(word), plain(quality)) not in found
                found.add((kind, plain(word), plain(quality)))
    return found


def test_every_word_that_arrives_is_told() -> None:
    """The tables of what arrives are the tested ones, word by word."""
    headings = {
        "iec104": "### From IEC 101 and 104",
        "dnp3": "### From DNP3",
        "opcua": "### From OPC UA",
        "modbus": "### From Modbus",
        "c37118": "### From C37.118",
    }
    assert {row.protocol for row in WORDS} == {*headings, "mqtt"}
    for protocol, heading in headings.items():
        rows = [row for row in WORDS if row.protocol == protocol]
        assert arriving(heading) == {(row.kind, row.word, row.quality) for row in rows}


# What leaves ---------------------------------------------------------------------------------


def leaving(heading: str, columns: tuple[str, ...]) -> dict[str, dict[str, tuple[str, str]]]:
    """Return by quality and column the word, and what is read of it."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for name, *said in table(heading)[1:]:
        row: dict[str, tuple[str, str]] = {}
        for column, cell in zip(columns, said, strict=True):
            word, _, back = cell.partition(" → ")
            row[column] = (plain(word), plain(back or name))
        assert plain(name) not in found
        found[plain(name)] = row
    return found


def test_every_quality_that_leaves_is_told() -> None:
    """The tables of what leaves are the tested ones, with what is lost behind the arrows."""
    told = {
        "### To IEC 101 and 104": ("iec104.status", "iec104.analog", "iec104.counter"),
        "### To DNP3": ("dnp3.status", "dnp3.analog", "dnp3.counter"),
        "### To OPC UA, Sparkplug B and Modbus": ("opcua", "sparkplug", "modbus"),
        "### To C37.118": ("c37118",),
    }
    columns = {column for some in told.values() for column in some}
    assert columns | {"mqtt"} == set(SAID["good"])
    for heading, some in told.items():
        assert leaving(heading, some) == {
            name: {column: tuple(row[column]) for column in some} for name, row in SAID.items()
        }


def test_answers_are_told() -> None:
    """The table of answers is the tested one, with what another gateway reads of each word."""
    columns = ("dnp3", "iec104", "opcua", "modbus")
    assert leaving("## Answers to commands", columns) == {
        name: {column: tuple(row[column]) for column in columns}
        for name, row in cells("answers.csv", "status").items()
    }


# Causes --------------------------------------------------------------------------------------


def numbers(text: str) -> set[int]:
    """Return the numbers of a text, and all between those with a dash between."""
    spans = re.findall(r"(\d+)(?:–(\d+))?", text)
    return {one for first, last in spans for one in range(int(first), int(last or first) + 1)}


def test_causes_are_told() -> None:
    """What the page calls events the controlling station takes for events, and no other cause that
    a measurement may have (IEC 60870-5-101:2003 clause 7.2.3)."""
    events, others = (numbers(row[0]) for row in table("## Causes of transmission")[1:])

    assert events == {int(cause) for cause in EVENTS} == {3, 11, 12}
    assert others == {1, 2, 5, *range(20, 42)} & {int(cause) for cause in Cause}
