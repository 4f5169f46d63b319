"""Recordings as bytes and as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gateway import reason
from gateway_comtrade.codec.ascii import read_ascii, write_ascii
from gateway_comtrade.codec.binary import read_binary, write_binary
from gateway_comtrade.codec.cff import Sections, join_cff, split_cff
from gateway_comtrade.codec.cfg import read_cfg
from gateway_comtrade.codec.cfg_out import write_cfg
from gateway_comtrade.codec.error import ComtradeError
from gateway_comtrade.codec.recording import (
    NO_STAMP,
    Format,
    Header,
    Integers,
    Recording,
)

MOST_BYTES = 2**30
"""Of one file; a recording of 32 channels at 14.4 kHz reaches it after nine minutes."""

LONGEST = 1e9
"""Seconds of a recording."""


def decode(sections: Sections, file: str = "recording", single: bool = False) -> Recording:
    """Return the recording of a CFG and a DAT file's bytes; raises ComtradeError."""
    names = {name: f"{file} [{name}]" if single else f"{file}.{name.lower()}" for name in _KINDS}
    header = read_cfg(text_of(sections.cfg), names["CFG"])
    read = read_ascii if header.format is Format.ASCII else read_binary
    numbers, stamps, samples, states = read(sections.dat, header, names["DAT"])
    if not header.rates and (np.any(stamps == NO_STAMP) or np.any(np.diff(stamps) < 0)):
        row = int(np.argmax((stamps == NO_STAMP) | (np.diff(stamps, prepend=0) < 0)))
        stamp = "none" if stamps[row] == NO_STAMP else str(stamps[row])
        allowed = "one not before that of the row above, because nrates is 0"
        raise ComtradeError(names["DAT"], row + 1, "timestamp", stamp, allowed)
    _check_length(header, stamps, names)
    texts = (text_of(sections.hdr), text_of(sections.inf))
    return Recording(header, numbers, stamps, samples, states, *texts)


def _check_length(header: Header, stamps: Integers, names: Mapping[str, str]) -> None:
    """Refuse what lasts so long that its times are no 64-bit nanoseconds."""
    seconds = sum(rate.last / rate.hertz for rate in header.rates)
    if not header.rates and len(stamps):
        seconds = float(stamps[-1]) * header.timemult * header.resolution / 1e9
    if seconds > LONGEST:
        field = "samp,endsamp" if header.rates else "timestamp"
        file = names["CFG" if header.rates else "DAT"]
        raise ComtradeError(file, "", field, f"{seconds:g} s", f"{LONGEST:g} s in all")


_KINDS = ("CFG", "DAT", "HDR", "INF")


def encode(recording: Recording, file: str = "recording") -> Sections:
    """Return the bytes of the four files; raises ComtradeError where it cannot be said in them."""
    header = recording.header
    if header.rows != len(recording):
        allowed = f"{len(recording)}, the rows that it has"
        raise ComtradeError(file, "", "endsamp", str(header.rows), allowed)
    write = write_ascii if header.format is Format.ASCII else write_binary
    columns = (recording.numbers, recording.stamps, recording.samples, recording.states)
    dat = write(header, *columns, f"{file}.dat")
    cfg = write_cfg(header, f"{file}.cfg").encode()
    return Sections(cfg, dat, recording.hdr.encode(), recording.inf.encode())


def text_of(data: bytes) -> str:
    """Decode a text: UTF-8 as of 2013, or, where it is not that, Latin-1."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read(path: Path) -> Recording:
    """Return the recording of a .cfg file, with the .dat, .hdr and .inf beside it, or of a .cff
    file; raises ComtradeError.
    """
    if path.suffix.lower() == ".cff":
        return decode(split_cff(_bytes(path), path.name), path.name, single=True)
    if path.suffix.lower() != ".cfg":
        raise ComtradeError(str(path), "", "name", f"'{path.suffix}'", ".cfg, .cff")
    beside = _beside(path)
    if ".dat" not in beside:
        raise ComtradeError(str(path), "", "files", "no .dat beside it", "both")
    cfg, dat = _bytes(path), _bytes(beside[".dat"])
    hdr, inf = (_bytes(beside[name]) if name in beside else b"" for name in (".hdr", ".inf"))
    return decode(Sections(cfg, dat, hdr, inf), path.stem)


def read_header(path: Path) -> Header:
    """Return what a .cfg or .cff file says of its recording; raises ComtradeError."""
    if path.suffix.lower() == ".cff":
        return read_cfg(text_of(split_cff(_bytes(path), path.name).cfg), f"{path.name} [CFG]")
    return read_cfg(text_of(_bytes(path)), path.name)


def write(recording: Recording, path: Path) -> None:
    """Write a .cff file, or a .cfg file with what belongs beside it; the CFG comes last.

    Raises ComtradeError, OSError.
    """
    sections = encode(recording, path.stem)
    if path.suffix.lower() == ".cff":
        if recording.header.revision < 2013:
            allowed = "2013 in a single file"
            raise ComtradeError(path.name, "", "rev_year", str(recording.header.revision), allowed)
        path.write_bytes(join_cff(sections, recording.header.format))
        return
    path.with_suffix(".dat").write_bytes(sections.dat)
    for suffix, text in ((".hdr", sections.hdr), (".inf", sections.inf)):
        if text:
            path.with_suffix(suffix).write_bytes(text)
        else:
            path.with_suffix(suffix).unlink(missing_ok=True)
    path.write_bytes(sections.cfg)


def _beside(path: Path) -> Mapping[str, Path]:
    """Find the files of a recording, whatever the case of their extensions."""
    try:
        return {
            other.suffix.lower(): other
            for other in sorted(path.parent.iterdir(), reverse=True)
            if other.stem == path.stem
        }
    except OSError as error:
        raise ComtradeError(str(path.parent), "", "folder", reason(error), "a folder") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ComtradeError(str(path), "", "file", reason(error), "a file to be read") from None
    if len(data) > MOST_BYTES:
        raise ComtradeError(path.name, "", "file", "more bytes", f"{MOST_BYTES} bytes")
    return data
