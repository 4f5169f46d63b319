"""File transfer (g70): the octets of the file objects."""

from __future__ import annotations

import struct
from collections.abc import Callable

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.file import (
    File,
    FileAuthentication,
    FileBlock,
    FileBlockStatus,
    FileCommand,
    FileDescriptor,
    FileName,
    FileStatus,
)
from gateway_dnp3.objects.header import ObjectHeader, header
from gateway_dnp3.objects.qualifier import Qualifier

LAST_BLOCK = 0x80000000
"""The bit of a block's number that says that it is the last one."""

_AUTHENTICATION = struct.Struct("<HHHHI")
_COMMAND = struct.Struct("<HHIHHIIHHH")
_STATUS = struct.Struct("<IIHHB")
_BLOCK = struct.Struct("<II")
_BLOCK_STATUS = struct.Struct("<IIB")
_DESCRIPTOR = struct.Struct("<HHHIIHHH")


def files(header: ObjectHeader) -> list[File]:
    """Return the file objects of a header; raise ObjectError where it holds none.

    g70v1, which the standard has withdrawn, is not read.
    """
    read = _READ.get(header.variation) if header.group == 70 else None
    if read is None or header.qualifier is not Qualifier.FREE:
        raise header.error("no file object", "g70v2 to g70v8 with 0x5B", Reason.UNKNOWN)
    found = []
    at = 0
    for _ in range(header.count):
        stop = at + 2 + int.from_bytes(header.data[at : at + 2], "little")
        octets = bytes(header.data[at + 2 : stop])
        at = stop
        try:
            found.append(read(octets))
        except (struct.error, IndexError):
            raise header.error(f"{len(octets)} octets", "the fixed part and its names") from None
    return found


def encode_file(file: File) -> bytes:
    """Return a file object with its header; raise ObjectError where a field does not fit."""
    variation, write = _WRITE[type(file)]
    try:
        octets = write(file)
        data = struct.pack("<H", len(octets)) + octets
    except (struct.error, OverflowError, UnicodeEncodeError) as error:
        raise ObjectError(
            0, f"{file}: {error}", "allowed: numbers of their sizes, names in Latin-1"
        ) from None
    return header(70, variation, Qualifier.FREE, count=1, data=data)


def descriptors(data: bytes) -> list[FileDescriptor]:
    """Return what a directory holds, from the blocks of it put together."""
    found = []
    at = 0
    while at < len(data):
        if len(data) - at < _DESCRIPTOR.size:
            raise ObjectError(
                at, f"{len(data) - at} octets", f"a descriptor has {_DESCRIPTOR.size}"
            )
        stop = at + _DESCRIPTOR.size + struct.unpack_from("<H", data, at + 2)[0]
        try:
            found.append(_read_descriptor(data[at:stop], fixed=True))
        except IndexError:
            raise ObjectError(at, f"a name that ends at {stop}", f"{len(data)} octets") from None
        at = stop
    return found


def encode_descriptor(file: FileDescriptor) -> bytes:
    """Return a descriptor as it stands in the blocks of a directory."""
    return encode_file(file)[6:]


def _text(octets: bytes, offset: int, size: int) -> str:
    """Return a name by its place from the object's first octet."""
    if offset + size > len(octets) and size:
        raise IndexError
    return octets[offset : offset + size].decode("latin-1")


def _read_authentication(octets: bytes) -> FileAuthentication:
    user, user_size, password, password_size, key = _AUTHENTICATION.unpack_from(octets)
    return FileAuthentication(
        _text(octets, user, user_size), _text(octets, password, password_size), key
    )


def _read_command(octets: bytes) -> FileCommand:
    name, length, low, high, permissions, key, size, mode, block, request = _COMMAND.unpack_from(
        octets
    )
    created = high << 32 | low
    return FileCommand(
        _text(octets, name, length), mode, size, block, created, permissions, key, request
    )


def _read_status(octets: bytes) -> FileStatus:
    handle, size, block_size, request, result = _STATUS.unpack_from(octets)
    text = octets[_STATUS.size :].decode("latin-1")
    return FileStatus(handle, size, block_size, request, result, text)


def _read_block(octets: bytes) -> FileBlock:
    handle, number = _BLOCK.unpack_from(octets)
    last = bool(number & LAST_BLOCK)
    return FileBlock(handle, number & ~LAST_BLOCK, last, octets[_BLOCK.size :])


def _read_block_status(octets: bytes) -> FileBlockStatus:
    handle, number, result = _BLOCK_STATUS.unpack_from(octets)
    text = octets[_BLOCK_STATUS.size :].decode("latin-1")
    return FileBlockStatus(handle, number & ~LAST_BLOCK, bool(number & LAST_BLOCK), result, text)


def _read_descriptor(octets: bytes, *, fixed: bool = False) -> FileDescriptor:
    name, length, kind, size, low, high, permissions, request = _DESCRIPTOR.unpack_from(octets)
    at = _DESCRIPTOR.size if fixed else name
    return FileDescriptor(
        _text(octets, at, length), kind, size, high << 32 | low, permissions, request
    )


def _read_name(octets: bytes) -> FileName:
    return FileName(octets.decode("latin-1"))


def _write_authentication(file: FileAuthentication) -> bytes:
    user, password = file.user.encode("latin-1"), file.password.encode("latin-1")
    start = _AUTHENTICATION.size
    return (
        _AUTHENTICATION.pack(start, len(user), start + len(user), len(password), file.key)
        + user
        + password
    )


def _write_command(file: FileCommand) -> bytes:
    name = file.name.encode("latin-1")
    return (
        _COMMAND.pack(
            _COMMAND.size,
            len(name),
            file.created & 0xFFFFFFFF,
            file.created >> 32,
            file.permissions,
            file.key,
            file.size,
            file.mode,
            file.block_size,
            file.request,
        )
        + name
    )


def _write_status(file: FileStatus) -> bytes:
    return _STATUS.pack(
        file.handle, file.size, file.block_size, file.request, file.result
    ) + file.text.encode("latin-1")


def _write_block(file: FileBlock) -> bytes:
    return _BLOCK.pack(file.handle, file.number | LAST_BLOCK * file.last) + file.data


def _write_block_status(file: FileBlockStatus) -> bytes:
    return _BLOCK_STATUS.pack(
        file.handle, file.number | LAST_BLOCK * file.last, file.result
    ) + file.text.encode("latin-1")


def _write_descriptor(file: FileDescriptor) -> bytes:
    name = file.name.encode("latin-1")
    return (
        _DESCRIPTOR.pack(
            _DESCRIPTOR.size,
            len(name),
            file.kind,
            file.size,
            file.created & 0xFFFFFFFF,
            file.created >> 32,
            file.permissions,
            file.request,
        )
        + name
    )


def _write_name(file: FileName) -> bytes:
    return file.name.encode("latin-1")


_READ: dict[int, Callable[[bytes], File]] = {
    2: _read_authentication,
    3: _read_command,
    4: _read_status,
    5: _read_block,
    6: _read_block_status,
    7: _read_descriptor,
    8: _read_name,
}
_WRITE: dict[type, tuple[int, Callable[..., bytes]]] = {
    FileAuthentication: (2, _write_authentication),
    FileCommand: (3, _write_command),
    FileStatus: (4, _write_status),
    FileBlock: (5, _write_block),
    FileBlockStatus: (6, _write_block_status),
    FileDescriptor: (7, _write_descriptor),
    FileName: (8, _write_name),
}
