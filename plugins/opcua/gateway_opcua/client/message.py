"""Publish and Republish responses: NotificationMessages, their values as columns."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import struct
from dataclasses import dataclass

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

from gateway_opcua.client.changes import Changes, decode
from gateway_opcua.client.source import Stamp

_DATA_CHANGE = ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary
_STATUS_CHANGE = ua.ObjectIds.StatusChangeNotification_Encoding_DefaultBinary


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A NotificationMessage (OPC 10000-4, 7.26).

    sequence: its number; of a keep-alive the number that the next one will have.
    changes:  values of each DataChangeNotification in it.
    status:   of a StatusChangeNotification; None without.
    empty:    whether it is a keep-alive.
    """

    sequence: int
    changes: tuple[Changes, ...]
    status: int | None
    empty: bool


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A Publish response (OPC 10000-4, 5.14.5); `results` are of the acknowledgements."""

    subscription: int
    available: tuple[int, ...]
    more: bool
    message: Message
    results: tuple[int, ...]


def published(body: bytes, stamp: Stamp) -> Published:
    """Decode a PublishResponse; raises ValueError, or UaError where its result is bad."""
    at = _header(body)
    try:
        (subscription,) = struct.unpack_from("<I", body, at)
        available, at = _numbers(body, at + 4)
        more = body[at] != 0
        message, at = _message(body, at + 1, stamp)
        results, _ = _numbers(body, at)
    except (struct.error, IndexError) as error:
        raise ValueError(f"a publish response that ends too early: {error}") from error
    return Published(subscription, available, more, message, results)


def republished(body: bytes, stamp: Stamp) -> Message:
    """Decode a RepublishResponse; raises ValueError, or UaError where its result is bad."""
    try:
        return _message(body, _header(body), stamp)[0]
    except (struct.error, IndexError) as error:
        raise ValueError(f"a republish response that ends too early: {error}") from error


def values(body: bytes, stamp: Stamp) -> Changes:
    """Decode the values of a ReadResponse; raises ValueError, or UaError."""
    return decode(body[_header(body) :], stamp, handles=False)[0]


def _header(body: bytes) -> int:
    """Return where the response begins behind its type and header."""
    buffer = Buffer(body)
    try:
        nodeid_from_binary(buffer)
        header = struct_from_binary(ua.ResponseHeader, buffer)
    except ua.UaError:
        raise
    except Exception as error:  # whatever asyncua stumbles over
        raise ValueError(f"a response that cannot be read: {error!r}") from error
    header.ServiceResult.check()
    return buffer.cur_pos


def _message(body: bytes, at: int, stamp: Stamp) -> tuple[Message, int]:
    sequence, _, count = struct.unpack_from("<Iqi", body, at)
    at += 16
    changes: list[Changes] = []
    status: int | None = None
    for _ in range(max(0, count)):
        kind, at = _type(body, at)
        encoding = body[at]
        at += 1
        if encoding == 0:
            continue
        (length,) = struct.unpack_from("<i", body, at)
        at += 4
        data = body[at : at + max(0, length)]
        if len(data) < length:
            raise IndexError("notification data")
        at += len(data)
        if encoding == 1 and kind == _DATA_CHANGE:
            changes.append(decode(data, stamp)[0])
        elif encoding == 1 and kind == _STATUS_CHANGE:
            (status,) = struct.unpack_from("<I", data)
    return Message(sequence, tuple(changes), status, count <= 0), at


def _type(body: bytes, at: int) -> tuple[int, int]:
    """Return the number of a type in namespace 0, or -1, and where it ends."""
    if body[at] == 0x00:
        return body[at + 1], at + 2
    if body[at] == 0x01:
        (number,) = struct.unpack_from("<H", body, at + 2)
        return (number if body[at + 1] == 0 else -1), at + 4
    buffer = Buffer(body, at)
    try:
        found = nodeid_from_binary(buffer)
    except Exception as error:  # whatever asyncua stumbles over
        raise ValueError(f"a notification of unknown type: {error!r}") from error
    number = found.Identifier if found.NamespaceIndex == 0 else -1
    return (number if isinstance(number, int) else -1), buffer.cur_pos


def _numbers(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    (count,) = struct.unpack_from("<i", body, at)
    count = max(0, count)
    return struct.unpack_from(f"<{count}I", body, at + 4), at + 4 + 4 * count
