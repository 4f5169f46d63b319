"""Messages of the binary protocol in words, for who looks at a trace (OPC 10000-6, 7.1)."""

# mypy: disable-error-code="attr-defined,arg-type"

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception

from asyncua import ua

_SIZE = Struct("<I")
_HELLO = Struct("<IIIII")
_NUMBERS = Struct("<IIII")
_TEXT = Struct("<i")
_STATUS = 12
"""Octets of a response's header before its result: time stamp and handle (10000-4, 7.34)."""
_CHUNKS = {b"F": "", b"C": ", more to come", b"A": ", given up"}
_DISCOVERY = {b"HEL": "HEL hello", b"ACK": "ACK hello", b"RHE": "RHE reverse hello"}


def describe(data: bytes) -> str:
    """Return type, service and numbers of a message, as far as they are there; empty for none."""
    kind = data[:3]
    try:
        if kind in _DISCOVERY:
            return f"{_DISCOVERY[kind]}{_hello(kind, data)}"
        if kind == b"ERR":
            return f"ERR {_code(*_SIZE.unpack_from(data, 8))}{_text(data, 12, ': ')}"
        if kind == b"OPN":
            channel, *_ = _SIZE.unpack_from(data, 8)
            policy = _text(data, 12).rpartition("#")[2]
            return f"OPN open channel {channel}, policy {policy or 'unknown'}"
        if kind in (b"MSG", b"CLO"):
            return _message(kind.decode(), data)
    except (StructError, UnicodeDecodeError):
        return f"{kind.decode()} that is cut short"
    return ""


def _hello(kind: bytes, data: bytes) -> str:
    if kind == b"RHE":
        return ""
    _, receive, send, message, chunks = _HELLO.unpack_from(data, 8)
    where = _text(data, 28, " to ") if kind == b"HEL" else ""
    return (
        f"{where}, chunks of {receive} and {send} octets, messages of {message or 'any number'} "
        f"in {chunks or 'any number of'} chunks"
    )


def _message(kind: str, data: bytes) -> str:
    channel, _, number, request = _NUMBERS.unpack_from(data, 8)
    chunk = _CHUNKS.get(data[3:4], "")
    body = data[24:]
    service, size = _service(body)
    result = ""
    if service.endswith(("Response", "Fault")) and len(body) >= size + _STATUS + 4:
        result = f" {_code(*_SIZE.unpack_from(body, size + _STATUS))}"
    return (
        f"{kind} {service or 'goes on'}{result}, request {request}, channel {channel}, "
        f"number {number}, {len(body)} octets{chunk}"
    )


def _service(body: bytes) -> tuple[str, int]:
    """Return the name of a service, and the octets of its NodeId."""
    if body[:1] == b"\1" and body[1:2] == b"\0" and len(body) >= 4:
        number, size = int.from_bytes(body[2:4], "little"), 4
    elif body[:1] == b"\0" and len(body) >= 2:
        number, size = body[1], 2
    else:
        return "", 0
    name = ua.ObjectIdNames.get(number, "")
    if not name.endswith("_Encoding_DefaultBinary"):
        return f"type {number}", size
    return name.removesuffix("_Encoding_DefaultBinary"), size


def _code(code: int) -> str:
    name: str = ua.StatusCode(code & 0xFFFF_0000).name
    return name


def _text(data: bytes, at: int, before: str = "") -> str:
    (length,) = _TEXT.unpack_from(data, at)
    text = data[at + 4 : at + 4 + max(length, 0)].decode()
    return before + text if text else ""
