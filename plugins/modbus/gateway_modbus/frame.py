"""Modbus frames as bytes: the MBAP header, the CRC, read requests and their answers; no I/O.

MBAP (messaging on TCP/IP V1.0b section 3.1.3): transaction, protocol 0, length, unit, then the PDU.
"""

from __future__ import annotations

from struct import Struct

import numpy as np
import numpy.typing as npt

MBAP = Struct(">HHHB")
READ = Struct(">BHH")
HEADER = 6  # of the MBAP header, what stands before the bytes that its length counts
ANSWER = 3  # least length: unit, function, and at least a code
REQUEST = 2  # least length: unit and function
LONGEST = 254  # a PDU is at most 253 bytes
EXCEPTION = 0x80
MAX_REGISTERS = 125
MAX_BITS = 2000


class FrameError(Exception):
    """Bytes that are no Modbus frame, or not the one that was due."""

    def __init__(self, what: str, frame: bytes, offset: int) -> None:
        shown = frame[:32].hex(" ") + (" …" if len(frame) > 32 else "")
        super().__init__(f"{what} at byte {offset} of [{shown}]")


def read_request(unit: int, function: int, start: int, count: int) -> bytes:
    """Return the frame of a read without its first two bytes, the transaction."""
    return b"\0\0\0\x06" + bytes((unit,)) + READ.pack(function, start, count)


def answer_head(unit: int, function: int, size: int) -> bytes:
    """Return what stands between the transaction and the `size` data bytes of a good answer."""
    return b"\0\0" + (size + 3).to_bytes(2, "big") + bytes((unit, function, size))


def frame_length(frame: bytes, least: int = ANSWER) -> int:
    """Return how long the frame is that begins here, header included, or 0 for *not known yet*.

    Raises FrameError as soon as what is there cannot begin a frame.
    """
    if len(frame) >= 4 and (frame[2] or frame[3]):
        raise FrameError(f"protocol {frame[2] << 8 | frame[3]:#06x}, not 0", frame, 2)
    if len(frame) < HEADER:
        return 0
    length = frame[4] << 8 | frame[5]
    if not least <= length <= LONGEST:
        raise FrameError(f"length {length}, not {least}..{LONGEST}", frame, 4)
    return HEADER + length


def answer(frame: bytes, unit: int, function: int, size: int) -> bytes | int:
    """Take the data bytes, or the exception code, out of a whole frame of known length.

    Raises FrameError where it is not the answer to a read of `size` data bytes.
    """
    if frame[6] != unit:
        raise FrameError(f"unit {frame[6]} answers, {unit} was asked", frame, 6)
    if frame[7] == function | EXCEPTION:
        if len(frame) != 9:
            raise FrameError(f"exception of {len(frame)} bytes, not 9", frame, 4)
        if not frame[8]:
            raise FrameError("exception code 0", frame, 8)
        return frame[8]
    if frame[7] != function:
        raise FrameError(f"function {frame[7]} answers, {function} was asked", frame, 7)
    if frame[8] != size:
        raise FrameError(f"{frame[8]} data bytes, {size} were asked", frame, 8)
    if len(frame) != 9 + size:
        raise FrameError(f"{len(frame)} bytes, {9 + size} were due", frame, 4)
    return frame[9:]


def _crc_table() -> tuple[int, ...]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc(data: bytes | bytearray) -> bytes:
    """Return the check of a serial frame, low byte first (over serial line V1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def exception(function: int, code: int) -> bytes:
    """Return the PDU that refuses a request."""
    return bytes((function & 0x7F | EXCEPTION, code))


def mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Return a PDU as a TCP frame."""
    return MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def rtu(unit: int, pdu: bytes) -> bytes:
    """Return a PDU as a serial frame."""
    body = bytes((unit,)) + pdu
    return body + crc(body)


# Requests of fixed length on a serial line, unit and check included; 15 and 16 count their bytes.
_RTU_LENGTH = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 4, 8: 8, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6}
_RTU_COUNTED = {15: 6, 16: 6, 23: 10}


def rtu_request_length(frame: bytes | bytearray) -> int:
    """Return how long the serial request is that begins here, or 0 for *not known yet*.

    Raises FrameError for a function whose length nobody knows.
    """
    if len(frame) < 2:
        return 0
    function = frame[1]
    if function in _RTU_LENGTH:
        return _RTU_LENGTH[function]
    if function in _RTU_COUNTED:
        at = _RTU_COUNTED[function]
        return at + 3 + frame[at] if len(frame) > at else 0
    raise FrameError(f"function {function} has no known length", bytes(frame), 1)


def read_of(pdu: bytes) -> tuple[int, int] | None:
    """Return start and count of a read request's PDU, or None where it asks for no, too many
    or impossible registers (exception 3 in V1.1b3 figures 11 to 14)."""
    if len(pdu) != READ.size:
        return None
    function, start, count = READ.unpack(pdu)
    if not 0 < count <= (MAX_BITS if function <= 2 else MAX_REGISTERS):
        return None
    return start, count


def read_answer(function: int, words: npt.NDArray[np.uint16]) -> bytes:
    """Return the PDU that answers a read, from the registers or, for 1 and 2, the bits."""
    if function <= 2:
        data = np.packbits(words.astype(np.bool_), bitorder="little").tobytes()
    else:
        data = words.astype(">u2").tobytes()
    return bytes((function, len(data))) + data
