"""Data types of metrics: which suits a point, and how its values are written in it.

Source: Sparkplug 3.0 clause 6.4.16, the code of each type and the field that has its value.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway import Kind

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class DataType(StrEnum):
    """The types that a point can have; all others (arrays, data sets, files) are not numbers."""

    INT8 = "Int8"
    INT16 = "Int16"
    INT32 = "Int32"
    INT64 = "Int64"
    UINT8 = "UInt8"
    UINT16 = "UInt16"
    UINT32 = "UInt32"
    UINT64 = "UInt64"
    FLOAT = "Float"
    DOUBLE = "Double"
    BOOLEAN = "Boolean"
    STRING = "String"
    DATE_TIME = "DateTime"
    TEXT = "Text"

    @property
    def form(self) -> Form:
        return _FORMS[self]


class Form(NamedTuple):
    """How a type stands in a payload.

    code:  of `datatype`.
    field: of the metric that has the value.
    low, high: of an integer.
    """

    code: int
    field: str
    low: int = 0
    high: int = 0


_INT, _LONG = "int_value", "long_value"
_FORMS = MappingProxyType(
    {
        DataType.INT8: Form(1, _INT, -(2**7), 2**7 - 1),
        DataType.INT16: Form(2, _INT, -(2**15), 2**15 - 1),
        DataType.INT32: Form(3, _INT, -(2**31), 2**31 - 1),
        DataType.INT64: Form(4, _LONG, -(2**63), 2**63 - 1),
        DataType.UINT8: Form(5, _INT, 0, 2**8 - 1),
        DataType.UINT16: Form(6, _INT, 0, 2**16 - 1),
        DataType.UINT32: Form(7, _INT, 0, 2**32 - 1),
        DataType.UINT64: Form(8, _LONG, 0, 2**64 - 1),
        DataType.FLOAT: Form(9, "float_value"),
        DataType.DOUBLE: Form(10, "double_value"),
        DataType.BOOLEAN: Form(11, "boolean_value"),
        DataType.STRING: Form(12, "string_value"),
        DataType.DATE_TIME: Form(13, _LONG, 0, 2**64 - 1),
        DataType.TEXT: Form(14, "string_value"),
    }
)

INTEGERS = tuple(each for each in DataType if "Int" in each)
TEXTS = (DataType.STRING, DataType.TEXT)
_NUMBERS = (*INTEGERS, DataType.FLOAT, DataType.DOUBLE, DataType.DATE_TIME, *TEXTS)

FIT: MappingProxyType[Kind, tuple[DataType, ...]] = MappingProxyType(
    {
        Kind.ANALOG: _NUMBERS,
        Kind.COUNTER: _NUMBERS,
        Kind.STATUS: (DataType.BOOLEAN, *INTEGERS, *TEXTS),
        Kind.DOUBLE: (*INTEGERS, *TEXTS),
    }
)
"""The types that a point of each kind may have."""

DEFAULT = MappingProxyType(
    {
        # A counter has a scale, too, and is exact in a Double up to 2**53.
        Kind.ANALOG: DataType.DOUBLE,
        Kind.COUNTER: DataType.DOUBLE,
        Kind.STATUS: DataType.BOOLEAN,
        Kind.DOUBLE: DataType.UINT8,
    }
)

_WORDS = {Kind.STATUS: ("off", "on"), Kind.DOUBLE: ("intermediate", "off", "on", "bad")}


def column(kind: Kind, datatype: DataType, values: Floats) -> tuple[npt.NDArray[Any], Mask]:
    """Return what stands in the payload for values of a point, and for which there is something.

    uint64 for integers and times (two's complement in the bits of the type: readers differ in
    what more they take), float32, float64, bool, or texts.
    There is nothing for a NaN and for a value that the type cannot have; a fraction is rounded
    in an integer. A DateTime is in seconds at the point, in ms in the payload.
    """
    form = datatype.form
    if datatype in TEXTS:
        return _texts(kind, values)
    if form.field in (_INT, _LONG):
        with np.errstate(over="ignore"):
            whole = np.rint(values * 1000.0 if datatype is DataType.DATE_TIME else values)
        # 2**63 - 1 is no float64, 2**63 is.
        fits = (whole >= form.low) & (whole < float(form.high + 1))
        whole = np.where(fits, whole, 0.0)
        if form.low == 0:
            return whole.astype(np.uint64), fits
        return whole.astype(np.int64).view(np.uint64) & np.uint64(2 * form.high + 1), fits
    there = ~np.isnan(values)
    if datatype is DataType.BOOLEAN:
        return values != 0, there
    if datatype is DataType.FLOAT:
        with np.errstate(over="ignore"):
            narrow = values.astype(np.float32)
        return narrow, there & (np.isinf(narrow) == np.isinf(values))
    return values, there


def _texts(kind: Kind, values: Floats) -> tuple[npt.NDArray[Any], Mask]:
    words = _WORDS.get(kind, ())
    texts = np.empty(len(values), object)
    fits = ~np.isnan(values)
    for row, value in enumerate(values.tolist()):
        if not fits[row]:
            texts[row] = ""
        elif not words:
            texts[row] = repr(value)
        elif value in range(len(words)):
            texts[row] = words[int(value)]
        else:
            texts[row], fits[row] = "", False
    return texts, fits


def number(datatype: DataType, metric: Any) -> float:
    """Return the number that a command's metric has for a point of this type.

    Raises ValueError with what was found and what is allowed.
    """
    form = datatype.form
    found = metric.WhichOneof("value")
    if found is None or metric.is_null:
        raise ValueError(f"no value, where {datatype} is allowed")
    if metric.HasField("datatype") and metric.datatype != form.code:
        raise ValueError(f"datatype {metric.datatype}, where {form.code} ({datatype}) is allowed")
    value = getattr(metric, found)
    if datatype is DataType.BOOLEAN and found == "boolean_value":
        return float(value)
    if datatype in (DataType.FLOAT, DataType.DOUBLE) and found in ("float_value", "double_value"):
        return float(value)
    if form.high and found in (_INT, _LONG):
        return _integer(datatype, form, int(value), 32 if found == _INT else 64)
    raise ValueError(f"a {found}, where a {form.field} ({datatype}) is allowed")


def _integer(datatype: DataType, form: Form, value: int, bits: int) -> float:
    # Some write a negative Int8 in its 8 bits, some in the 32 of the field: both are read.
    if form.low < 0:
        width = form.high.bit_length() + 1
        if value > form.high and value < 1 << width:
            value -= 1 << width
        elif value >= 1 << (bits - 1):
            value -= 1 << bits
    if not form.low <= value <= form.high:
        raise ValueError(f"{value}, where {form.low} to {form.high} ({datatype}) is allowed")
    return value / 1000.0 if datatype is DataType.DATE_TIME else float(value)
