"""Write requests as values, and as bytes in both directions; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from gateway_modbus.frame import MAX_REGISTERS

# Function codes, Modbus application protocol V1.1b3 sections 6.5, 6.6, 6.11, 6.12, 6.16, 6.17.
COIL = 5
REGISTER = 6
COILS = 15
REGISTERS = 16
MASK = 22
READ_WRITE = 23
WRITES = frozenset({COIL, REGISTER, COILS, REGISTERS, MASK, READ_WRITE})

ON, OFF = 0xFF00, 0x0000
MOST_COILS = 1968
MOST_REGISTERS = 123
MOST_READ_WRITE = 121

_HEAD = Struct(">BHH")
_MASK = Struct(">BHHH")
_COUNTED = Struct(">BHHB")
_READ_WRITE = Struct(">BHHHHB")


@dataclass(frozen=True, slots=True)
class Write:
    """One write request.

    words: what each coil (0 or 1) or register becomes; of a mask the AND and the OR part.
    read:  start and count of what function 23 reads afterwards; None for all others.
    """

    function: int
    start: int
    words: tuple[int, ...]
    read: tuple[int, int] | None = None

    def __str__(self) -> str:
        what = "coil" if self.of_bits else "register"
        shown = " ".join(f"{word:#06x}" for word in self.words[:4]) if not self.of_bits else (
            "".join(str(word) for word in self.words[:16])
        )  # fmt: skip
        more = " …" if len(self.words) > (16 if self.of_bits else 4) else ""
        return f"function {self.function} {what} {self.start} = {shown}{more}"

    @property
    def of_bits(self) -> bool:
        return self.function in (COIL, COILS)

    @property
    def pdu(self) -> bytes:
        """The request."""
        if self.function == COIL:
            return _HEAD.pack(COIL, self.start, ON if self.words[0] else OFF)
        if self.function == REGISTER:
            return _HEAD.pack(REGISTER, self.start, *self.words)
        if self.function == MASK:
            return _MASK.pack(MASK, self.start, *self.words)
        data = self._data
        if self.read is not None:
            head = (READ_WRITE, *self.read, self.start, len(self.words), len(data))
            return _READ_WRITE.pack(*head) + data
        return _COUNTED.pack(self.function, self.start, len(self.words), len(data)) + data

    @property
    def echo(self) -> bytes:
        """The one good answer to a write that reads nothing."""
        if self.function in (COILS, REGISTERS):
            return _HEAD.pack(self.function, self.start, len(self.words))
        return self.pdu

    @property
    def _data(self) -> bytes:
        if self.of_bits:
            bits = sum(1 << n for n, word in enumerate(self.words) if word)
            return bits.to_bytes((len(self.words) + 7) // 8, "little")
        return b"".join(word.to_bytes(2, "big") for word in self.words)

    @classmethod
    def of(cls, pdu: bytes) -> Write | None:
        """Read a request of one of `WRITES`; None for one that is to be refused with exception 3:
        a length, a count or a value that cannot be (V1.1b3 figures 15, 16, 21, 22, 26, 27)."""
        function = pdu[0]
        if function in (COIL, REGISTER):
            if len(pdu) != _HEAD.size:
                return None
            _, start, word = _HEAD.unpack(pdu)
            if function == REGISTER:
                return cls(function, start, (word,))
            return cls(function, start, (int(word == ON),)) if word in (ON, OFF) else None
        if function == MASK:
            if len(pdu) != _MASK.size:
                return None
            _, start, *masks = _MASK.unpack(pdu)
            return cls(function, start, tuple(masks))
        head = _READ_WRITE if function == READ_WRITE else _COUNTED
        if len(pdu) < head.size:
            return None
        _, *read, start, count, size = head.unpack(pdu[: head.size])
        data = pdu[head.size :]
        if len(data) != size:
            return None
        if function == COILS:
            if not 0 < count <= MOST_COILS or size != (count + 7) // 8:
                return None
            bits = int.from_bytes(data, "little")
            return cls(function, start, tuple(bits >> n & 1 for n in range(count)))
        most = MOST_READ_WRITE if read else MOST_REGISTERS
        if not 0 < count <= most or size != 2 * count:
            return None
        if read and not 0 < read[1] <= MAX_REGISTERS:
            return None
        words = tuple(data[n] << 8 | data[n + 1] for n in range(0, size, 2))
        return cls(function, start, words, (read[0], read[1]) if read else None)
