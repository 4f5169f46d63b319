"""Pieces of files typed by hand."""

from __future__ import annotations


def cfg(*lines: str) -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n"


SIX = [f"{n},X{n},,,A,1,0,0,-32767,32767,1,1,P" for n in range(1, 7)]
STATUSES = [f"{n},S{n},,,0" for n in range(1, 7)]
MOMENTS = ["01/02/2020,03:04:05.000006", "01/02/2020,03:04:05.000007"]


def six(kind: str) -> bytes:
    return cfg("S,D,1999", "12,6A,6D", *SIX, *STATUSES, "60", "1", "6000,1", *MOMENTS, kind, "1")


# IEEE C37.111-1999, clause 6: the same row in text and in binary, as public readers quote it.
TEXT = b"5, 667, -760, 1274, 72, 61, -140, -502,0,0,0,0,1,1\r\n"
BINARY = bytes.fromhex("05000000 9B020000 08FD FA04 4800 3D00 74FF 0AFE 3000".replace(" ", ""))
