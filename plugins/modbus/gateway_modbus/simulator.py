"""The source `modbus.simulator`: a real Modbus TCP device whose values move."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Dissector, Duration, Endpoint, Settings, Source, SourceContext
from gateway_modbus.description import describe_mbap, dissector
from gateway_modbus.listener import Listener
from gateway_modbus.quantity import Fault, Quantity
from gateway_modbus.register import Order, UnitId
from gateway_modbus.simulated import SimulatedDevice


class Outage(Settings):
    """The device drops off, with its port closed, and comes back."""

    every: Annotated[Duration, Field(gt=0, description="from one outage to the next")]
    length: Annotated[Duration, Field(gt=0, alias="for", description="how long it is away")]

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.length >= self.every:
            raise ValueError("an outage is shorter than the time from one to the next")
        return self


class ModbusSimulator(Source):
    """A simulated Modbus TCP device; it brings no points of its own."""

    type: Literal["modbus.simulator"] = "modbus.simulator"
    listen: Annotated[Endpoint, Field(description="where the device listens")]
    unit: Annotated[UnitId, Field(description="unit id of registers that name none")] = 1
    order: Annotated[Order, Field(description="byte order of registers that name none")] = (
        Order.ABCD
    )
    seed: Annotated[int, Field(description="of everything random")] = 0
    update: Annotated[Duration, Field(gt=0, description="values move this often")] = 0.1
    delay: Annotated[Duration, Field(ge=0, description="how long an answer takes")] = 0.0
    max_clients: Annotated[int, Field(ge=1, description="connections at once")] = 16
    outage: Annotated[Outage | None, Field(description="how it drops off and comes back")] = None
    fault: Annotated[Fault | None, Field(description="how it refuses requests")] = None
    registers: Annotated[tuple[Quantity, ...], Field(min_length=1, description="its values")]

    @model_validator(mode="after")
    def _outputs(self) -> Self:
        there = {
            (self.unit if one.unit is None else one.unit, one.table, one.address)
            for one in self.registers
        }
        for one in self.registers:
            if one.follows is None:
                continue
            unit = self.unit if one.unit is None else one.unit
            for register in (one.follows.address, one.follows.trip):
                if register is not None and (unit, one.follows.table, register) not in there:
                    raise ValueError(
                        f"{one.table} {one.address} follows {one.follows.table} {register}, which "
                        f"is no register of unit {unit} here"
                    )
        return self

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe_mbap(frame, asks=direction == "rx")

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return dissector(rtu=False, serves=True)

    async def run(self, ctx: SourceContext) -> None:
        """Be the device until cancelled; raises LinkError where it cannot listen."""
        device = SimulatedDevice(
            ctx,
            self.registers,
            unit=self.unit,
            order=self.order,
            seed=self.seed,
            update=self.update,
            fault=self.fault,
        )
        listener = Listener(ctx, device, max_clients=self.max_clients, delay=self.delay)
        try:
            at = await listener.start(self.listen)
            ctx.up(f"listens at {at}")
            if self.outage is None:
                await asyncio.get_running_loop().create_future()
                return
            # Counted from now, so that the first outage is a whole period away.
            begin = ctx.now()
            async for tick in ctx.every(self.outage.every, begin / 1e9 % self.outage.every):
                if tick - begin < 0.5e9 * self.outage.every:
                    continue
                ctx.count("outages")
                await listener.close()
                await asyncio.sleep(self.outage.length)
                await listener.start(at)
        finally:
            await listener.close()
