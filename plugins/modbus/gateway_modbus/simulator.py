"""The source `modbus.simulator`: a real Modbus TCP device whose values move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from gateway import Duration, Endpoint, Settings, Source, SourceContext
from gateway_modbus import frame
from gateway_modbus.listener import Listener
from gateway_modbus.number import words_of
from gateway_modbus.outcome import (
    BUSY,
    GATEWAY_TARGET,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
)
from gateway_modbus.register import (
    TABLE_OF_FUNCTION,
    Order,
    Register,
    RegisterType,
    Table,
    UnitId,
    check_place,
    default_type,
)
from gateway_modbus.signal import AnyShape, Signal, seeded, value_at


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
    signal: Annotated[AnyShape, Field(description="how the value moves")]

    @model_validator(mode="before")
    @classmethod
    def _default_type(cls, data: Any) -> Any:
        return default_type(data)

    @model_validator(mode="after")
    def _together(self) -> Self:
        check_place(self)
        if not self.scale:
            raise ValueError("scale 0 leaves nothing to divide by")
        return self


class Outage(Settings):
    """The device drops off, with its port closed, and comes back."""

    every: Annotated[Duration, Field(gt=0, description="from one outage to the next")]
    length: Annotated[Duration, Field(gt=0, alias="for", description="how long it is away")]

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.length >= self.every:
            raise ValueError("an outage is shorter than the time from one to the next")
        return self


class Fault(Settings):
    """Some requests are refused."""

    exception: Annotated[int, Field(ge=1, le=255, description="the exception code")] = BUSY
    share: Annotated[float, Field(ge=0, le=1, description="part of the requests")]


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

    async def run(self, ctx: SourceContext) -> None:
        """Be the device until cancelled; raises LinkError where it cannot listen."""
        device = SimulatedDevice(self, ctx)
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


class Page:
    """The registers or bits of one unit's table, from its first to its last."""

    def __init__(self, quantities: list[Quantity]) -> None:
        self.first = min(one.address for one in quantities)
        self.end = max(one.address + one.type.width for one in quantities)
        self.words = np.zeros(self.end - self.first, np.uint16)


class SimulatedDevice:
    """The registers behind the port: filled when somebody reads them."""

    def __init__(self, settings: ModbusSimulator, ctx: SourceContext) -> None:
        self._settings = settings
        self._now = ctx.now
        self._start = ctx.now()
        self._tick = -1
        self._faults = seeded(f"{settings.seed}/fault")
        homes: dict[tuple[int, Table], list[Quantity]] = {}
        for one in settings.registers:
            homes.setdefault((self._unit(one), one.table), []).append(one)
        self._pages = {home: Page(quantities) for home, quantities in homes.items()}
        self._units = {unit for unit, _ in homes}
        self._signals = list(self._begin())

    def _unit(self, one: Quantity) -> int:
        return self._settings.unit if one.unit is None else one.unit

    def _begin(self) -> Iterator[tuple[Quantity, Page, Signal]]:
        for index, one in enumerate(self._settings.registers):
            random = seeded(f"{self._settings.seed}/{index}")
            yield one, self._pages[self._unit(one), one.table], one.signal.start(random)

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """See `Device.answer`: reads only, one snapshot of all values for each update."""
        function = pdu[0]
        fault = self._settings.fault
        if fault is not None and self._faults.random() < fault.share:
            return frame.exception(function, fault.exception)
        if unit not in self._units:
            return frame.exception(function, GATEWAY_TARGET)
        table = TABLE_OF_FUNCTION.get(function)
        if table is None:
            return frame.exception(function, ILLEGAL_FUNCTION)
        span = frame.read_of(pdu)
        if span is None:
            return frame.exception(function, ILLEGAL_VALUE)
        page = self._pages.get((unit, table))
        start, count = span
        if page is None or start < page.first or start + count > page.end:
            return frame.exception(function, ILLEGAL_ADDRESS)
        self._move()
        return frame.read_answer(function, page.words[start - page.first :][:count])

    def _move(self) -> None:
        elapsed = (self._now() - self._start) / 1e9
        tick = int(elapsed / self._settings.update)
        if tick == self._tick:
            return
        self._tick = tick
        seconds = tick * self._settings.update
        for one, page, signal in self._signals:
            value = value_at(one.signal, signal, seconds) / one.scale
            at = one.address - page.first
            if one.type is RegisterType.BIT and not one.table.of_bits:
                mask = 1 << (one.bit or 0)
                word = int(page.words[at])
                page.words[at] = word | mask if value >= 0.5 else word & ~mask
                continue
            order = one.order or self._settings.order
            words = words_of(np.array([value]), one.type, order)[0]
            page.words[at : at + len(words)] = words
