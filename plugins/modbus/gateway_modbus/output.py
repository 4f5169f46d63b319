"""Where and how a point is written in a device, and the write that a value becomes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gateway import Control, ControlModel, Kind, LinkPoint, SelectRule, seconds_text
from gateway_modbus.number import is_float, limits_of, words_of
from gateway_modbus.point import NEVER, ModbusPoint, WriteFunction
from gateway_modbus.register import Order, RegisterType, Table, check_place
from gateway_modbus.write import COIL, COILS, MASK, REGISTER, REGISTERS, Write

STATES = (Kind.STATUS, Kind.DOUBLE)
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


class OutOfRange(Exception):  # noqa: N818 - a state of a value, not an error of ours
    """A value that the register cannot hold."""


class _Place(NamedTuple):
    """See `check_place`."""

    table: Table
    address: int
    type: RegisterType
    bit: int | None


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how one point is written.

    on, off:   what is written for 1 and 0.
    trip:      register of a trip, where trip and close have one each.
    trip_time: seconds for which either of the two is on, None for ever.
    """

    point: int
    unit: int
    table: Table
    register: int
    type: RegisterType
    order: Order
    bit: int
    function: WriteFunction
    on: float
    off: float
    trip: int | None
    trip_time: float | None
    state: bool

    @classmethod
    def of(cls, point: LinkPoint, address: ModbusPoint, unit: int, order: Order) -> Output | None:
        """Return where a point is written, or None where it cannot be (`faults` says why)."""
        if any(faults(point, address, unit)):
            return None
        place = _place(address)
        assert place is not None  # noqa: S101 - a fault otherwise
        function = address.write_function
        of_a_register = place.type is RegisterType.BIT and not place.table.of_bits
        if function is WriteFunction.AUTO:
            function = (
                WriteFunction.MASK
                if of_a_register
                else WriteFunction.SINGLE
                if place.type.width == 1
                else WriteFunction.MULTIPLE
            )
        return cls(
            point.id,
            unit,
            place.table,
            place.address,
            place.type,
            order,
            place.bit or 0,
            function,
            1.0 if address.write_on is None else address.write_on,
            0.0 if address.write_off is None else address.write_off,
            address.trip_register,
            address.trip_time,
            point.kind in STATES,
        )

    @property
    def place(self) -> tuple[Table, int]:
        return self.table, self.register

    @property
    def mask(self) -> int:
        """The bit as the register holds it."""
        bit = 1 << self.bit
        return (bit << 8 | bit >> 8) & 0xFFFF if self.order.swaps_bytes else bit

    def write(self, number: float, register: int | None = None) -> Write:
        """Return the write of a number as the device counts, integers rounded half to even.

        For `read-modify-write` it is the mask write that has the same effect.
        Raises OutOfRange: nothing is to be sent.
        """
        at = self.register if register is None else register
        number = self._fitting(number)
        if self.table.of_bits:
            several = self.function is WriteFunction.MULTIPLE
            return Write(COILS if several else COIL, at, (int(number),))
        if self.type is RegisterType.BIT:
            mask = self.mask
            return Write(MASK, at, (~mask & 0xFFFF, mask if number else 0))
        words = words_of(np.array([number]), self.type, self.order)[0].tolist()
        single = self.function is WriteFunction.SINGLE
        return Write(REGISTER if single else REGISTERS, at, tuple(words))

    def _fitting(self, number: float) -> float:
        if self.type is RegisterType.FLOAT32:
            fits = abs(number) <= LARGEST_FLOAT32
        elif self.type is RegisterType.FLOAT64:
            fits = math.isfinite(number)
        else:
            low, high = limits_of(self.type)
            fits = math.isfinite(number) and low <= (number := float(round(number))) <= high
            if not fits:
                raise OutOfRange(
                    f"the register would be {number:.17g}; {self.type} holds {low:.17g} to "
                    f"{high:.17g}"
                )
        if not fits:
            raise OutOfRange(f"the register would be {number:.17g}, which {self.type} cannot hold")
        return number


def _place(address: ModbusPoint) -> _Place | None:
    """Return the place that is written, or None where there is none."""
    moved = address.write_register is not None or address.write_table is not None
    table = address.write_table
    if table is None:
        table = address.table
        if address.write_register is not None:
            table = Table.COIL if table in (Table.COIL, Table.DISCRETE) else Table.HOLDING
    if table in (Table.DISCRETE, Table.INPUT):
        return None
    register = address.address if address.write_register is None else address.write_register
    bit = address.write_bit
    kind = address.write_type
    if kind is None:
        kind = RegisterType.BIT if table.of_bits or bit is not None else address.type
        if moved and kind is RegisterType.BIT and address.table.of_bits and not table.of_bits:
            kind = RegisterType.BIT if bit is not None else RegisterType.UINT16
    if bit is None and kind is RegisterType.BIT and not table.of_bits:
        bit = address.bit
    return _Place(table, register, kind, bit)


def faults(point: LinkPoint, address: ModbusPoint, unit: int) -> Iterator[tuple[str, str]]:
    """Yield the column and a sentence for what keeps a point from being written as its row says."""
    control = point.command
    if control is None:
        for name in address.written:
            yield name, f"{name} writes a point, and command.model is empty: nobody may command it"
        if address.poll == NEVER:
            yield "poll", "poll never is for points that are written only, and this has no command"
        return
    if control.select is SelectRule.FORWARD:
        yield (
            "",
            "command.select forward: Modbus devices know no select; allowed: none, or local, "
            "where the gateway holds the select",
        )
    if unit == 0:
        yield "unit", "unit 0 is a broadcast, which no device answers; a command needs 1 to 255"
    if address.write_table in (Table.DISCRETE, Table.INPUT):
        yield (
            "write_table",
            f"table {address.write_table} cannot be written; allowed: coil, holding",
        )
        return
    place = _place(address)
    if place is None:
        yield (
            "table",
            f"table {address.table} cannot be written; name the coil or holding register "
            "that commands it in write_register",
        )
        return
    try:
        check_place(place)
    except ValueError as error:
        yield _column(address, "write_register", "write_type", "write_bit"), f"written: {error}"
        return
    yield from _function_faults(address.write_function, place)
    yield from _value_faults(point, address, place)
    trips = control.model is ControlModel.TRIP_CLOSE
    if trips and address.trip_register is None:
        yield "register", "model trip_close needs trip_register, where a trip is written"
    elif not trips and (address.trip_register is not None or address.trip_time is not None):
        name = "trip_time" if address.trip_register is None else "trip_register"
        yield name, f"{name} is of model trip_close, not of {control.model}"
    elif trips and address.trip_register == place.address:
        yield "trip_register", f"trip and close are both written to {place.table} {place.address}"
    yield from _time_faults(control, address)


def _time_faults(control: Control, address: ModbusPoint) -> Iterator[tuple[str, str]]:
    """The answer comes when the output is off again, which has to be in time."""
    pulse = control.pulse
    lasts = 0.0 if address.trip_time is None else address.trip_time
    if pulse is not None:
        lasts = pulse.count * pulse.on_time + (pulse.count - 1) * pulse.off_time
    if lasts >= control.timeout:
        yield (
            "" if address.trip_time is None else "trip_time",
            f"the output is driven for {seconds_text(lasts)}, and command.timeout is "
            f"{seconds_text(control.timeout)}: the answer could not come in time",
        )


def _column(address: ModbusPoint, *names: str) -> str:
    return next((name for name in names if name in address.written), "register")


def _function_faults(function: WriteFunction, place: _Place) -> Iterator[tuple[str, str]]:
    bit = place.type is RegisterType.BIT and not place.table.of_bits
    if bit and function in (WriteFunction.SINGLE, WriteFunction.MULTIPLE):
        yield (
            "write_function",
            f"{function} would overwrite the other bits of the register; allowed: auto, mask, "
            "read-modify-write, or write_type uint16 for a register of its own",
        )
    elif not bit and function in (WriteFunction.MASK, WriteFunction.READ_MODIFY_WRITE):
        what = "coil" if place.table.of_bits else f"{place.type}"
        yield (
            "write_function",
            f"{function} is for a bit of a register, not for a {what}; allowed: auto, single, "
            "multiple",
        )
    elif function is WriteFunction.SINGLE and place.type.width > 1:
        yield (
            "write_function",
            f"single writes one register, and {place.type} has {place.type.width}; allowed: "
            "auto, multiple",
        )


def _value_faults(
    point: LinkPoint, address: ModbusPoint, place: _Place
) -> Iterator[tuple[str, str]]:
    states = {"write_on": address.write_on, "write_off": address.write_off}
    given = {name: number for name, number in states.items() if number is not None}
    if point.kind not in STATES:
        for name in given:
            yield name, f"{name} is for status and double points, not for {point.kind}"
        if place.type is RegisterType.BIT:
            yield (
                _column(address, "write_table", "write_type", "write_bit"),
                f"a bit holds 0 or 1, and the point is {point.kind}",
            )
        return
    for name, number in given.items():
        low, high = (-math.inf, math.inf) if is_float(place.type) else limits_of(place.type)
        if not low <= number <= high or (not is_float(place.type) and number != round(number)):
            yield name, f"{number:g} cannot be written as {place.type}"
    on, off = given.get("write_on", 1.0), given.get("write_off", 0.0)
    if on == off:
        yield next(iter(given), "register"), f"1 and 0 are both written as {on:g}"
