"""Small files typed by hand, with the values that they must have."""

from __future__ import annotations

import numpy as np
import pytest
from comtrade_typed import BINARY, MOMENTS, TEXT, cfg, six
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
        # A signalling NaN, as a recorder may leave one in memory that it never wrote.
        ("2013", "FLOAT32", "01000000 00000000 0100A07F 02000000 00000000 00004040"),
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


def test_missing_data_in_the_text_of_1991() -> None:
    """999999 in six digits; 99999 is a count there."""
    text = OLD.replace(b"binary", b"ASCII")
    found = decode(Sections(text, b"1,0,999999,99999,1\r\n2,1000,-1,0,0\r\n"))
    assert found.samples.tolist() == [[MISSING, 99999], [-1, 0]]


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


def test_a_long_text_is_read_in_parts() -> None:
    """Each row is there once, with empty lines between; a wrong number is found by its line."""
    one = "1,X,,,A,2,0,0,-99999,99998,1,1,P"
    rows = 8_000
    text = cfg("S,D,1999", "1,1A,0D", one, "60", "1", f"6000,{rows}", *MOMENTS, "ASCII", "1")
    lines = [f"{n},{n * 10},{n % 1000 - 500}\r\n\r\n" for n in range(1, rows + 1)]
    found = decode(Sections(text, "".join(lines).encode()))
    assert found.numbers.tolist() == list(range(1, rows + 1))
    assert found.samples[:, 0].tolist() == [n % 1000 - 500 for n in range(1, rows + 1)]
    lines[7_000] = "7001,0,x\r\n\r\n"
    with pytest.raises(ComtradeError, match=r"a.dat:14001: A1 X: found 'x', allowed: a number"):
        decode(Sections(text, "".join(lines).encode()), "a")


def test_a_cfg_is_written_as_it_would_be_by_hand() -> None:
    """That of the single-file example, without its blanks, and with its letters in upper case."""
    sections = encode(decode(split_cff(SMART)))
    lines = SMART.decode().partition("CFG ---\n")[2].partition("---")[0].splitlines()
    plain = [line.replace("IA ", "IA").replace("IB ", "IB").replace("IC ", "IC") for line in lines]
    plain = [line.replace(", A,", ",A,").replace("1,s", "1,S") for line in plain]
    assert sections.cfg.decode().splitlines() == plain
    assert sections.dat == SMART.partition(b"ASCII ---\n")[2].replace(b"\n", b"\r\n")


def test_the_revision_of_1991_is_not_written() -> None:
    """And the sentence says what is."""
    dat = bytes(2 * (8 + 2 * 2 + 2))
    with pytest.raises(ComtradeError, match=r"rev_year: found 1991, allowed: 1999, 2013"):
        encode(decode(Sections(OLD, dat)))
