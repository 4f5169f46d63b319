"""What a frame of sampled values says of itself, for people: who sends it, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ETHERTYPE = 0x88BA
_TAG = 0x8100
_SIMULATED = 0x8000
_PAIR = 8
_SYNCH = {0: "none", 1: "local", 2: "global"}


@dataclass(frozen=True, slots=True)
class FrameText:
    """APPID, ASDUs, and of the first ASDU svID, smpCnt, confRev, smpSynch and its values."""

    appid: int
    simulated: bool
    asdus: int
    sv_id: str
    count: int
    revision: int
    synch: int
    values: int

    def __str__(self) -> str:
        synch = _SYNCH.get(self.synch, str(self.synch))
        return (
            f"svID {self.sv_id}, APPID 0x{self.appid:04X}, confRev {self.revision}, "
            f"{self.asdus} ASDU{'s' if self.asdus > 1 else ''} of {self.values} values, "
            f"smpSynch {synch}{', simulated' if self.simulated else ''}"
        )


def describe(frame: bytes) -> FrameText | None:
    """Return what a frame says (IEC 61850-9-2 clause 8.5); None where it cannot be read.

    The kernel decides what is a stream's; this is for what an operator reads.
    """
    at = 12
    while int.from_bytes(frame[at : at + 2]) == _TAG:
        at += 4
    head = frame[at + 2 : at + 10]
    if int.from_bytes(frame[at : at + 2]) != ETHERTYPE or len(head) < 8:
        return None
    pdu = dict(_elements(frame[at + 10 :])).get(0x60, b"")
    parts = dict(_elements(pdu))
    first = next((value for tag, value in _elements(parts.get(0xA2, b"")) if tag == 0x30), b"")
    asdu = dict(_elements(first))
    if not {0x80, 0x82, 0x83, 0x85, 0x87} <= asdu.keys():
        return None
    return FrameText(
        appid=int.from_bytes(head[:2]),
        simulated=bool(int.from_bytes(head[4:6]) & _SIMULATED),
        asdus=int.from_bytes(parts.get(0x80, b"")[:2]),
        sv_id=asdu[0x80][:129].decode("ascii", "backslashreplace"),
        count=int.from_bytes(asdu[0x82][:4]),
        revision=int.from_bytes(asdu[0x83][:4]),
        synch=int.from_bytes(asdu[0x85][:1]),
        values=len(asdu[0x87]) // _PAIR,
    )


def _elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tags and values (X.690), as far as they can be read."""
    at = 0
    while at + 2 <= len(octets):
        tag, length, at = octets[at], octets[at + 1], at + 2
        if length > 0x7F:
            more = length - 0x80
            length, at = int.from_bytes(octets[at : at + more]), at + more
        if at + length > len(octets):
            return
        yield tag, octets[at : at + length]
        at += length
