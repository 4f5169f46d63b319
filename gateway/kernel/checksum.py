"""The checks of frames, for protocols that carry them: `checksum.crc_dnp(data)`."""

from __future__ import annotations

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError

_crc_dnp = lib.gw_crc_dnp
_seal_dnp = lib.gw_dnp_seal
_open_dnp = lib.gw_dnp_open
_OPEN: int = lib.GW_DNP_OPEN
_SEALED: int = lib.GW_DNP_SEALED
_BAD_CHECK: int = lib.GW_BAD_CHECK


def crc_dnp(data: bytes) -> int:
    """Return the CRC-16/DNP, which goes on the wire low octet first (IEEE 1815-2012, 9.2)."""
    crc: int = _crc_dnp(data, len(data))
    return crc


def seal_dnp(frame: bytes) -> bytes:
    """Put the checks into a frame of DNP3: after its header of 8 octets and each 16 of its data.

    Raises ValueError for a frame of fewer than 8 octets or more than 258.
    """
    out = ffi.new("uint8_t[]", _SEALED)
    made: int = _seal_dnp(frame, len(frame), out, _SEALED)
    if made < 0:
        raise KernelError(made, f"{len(frame)} octets, not 8..{_OPEN}")
    whole: bytes = ffi.buffer(out, made)[:]
    return whole


def open_dnp(frame: bytes) -> bytes | None:
    """Verify the checks of a frame of DNP3, or of its header alone, and take them out.

    Returns None where a check is not that of its block.
    Raises ValueError where no frame has that length: 10..292, and a block has a check and data.
    """
    out = ffi.new("uint8_t[]", _OPEN)
    made: int = _open_dnp(frame, len(frame), out, _OPEN)
    if made == _BAD_CHECK:
        return None
    if made < 0:
        raise KernelError(made, f"{len(frame)} octets, not 10..{_SEALED} in whole blocks")
    data: bytes = ffi.buffer(out, made)[:]
    return data
