"""The selection of standard ASDUs, and their causes of transmission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway_iec60870.asdu import LAYOUTS, Cause, Element, Time, TypeId, Use
from gateway_iec60870.controlled.sheet.markdown import mark, table

Uses = Mapping[TypeId, set[Cause]]

SELECTIONS = {
    "Process information in monitor direction": range(1, 45),
    "Process information in control direction": range(45, 70),
    "System information in monitor direction": range(70, 100),
    "System information in control direction": range(100, 110),
    "Parameter in control direction": range(110, 120),
    "File transfer": range(120, 128),
}
"""Types by what they are for, in the order of the standard's tables."""

_TAGS = {
    Time.NONE: "",
    Time.CP24: " with time tag CP24Time2a",
    Time.CP56: " with time tag CP56Time2a",
}
_WORDS = {
    Element.SIQ: "single-point information",
    Element.DIQ: "double-point information",
    Element.VTI: "step position information",
    Element.BSI: "bitstring of 32 bits",
    Element.NVA: "normalised value",
    Element.SVA: "scaled value",
    Element.R32: "short floating point number",
    Element.BCR: "integrated totals",
    Element.SEP: "event of protection equipment",
    Element.SPE: "packed start events of protection equipment",
    Element.OCI: "packed output circuit information of protection equipment",
    Element.SCD: "packed single-point information with status change detection",
    Element.NVA_ONLY: "normalised value without quality descriptor",
    Element.SCO: "single command",
    Element.DCO: "double command",
    Element.RCO: "regulating step command",
}
_MEASURED = (Element.NVA, Element.SVA, Element.R32, Element.NVA_ONLY)
_T = TypeId
_NAMES = {
    _T.M_EI_NA_1: "end of initialisation",
    _T.C_IC_NA_1: "interrogation command",
    _T.C_CI_NA_1: "counter interrogation command",
    _T.C_RD_NA_1: "read command",
    _T.C_CS_NA_1: "clock synchronisation command",
    _T.C_TS_NA_1: "test command",
    _T.C_RP_NA_1: "reset process command",
    _T.C_CD_NA_1: "delay acquisition command",
    _T.C_TS_TA_1: "test command",
    _T.P_AC_NA_1: "parameter activation",
    _T.F_FR_NA_1: "file ready",
    _T.F_SR_NA_1: "section ready",
    _T.F_SC_NA_1: "call directory, select file, call file, call section",
    _T.F_LS_NA_1: "last section, last segment",
    _T.F_AF_NA_1: "ack file, ack section",
    _T.F_SG_NA_1: "segment",
    _T.F_DR_TA_1: "directory",
    _T.F_SC_NB_1: "query log, request archive file",
}

CAUSES: dict[str, tuple[int, ...]] = {
    **{str(number): (number,) for number in (*range(1, 14), 20)},
    "21-36": tuple(range(21, 37)),
    "37": (37,),
    "38-41": tuple(range(38, 42)),
    **{str(number): (number,) for number in range(44, 48)},
}
"""The columns of the table of causes."""


def name_of(kind: TypeId) -> str:
    """Return what a type carries, in words."""
    layout = LAYOUTS[kind]
    words = _NAMES.get(kind) or _WORDS[layout.element]
    match layout.use:
        case Use.MEASUREMENT if layout.element in _MEASURED:
            words = f"measured value, {words}"
        case Use.COMMAND if layout.element in _MEASURED:
            words = f"set point command, {words}"
        case Use.PARAMETER if kind not in _NAMES:
            words = f"parameter of measured value, {words}"
        case _:
            pass
    # A clock command and a directory have a time that is no tag.
    tagged = kind not in (TypeId.C_CS_NA_1, TypeId.F_DR_TA_1, TypeId.F_SC_NB_1)
    return words + (_TAGS[layout.time] if tagged else "")


def selections(uses: Uses, foreign: frozenset[TypeId]) -> Iterator[str]:
    """Yield a table for each selection: type, name, what it is, whether it is used.

    foreign: types that the companion standard does not have; of these only those are shown that
             the station has all the same.
    """
    for title, numbers in SELECTIONS.items():
        yield f"### {title}"
        rows = [
            (
                f"<{kind.value}>",
                kind.name,
                name_of(kind) + (", not of this standard" if kind in foreign else ""),
                mark(kind in uses),
            )
            for kind in TypeId
            if kind in numbers and (kind not in foreign or kind in uses)
        ]
        yield table(("type", "name", "information", "used"), rows)


def causes(uses: Uses) -> str:
    """Return the table of the types that are used and their causes."""
    rows = [
        (f"<{kind.value}>", kind.name, *(mark(found & set(numbers)) for numbers in CAUSES.values()))
        for kind, found in sorted(uses.items())
    ]
    return table(("type", "name", *CAUSES), rows)
