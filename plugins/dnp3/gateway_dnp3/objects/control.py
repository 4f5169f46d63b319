"""Commands: control relay output blocks (g12) and analog outputs (g41)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import ObjectHeader, header
from gateway_dnp3.objects.layout import LAYOUTS, Use
from gateway_dnp3.objects.qualifier import FORMS, Qualifier


class Operation(IntEnum):
    """The low digit of a control code."""

    NUL = 0
    PULSE_ON = 1
    PULSE_OFF = 2
    LATCH_ON = 3
    LATCH_OFF = 4


class TripClose(IntEnum):
    """Bits 6 and 7 of a control code: which relay of a pair."""

    NUL = 0
    CLOSE = 1
    TRIP = 2
    RESERVED = 3


def control_code(
    operation: Operation,
    trip_close: TripClose = TripClose.NUL,
    *,
    clear: bool = False,
    queue: bool = False,
) -> int:
    """Return the octet of a control code; `queue` is obsolete."""
    return trip_close << 6 | clear << 5 | queue << 4 | operation


@dataclass(frozen=True, slots=True)
class Crob:
    """A control relay output block: g12v1, or a pattern control block (g12v2).

    `code` is the octet as it stands, known or not, because the answer repeats it.
    `on_time` and `off_time` are in milliseconds; `status` is an octet of CommandStatus.
    """

    index: int
    code: int
    count: int = 1
    on_time: int = 0
    off_time: int = 0
    status: int = 0
    variation: int = 1

    @property
    def operation(self) -> Operation | None:
        """The operation, None where the standard reserves the digit."""
        digit = self.code & 0x0F
        return Operation(digit) if digit <= Operation.LATCH_OFF else None

    @property
    def trip_close(self) -> TripClose:
        return TripClose(self.code >> 6)

    @property
    def clear(self) -> bool:
        return bool(self.code & 0x20)


@dataclass(frozen=True, slots=True)
class AnalogOutput:
    """A setpoint: g41v1 (32-bit), v2 (16-bit), v3 (float) or v4 (double)."""

    index: int
    variation: int
    value: float
    status: int = 0


Command = Crob | AnalogOutput

_CROB = struct.Struct("<BBIIB")
_ANALOG = {n: struct.Struct(f"<{letter}B") for n, letter in enumerate("ihfd", 1)}


def commands(header: ObjectHeader) -> list[Command]:
    """Return the commands of a header; raise ObjectError where it holds none."""
    known = LAYOUTS.get((header.group, header.variation))
    if known is None or known.use is not Use.COMMAND:
        raise header.error("no command", "g12v1, g12v2, g41v1 to g41v4", Reason.UNKNOWN)
    form = _CROB if header.group == 12 else _ANALOG[header.variation]
    header.expect(form.size)
    prefix = header.prefix
    indexes = header.indexes().tolist()
    step = prefix + form.size
    return [
        _command(header, index, form.unpack_from(header.data, row * step + prefix))
        for row, index in enumerate(indexes)
    ]


def _command(header: ObjectHeader, index: int, fields: tuple[int | float, ...]) -> Command:
    if header.group == 41:
        return AnalogOutput(index, header.variation, fields[0], int(fields[1]))
    code, count, on_time, off_time, status = (int(field) for field in fields)
    return Crob(index, code, count, on_time, off_time, status, header.variation)


def encode_commands(given: Sequence[Command], qualifier: Qualifier | None = None) -> bytes:
    """Return the object headers of commands, in their order.

    Neighbours of one variation share a header. Without a `qualifier` it is 0x17, or 0x28 where an
    index or their number needs it; an answer repeats that of its request.
    Raises ObjectError for a value that the variation cannot hold.
    """
    return b"".join(
        _headed(group, variation, list(some), qualifier)
        for (group, variation), some in groupby(given, _kind)
    )


def _kind(command: Command) -> tuple[int, int]:
    return (12 if isinstance(command, Crob) else 41), command.variation


def _headed(group: int, variation: int, some: list[Command], wish: Qualifier | None) -> bytes:
    if wish is None:
        small = len(some) <= 0xFF and all(command.index <= 0xFF for command in some)
        wish = Qualifier.INDEX_8 if small else Qualifier.INDEX_16
    form = FORMS[wish]
    if form.range:
        data = b"".join(_object(command) for command in some)
        return header(group, variation, wish, start=some[0].index, count=len(some), data=data)
    data = b"".join(_prefixed(some, form.prefix))
    return header(group, variation, wish, count=len(some), data=data)


def _prefixed(some: list[Command], prefix: int) -> Iterator[bytes]:
    for command in some:
        if not 0 <= command.index < 1 << 8 * prefix:
            raise ObjectError(
                0, f"{command} at index {command.index}", f"allowed: 0 to {(1 << 8 * prefix) - 1}"
            )
        yield command.index.to_bytes(prefix, "little")
        yield _object(command)


def _object(command: Command) -> bytes:
    try:
        if isinstance(command, Crob):
            return _CROB.pack(
                command.code, command.count, command.on_time, command.off_time, command.status
            )
        value = command.value
        if command.variation in (1, 2):
            value = round(value)
        return _ANALOG[command.variation].pack(value, command.status)
    except (struct.error, OverflowError, ValueError, KeyError):
        raise ObjectError(0, str(command), _allowed(command)) from None


def _allowed(command: Command) -> str:
    if isinstance(command, Crob):
        return "allowed: octets, and times of 32 bits"
    bits = {1: "32-bit", 2: "16-bit", 3: "single"}.get(command.variation, "double")
    return f"allowed: variations 1 to 4, a {bits} number, a status octet"
