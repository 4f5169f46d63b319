"""The columns that say where a point is in a device, the same for reading and for serving."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from gateway import Point
from gateway_modbus.register import (
    Order,
    Register,
    RegisterType,
    Table,
    UnitId,
    check_place,
    default_type,
)


class RegisterPoint(Point):
    """A point in the registers or bits of a device."""

    model_config = ConfigDict(populate_by_name=False)

    table: Annotated[Table, Field(description="coil, discrete, holding or input")] = Table.HOLDING
    # A field cannot be called `register` in Python, which is a method of every abstract class.
    address: Annotated[Register, Field(alias="register")]
    type: Annotated[
        RegisterType,
        Field(description="how the value is written; default uint16, for coil and discrete bit"),
    ]
    bit: Annotated[
        int | None,
        Field(ge=0, le=15, description="bit of the register, 0 the least significant; default 0"),
    ] = None
    order: Annotated[Order | None, Field(description="byte order; default the link's")] = None
    unit: Annotated[UnitId | None, Field(description="unit id; default the link's")] = None

    @model_validator(mode="before")
    @classmethod
    def _default_type(cls, data: Any) -> Any:
        return default_type(data)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_place(self)
        return self
