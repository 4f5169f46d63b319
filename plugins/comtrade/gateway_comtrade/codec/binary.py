"""DAT files in BINARY, BINARY32 and FLOAT32 (IEC 60255-24:2013, clause 8.6)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gateway_comtrade.codec.error import ComtradeError
from gateway_comtrade.codec.recording import (
    FULL_FLOAT,
    MISSING,
    NO_STAMP,
    Analogs,
    Format,
    Header,
    Integers,
    States,
)

MISSING16 = -(2**15)
OLD_MISSING16 = -1
"""0xFFFF, in files of 1991; where the channel's range has -1 in it, it is a sample."""
NO_STAMP32 = 0xFFFF_FFFF
_TYPES = {Format.BINARY: "<i2", Format.BINARY32: "<i4", Format.FLOAT32: "<f4"}


def row_type(header: Header) -> np.dtype[np.void]:
    """Return the layout of a row: number, stamp, analog channels, words of 16 status channels."""
    fields: list[tuple[str, str, tuple[int, ...]]] = [("number", "<u4", ()), ("stamp", "<u4", ())]
    if header.analog:
        fields.append(("analog", _TYPES[header.format], (len(header.analog),)))
    if header.status:
        fields.append(("status", "<u2", (-(-len(header.status) // 16),)))
    return np.dtype(fields)


def read_binary(
    data: bytes, header: Header, file: str = "DAT"
) -> tuple[Integers, Integers, Analogs, States]:
    """Return numbers, stamps, samples and states; raises ComtradeError for a wrong length."""
    layout = row_type(header)
    whole, rest = divmod(len(data), layout.itemsize)
    if rest and set(data[-rest:]) <= {0x1A} and whole == header.rows:
        rest = 0
    if whole != header.rows or rest:
        allowed = f"{header.rows} rows of {layout.itemsize} bytes, as endsamp says"
        found = f"{len(data)} bytes" + (f", {rest} of them behind the last row" if rest else "")
        raise ComtradeError(file, f"byte {whole * layout.itemsize}", "rows", found, allowed)
    rows = np.frombuffer(data, layout, count=whole)
    stamps = rows["stamp"].astype(np.int64)
    stamps[rows["stamp"] == NO_STAMP32] = NO_STAMP
    samples: Analogs = np.zeros((whole, 0), np.int32)
    if header.analog:
        samples = _samples(rows["analog"], header)
    states = np.zeros((whole, 0), np.uint8)
    if header.status:
        words = np.ascontiguousarray(rows["status"]).view(np.uint8)
        states = np.unpackbits(words, axis=1, bitorder="little")[:, : len(header.status)]
    return rows["number"].astype(np.int64), stamps, samples, states


def _samples(stored: npt.NDArray[np.generic], header: Header) -> Analogs:
    if header.format is Format.FLOAT32:
        with np.errstate(invalid="ignore"):  # a signalling NaN is missing data as any other
            reals = stored.astype(np.float64)
        reals[~np.isfinite(reals) | (reals <= -FULL_FLOAT)] = np.nan
        return reals
    counts = stored.astype(np.int32)
    if header.format is Format.BINARY:
        if header.revision == 1991:
            never = np.array([not one.low <= OLD_MISSING16 <= one.high for one in header.analog])
            counts[(counts == OLD_MISSING16) & never] = MISSING
        counts[counts == MISSING16] = MISSING
    return counts


def write_binary(
    header: Header,
    numbers: Integers,
    stamps: Integers,
    samples: Analogs,
    states: States,
    file: str = "DAT",
) -> bytes:
    """Return the DAT file; raises ComtradeError for counts that do not fit."""
    rows = np.zeros(len(numbers), row_type(header))
    rows["number"] = numbers
    rows["stamp"] = np.where(stamps == NO_STAMP, NO_STAMP32, stamps)
    if header.analog:
        rows["analog"] = _stored(header, samples, file)
    if header.status:
        bits = np.zeros((len(numbers), rows["status"].shape[1] * 16), np.uint8)
        bits[:, : len(header.status)] = states
        rows["status"] = np.packbits(bits, axis=1, bitorder="little").view("<u2")
    return rows.tobytes()


def _stored(header: Header, samples: Analogs, file: str) -> npt.NDArray[np.generic]:
    whole = samples.dtype == np.int32
    missing = samples == MISSING if whole else np.isnan(samples)
    if header.format is Format.FLOAT32:
        reals = np.where(missing, -FULL_FLOAT, samples)
        if np.any(np.abs(reals) > FULL_FLOAT):
            found, allowed = f"up to {np.abs(reals).max():g}", f"up to {FULL_FLOAT:g} in FLOAT32"
            raise ComtradeError(file, "", "values", found, allowed)
        return reals.astype("<f4")
    least = MISSING if header.format is Format.BINARY32 else MISSING16
    kept = np.where(missing, 0, samples)
    if not whole or np.any(kept <= least) or np.any(kept >= -least):
        low, high = (kept.min(), kept.max()) if kept.size else (0, 0)
        allowed = f"whole numbers from {least + 1} to {-least - 1} in {header.format.value}"
        raise ComtradeError(file, "", "counts", f"{low:g} to {high:g}", allowed)
    return np.where(missing, least, kept)
