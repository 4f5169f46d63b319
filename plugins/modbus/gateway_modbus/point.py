"""The columns of a point at a `modbus` source: where it is read, where it is written."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from gateway import Duration
from gateway_modbus.place import RegisterPoint
from gateway_modbus.register import Register, RegisterType, Table

NEVER: Final = "never"

_duration: TypeAdapter[float] = TypeAdapter(Duration)


def _period(value: Any) -> Any:
    """Say of a period of nothing what it should be, which a union of types does not."""
    try:
        seconds = _duration.validate_python(value)
    except ValidationError:
        return value
    if not seconds > 0:
        raise ValueError("a period is longer than 0s; a point that is not read has never")
    return seconds


class WriteFunction(StrEnum):
    """Which function codes write a point.

    auto:              what fits: 5 for a coil, 22 for a bit of a register, 6 for one register,
                       16 for several.
    single:            5 or 6.
    multiple:          15 or 16, also for one.
    mask:              22.
    read-modify-write: a bit by reading its register (3) and writing it (6). What the device or
                       another master changes in between is undone.
    """

    AUTO = "auto"
    SINGLE = "single"
    MULTIPLE = "multiple"
    MASK = "mask"
    READ_MODIFY_WRITE = "read-modify-write"


class ModbusPoint(RegisterPoint):
    """The columns of a point at a `modbus` source."""

    poll: Annotated[
        Duration | Literal["never"] | None,
        BeforeValidator(_period),
        Field(description="polling period; default the link's; never: written only, not read"),
    ] = None
    write_table: Annotated[
        Table | None,
        Field(
            description="coil or holding, where the point is written; default the point's table, "
            "coil for discrete and holding for input if write_register is given"
        ),
    ] = None
    write_register: Annotated[
        Register | None, Field(description="where the point is written; default register")
    ] = None
    write_type: Annotated[
        RegisterType | None,
        Field(description="how it is written; default type, uint16 for a bit not read there"),
    ] = None
    write_bit: Annotated[
        int | None, Field(ge=0, le=15, description="bit that is written; default bit")
    ] = None
    write_function: Annotated[
        WriteFunction,
        Field(description="function codes that write it; auto: 5, 6, 16, or 22 for a bit"),
    ] = WriteFunction.AUTO
    write_on: Annotated[
        float | None, Field(description="what a register becomes for 1 (on, closed); default 1")
    ] = None
    write_off: Annotated[
        float | None, Field(description="what a register becomes for 0 (off, open); default 0")
    ] = None
    trip_register: Annotated[
        Register | None,
        Field(description="model trip_close: where a trip is written, a close at write_register"),
    ] = None

    trip_time: Annotated[
        Duration | None,
        Field(
            gt=0,
            le=3600,
            description="model trip_close: how long trip or close is on; without it the one stays "
            "on and the other is put off first",
        ),
    ] = None

    @property
    def written(self) -> list[str]:
        """The columns that only a point with commands has."""
        return [
            name
            for name in sorted(self.model_fields_set)
            if name.startswith(("write_", "trip_")) and getattr(self, name) is not None
        ]
