"""What a point can be to the controlling station, and what it can be commanded with."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from gateway import ControlModel, Kind, LinkPoint
from gateway_iec60870.asdu import TypeId


class Type(StrEnum):
    """What a point is to the controlling station."""

    SINGLE = "single"
    DOUBLE = "double"
    STEP = "step"
    BITSTRING = "bitstring"
    NORMALISED = "normalised"
    SCALED = "scaled"
    FLOAT = "float"
    TOTALS = "totals"


class TimeTag(StrEnum):
    """The time tag of a point's events; what is interrogated has none."""

    NONE = "none"
    CP24 = "cp24"
    CP56 = "cp56"


class ControlType(StrEnum):
    """What a point is commanded with."""

    SINGLE = "single"
    DOUBLE = "double"
    STEP = "step"
    NORMALISED = "normalised"
    SCALED = "scaled"
    FLOAT = "float"
    BITSTRING = "bitstring"


class TypeIds(NamedTuple):
    """The types of one kind of information, by their time tag."""

    none: TypeId
    cp24: TypeId
    cp56: TypeId


_T = TypeId
TYPES: dict[Type, TypeIds] = {
    Type.SINGLE: TypeIds(_T.M_SP_NA_1, _T.M_SP_TA_1, _T.M_SP_TB_1),
    Type.DOUBLE: TypeIds(_T.M_DP_NA_1, _T.M_DP_TA_1, _T.M_DP_TB_1),
    Type.STEP: TypeIds(_T.M_ST_NA_1, _T.M_ST_TA_1, _T.M_ST_TB_1),
    Type.BITSTRING: TypeIds(_T.M_BO_NA_1, _T.M_BO_TA_1, _T.M_BO_TB_1),
    Type.NORMALISED: TypeIds(_T.M_ME_NA_1, _T.M_ME_TA_1, _T.M_ME_TD_1),
    Type.SCALED: TypeIds(_T.M_ME_NB_1, _T.M_ME_TB_1, _T.M_ME_TE_1),
    Type.FLOAT: TypeIds(_T.M_ME_NC_1, _T.M_ME_TC_1, _T.M_ME_TF_1),
    Type.TOTALS: TypeIds(_T.M_IT_NA_1, _T.M_IT_TA_1, _T.M_IT_TB_1),
}
"""The monitor direction (101 table 8, 104 table 7)."""
COMMANDS: dict[int, ControlType] = {
    **dict.fromkeys((_T.C_SC_NA_1, _T.C_SC_TA_1), ControlType.SINGLE),
    **dict.fromkeys((_T.C_DC_NA_1, _T.C_DC_TA_1), ControlType.DOUBLE),
    **dict.fromkeys((_T.C_RC_NA_1, _T.C_RC_TA_1), ControlType.STEP),
    **dict.fromkeys((_T.C_SE_NA_1, _T.C_SE_TA_1), ControlType.NORMALISED),
    **dict.fromkeys((_T.C_SE_NB_1, _T.C_SE_TB_1), ControlType.SCALED),
    **dict.fromkeys((_T.C_SE_NC_1, _T.C_SE_TC_1), ControlType.FLOAT),
    **dict.fromkeys((_T.C_BO_NA_1, _T.C_BO_TA_1), ControlType.BITSTRING),
}
"""The control direction (101 table 9, 104 table 8)."""

BY_KIND = {
    Kind.STATUS: Type.SINGLE,
    Kind.DOUBLE: Type.DOUBLE,
    Kind.COUNTER: Type.TOTALS,
    Kind.ANALOG: Type.FLOAT,
}
"""What a point is unless its row says otherwise."""
_NUMBERS = (Kind.ANALOG, Kind.COUNTER)
STATES = (Kind.STATUS, Kind.DOUBLE)
KINDS = {
    Type.SINGLE: STATES,
    Type.DOUBLE: STATES,
    Type.STEP: _NUMBERS,
    Type.BITSTRING: _NUMBERS,
    Type.NORMALISED: _NUMBERS,
    Type.SCALED: _NUMBERS,
    Type.FLOAT: _NUMBERS,
    Type.TOTALS: _NUMBERS,
}
"""Which kinds of points each can show."""
SWITCHES = (ControlType.SINGLE, ControlType.DOUBLE, ControlType.STEP)
"""What commands a point of kind status or double; the others are set points."""
_SET_POINTS = {
    Type.NORMALISED: ControlType.NORMALISED,
    Type.SCALED: ControlType.SCALED,
    Type.BITSTRING: ControlType.BITSTRING,
}


def control_type(model: ControlModel, shown: Type) -> ControlType:
    """Return what commands a point of this model unless its row says otherwise."""
    if model is ControlModel.SETPOINT:
        return _SET_POINTS.get(shown, ControlType.FLOAT)
    return ControlType.DOUBLE if model is ControlModel.TRIP_CLOSE else ControlType.SINGLE


def kinds_text(point: LinkPoint) -> str:
    """Return which types can show a point."""
    return ", ".join(one.value for one, kinds in KINDS.items() if point.kind in kinds)
