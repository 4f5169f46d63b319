"""Recordings: what is read from a file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from gateway_simulator.recording import read
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import LinkError, Quality

IDS = {"UA": 3, "TRIP": 8}


def test_a_recording_is_columns(tmp_path: Path) -> None:
    """Offsets are ns, names are ids, quality is flags; points nobody listed are counted."""
    file = tmp_path / "fault.csv"
    file.write_text(
        "\ufeffpoint,offset,value,quality\n"
        "UA,0,11.52,\n"
        "UB,0.5,11.5,good\n"
        'TRIP,0.5,1,"invalid,oldData"\n'
        "UA,1e3,-0.25,questionable inaccurate\n"
    )
    recording = read(file, IDS)
    assert recording.offset.tolist() == [0, 500_000_000, 1_000_000_000_000]
    assert recording.point.tolist() == [3, 8, 3]
    assert recording.value.tolist() == [11.52, 1.0, -0.25]
    # IEC 61850-7-3: validity in bits 0 and 1; oldData bit 7, inaccurate bit 9
    assert recording.quality.tolist() == [0, 0x81, 0x203]
    assert recording.unlisted == 1


@pytest.mark.parametrize(
    ("word", "bits"),
    [
        ("good", 0),
        ("invalid", 0x0001),
        ("questionable", 0x0003),
        ("invalid failure", 0x0041),
        ("questionable outOfRange", 0x000B),
        ("good substituted test", 0x0C00),
        ("good clockNotSynchronised", 0x2000),
    ],
)
def test_quality_words(tmp_path: Path, word: str, bits: int) -> None:
    """The words of IEC 61850-7-3 stand for its flags."""
    file = tmp_path / "q.csv"
    file.write_text(f"offset,point,value,quality\n0,UA,1,{word}\n")
    assert read(file, IDS).quality.tolist() == [Quality(bits)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "1: the columns are missing"),
        ("time,point,value\n", "1: the columns are time, point, value; they must be offset"),
        ("offset,point,value\n0,UA\n", "2: the row must have 3 cells"),
        ("offset,point,value\n0,UA,1,2\n", "2: the row must have 3 cells"),
        ("offset,point,value\n0,UA,high\n", "2: value is 'high', it must be a number"),
        ("offset,point,value\n0,UA,nan\n", "2: value is 'nan', it must be a number"),
        ("offset,point,value\n-1,UA,1\n", "2: offset -1 is before"),
        ("offset,point,value\n2,UA,1\n1,UA,1\n", "3: offset 1 is before that of the row above"),
        ("offset,point,value,quality\n0,UA,1,bad\n", "2: quality word 'bad' is none of"),
        ("offset,point,value\n0,XX,1\n", "none of its 1 samples is of a point of this source"),
        ('offset,point,value\n0,"UA,1\n', "unexpected end of data"),
        ("offset,point,value\n0,U\udcffA,1\n", "can't decode byte"),
    ],
)
def test_a_wrong_recording_is_refused_by_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    """What is wrong is named by file, line, what was found and what is allowed."""
    file = tmp_path / "wrong.csv"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(LinkError) as error:
        read(file, IDS)
    assert str(file) in str(error.value)
    assert sentence in str(error.value)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    """A file that is not there is a sentence with its path."""
    with pytest.raises(LinkError, match=r"gone\.csv: No such file"):
        read(tmp_path / "gone.csv", IDS)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda b: b"offset,point,value\n" + b))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_columns_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Any file is read into columns of one length with rising offsets, or gives a LinkError."""
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(data)
    try:
        recording = read(file, IDS)
    except LinkError:
        return
    assert len(recording.point) == len(recording.value) == len(recording.quality)
    assert (recording.offset[1:] >= recording.offset[:-1]).all()
