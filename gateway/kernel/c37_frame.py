"""Frames of IEEE C37.118.2-2011: what they have in common, headers and commands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError

Octets: TypeAlias = bytes | bytearray | memoryview

LONGEST: int = lib.GW_C37_MOST
"""Octets of the longest frame."""
_BODY: int = lib.GW_C37_BODY
_LEAST: int = lib.GW_C37_LEAST


class FrameKind(IntEnum):
    """Bits 6-4 of SYNC (table 2)."""

    DATA = lib.GW_C37_DATA
    HEADER = lib.GW_C37_HEADER
    CONFIG_1 = lib.GW_C37_CONFIG_1
    CONFIG_2 = lib.GW_C37_CONFIG_2
    COMMAND = lib.GW_C37_COMMAND
    CONFIG_3 = lib.GW_C37_CONFIG_3


class Command(IntEnum):
    """CMD, the first two octets of a command's body (table 15)."""

    STOP = 1
    START = 2
    SEND_HEADER = 3
    SEND_CONFIG_1 = 4
    SEND_CONFIG_2 = 5
    SEND_CONFIG_3 = 6
    EXTENDED = 8

    def body(self, extension: bytes = b"") -> bytes:
        """Return the body of a command frame."""
        return self.to_bytes(2, "big") + extension


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, whatever its kind.

    idcode:       of the stream, or of the device that a command is for.
    second:       SOC, s since the Unix epoch, UTC; fraction: parts of TIME_BASE after it.
    time_quality: the highest octet of FRACSEC: leap seconds, and how far the clock may be off.
    version:      1 of 2005, 2 of 2011.
    """

    kind: FrameKind
    idcode: int
    body: bytes
    second: int = 0
    fraction: int = 0
    time_quality: int = 0
    version: int = 2

    def encode(self) -> bytes:
        """Return the octets, check included; raises ValueError for what a frame cannot say."""
        out = ffi.new("uint8_t[]", _LEAST + len(self.body))
        header = c_header(
            self.kind, self.idcode, self.second, self.fraction, self.time_quality, self.version
        )
        made: int = lib.gw_c37_seal(header, self.body, len(self.body), out, len(out))
        if made < 0:
            raise KernelError(made, f"{self.kind.name} of {len(self.body)} octets, {self.idcode}")
        whole: bytes = ffi.buffer(out, made)[:]
        return whole


def c_header(
    kind: int, idcode: int, second: int, fraction: int, time_quality: int, version: int
) -> Any:
    """Return what all frames say as the kernel takes it; raises ValueError where it cannot."""
    try:
        return ffi.new(
            "gw_c37_header *", (kind, version, idcode, 0, second, fraction, time_quality)
        )
    except OverflowError as error:
        raise KernelError(lib.GW_BAD_TIME, str(error)) from None


def crc(data: Octets) -> int:
    """Return the CRC-CCITT of annex B, which goes on the wire high octet first."""
    value: int = lib.gw_c37_crc(ffi.from_buffer("uint8_t[]", data), len(data))
    return value


def decode_frame(octets: Octets) -> tuple[Frame, int] | None:
    """Return the frame at the start, and its octets; None where more of them are needed.

    Raises KernelError where no frame begins there (GW_BAD_FRAME), or with a wrong check
    (GW_BAD_CHECK): `find_frame` says where to go on.
    """
    header = ffi.new("gw_c37_header *")
    size: int = lib.gw_c37_open(ffi.from_buffer("uint8_t[]", octets), len(octets), header)
    if size == 0:
        return None
    if size < 0:
        raise KernelError(size, bytes(octets[:16]).hex(" "))
    frame = Frame(
        FrameKind(header.kind),
        header.idcode,
        bytes(octets[_BODY : size - 2]),
        header.second,
        header.fraction,
        header.time_quality,
        header.version,
    )
    return frame, size


def find_frame(octets: Octets) -> int:
    """Return the next position, after the first octet, where a frame might begin."""
    at: int = lib.gw_c37_find(ffi.from_buffer("uint8_t[]", octets), len(octets))
    return at
