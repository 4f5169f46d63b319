"""File objects (g70): what opens, reads, writes, closes and describes a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

UNKNOWN_SIZE = 0xFFFFFFFF


class FileMode(IntEnum):
    """What a file is opened for."""

    NULL = 0
    READ = 1
    WRITE = 2
    APPEND = 3


class FileKind(IntEnum):
    """What a descriptor describes."""

    DIRECTORY = 0
    FILE = 1


class FileResult(IntEnum):
    """The status octet of g70v4 and g70v6."""

    SUCCESS = 0
    PERMISSION_DENIED = 1
    INVALID_MODE = 2
    NOT_FOUND = 3
    LOCKED = 4
    TOO_MANY_OPEN = 5
    INVALID_HANDLE = 6
    WRITE_BLOCK_SIZE = 7
    COMM_LOST = 8
    CANNOT_ABORT = 9
    NOT_OPENED = 16
    HANDLE_EXPIRED = 17
    OVERRUN = 18
    FATAL = 19
    OUT_OF_SEQUENCE = 20
    UNDEFINED = 255


class Permission(IntFlag):
    """Who may do what with a file."""

    WORLD_EXECUTE = 0x001
    WORLD_WRITE = 0x002
    WORLD_READ = 0x004
    GROUP_EXECUTE = 0x008
    GROUP_WRITE = 0x010
    GROUP_READ = 0x020
    OWNER_EXECUTE = 0x040
    OWNER_WRITE = 0x080
    OWNER_READ = 0x100


@dataclass(frozen=True, slots=True)
class FileAuthentication:
    """g70v2: name and password in a request, the key for what follows in its answer."""

    user: str = ""
    password: str = ""
    key: int = 0


@dataclass(frozen=True, slots=True)
class FileCommand:
    """g70v3: opens or deletes a file. `created` is in ms since 1970 UTC."""

    name: str
    mode: int = FileMode.READ
    size: int = 0
    block_size: int = 1024
    created: int = 0
    permissions: int = 0
    key: int = 0
    request: int = 0


@dataclass(frozen=True, slots=True)
class FileStatus:
    """g70v4: what became of an open, a close, an abort; asks for the last two."""

    handle: int
    size: int = 0
    block_size: int = 0
    request: int = 0
    result: int = FileResult.SUCCESS
    text: str = ""


@dataclass(frozen=True, slots=True)
class FileBlock:
    """g70v5: one block of a file, or the wish to read it (then `data` is empty)."""

    handle: int
    number: int
    last: bool = False
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class FileBlockStatus:
    """g70v6: what became of one block."""

    handle: int
    number: int
    last: bool = False
    result: int = FileResult.SUCCESS
    text: str = ""


@dataclass(frozen=True, slots=True)
class FileDescriptor:
    """g70v7: what a file is. For a directory `size` is the number of entries.

    In a block of a directory these stand one after the other: see `descriptors`.
    """

    name: str
    kind: int = FileKind.FILE
    size: int = 0
    created: int = 0
    permissions: int = 0
    request: int = 0


@dataclass(frozen=True, slots=True)
class FileName:
    """g70v8: the name of a file, as the activation of a configuration takes it."""

    name: str


File = (
    FileAuthentication
    | FileCommand
    | FileStatus
    | FileBlock
    | FileBlockStatus
    | FileDescriptor
    | FileName
)
