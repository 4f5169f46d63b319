"""What masters write to the slave, as commands: from registers to requests, and back to answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from gateway import ANSWERS, Client, CommandStatus, Kind, Operation, Request, SinkContext
from gateway_modbus import frame
from gateway_modbus.bank import Bank, Place
from gateway_modbus.number import number_of
from gateway_modbus.register import RegisterType, Table
from gateway_modbus.write import MASK, Write

PAUSE = 0.05
"""Seconds before an impossible write is refused, so that nobody fills the audit log with them."""

_S = CommandStatus


class Refused(Exception):  # noqa: N818 - an answer
    """How a write ended; recorded already where a command was made of it."""

    def __init__(self, status: CommandStatus, detail: str = "", *, recorded: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.recorded = recorded


class Wanted(NamedTuple):
    """What a write wants of one point, in its unit."""

    place: Place
    value: float


class Commands:
    """The places that masters write.

    timeout: seconds within which a write is answered; None for the times of its points.
    """

    def __init__(
        self, places: Iterable[Place], bank: Bank, ctx: SinkContext, timeout: float | None
    ) -> None:
        self._bank = bank
        self._ctx = ctx
        self._timeout = timeout
        self._coils: dict[tuple[int, int], Place] = {}
        self._values: dict[tuple[int, int], Place] = {}
        self._bits: dict[tuple[int, int], list[Place]] = {}
        for place in places:
            at = place.unit, place.register
            if place.table is Table.COIL:
                self._coils[at] = place
            elif place.table is Table.HOLDING and place.type is RegisterType.BIT:
                self._bits.setdefault(at, []).append(place)
            elif place.table is Table.HOLDING:
                self._values[at] = place

    def client(self, address: str, certificate: bytes | None) -> Client:
        """See `Commander.client`."""
        return self._ctx.client(address, certificate=certificate)

    def left(self, client: Client) -> None:
        """See `Commander.left`."""
        self._ctx.release(client)

    async def answer(self, client: Client, unit: int, pdu: bytes) -> bytes | None:
        """See `Commander.answer`: all is looked up first; then point after point, in the order of
        the registers, until one fails, whose exception is the answer."""
        if unit not in self._bank.units:
            await self._record(client, unit, pdu, _S.UNKNOWN_POINT, f"there is no unit {unit}")
            return self._bank.answer(unit, pdu)
        try:
            write = Write.of(pdu)
            if write is None:
                raise Refused(_S.FORMAT_ERROR, "its length, a count or a value cannot be")
            wanted = self.wanted(unit, write)
            if write.read is not None and not self._bank.shows(unit, Table.HOLDING, *write.read):
                raise Refused(_S.UNKNOWN_POINT, "what it reads has registers without a point")
            await self._carry_out(client, wanted)
        except Refused as refused:
            self._ctx.count("exceptions")
            if not refused.recorded:
                await self._record(client, unit, pdu, refused.status, str(refused))
            return frame.exception(pdu[0], ANSWERS[refused.status].modbus)
        if write.read is None:
            return write.echo
        found = self._bank.answer(unit, frame.READ.pack(Table.HOLDING.function, *write.read))
        assert found is not None  # noqa: S101 - the unit is there
        return bytes((write.function | found[0] & frame.EXCEPTION,)) + found[1:]

    def busy(self, client: Client, unit: int, pdu: bytes) -> None:
        """See `Commander.busy`."""
        why = "too many writes of this connection are under way"
        self._ctx.refused(client, _S.RATE_LIMITED, why, request=pdu.hex(), unit=str(unit))

    async def _record(
        self, client: Client, unit: int, pdu: bytes, status: CommandStatus, why: str
    ) -> None:
        self._ctx.refused(client, status, why, request=pdu.hex(), unit=str(unit))
        await asyncio.sleep(PAUSE)

    async def _carry_out(self, client: Client, wanted: Iterable[Wanted]) -> None:
        loop = asyncio.get_running_loop()
        end = None if self._timeout is None else loop.time() + self._timeout
        for place, value in wanted:
            left = None if end is None else end - loop.time()
            if left is not None and left <= 0:
                raise Refused(_S.TIMEOUT, f"{place.name} and what follows was not tried in time")
            answer = await self._ctx.command(
                Request(place.point, Operation.DIRECT, value, client, timeout=left)
            )
            if not answer:
                raise Refused(answer.status, recorded=True)

    def wanted(self, unit: int, write: Write) -> list[Wanted]:
        """Return what a write wants of which points, by register and bit.

        Raises Refused: unknown_point (exception 2) where a register has no point, or a value
        would be written in part; not_supported (1) where the function does not fit the register;
        format_error (3) for bits that nobody has.
        """
        if write.of_bits:
            return [self._coil(unit, write.start + n, word) for n, word in enumerate(write.words)]
        if write.function == MASK:
            return self._masked(unit, write)
        found: list[Wanted] = []
        at = 0
        while at < len(write.words):
            home = unit, write.start + at
            if home in self._bits:
                found.append(self._bit(home, write.words[at]))
                at += 1
                continue
            place = self._values.get(home)
            if place is None:
                raise Refused(_S.UNKNOWN_POINT, f"no value of a point begins at register {home[1]}")
            if at + place.type.width > len(write.words):
                raise Refused(_S.UNKNOWN_POINT, f"{place.name} would be written in part")
            words = write.words[at : at + place.type.width]
            found.append(_wanted(place, number_of(words, place.type, place.order)))
            at += place.type.width
        return found

    def _coil(self, unit: int, register: int, word: int) -> Wanted:
        place = self._coils.get((unit, register))
        if place is None:
            raise Refused(_S.UNKNOWN_POINT, f"coil {register} is no point's")
        return _wanted(place, word)

    def _bit(self, home: tuple[int, int], word: int) -> Wanted:
        """A whole register stands for a bit only where it has just the one: of several it cannot
        say which are meant, and those that are not would be switched back to what was read."""
        places = self._bits[home]
        if len(places) > 1:
            names = ", ".join(place.name for place in places)
            why = f"register {home[1]} has the bits of {names}: mask write (22) says which"
            raise Refused(_S.NOT_SUPPORTED, why)
        mask = places[0].mask
        if word & ~mask:
            raise Refused(_S.FORMAT_ERROR, f"found {word:#06x}, allowed: 0 or {mask:#06x}")
        return _wanted(places[0], int(word == mask))

    def _masked(self, unit: int, write: Write) -> list[Wanted]:
        keep, put = write.words
        home = unit, write.start
        places = self._bits.get(home)
        if places is None:
            if home in self._values:
                raise Refused(_S.NOT_SUPPORTED, f"register {home[1]} is a number and has no bits")
            raise Refused(_S.UNKNOWN_POINT, f"register {home[1]} has no bit of a point")
        touched = ~keep & 0xFFFF
        if not touched or touched & ~sum(place.mask for place in places):
            raise Refused(_S.FORMAT_ERROR, f"found the bits {touched:#06x}, not all are points")
        return [
            _wanted(place, int(bool(put & place.mask)))
            for place in sorted(places, key=lambda place: place.bit)
            if touched & place.mask
        ]


def _wanted(place: Place, number: float) -> Wanted:
    value = number * place.scale + place.offset
    # A double point is shown as 1 off, 2 on, and commanded as 0 and 1.
    shifted = place.kind is Kind.DOUBLE and place.type is not RegisterType.BIT
    return Wanted(place, value - 1.0 if shifted else value)
