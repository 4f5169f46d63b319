"""Interrogations, clock, tests, reset, delay and end of initialisation (101 clause 7.3.3, .4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gateway_iec60870.asdu.asdu import Asdu, object_address, one_object
from gateway_iec60870.asdu.civil import read_one, write_one
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import Use
from gateway_iec60870.asdu.sizes import Sizes
from gateway_iec60870.asdu.type_id import TypeId

STATION = 20
"""Qualifier of an interrogation of the whole station; 21 to 36 are the groups 1 to 16."""

GENERAL = 5
"""Request of all counters; 1 to 4 are the groups."""

PATTERN = 0x55AA
"""The fixed test bit pattern (101 clause 7.2.6.14)."""


@dataclass(frozen=True, slots=True)
class Interrogation:
    """C_IC_NA_1: `qualifier` is QOI, STATION or that of a group."""

    type: ClassVar[TypeId] = TypeId.C_IC_NA_1
    qualifier: int = STATION
    object: int = 0


@dataclass(frozen=True, slots=True)
class CounterInterrogation:
    """C_CI_NA_1: `request` is RQT, GENERAL or a group; `freeze` is FRZ.

    0 read, 1 freeze, 2 freeze and reset, 3 reset.
    """

    type: ClassVar[TypeId] = TypeId.C_CI_NA_1
    request: int = GENERAL
    freeze: int = 0
    object: int = 0


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """C_RD_NA_1: asks for one object."""

    type: ClassVar[TypeId] = TypeId.C_RD_NA_1
    object: int


@dataclass(frozen=True, slots=True)
class ClockSynchronisation:
    """C_CS_NA_1: `time` and `clock` as in Columns."""

    type: ClassVar[TypeId] = TypeId.C_CS_NA_1
    time: int
    clock: int = 0
    object: int = 0


@dataclass(frozen=True, slots=True)
class Test:
    """C_TS_NA_1: `pattern` is PATTERN, or the octets came wrong."""

    type: ClassVar[TypeId] = TypeId.C_TS_NA_1
    pattern: int = PATTERN
    object: int = 0


@dataclass(frozen=True, slots=True)
class TimedTest:
    """C_TS_TA_1 (104 clause 8.8): a test sequence counter of 16 bits and the time."""

    type: ClassVar[TypeId] = TypeId.C_TS_TA_1
    counter: int
    time: int
    clock: int = 0
    object: int = 0


@dataclass(frozen=True, slots=True)
class Reset:
    """C_RP_NA_1: `qualifier` is QRP; 1 resets the process, 2 pending events with time tag."""

    type: ClassVar[TypeId] = TypeId.C_RP_NA_1
    qualifier: int = 1
    object: int = 0


@dataclass(frozen=True, slots=True)
class DelayAcquisition:
    """C_CD_NA_1: milliseconds, 0 to 65535 (CP16)."""

    type: ClassVar[TypeId] = TypeId.C_CD_NA_1
    ms: int
    object: int = 0


@dataclass(frozen=True, slots=True)
class EndOfInitialisation:
    """M_EI_NA_1: `cause` is that of COI, 0 local power on, 1 local reset, 2 remote reset.

    `after_change` says that local parameters were changed before.
    """

    type: ClassVar[TypeId] = TypeId.M_EI_NA_1
    cause: int = 0
    after_change: bool = False
    object: int = 0


System = (
    Interrogation
    | CounterInterrogation
    | ReadRequest
    | ClockSynchronisation
    | Test
    | TimedTest
    | Reset
    | DelayAcquisition
    | EndOfInitialisation
)


def system(asdu: Asdu, sizes: Sizes) -> System:
    """Return the object of an ASDU of the types 70 and 100 to 107; raise AsduError for others."""
    ioa, octets = one_object(asdu, sizes, Use.SYSTEM)
    match asdu.type:
        case TypeId.C_IC_NA_1:
            return Interrogation(octets[0], ioa)
        case TypeId.C_CI_NA_1:
            return CounterInterrogation(octets[0] & 0x3F, octets[0] >> 6, ioa)
        case TypeId.C_RD_NA_1:
            return ReadRequest(ioa)
        case TypeId.C_CS_NA_1:
            return ClockSynchronisation(*read_one(octets), ioa)
        case TypeId.C_TS_NA_1:
            return Test(int.from_bytes(octets, "little"), ioa)
        case TypeId.C_TS_TA_1:
            counter = int.from_bytes(octets[:2], "little")
            return TimedTest(counter, *read_one(octets, 2), ioa)
        case TypeId.C_RP_NA_1:
            return Reset(octets[0], ioa)
        case TypeId.C_CD_NA_1:
            return DelayAcquisition(int.from_bytes(octets, "little"), ioa)
        case _:
            return EndOfInitialisation(octets[0] & 0x7F, octets[0] >= 0x80, ioa)


def encode_system(given: System, sizes: Sizes) -> bytes:
    """Return the object, the body of an ASDU of `given.type`; raise AsduError beyond its bits."""
    octets = object_address(given.object, sizes)
    at = sizes.head + sizes.object

    def number(name: str, value: int, bits: int) -> int:
        if not 0 <= value < 1 << bits:
            raise AsduError(at, f"{name} {value}", f"0 to {(1 << bits) - 1}")
        return value

    match given:
        case Interrogation():
            octets += bytes([number("qualifier", given.qualifier, 8)])
        case CounterInterrogation():
            freeze = number("freeze", given.freeze, 2)
            octets += bytes([number("request", given.request, 6) | freeze << 6])
        case ReadRequest():
            pass
        case ClockSynchronisation():
            octets += write_one(given.time, given.clock)
        case Test():
            octets += number("pattern", given.pattern, 16).to_bytes(2, "little")
        case TimedTest():
            octets += number("counter", given.counter, 16).to_bytes(2, "little")
            octets += write_one(given.time, given.clock)
        case Reset():
            octets += bytes([number("qualifier", given.qualifier, 8)])
        case DelayAcquisition():
            octets += number("ms", given.ms, 16).to_bytes(2, "little")
        case _:
            octets += bytes([number("cause", given.cause, 7) | given.after_change << 7])
    return octets
