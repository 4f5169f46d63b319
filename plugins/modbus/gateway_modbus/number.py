"""Numbers as registers: on columns out of the gateway, one by one into it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway_modbus.register import Order, RegisterType

Values = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint16]

_DTYPE = {
    RegisterType.INT16: ">i2",
    RegisterType.UINT16: ">u2",
    RegisterType.INT32: ">i4",
    RegisterType.UINT32: ">u4",
    RegisterType.INT64: ">i8",
    RegisterType.UINT64: ">u8",
    RegisterType.FLOAT32: ">f4",
    RegisterType.FLOAT64: ">f8",
}
_BCD_DIGITS = {RegisterType.BCD16: 4, RegisterType.BCD32: 8}


def limits_of(kind: RegisterType) -> tuple[float, float]:
    """Return the least and the greatest number of an integer type that a float64 can be."""
    if kind is RegisterType.BIT:
        return 0.0, 1.0
    if kind in _BCD_DIGITS:
        return 0.0, 10.0 ** _BCD_DIGITS[kind] - 1
    info = np.iinfo(np.dtype(_DTYPE[kind]))
    high = float(info.max)
    # 2**63 - 1 and 2**64 - 1 are no float64; the next one up does not fit.
    return float(info.min), high if int(high) <= info.max else float(np.nextafter(high, 0.0))


def is_float(kind: RegisterType) -> bool:
    return kind in (RegisterType.FLOAT32, RegisterType.FLOAT64)


def words_of(values: Values, kind: RegisterType, order: Order) -> Words:
    """Encode numbers as registers: uint16 (n, width), in the machine's own order.

    Integers are rounded and saturate at the limits of their type; NaN becomes 0 there.
    The bytes of `words.astype('>u2')` are what goes on the wire.
    """
    if is_float(kind):
        with np.errstate(over="ignore"):
            raw = np.ascontiguousarray(values.astype(_DTYPE[kind]))
    else:
        whole = np.clip(np.nan_to_num(np.rint(values), posinf=np.inf, neginf=-np.inf),
                        *limits_of(kind))  # fmt: skip
        if kind in _BCD_DIGITS:
            raw = _bcd(whole, _BCD_DIGITS[kind])
        else:
            raw = np.ascontiguousarray(whole.astype(_DTYPE.get(kind, ">u2")))
    words = raw.view(">u2").reshape(len(values), kind.width)
    if order.swaps_words:
        words = words[:, ::-1]
    out = words.astype(np.uint16)
    return out.byteswap() if order.swaps_bytes else out


def number_of(words: Sequence[int], kind: RegisterType, order: Order) -> float:
    """Decode the registers of one value, the inverse of `words_of`; NaN for what is no BCD."""
    raw = b"".join(word.to_bytes(2, "big") for word in words)
    if order.swaps_bytes:
        raw = b"".join(word.to_bytes(2, "little") for word in words)
    if order.swaps_words:
        raw = b"".join(raw[at : at + 2] for at in range(len(raw) - 2, -1, -2))
    if kind in _BCD_DIGITS:
        return float(raw.hex()) if raw.hex().isdecimal() else math.nan
    if kind is RegisterType.BIT:
        return float(int.from_bytes(raw, "big"))
    return float(np.frombuffer(raw, _DTYPE[kind])[0])


def _bcd(whole: Values, digits: int) -> npt.NDArray[np.generic]:
    """Pack decimal digits into half bytes, big-endian."""
    left = whole.astype(np.uint32)
    packed = np.zeros(len(whole), np.uint32)
    for digit in range(digits):
        packed |= (left % 10) << (4 * digit)
        left //= 10
    return packed.astype(">u4" if digits == 8 else ">u2")
