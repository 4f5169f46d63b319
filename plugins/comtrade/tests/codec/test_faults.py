"""What is wrong in a file is named: file, line, field, what was found, what is allowed."""

from __future__ import annotations

import pytest
from comtrade_typed import BINARY, TEXT, six
from gateway_comtrade.codec import ComtradeError, Sections, decode

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
