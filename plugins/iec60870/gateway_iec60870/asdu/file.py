"""File transfer: the types 120 to 126 (101 clause 7.3.6), and F_SC_NB_1, which 104 adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from gateway_iec60870.asdu.asdu import (
    MOST_OBJECTS,
    Asdu,
    check_length,
    object_address,
    one_object,
)
from gateway_iec60870.asdu.civil import read_one, write_one
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import Use
from gateway_iec60870.asdu.sizes import Sizes
from gateway_iec60870.asdu.type_id import TypeId


@dataclass(frozen=True, slots=True)
class FileReady:
    """F_FR_NA_1: `file` is the name NOF, `length` that of the file in octets, 24 bits.

    `qualifier` is the octet FRQ: 0x80 is a negative confirmation.
    """

    type: ClassVar[TypeId] = TypeId.F_FR_NA_1
    object: int
    file: int
    length: int
    qualifier: int = 0


@dataclass(frozen=True, slots=True)
class SectionReady:
    """F_SR_NA_1: `section` is the name NOS, `length` that of the section in octets, 24 bits.

    `qualifier` is the octet SRQ: 0x80 says that the section is not ready.
    """

    type: ClassVar[TypeId] = TypeId.F_SR_NA_1
    object: int
    file: int
    section: int
    length: int
    qualifier: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """F_SC_NA_1: calls a directory, a file or a section.

    `qualifier` is the octet SCQ: 1 select file, 2 request file, 3 deactivate file, 4 delete file,
    5 select section, 6 request section, 7 deactivate section; an error in the upper four bits.
    """

    type: ClassVar[TypeId] = TypeId.F_SC_NA_1
    object: int
    file: int
    section: int
    qualifier: int = 0


@dataclass(frozen=True, slots=True)
class LastSegment:
    """F_LS_NA_1: the last section or segment has been sent.

    `qualifier` is LSQ: 1 file without, 2 with deactivation, 3 section without, 4 with
    deactivation. `checksum` is CHS, the sum of the octets modulo 256.
    """

    type: ClassVar[TypeId] = TypeId.F_LS_NA_1
    object: int
    file: int
    section: int
    qualifier: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """F_AF_NA_1: `qualifier` is the octet AFQ: 1 file, 2 not, 3 section, 4 not; an error above."""

    type: ClassVar[TypeId] = TypeId.F_AF_NA_1
    object: int
    file: int
    section: int
    qualifier: int


@dataclass(frozen=True, slots=True)
class Segment:
    """F_SG_NA_1: octets of a section, as many as the ASDU has room for."""

    type: ClassVar[TypeId] = TypeId.F_SG_NA_1
    object: int
    file: int
    section: int
    data: bytes


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One file of a directory.

    `status` is the octet SOF: 0x20 last file of the directory, 0x40 the name of a subdirectory,
    0x80 being transferred. `time` and `clock` are of its creation, as in Columns.
    """

    file: int
    length: int
    status: int
    time: int
    clock: int = 0


@dataclass(frozen=True, slots=True)
class Directory:
    """F_DR_TA_1: files whose object addresses follow each other from `object` on.

    Its ASDU has `count` of the number of entries, and is a sequence.
    """

    type: ClassVar[TypeId] = TypeId.F_DR_TA_1
    object: int
    entries: tuple[DirectoryEntry, ...]


@dataclass(frozen=True, slots=True)
class QueryLog:
    """F_SC_NB_1 (104): asks for the log of a time; times and clocks as in Columns."""

    type: ClassVar[TypeId] = TypeId.F_SC_NB_1
    object: int
    file: int
    start: int
    stop: int
    start_clock: int = 0
    stop_clock: int = 0


File = (
    FileReady | SectionReady | Call | LastSegment | Acknowledgement | Segment | Directory | QueryLog
)

_OCTETS = {"file": 2, "section": 1, "length": 3, "qualifier": 1, "checksum": 1, "status": 1}
"""Octets of the fields that are numbers, in all types of file transfer."""

_PLAIN: dict[int, type[FileReady | SectionReady | Call | LastSegment | Acknowledgement]] = {
    one.type: one for one in (FileReady, SectionReady, Call, LastSegment, Acknowledgement)
}
"""Types whose objects are numbers, one field after the other."""


def file(asdu: Asdu, sizes: Sizes) -> File:
    """Return the object of an ASDU of the types 120 to 127; raise AsduError for others."""
    if asdu.type == TypeId.F_DR_TA_1:
        return _directory(asdu, sizes)
    ioa, octets = one_object(asdu, sizes, Use.FILE)
    if asdu.type in _PLAIN:
        found = _PLAIN[asdu.type]
        return found(ioa, *_numbers(octets, _names(found)))
    name = int.from_bytes(octets[:2], "little")
    if asdu.type == TypeId.F_SG_NA_1:
        return Segment(ioa, name, octets[2], octets[4:])
    (start, start_clock), (stop, stop_clock) = read_one(octets, 2), read_one(octets, 9)
    return QueryLog(ioa, name, start, stop, start_clock, stop_clock)


def encode_file(given: File, sizes: Sizes) -> bytes:
    """Return the object, the body of an ASDU of `given.type`; raise AsduError beyond its bits.

    That of a Directory is a sequence of as many objects as it has entries.
    """
    octets = object_address(given.object, sizes)
    at = sizes.head + sizes.object
    match given:
        case Directory():
            _check_entries(len(given.entries))
            object_address(given.object + len(given.entries) - 1, sizes)
            for one in given.entries:
                octets += _octets(one, ("file", "length", "status"), at)
                octets += write_one(one.time, one.clock)
        case Segment():
            if len(given.data) > 0xFF:
                raise AsduError(at, f"a segment of {len(given.data)} octets", "0 to 255")
            octets += _octets(given, ("file", "section"), at)
            octets += bytes([len(given.data)]) + given.data
        case QueryLog():
            octets += _octets(given, ("file",), at)
            octets += write_one(given.start, given.start_clock)
            octets += write_one(given.stop, given.stop_clock)
        case _:
            octets += _octets(given, _names(type(given)), at)
    return octets


def _directory(asdu: Asdu, sizes: Sizes) -> Directory:
    _check_entries(asdu.count)
    if asdu.count > 1 and not asdu.sequence:
        raise AsduError(1, f"{asdu.count} objects with an address each", "a sequence")
    check_length(asdu, sizes)
    ioa, octets = asdu.body[: sizes.object], asdu.body[sizes.object :]
    entries = []
    for at in range(0, len(octets), 13):
        name, length, status = _numbers(octets[at:], ("file", "length", "status"))
        entries.append(DirectoryEntry(name, length, status, *read_one(octets, at + 6)))
    return Directory(int.from_bytes(ioa, "little"), tuple(entries))


def _check_entries(count: int) -> None:
    if not 1 <= count <= MOST_OBJECTS:
        raise AsduError(1, f"{count} entries of a directory", f"1 to {MOST_OBJECTS}")


def _names(given: type[Any]) -> tuple[str, ...]:
    """Return the fields of a plain type in the order of the wire."""
    return tuple(one.name for one in fields(given) if one.name != "object")


def _numbers(octets: bytes, names: Sequence[str]) -> Iterator[int]:
    begin = 0
    for name in names:
        stop = begin + _OCTETS[name]
        yield int.from_bytes(octets[begin:stop], "little")
        begin = stop


def _octets(given: object, names: Sequence[str], at: int) -> bytes:
    octets = b""
    for name in names:
        value, size = getattr(given, name), _OCTETS[name]
        if not 0 <= value < 1 << 8 * size:
            raise AsduError(at + len(octets), f"{name} {value}", f"0 to {(1 << 8 * size) - 1}")
        octets += value.to_bytes(size, "little")
    return octets
