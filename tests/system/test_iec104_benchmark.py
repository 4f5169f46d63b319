"""The 104 benchmark as its user runs it, for a moment, and the yardstick that it measures with."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from benchmarks.iec104_judge import Heard  # noqa: E402
from benchmarks.iec104_wire import EPOCH, events, read  # noqa: E402

PATIENCE = 100.0
"""Seconds for a run; a machine may be busy."""


def said(module: str, *words: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("words", "points"),
    [
        ("--masters 2 --slow 1", "10,000"),
        ("--half receive --objects 1", "0"),
        ("--half send", "10,000"),
    ],
)
def test_a_run(words: str, points: str) -> None:
    """Events pass, all of them and in their order; an interrogation reads all points."""
    rate = ("--rate", "500", "--seconds", "0.5", "--stations", "2")
    found = said("iec104", *words.split(), *rate)
    assert re.search(r"^\d+ events/s offered, \d+ delivered ", found), found
    assert f"{points} points read in " in found
    assert found.endswith("; 0 wrong\n")


@pytest.mark.parametrize("half", ["receive", "send"])
def test_the_reference(half: str) -> None:
    """c104 stands in the gateway's place, and at this rate it loses nothing."""
    words = ("--rate", "500", "--seconds", "0.5", "--objects", "1")
    assert ", lost=0, " in said("iec104_reference", "--c104", half, *words)


def test_octets_of_events() -> None:
    """By hand: 101 clauses 7.3.1.24 (M_ME_TF_1) and 7.3.1.22 (M_SP_TB_1) with cause 3, station 1.

    Event 61,023 is the 24th measured value, 1 min 1.023 s after midnight; 380 the 81st point, on.
    """
    float_ = "24 01 03 00 01 00 18 00 00 00 5F 6E 47 00 FF 03 01 00 0E 0B 17"
    single = "1E 01 03 00 01 00 51 00 00 01 7C 01 00 00 0E 0B 17"
    asdus, done = events(np.array([61_023, 380, 381]), 1, 2)
    assert [asdu.hex(" ").upper() for asdu in asdus] == [float_, single]
    assert done == 2
    assert [column.tolist() for column in read(asdus[0])] == [[24], [61_023], [61_023]]
    assert [column.tolist() for column in read(asdus[1])] == [[81], [380], [1]]
    assert np.datetime64(EPOCH, "ms") == np.datetime64("2023-11-14")


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ([0, 1, 2, 100], 0),
        ([1, 0, 2, 100], 0),
        ([0, 1, 100], 1),
        ([0, 1, 2, 2, 100], 1),
        ([100, 1, 2, 0], 1),
    ],
    ids=["as they are", "points pass each other", "missing", "twice", "out of order"],
)
def test_what_is_wrong(numbers: list[int], wrong: int, tmp_path: Path) -> None:
    """Four events, of which the last is the second one of the first one's point."""
    made = np.full(101, np.nan)
    made[[0, 1, 2, 100]] = 1.0
    np.save(tmp_path / "made.npy", made)
    point, value = np.array(numbers) % 100, np.array(numbers)
    when = np.full(len(numbers), 1.25)
    np.savez(tmp_path / "heard-0.npz", when=when, point=point, number=numbers, value=value)
    heard = Heard.of(tmp_path, 0, 0, 101)
    assert heard.wrong == wrong + 97  # those that never happened here
    assert heard.delay == (250.0, 250.0, 250.0)
