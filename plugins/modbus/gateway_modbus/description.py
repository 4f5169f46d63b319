"""Frames in words, for who looks at a trace; no I/O.

Whatever the octets are there is an answer, if only the part that can be read.
"""

from __future__ import annotations

from gateway import Dissector
from gateway_modbus import frame
from gateway_modbus.outcome import SENTENCE
from gateway_modbus.write import COIL, COILS, MASK, READ_WRITE, REGISTER, REGISTERS

NAMES = {1: "coil", 2: "discrete input", 3: "holding register", 4: "input register"}
SHOWN = 8  # registers whose values are shown
BITS = 32


def describe_mbap(one: bytes, *, asks: bool) -> str:
    """Return what a TCP frame asks, or answers, with unit and transaction; empty for no frame."""
    if len(one) < frame.MBAP.size + 1 or one[2] or one[3]:
        return ""
    transaction, _, _, unit = frame.MBAP.unpack_from(one)
    return f"{_pdu(one[7:], asks=asks)}, unit {unit}, transaction {transaction}"


def describe_rtu(one: bytes, *, asks: bool) -> str:
    """Return the same of a serial frame, and whether its check is wrong; empty for no frame."""
    if len(one) < 4:
        return ""
    wrong = "" if frame.crc(one[:-2]) == one[-2:] else ", its check is wrong"
    return f"{_pdu(one[1:-2], asks=asks)}, unit {one[0]}{wrong}"


def dissector(*, rtu: bool, serves: bool) -> Dissector:
    """Return what reads the frames in Wireshark, which tells requests from answers by the port."""
    return Dissector("mbrtu" if rtu else "mbtcp", port=502, serves=serves)


def _pdu(pdu: bytes, *, asks: bool) -> str:
    function = pdu[0]
    if not asks and function & frame.EXCEPTION and len(pdu) > 1:
        why = SENTENCE.get(pdu[1], "not one of the standard").partition(":")[0]
        return f"function {function & 0x7F} refused: exception {pdu[1]}, {why}"
    words = _request(function, pdu) if asks else _answer(function, pdu)
    return (
        words
        or f"function {function} {'request' if asks else 'answer'} of {_count(len(pdu), 'octet')}"
    )


def _request(function: int, pdu: bytes) -> str:
    if len(pdu) < 5:
        return ""
    first, second = _words(pdu[1:5])
    if function in NAMES:
        return f"read {_count(second, NAMES[function])} from {first}"
    if function == COIL:
        return f"write coil {first} = {_switch(second)}"
    if function == REGISTER:
        return f"write register {first} = {second:#06x}"
    if function == COILS:
        return f"write {_count(second, 'coil')} from {first} = {_bits(pdu[6:], second)}"
    if function == REGISTERS:
        return f"write {_count(second, 'register')} from {first} = {_registers(pdu[6:])}"
    if function == MASK and len(pdu) == 7:
        return f"mask register {first}: and {second:#06x}, or {_words(pdu[5:])[0]:#06x}"
    if function == READ_WRITE and len(pdu) >= 10:
        start, count = _words(pdu[5:9])
        written = f"write {_count(count, 'register')} from {start} = {_registers(pdu[10:])}"
        return f"{written}, then read {_count(second, NAMES[3])} from {first}"
    return ""


def _answer(function: int, pdu: bytes) -> str:
    if function in (1, 2) and len(pdu) > 1:
        return f"answer: {NAMES[function]}s {_bits(pdu[2:], 8 * pdu[1])}"
    if function in (3, 4, READ_WRITE) and len(pdu) > 1:
        name = NAMES.get(function, NAMES[3])
        return f"answer: {_count(pdu[1] // 2, name)}, {_registers(pdu[2:])}"
    if len(pdu) < 5:
        return ""
    first, second = _words(pdu[1:5])
    if function in (COIL, REGISTER):
        value = _switch(second) if function == COIL else f"{second:#06x}"
        return f"written: {'coil' if function == COIL else 'register'} {first} = {value}"
    if function in (COILS, REGISTERS):
        return (
            f"written: {_count(second, 'coil' if function == COILS else 'register')} from {first}"
        )
    return f"written: register {first} masked" if function == MASK else ""


def _words(data: bytes) -> list[int]:
    return [data[at] << 8 | data[at + 1] for at in range(0, len(data) - 1, 2)]


def _registers(data: bytes) -> str:
    shown = " ".join(f"{word:#06x}" for word in _words(data[: 2 * SHOWN]))
    return shown + (" …" if len(data) > 2 * SHOWN + 1 else "")


def _bits(data: bytes, count: int) -> str:
    most = min(count, 8 * len(data), BITS)
    shown = "".join(str(data[at >> 3] >> (at & 7) & 1) for at in range(most))
    return shown + (" …" if count > most else "")


def _switch(word: int) -> str:
    return {0xFF00: "on", 0: "off"}.get(word, f"{word:#06x}")


def _count(n: int, name: str) -> str:
    return f"{n} {name}" + ("" if n == 1 else "s")
