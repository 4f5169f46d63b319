"""Parameters: P_ME of measured values and P_AC, their activation (101 clause 7.3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gateway_iec60870.asdu.asdu import Asdu, object_address, one_object
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import LAYOUTS, Use
from gateway_iec60870.asdu.number import read_number, write_number
from gateway_iec60870.asdu.sizes import Sizes
from gateway_iec60870.asdu.type_id import TypeId


@dataclass(frozen=True, slots=True)
class Parameter:
    """P_ME_NA_1 (normalised), P_ME_NB_1 (scaled) or P_ME_NC_1 (float).

    `qualifier` is the octet QPM: which parameter (1 threshold, 2 smoothing, 3 low limit, 4 high
    limit), 0x40 local change, 0x80 not in operation.
    """

    type: int
    object: int
    value: float
    qualifier: int = 0


@dataclass(frozen=True, slots=True)
class Activation:
    """P_AC_NA_1: `qualifier` is QPA; 3 is persistent cyclic transmission of the object."""

    type: ClassVar[TypeId] = TypeId.P_AC_NA_1
    object: int
    qualifier: int = 3


def parameter(asdu: Asdu, sizes: Sizes) -> Parameter | Activation:
    """Return the object of an ASDU of the types 110 to 113; raise AsduError for others."""
    ioa, octets = one_object(asdu, sizes, Use.PARAMETER)
    if asdu.type == TypeId.P_AC_NA_1:
        return Activation(ioa, octets[0])
    value, size = read_number(LAYOUTS[asdu.type].element, octets)
    return Parameter(asdu.type, ioa, value, octets[size])


def encode_parameter(given: Parameter | Activation, sizes: Sizes) -> bytes:
    """Return the object, the body of an ASDU of `given.type`; raise AsduError beyond its bits."""
    octets = object_address(given.object, sizes)
    at = sizes.head + sizes.object
    if not 0 <= given.qualifier <= 0xFF:
        raise AsduError(at, f"qualifier {given.qualifier}", "0 to 255")
    if isinstance(given, Parameter):
        layout = LAYOUTS.get(given.type)
        if layout is None or layout.use is not Use.PARAMETER or given.type == TypeId.P_AC_NA_1:
            raise AsduError(0, f"type {given.type}, no parameter with a value", "110 to 112")
        octets += write_number(layout.element, given.value, at)
    return octets + bytes([given.qualifier])
