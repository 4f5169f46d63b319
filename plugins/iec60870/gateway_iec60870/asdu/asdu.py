"""An ASDU: what stands before the information objects, and they as octets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import LAYOUTS, Use
from gateway_iec60870.asdu.sizes import Sizes
from gateway_iec60870.asdu.type_id import TypeId

MOST_OBJECTS = 127
"""The number of objects has seven bits (101 clause 7.2.2)."""

_UNKNOWN, _OWN = -1, 1 << 16
"""Instead of octets: no type that is known, and one whose object says them; no body has so many."""

_SIZES = [_UNKNOWN] * 256
for _kind, _layout in LAYOUTS.items():
    _SIZES[_kind] = _OWN if _layout.size is None else _layout.size


@dataclass(frozen=True, slots=True)
class Asdu:
    """An application service data unit (101 clause 7.1).

    `type` is that of TypeId, or another one, which can be answered with UNKNOWN_TYPE.
    `count` and `sequence` are the variable structure qualifier: with `sequence` the first object
    has an address and the others follow it. `body` are the objects with their addresses.
    `negative` and `test` are the bits P/N and T of the cause; `originator` is 0 where the cause
    has one octet.
    """

    type: int
    cause: int
    address: int
    body: bytes
    count: int = 1
    sequence: bool = False
    negative: bool = False
    test: bool = False
    originator: int = 0

    def encode(self, sizes: Sizes) -> bytes:
        """Return the octets; raise AsduError for a field or a whole that does not fit.

        The originator is left out where the cause has one octet.
        """
        octets = head(
            sizes, self.type, self.count, self.cause, self.address,
            sequence=self.sequence, negative=self.negative, test=self.test,
            originator=self.originator,
        )  # fmt: skip
        if len(octets) + len(self.body) > sizes.longest:
            found = f"{len(octets) + len(self.body)} octets"
            raise AsduError(sizes.longest, found, f"up to {sizes.longest}")
        return octets + self.body

    def answer(self, cause: int, negative: bool = False) -> Asdu:
        """Return the same with another cause, as a controlled station mirrors a command."""
        return Asdu(
            self.type, cause, self.address, self.body, self.count,
            self.sequence, negative, self.test, self.originator,
        )  # fmt: skip


@dataclass(slots=True)
class _Open:
    """An Asdu that is being made.

    A frozen dataclass sets its nine fields through a function each, which takes four times as
    long as these; with the same slots an instance of this class becomes one of the other.
    """

    type: int
    cause: int
    address: int
    body: bytes
    count: int
    sequence: bool
    negative: bool
    test: bool
    originator: int


def parse(data: bytes, sizes: Sizes) -> Asdu:
    """Return an ASDU whose body has as many octets as its type and number of objects need.

    An ASDU of an unknown type has any body. Raises AsduError for what is cut short, has octets
    after it or objects beyond the last address.
    """
    first = sizes.head
    if len(data) < first:
        raise AsduError(len(data), f"{len(data)} octets", f"{first} before the objects")
    originator = 0
    if sizes.cause == 2:
        kind, structure, cause, originator, address = sizes.form.unpack_from(data)
    else:
        kind, structure, cause, address = sizes.form.unpack_from(data)
    body = data[first:]
    size = _SIZES[kind]
    count = structure & 0x7F
    if structure < 0x80:
        if len(body) != count * (sizes.object + size) and size != _UNKNOWN:
            _check_length(body, sizes, kind, count, False)
    elif size != _UNKNOWN:
        _check_sequence(body, sizes, kind, count)
    found = _Open(
        kind, cause & 0x3F, address, body, count,
        structure >= 0x80, cause & 0x40 != 0, cause >= 0x80, originator,
    )  # fmt: skip
    found.__class__ = Asdu  # type: ignore[assignment]
    return cast(Asdu, found)


def _check_length(body: bytes, sizes: Sizes, kind: int, count: int, sequence: bool) -> None:
    size = _SIZES[kind]
    if size == _OWN:
        size, count = _segment(body, sizes, count), 1
    addresses = min(count, 1) if sequence else count
    expected = addresses * sizes.object + count * size
    if len(body) != expected:
        name = TypeId(kind).name
        raise AsduError(
            sizes.head + min(len(body), expected),
            f"{len(body)} octets of objects",
            f"{expected} for {count} of {name}{' in sequence' if sequence else ''}",
        )


def _segment(body: bytes, sizes: Sizes, count: int) -> int:
    """Return the octets of F_SG_NA_1: name of file, name of section, length, segment."""
    if count != 1:
        raise AsduError(1, f"{count} segments", "1")
    length = sizes.object + 3
    return 4 + body[length] if len(body) > length else 4


def _check_sequence(body: bytes, sizes: Sizes, kind: int, count: int) -> None:
    _check_length(body, sizes, kind, count, True)
    last = int.from_bytes(body[: sizes.object], "little") + count - 1
    if last > sizes.last:
        raise AsduError(sizes.head, f"a sequence up to object {last}", f"up to {sizes.last}")


def head(
    sizes: Sizes,
    kind: int,
    count: int,
    cause: int,
    address: int,
    *,
    sequence: bool = False,
    negative: bool = False,
    test: bool = False,
    originator: int = 0,
) -> bytes:
    """Return what stands before the objects; raise AsduError for what does not fit."""
    bounds = (
        (0, "type", kind, 0xFF),
        (1, "number of objects", count, MOST_OBJECTS),
        (2, "cause", cause, 0x3F),
        (3, "originator", originator, 0xFF),
        (2 + sizes.cause, "common address", address, sizes.broadcast),
    )
    for offset, name, value, most in bounds:
        if not 0 <= value <= most:
            raise AsduError(offset, f"{name} {value}", f"0 to {most}")
    why = cause | negative << 6 | test << 7
    if sizes.cause == 2:
        return sizes.form.pack(kind, count | sequence << 7, why, originator, address)
    return sizes.form.pack(kind, count | sequence << 7, why, address)


def one_object(asdu: Asdu, sizes: Sizes, use: Use) -> tuple[int, bytes]:
    """Return the address and the octets of the only object of an ASDU.

    Raises AsduError where it has another use, or none or several objects.
    """
    known = LAYOUTS.get(asdu.type)
    if known is None or known.use is not use:
        allowed = [kind for kind, one in LAYOUTS.items() if one.use is use]
        raise AsduError(0, f"type {asdu.type}", f"{use.value}: {', '.join(map(str, allowed))}")
    if asdu.count != 1:
        raise AsduError(1, f"{asdu.count} objects", "1")
    check_length(asdu, sizes)
    return int.from_bytes(asdu.body[: sizes.object], "little"), asdu.body[sizes.object :]


def check_length(asdu: Asdu, sizes: Sizes) -> None:
    """Raise AsduError where the body is not as long as a known type and the count need."""
    _check_length(asdu.body, sizes, asdu.type, asdu.count, asdu.sequence)


def object_address(ioa: int, sizes: Sizes) -> bytes:
    """Return the octets of an information object address; raise AsduError for one beyond them."""
    if not 0 <= ioa <= sizes.last:
        raise AsduError(sizes.head, f"object {ioa}", f"0 to {sizes.last}")
    return ioa.to_bytes(sizes.object, "little")
