"""Small files typed by hand, with the values that they must have."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_comtrade.codec import (
    MISSING,
    NO_STAMP,
    AnalogChannel,
    ComtradeError,
    Format,
    Rate,
    Sections,
    StatusChannel,
    decode,
    encode,
    split_cff,
)


def cfg(*lines: str) -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n"


SIX = [f"{n},X{n},,,A,1,0,0,-32767,32767,1,1,P" for n in range(1, 7)]
STATUSES = [f"{n},S{n},,,0" for n in range(1, 7)]
MOMENTS = ["01/02/2020,03:04:05.000006", "01/02/2020,03:04:05.000007"]


def six(kind: str) -> bytes:
    return cfg("S,D,1999", "12,6A,6D", *SIX, *STATUSES, "60", "1", "6000,1", *MOMENTS, kind, "1")


# IEEE C37.111-1999, clause 6: the same row in text and in binary, as public readers quote it.
TEXT = b"5, 667, -760, 1274, 72, 61, -140, -502,0,0,0,0,1,1\r\n"
BINARY = bytes.fromhex("05000000 9B020000 08FD FA04 4800 3D00 74FF 0AFE 3000".replace(" ", ""))


@pytest.mark.parametrize(("kind", "dat"), [("ASCII", TEXT), ("BINARY", BINARY)])
def test_the_row_of_the_standard(kind: str, dat: bytes) -> None:
    """The example of clause 6 has the numbers that stand beside it there."""
    found = decode(Sections(six(kind), dat))
    assert (found.numbers.tolist(), found.stamps.tolist()) == ([5], [667])
    assert found.samples.tolist() == [[-760, 1274, 72, 61, -140, -502]]
    assert found.states.tolist() == [[0, 0, 0, 0, 1, 1]]


def test_the_row_of_the_standard_is_written() -> None:
    """And is written to the bytes that stand there."""
    assert encode(decode(Sections(six("BINARY"), BINARY))).dat == BINARY
    assert encode(decode(Sections(six("ASCII"), TEXT))).dat == TEXT.replace(b" ", b"")


def test_more_than_sixteen_states() -> None:
    """The 17th status channel is bit 0 of the second word."""
    lines = [f"{n},S{n},,,0" for n in range(1, 19)]
    text = cfg("S,D,1999", "18,0A,18D", *lines, "60", "1", "6000,1", *MOMENTS, "BINARY", "1")
    dat = bytes.fromhex("01000000 FFFFFFFF 0180 0200".replace(" ", ""))
    found = decode(Sections(text, dat))
    assert np.flatnonzero(found.states[0]).tolist() == [0, 15, 17]
    assert found.stamps.tolist() == [NO_STAMP]


# The single-file example of IEC 60255-24:2013 as public readers carry it, cut to three rows;
# the -5h30 is theirs.
SMART = b"""--- file type: CFG ---
SMARTSTATION,IED123,2013
8,4A,4D
1,IA ,,Line123, A,0.1138916015625,0.05694580078125,0,-32768,32767,933,1,s
2,IB ,,Line123, A,0.1138916015625,0.05694580078125,0,-32768,32767,933,1,s
3,IC ,,Line123, A,0.1138916015625,0.05694580078125,0,-32768,32767,933,1,s
4,3I0,,Line123, A,0.1138916015625,0.05694580078125,0,-32768,32767,933,1,s
1,51A,,Line123,0
2,51B,,Line123,0
3,51C,,Line123,0
4,51N,,Line123,0
60
1
1200,3
12/01/2011,05:55:30.075011
12/01/2011,05:55:30.078261
ASCII
1
-5h30,-5h30
B,3
--- file type: INF ---

--- file type: HDR ---

--- file type: DAT ASCII ---
1,72500,-83,68,7,-8,0,0,0,0
2,73333,-15,5,4,-6,0,0,0,0
3,74167,55,-53,0,2,0,0,0,1
"""


def test_the_single_file() -> None:
    """Each field of the 2013 example; 12 January 2011 05:55:30.075011 at -5h30 is 11:25:30 UTC."""
    found = decode(split_cff(SMART))
    header = found.header
    assert header.analog[0] == AnalogChannel(
        *(1, "IA", "", "Line123", "A", 0.1138916015625, 0.05694580078125, 0.0),
        *(-32768.0, 32767.0, 933.0, 1.0, "S"),
    )
    assert header.status[3] == StatusChannel(4, "51N", "", "Line123", 0)
    assert (header.station, header.device, header.revision) == ("SMARTSTATION", "IED123", 2013)
    assert (header.rates, header.frequency) == ((Rate(1200.0, 3),), 60.0)
    assert (header.time_code, header.local_code, header.quality, header.leap) == (
        *(-19800, -19800, 11, 3),
    )
    # date -u -d '2011-01-12 11:25:30' +%s
    assert header.start_utc == 1294831530_075011000
    assert header.trigger_utc - header.start_utc == 3_250_000
    # -83 × 0.1138916015625 + 0.05694580078125
    assert found.values()[0, 0] == -9.39605712890625
    assert found.states[2].tolist() == [0, 0, 0, 1]
    assert found.offsets().tolist() == [0, 833333, 1666667]


OLD = cfg(
    *("S,D", "3,2A,1D", "1,UA,A,,kV,0.5,1,0,0,4095", "2,IA,A,,A,1,0,0,-2048,2047", "1,TRIP,1"),
    *("50", "1", "1000,2", "03/04/95,23:59:59.5", "12/31/95,00:00:00.25", "binary"),
)


def test_the_revision_of_1991() -> None:
    """No year, month before day, three fields for a status, no timemult; FFFF is missing where -1
    is no count of the channel."""
    dat = bytes.fromhex(
        "01000000 00000000 FFFF FFFF 0100 02000000 E8030000 0A00 F6FF 0000".replace(" ", "")
    )
    found = decode(Sections(OLD, dat))
    header = found.header
    assert (header.revision, header.format, header.timemult) == (1991, Format.BINARY, 1.0)
    # date -u -d '1995-03-04 23:59:59' +%s; date -u -d 1995-12-31 +%s
    assert (header.start, header.trigger) == (794361599_500000000, 820368000_250000000)
    assert header.status == (StatusChannel(1, "TRIP", "", "", 1),)
    assert found.samples.tolist() == [[MISSING, -1], [10, -10]]
    assert found.values()[1].tolist() == [6.0, -10.0]
    assert np.isnan(found.values()[0, 0])


def test_missing_data() -> None:
    """0x8000, 0x80000000, the least float, an empty field, and 99999 before 2013."""
    one = "1,X,,,A,2,0,0,-99999,99998,1,1,P"
    ends = ("60", "1", "6000,2", *MOMENTS)
    for revision, kind, dat in (
        ("1999", "BINARY", "01000000 00000000 0080 02000000 00000000 0300"),
        ("2013", "BINARY32", "01000000 00000000 00000080 02000000 00000000 03000000"),
        ("2013", "FLOAT32", "01000000 00000000 FFFF7FFF 02000000 00000000 00004040"),
    ):
        text = cfg(f"S,D,{revision}", "1,1A,0D", one, *ends, kind, "1", "0,0", "0,0")
        found = decode(Sections(text, bytes.fromhex(dat.replace(" ", ""))))
        assert np.isnan(found.values()[0, 0])
        assert found.values()[1, 0] == 6.0
    for revision, cell in (("1999", "99999"), ("1999", ""), ("2013", ""), ("2013", " ")):
        text = cfg(f"S,D,{revision}", "1,1A,0D", one, *ends, "ASCII", "1", "0,0", "0,0")
        found = decode(Sections(text, f"1,0,{cell}\r\n2,,3\r\n".encode()))
        assert found.samples.tolist() == [[MISSING], [3]]
        assert found.stamps.tolist() == [0, NO_STAMP]


def test_99999_is_a_count_since_2013() -> None:
    """Where the range of the channel has it."""
    one = "1,X,,,A,2,0,0,-200000,200000,1,1,P"
    ends = ("60", "1", "6000,1", *MOMENTS, "ASCII", "1", "0,0", "0,0")
    found = decode(Sections(cfg("S,D,2013", "1,1A,0D", one, *ends), b"1,0,99999"))
    assert found.samples.tolist() == [[99999]]


def test_rates_that_change() -> None:
    """Two rows at 1000 Hz, then at 500 Hz: 0, 1, 3 and 5 ms."""
    one = "1,X,,,A,2,0,0,-9,9,1,1,P"
    text = cfg("S,D,1999", "1,1A,0D", one, "60", "2", "1000,2", "500,4", *MOMENTS, "ASCII", "1")
    found = decode(Sections(text, b"1,0,1\n2,1000,1\n3,3000,1\n4,5000,1\n"))
    assert found.offsets().tolist() == [0, 1_000_000, 3_000_000, 5_000_000]


@pytest.mark.parametrize(
    ("moment", "unit"), [("01/02/2020,03:04:05.000006", 1000), ("01/02/2020,03:04:05.000006789", 1)]
)
def test_stamps_that_count(moment: str, unit: int) -> None:
    """nrates = 0: stamps in µs, or ns where times have nine digits, times timemult."""
    one = "1,X,,,A,2,0,0,-9,9,1,1,P"
    text = cfg("S,D,1999", "1,1A,0D", one, "60", "0", "0,3", moment, moment, "ASCII", "2.5")
    found = decode(Sections(text, b"1,100,1\n2,200,1\n3,250,1\n"))
    assert found.offsets().tolist() == [0, 250 * unit, 375 * unit]


BAD = [
    ("S,D,1999", "S,D,2005", "a.cfg:1: rev_year: found '2005', allowed: 1991, 1999, 2001, 2013"),
    ("12,6A,6D", "12,6B,6D", "a.cfg:2: TT,##A,##D: found '6B', allowed: a number and A"),
    ("12,6A,6D", "11,6A,6D", "a.cfg:2: TT: found 11, allowed: 6 + 6, which are named behind it"),
    ("2,X2,,,A,1,", "2,X2,,,A,,", "a.cfg:4: a: found '', allowed: a number"),
    ("2,X2,,,A,1,0,0", "2,X2", "a.cfg:4: An,ch_id,…: found 7 fields, allowed: 13 fields"),
    ("3,S3,,,0", "3,S3,,,2", "a.cfg:11: y: found '2', allowed: a whole number from 0 to 1"),
    (
        "6000,1",
        "6000,0",
        "a.cfg:17: endsamp: found '0', allowed: a whole number from 1 to 9999999999",
    ),
    (
        *("01/02/2020,03:04:05.000006", "31/02/2020,03:04:05.000006"),
        "a.cfg:18: first row: found '31/02/2020,03:04:05.000006', "
        "allowed: dd/mm/yyyy,hh:mm:ss.ssssss",
    ),
    ("ASCII", "EBCDIC", "a.cfg:20: ft: found 'EBCDIC', allowed: ASCII, BINARY, BINARY32, FLOAT32"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), BAD)
def test_what_is_wrong_in_a_cfg_is_named(old: str, new: str, sentence: str) -> None:
    """File, line, field, what was found and what is allowed."""
    text = six("ASCII").decode()
    assert old in text
    with pytest.raises(ComtradeError) as raised:
        decode(Sections(text.replace(old, new, 1).encode(), TEXT), "a")
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("dat", "sentence"),
    [
        (
            b"1,0,1,1,1,1,1\r\n",
            "a.dat:1: fields: found 7 fields, allowed: 14, as the CFG file says",
        ),
        (TEXT + TEXT, "a.dat: rows: found 2, allowed: 1, as endsamp says"),
        (b"", "a.dat: rows: found 0, allowed: 1, as endsamp says"),
        (TEXT.replace(b"61", b"6l"), "a.dat:1: A4 X4: found ' 6l', allowed: a number"),
        (TEXT.replace(b"1,1\r", b"1,2\r"), "a.dat:1: D6 S6: found '2', allowed: 0, 1"),
        (b"nan" + TEXT[1:], "a.dat:1: n: found 'nan', allowed: a number"),
    ],
)
def test_what_is_wrong_in_a_text_is_named(dat: bytes, sentence: str) -> None:
    """Line and channel of it."""
    with pytest.raises(ComtradeError) as raised:
        decode(Sections(six("ASCII"), dat), "a")
    assert str(raised.value) == sentence


def test_what_is_wrong_in_binary_is_named() -> None:
    """A row is 22 bytes long here."""
    with pytest.raises(ComtradeError) as raised:
        decode(Sections(six("BINARY"), BINARY[:-1]), "a")
    assert str(raised.value) == (
        "a.dat:byte 0: rows: found 21 bytes, 21 of them behind the last row, "
        "allowed: 1 rows of 22 bytes, as endsamp says"
    )
