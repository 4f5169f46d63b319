"""File transfer."""

from __future__ import annotations

import pytest
from gateway_dnp3.objects import (
    File,
    FileAuthentication,
    FileBlock,
    FileBlockStatus,
    FileCommand,
    FileDescriptor,
    FileKind,
    FileMode,
    FileName,
    FileResult,
    FileStatus,
    ObjectError,
    Permission,
    descriptors,
    encode_descriptor,
    encode_file,
    files,
    split,
)

READABLE = Permission.OWNER_READ | Permission.GROUP_READ | Permission.WORLD_READ

# (object, its octets after qualifier, count and size), by hand from annex A
FILES: list[tuple[File, str]] = [
    (
        FileAuthentication("me", "key", 0),
        "0c000200" "0e000300" "00000000" "6d65" "6b6579",
    ),
    (
        FileCommand("a.txt", FileMode.READ, 0, 1024, 1234, READABLE, 5, 7),
        "1a000500" "d20400000000" "2401" "05000000" "00000000" "0100" "0004" "0700" "612e747874",
    ),
    (
        FileStatus(1, 100, 1024, 7, FileResult.NOT_FOUND, "no"),
        "01000000" "64000000" "0004" "0700" "03" "6e6f",
    ),
    (FileBlock(1, 2, False, b"data"), "01000000" "02000000" "64617461"),
    (FileBlock(1, 3, True, b""), "01000000" "03000080"),
    (FileBlockStatus(1, 3, True, FileResult.SUCCESS), "01000000" "03000080" "00"),
    (
        FileDescriptor("a", FileKind.FILE, 9, 1234, READABLE, 7),
        "14000100" "0100" "09000000" "d20400000000" "2401" "0700" "61",
    ),
    (FileName("config.bin"), "636f6e6669672e62696e"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "octets"), FILES)
def test_a_file_object_is_its_octets(file: File, octets: str) -> None:
    """Written as annex A draws it, and read back."""
    written = encode_file(file)
    assert written[2:4].hex() == "5b01"
    assert int.from_bytes(written[4:6], "little") == len(written) - 6
    assert written[6:].hex() == octets
    (header,) = split(written)
    assert files(header) == [file]


def test_several_in_one_header() -> None:
    """The count of 0x5B counts objects of different sizes."""
    (header,) = split(bytes.fromhex("46 08 5B 02 01 00 41 02 00 42 43"))
    assert files(header) == [FileName("A"), FileName("BC")]


def test_a_directory_is_a_file_of_descriptors() -> None:
    """Its blocks put together hold one descriptor after the other."""
    entries = [
        FileDescriptor("log", FileKind.DIRECTORY, 2),
        FileDescriptor("a.txt", FileKind.FILE, 9, 1234, READABLE),
    ]
    data = b"".join(encode_descriptor(one) for one in entries)
    assert descriptors(data) == entries
    assert descriptors(b"") == []
    for cut in (1, 19, 22, len(data) - 1):
        with pytest.raises(ObjectError):
            descriptors(data[:cut])


@pytest.mark.parametrize(
    "text",
    [
        "46 04 5B 01 02 00 01 00",
        "46 03 5B 01 1A 00 1A 00 05 00" + " 00" * 22,
        "46 07 5B 01 01 00 41",
        "46 01 5B 01 01 00 41",
        "47 05 5B 01 01 00 41",
    ],
)
def test_what_is_no_file_is_refused(text: str) -> None:
    """Cut objects, names beyond the end, the withdrawn g70v1, another group."""
    (header,) = split(bytes.fromhex(text))
    with pytest.raises(ObjectError):
        files(header)


@pytest.mark.parametrize(
    "file",
    [
        FileCommand("☃"),
        FileCommand("x", size=-1),
        FileBlock(1, 0, False, b"x" * 65536),
        FileStatus(1 << 32),
        FileDescriptor("x", created=1 << 48),
    ],
)
def test_a_file_object_that_cannot_be_said_is_refused(file: File) -> None:
    """Names outside Latin-1 and numbers beyond their octets."""
    with pytest.raises(ObjectError, match="allowed"):
        encode_file(file)
