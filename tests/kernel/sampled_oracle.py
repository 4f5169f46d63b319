"""A decoder of sampled values in plain Python, written from the standard's tables and never fast.

It shares nothing with the kernel: a frame becomes a tree of (tag, octets), and that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VALIDITY_WORST = [0b01, 0b10, 0b11, 0b00]


class MalformedError(Exception):
    """The octets are no sampled values."""


class ForeignError(Exception):
    """They are of another stream, or no sampled values at all."""


class UnfitError(Exception):
    """They are of the stream, but not as it was set up."""


@dataclass
class Asdu:
    sv_id: bytes
    count: int
    revision: int
    synch: int
    sample: bytes
    rate: int | None
    mode: int


def tree(octets: bytes) -> list[tuple[int, bytes]]:
    """Cut octets into BER elements with tags of one octet and definite lengths."""
    found = []
    while octets:
        if len(octets) < 2 or octets[0] % 32 == 31:
            raise MalformedError
        tag, length, octets = octets[0], octets[1], octets[2:]
        if length >= 128:
            n = length - 128
            if n not in (1, 2, 3, 4) or len(octets) < n:
                raise MalformedError
            length, octets = int.from_bytes(octets[:n], "big"), octets[n:]
        if length > len(octets):
            raise MalformedError
        found.append((tag, octets[:length]))
        octets = octets[length:]
    return found


def first(octets: bytes) -> tuple[int, bytes]:
    """The first element; what follows it is not looked at."""
    if len(octets) < 2:
        raise MalformedError
    n = octets[1] - 128 if octets[1] >= 128 else 0
    if n < 0 or n > 4 or (octets[1] >= 128 and n == 0) or len(octets) < 2 + n:
        raise MalformedError
    length = int.from_bytes(octets[2 : 2 + n], "big") if n else octets[1]
    return tree(octets[: 2 + n + length])[0] if length <= len(octets) - 2 - n else tree(octets)[0]


def asdu(octets: bytes) -> Asdu:
    parts = tree(octets)
    tags = [tag for tag, _ in parts]
    if tags != sorted(set(tags)) or any(tag < 0x80 for tag in tags):
        raise MalformedError
    value = dict(parts)
    if not {0x80, 0x82, 0x83, 0x85, 0x87} <= set(value):
        raise MalformedError
    for tag, length in {0x82: 2, 0x83: 4, 0x84: 8, 0x85: 1, 0x86: 2, 0x88: 2}.items():
        if tag in value and len(value[tag]) != length:
            raise MalformedError
    number = {tag: int.from_bytes(octets, "big") for tag, octets in value.items()}
    return Asdu(
        value[0x80], number[0x82], number[0x83], number[0x85], value[0x87],
        number.get(0x86), number.get(0x88, 0),
    )  # fmt: skip


def parse(frame: bytes, appid: int) -> tuple[bool, list[Asdu]]:
    """Return the simulation bit and the ASDUs."""
    at = 12
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8") and len(frame) >= at + 6:
        at += 4
    if frame[at : at + 2] != b"\x88\xba":
        raise ForeignError
    body = frame[at + 2 :]
    if len(frame) > 1522 or len(body) < 8:
        raise MalformedError
    if int.from_bytes(body[:2], "big") != appid:
        raise ForeignError
    length = int.from_bytes(body[2:4], "big")
    if not 8 <= length <= len(body):
        raise MalformedError
    tag, pdu = first(body[8:length])
    if tag != 0x60:
        raise MalformedError
    parts = tree(pdu)
    if len(parts) == 3 and parts[1][0] == 0x81:
        del parts[1]
    if [tag for tag, _ in parts] != [0x80, 0xA2] or len(parts[0][1]) not in (1, 2):
        raise MalformedError
    asdus = int.from_bytes(parts[0][1], "big", signed=True)
    found = tree(parts[1][1])
    if any(tag != 0x30 for tag, _ in found) or len(found) != asdus or asdus < 1:
        raise MalformedError
    return bool(body[4] & 0x80), [asdu(octets) for _, octets in found]


@dataclass
class Decoder:
    """As a subscriber that leaves simulated frames: rows of (index, values, quality), counters."""

    rate: int
    nominal: int
    columns: int
    asdus: int
    appid: int
    sv_id: bytes
    revision: int
    next: int | None = None
    time: int = 0
    missing: range = range(0)
    rows: list[tuple[int, list[int], int]] = field(default_factory=list)
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    aside: int = 0
    refused: int = 0

    def take(self, frame: bytes, time: int) -> None:
        try:
            simulated, asdus = parse(frame, self.appid)
            if any(a.sv_id != self.sv_id for a in asdus):
                raise ForeignError
            if len(asdus) > self.asdus:
                raise UnfitError
            for a in asdus:
                fits = {None: True}.get(a.rate)
                if a.rate is not None:
                    fits = (a.mode, a.rate) in ((0, self.rate / self.nominal), (1, self.rate))
                if not fits or a.revision != self.revision or len(a.sample) != 8 * self.columns:
                    raise UnfitError
        except (MalformedError, ForeignError, UnfitError):
            self.refused += 1
            return
        if simulated:
            self.aside += 1
            return
        for a in asdus:
            self._row(a, time)

    def _row(self, a: Asdu, time: int) -> None:
        if a.count >= self.rate:
            self.refused += 1
            return
        if self.next is None:
            near = time * self.rate // 10**9
        else:
            passed = time - self.time
            near = self.next + (passed * self.rate // 10**9 if passed > 5 * 10**8 else 0)
        second = near // self.rate
        choices = [(second + k) * self.rate + a.count for k in (-1, 0, 1)]
        # Of two that are as near, the later one.
        index = min(choices, key=lambda choice: (abs(choice - near), -choice))
        if self.next is not None and index < self.next:
            if index in self.missing:
                self.late += 1
            else:
                self.duplicate += 1
            return
        if self.next is not None and index > self.next:
            self.lost += index - self.next
            self.missing = range(self.next, index)
        self.next, self.time = index + 1, time
        values, quality, validity = [], 0, 0
        for c in range(self.columns):
            pair = a.sample[8 * c : 8 * c + 8]
            values.append(int.from_bytes(pair[:4], "big", signed=True))
            q = int.from_bytes(pair[4:], "big") & 0x1FFF
            quality |= q & 0x1FFC
            validity = min(validity, q & 3, key=VALIDITY_WORST.index)
        clock = 0 if a.synch in (1, 2) or a.synch >= 5 else 0x2000
        self.rows.append((index, values, quality | validity | clock))
