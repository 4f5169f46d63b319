"""One value of a simulated device, and how the device fails."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from gateway import Settings
from gateway_modbus.follower import Follows
from gateway_modbus.outcome import BUSY
from gateway_modbus.register import (
    Order,
    Register,
    RegisterType,
    Table,
    UnitId,
    check_place,
    default_type,
)
from gateway_modbus.signal import AnyShape


class Quantity(Settings):
    """One value of the device: where it stands, and how it moves."""

    table: Annotated[Table, Field(description="coil, discrete, holding or input")] = Table.HOLDING
    address: Annotated[Register, Field(alias="register")]
    type: Annotated[RegisterType, Field(description="default uint16, for coil and discrete bit")]
    bit: Annotated[int | None, Field(ge=0, le=15, description="bit of the register")] = None
    order: Annotated[Order | None, Field(description="byte order; default the device's")] = None
    unit: Annotated[UnitId | None, Field(description="unit id; default the device's")] = None
    scale: Annotated[
        float, Field(description="the register holds signal / scale, rounded for integers")
    ] = 1.0
    signal: Annotated[
        AnyShape | None, Field(description="how the value moves, until somebody writes it")
    ] = None
    follows: Annotated[
        Follows | None, Field(description="the output that it follows, in place of a signal")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _default_type(cls, data: Any) -> Any:
        return default_type(data)

    @model_validator(mode="after")
    def _together(self) -> Self:
        check_place(self)
        if not self.scale:
            raise ValueError("scale 0 leaves nothing to divide by")
        if (self.signal is None) == (self.follows is None):
            raise ValueError("a register has a signal, or follows another, and not both")
        return self


class Fault(Settings):
    """Some requests are refused."""

    exception: Annotated[int, Field(ge=1, le=255, description="the exception code")] = BUSY
    functions: Annotated[
        tuple[int, ...], Field(description="only requests with these function codes; none: all")
    ] = ()
    share: Annotated[float, Field(ge=0, le=1, description="part of the requests")]
