"""The columns of a point at a controlling station: where it is read, and how it is commanded."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Annotated

from pydantic import Field

from gateway import Kind, LinkError, LinkPoint, Point
from gateway_iec60870.asdu import TypeId

HIGHEST_OBJECT = 0xFFFFFF


class Family(Enum):
    """Types whose objects may be one point: with and without time tag, and what is read alike.

    SINGLE: of a point of kind status.
    DOUBLE: of kind double; an event of protection equipment has the same four states.
    NUMBER: of kind analog or counter.
    WORD:   numbers that are also read bit by bit, each bit a point of kind status.
    """

    SINGLE = "single points (types 1, 2, 30)"
    DOUBLE = "double points (3, 4, 31) and events of protection equipment (17, 38)"
    NUMBER = "numbers (5 to 16, 20, 21, 32 to 37)"
    WORD = "the bits of bitstrings (7, 8, 33), packed points (20) and protection (18, 19, 39, 40)"


_T = TypeId
SINGLES = frozenset((_T.M_SP_NA_1, _T.M_SP_TA_1, _T.M_SP_TB_1))
DOUBLES = frozenset((_T.M_DP_NA_1, _T.M_DP_TA_1, _T.M_DP_TB_1, _T.M_EP_TA_1, _T.M_EP_TD_1))
WORDS = frozenset(
    (
        _T.M_BO_NA_1,
        _T.M_BO_TA_1,
        _T.M_BO_TB_1,
        _T.M_PS_NA_1,
        _T.M_EP_TB_1,
        _T.M_EP_TC_1,
        _T.M_EP_TE_1,
        _T.M_EP_TF_1,
    )
)


class ControlType(StrEnum):
    """What carries a command (101 clause 7.3.2)."""

    SINGLE = "single"
    DOUBLE = "double"
    STEP = "step"
    NORMALISED = "normalised"
    SCALED = "scaled"
    FLOAT = "float"
    BITSTRING = "bitstring"


SETPOINTS = (
    ControlType.NORMALISED,
    ControlType.SCALED,
    ControlType.FLOAT,
    ControlType.BITSTRING,
)


class Operate(StrEnum):
    """How a command is carried out that the device has not been asked to select before."""

    DIRECT = "direct"
    SELECT = "select"


ObjectAddress = Annotated[int, Field(ge=1, le=HIGHEST_OBJECT)]
CommonAddress = Annotated[int, Field(ge=1, le=0xFFFE)]


class Iec60870Point(Point):
    """The columns of a point at a controlling station."""

    ca: Annotated[
        CommonAddress | None, Field(description="common address of its station; default the link's")
    ] = None
    ioa: Annotated[
        ObjectAddress | None, Field(description="information object address; without it: not read")
    ] = None
    bit: Annotated[
        int | None,
        Field(ge=0, le=31, description="of a bitstring, packed points, protection: 0 the lowest"),
    ] = None
    control_ioa: Annotated[
        ObjectAddress | None, Field(description="object address of the command; default ioa")
    ] = None
    control_type: Annotated[
        ControlType | None,
        Field(
            description="single (default), double (default of kind double), step; "
            "for setpoints normalised, scaled, float or bitstring"
        ),
    ] = None
    qualifier: Annotated[
        int | None,
        Field(
            ge=0,
            le=127,
            description="QU of a command, default 0, of a pulse 1 (short); QL of a setpoint",
        ),
    ] = None
    time_tag: Annotated[bool, Field(description="send commands with a time tag (CP56)")] = False
    termination: Annotated[
        bool, Field(description="wait for the end of a command; false where it is never told")
    ] = True
    operate: Annotated[
        Operate,
        Field(description="direct, or select before execute for devices that take nothing else"),
    ] = Operate.DIRECT


def address_of(point: LinkPoint) -> Iec60870Point:
    """Return the columns of a point; raises LinkError where it has none."""
    if not isinstance(point.address, Iec60870Point):
        raise LinkError(f"point {point.name} has no columns for this link")
    return point.address


def family_of(point: LinkPoint) -> Family:
    """Return what types of objects are the point."""
    if address_of(point).bit is not None:
        return Family.WORD
    if point.kind is Kind.STATUS:
        return Family.SINGLE
    return Family.DOUBLE if point.kind is Kind.DOUBLE else Family.NUMBER


def family_of_type(type_id: int) -> Family:
    """Return how the objects of a type of measurement are read, other than bit by bit."""
    if type_id in SINGLES:
        return Family.SINGLE
    return Family.DOUBLE if type_id in DOUBLES else Family.NUMBER
