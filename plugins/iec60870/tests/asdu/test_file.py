"""File transfer as the figures of 101 clause 7.3.6 and 104 clause 8.9 draw it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    NO_TIME,
    Acknowledgement,
    Asdu,
    AsduError,
    Call,
    Directory,
    DirectoryEntry,
    File,
    FileReady,
    LastSegment,
    QueryLog,
    SectionReady,
    Segment,
    Sizes,
    Use,
    encode_file,
    file,
    parse,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import DIRECTORY, FILES, FIRST, LAST, asdu


def test_the_table_has_every_type() -> None:
    """No type of file transfer is left out."""
    known = {kind for kind, one in LAYOUTS.items() if one.use is Use.FILE}
    assert {given.type for _, given in FILES} | {Directory.type} == known


@pytest.mark.parametrize(("octets", "given"), FILES)
def test_file_transfer(octets: str, given: File) -> None:
    """One object, read as it stands, and written to the same octets."""
    whole = asdu(given.type, octets, cause=13)
    assert file(parse(whole, IEC104), IEC104) == given
    assert encode_file(given, IEC104) == bytes.fromhex(octets)
    for length in range(len(whole)):
        with pytest.raises(AsduError) as caught:
            parse(whole[:length], IEC104)
        assert caught.value.offset == length
    with pytest.raises(AsduError):
        parse(whole + b"\0", IEC104)


def test_a_directory() -> None:
    """Files after one object address, each with the time of its creation."""
    whole = asdu(126, f"05 00 00 {FIRST} {LAST}", 0x82, 5)
    assert file(parse(whole, IEC104), IEC104) == DIRECTORY
    body = encode_file(DIRECTORY, IEC104)
    assert Asdu(126, 5, 10, body, 2, sequence=True).encode(IEC104) == whole
    for length in range(len(whole)):
        with pytest.raises(AsduError) as caught:
            parse(whole[:length], IEC104)
        assert caught.value.offset == length
    alone = Directory(5, DIRECTORY.entries[:1])
    for structure in (1, 0x81):
        assert file(parse(asdu(126, f"05 00 00 {FIRST}", structure), IEC104), IEC104) == alone


def test_a_directory_that_is_none() -> None:
    """Without files, with an address for each file, beyond 127 files or the last address."""
    with pytest.raises(AsduError, match="0 entries of a directory, allowed: 1 to 127"):
        file(parse(asdu(126, "", 0x80), IEC104), IEC104)
    apart = parse(asdu(126, f"05 00 00 {FIRST} 06 00 00 {LAST}", 2), IEC104)
    with pytest.raises(AsduError, match="2 objects with an address each, allowed: a sequence"):
        file(apart, IEC104)
    with pytest.raises(AsduError, match="0 entries of a directory, allowed: 1 to 127"):
        encode_file(Directory(5, ()), IEC104)
    with pytest.raises(AsduError, match="128 entries of a directory, allowed: 1 to 127"):
        encode_file(Directory(5, DIRECTORY.entries * 64), IEC104)
    with pytest.raises(AsduError, match="object 256, allowed: 0 to 255"):
        encode_file(Directory(255, DIRECTORY.entries), Sizes(1, 1, 1))
    with pytest.raises(AsduError, match="octets of objects, allowed: 29 for 2 of F_DR_TA_1"):
        file(Asdu(126, 5, 1, bytes(20), 2, sequence=True), IEC104)


def test_a_file_without_a_time() -> None:
    """An impossible time of creation is none, and is not written again."""
    none = "01 00 00 00 00 00 00 00 00 00 00 00 00"
    found = file(parse(asdu(126, f"05 00 00 {none}", 0x81), IEC104), IEC104)
    assert found == Directory(5, (DirectoryEntry(1, 0, 0, NO_TIME, 0x80),))
    with pytest.raises(AsduError, match="time -1"):
        encode_file(found, IEC104)


@pytest.mark.parametrize("count", [0, 2])
def test_an_asdu_with_none_or_several(count: int) -> None:
    """All but the directory come alone."""
    found = parse(asdu(122, "05 00 00 01 00 00 01" * count, count), IEC104)
    with pytest.raises(AsduError, match=f"octet 1 of the ASDU: found {count} objects, allowed: 1"):
        file(found, IEC104)
    with pytest.raises(AsduError, match="octet 1 of the ASDU: found 0 objects, allowed: 1"):
        file(parse(asdu(125, "", 0), IEC104), IEC104)


@pytest.mark.parametrize("kind", [1, 45, 100, 200])
def test_what_is_no_file_transfer(kind: int) -> None:
    """Refused, with the types that are."""
    with pytest.raises(AsduError, match=f"type {kind}, allowed: file: 120, 121, 122"):
        file(Asdu(kind, 13, 1, bytes(4)), IEC104)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (FileReady(5, 65536, 0), "octet 9 .* file 65536, allowed: 0 to 65535"),
        (FileReady(5, 0, 1 << 24), "length 16777216, allowed: 0 to 16777215"),
        (SectionReady(5, 0, 256, 0), "section 256, allowed: 0 to 255"),
        (Call(5, 0, 0, 256), "qualifier 256, allowed: 0 to 255"),
        (LastSegment(5, 0, 0, 0, -1), "checksum -1, allowed: 0 to 255"),
        (Acknowledgement(1 << 24, 0, 0, 0), "object 16777216, allowed"),
        (Segment(5, 0, 0, bytes(256)), "a segment of 256 octets, allowed: 0 to 255"),
        (Segment(5, -1, 0, b""), "file -1, allowed"),
        (Directory(5, (DirectoryEntry(1, 0, 256, 0),)), "status 256, allowed: 0 to 255"),
        (QueryLog(5, 1, -1, 0), "time -1, allowed"),
        (QueryLog(5, 1, 0, 1 << 50), "time 1125899906842624, allowed"),
    ],
)
def test_file_transfer_that_cannot_be_said(given: File, text: str) -> None:
    """Every field has its octets."""
    with pytest.raises(AsduError, match=text):
        encode_file(given, IEC104)
