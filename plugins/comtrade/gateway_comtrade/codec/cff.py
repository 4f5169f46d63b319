"""Single-file recordings, CFF (IEC 60255-24:2013, clause 10): sections CFG, INF, HDR and DAT."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_comtrade.codec.error import ComtradeError, excerpt
from gateway_comtrade.codec.recording import FORMATS, Format

_SEPARATOR = re.compile(
    rb"^[ \t]*---[ \t]*file[ \t]+type:[ \t]*([A-Za-z]+)(?:[ \t]+([A-Za-z0-9]+))?"
    rb"(?:[ \t]*:[ \t]*(\d{1,12}))?[ \t]*---[ \t]*(?:\r\n|\n|\r|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_NAMES = ("CFG", "INF", "HDR", "DAT")


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections of a CFF file; `binary` says whether that of the data is not text."""

    cfg: bytes
    dat: bytes
    hdr: bytes = b""
    inf: bytes = b""


def split_cff(data: bytes, file: str = "CFF") -> Sections:
    """Return the sections; raises ComtradeError where one is missing, double or cut off."""
    found: dict[str, bytes] = {}
    separator = _SEPARATOR.search(data)
    if separator is None or data[: separator.start()].strip(b"\xef\xbb\xbf \t\r\n"):
        first = excerpt(data[:60].split(b"\n")[0].decode("latin-1").strip())
        raise ComtradeError(file, 1, "file type", first, "--- file type: CFG ---")
    while separator is not None:
        name = separator[1].decode().upper()
        place = data.count(b"\n", 0, separator.start()) + 1
        if name not in _NAMES or name in found:
            allowed = ", ".join(one for one in _NAMES if one not in found) or "no more"
            raise ComtradeError(file, place, "file type", name, allowed)
        begin = separator.end()
        following = _SEPARATOR.search(data, begin)
        end = following.start() if following else len(data)
        if name == "DAT" and _binary(separator, place, file):
            # Binary data may look like a separator; its length is what counts.
            size = int(separator[3]) if separator[3] else len(data) - begin
            if size > len(data) - begin:
                has = f"{len(data) - begin} bytes"
                raise ComtradeError(file, place, "DAT", has, f"{size}, as its separator says")
            end = begin + size
            following = _SEPARATOR.search(data, end)
        found[name] = data[begin:end]
        separator = following
    for name in ("CFG", "DAT"):
        if name not in found:
            raise ComtradeError(file, "", "file type", ", ".join(found), f"a section {name}")
    return Sections(found["CFG"], found["DAT"], found.get("HDR", b""), found.get("INF", b""))


def _binary(separator: re.Match[bytes], place: int, file: str) -> bool:
    kind: str = (separator[2] or b"ASCII").decode().upper()
    if kind not in FORMATS:
        raise ComtradeError(file, place, "file type: DAT", kind, ", ".join(FORMATS))
    return kind != Format.ASCII


def join_cff(sections: Sections, kind: Format) -> bytes:
    """Return the CFF file of these sections."""
    size = "" if kind is Format.ASCII else f": {len(sections.dat)}"
    parts = [("CFG", sections.cfg), ("INF", sections.inf), ("HDR", sections.hdr)]
    text = b"".join(
        f"--- file type: {name} ---\r\n".encode()
        + body
        + (b"" if body.endswith(b"\n") else b"\r\n")
        for name, body in parts
    )
    return text + f"--- file type: DAT {kind.value}{size} ---\r\n".encode() + sections.dat
