"""APDUs as short words, packed and read here by hand from IEC 60870-5-104:2006, 5.1 and 5.3.

`I3/5:ab` is an I frame with N(S) 3, N(R) 5 and the ASDU `ab`; `S5` acknowledges with N(R) 5;
`STARTDT` is an act and `STARTDT.con` its con, likewise STOPDT and TESTFR.
"""

from __future__ import annotations

import re

U = {
    "STARTDT": "68 04 07 00 00 00",
    "STARTDT.con": "68 04 0B 00 00 00",
    "STOPDT": "68 04 13 00 00 00",
    "STOPDT.con": "68 04 23 00 00 00",
    "TESTFR": "68 04 43 00 00 00",
    "TESTFR.con": "68 04 83 00 00 00",
}
"""The six U frames: bits 3..8 of the first control octet, one of them set (5.1, figure 8)."""

U_OCTETS = {name: bytes.fromhex(octets) for name, octets in U.items()}
U_NAMES = {octets: name for name, octets in U_OCTETS.items()}


def octets(word: str) -> bytes:
    """The octets of one frame."""
    if word in U_OCTETS:
        return U_OCTETS[word]
    match = re.fullmatch(r"S(\d+)|I(\d+)/(\d+):(.+)", word)
    assert match is not None, word
    s, send, receive, asdu = match.groups()
    if s is not None:
        return bytes((0x68, 4, 1, 0, int(s) % 128 * 2, int(s) // 128))
    data = asdu.encode()
    numbers = (int(send) % 128 * 2, int(send) // 128, int(receive) % 128 * 2, int(receive) // 128)
    return bytes((0x68, 4 + len(data), *numbers)) + data


def stream(words: str) -> bytes:
    """The octets of several frames, one after the other."""
    return b"".join(octets(word) for word in words.split())


def word(data: bytes) -> str:
    """One frame in a word."""
    if data in U_NAMES:
        return U_NAMES[data]
    assert data[0] == 0x68
    assert data[1] == len(data) - 2
    receive = data[4] // 2 + data[5] * 128
    if data[2] & 1:
        assert (data[2], data[3], data[4] & 1, len(data)) == (1, 0, 0, 6)
        return f"S{receive}"
    assert data[4] & 1 == 0
    return f"I{data[2] // 2 + data[3] * 128}/{receive}:{data[6:].decode()}"


def words(data: bytes) -> str:
    """Frames in words, one after the other."""
    found = []
    while data:
        size = 2 + data[1]
        found.append(word(data[:size]))
        data = data[size:]
    return " ".join(found)
