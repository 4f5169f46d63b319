"""A controlled station: what it is asked, and what it says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway import Client, CommandStatus, SinkContext
from gateway_iec60870.asdu import (
    PATTERN,
    Asdu,
    AsduError,
    Cause,
    ClockSynchronisation,
    CounterInterrogation,
    EndOfInitialisation,
    Interrogation,
    ReadRequest,
    Reset,
    Test,
    TypeId,
    encode_system,
    parse,
    system,
)
from gateway_iec60870.controlled.commands import Commands
from gateway_iec60870.controlled.database import Database
from gateway_iec60870.controlled.events import Events
from gateway_iec60870.controlled.feeder import Feeder
from gateway_iec60870.controlled.interrogations import Interrogations
from gateway_iec60870.controlled.layout import Layout
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.scans import Scans
from gateway_iec60870.controlled.type import COMMANDS
from gateway_iec60870.controlled.upkeep import Upkeep

_ACT = frozenset((Cause.ACTIVATION,))
_BOTH = frozenset((Cause.ACTIVATION, Cause.DEACTIVATION))


class _Duty(NamedTuple):
    """What is done with a type: for which causes, whether for all stations at once, and how."""

    causes: frozenset[Cause]
    broadcast: bool
    do: Callable[[Asdu], None]


class Controlled:
    """The application of a controlled station, whatever carries its ASDUs to and fro.

    The transport tells who speaks (`started`, `stopped`), gives what came to `take`, and takes what
    is to be sent from `outgoing`.
    """

    def __init__(self, ctx: SinkContext, manners: Manners) -> None:
        self._ctx = ctx
        self._manners = manners
        self._client: Client | None = None
        self.layout = Layout(ctx.points, manners.ca)
        self.database = Database(self.layout, ctx.image, manners.sizes)
        self._feeder = Feeder(ctx, Events(self.database, manners))
        self.outgoing = self._feeder.outgoing
        self.outgoing.events(self._beginning(), 0)
        self._interrogations = Interrogations(
            ctx, manners, self.database, self._feeder, self.outgoing, self._say
        )
        self._scans = Scans(ctx, manners, self.database, self.outgoing)
        self._upkeep = Upkeep(ctx, manners, self._say)
        self._commands = Commands(ctx, manners, self.layout, self._answer)
        self._duties = self._all_duties()

    async def run(self) -> None:
        """Work until cancelled; raises LinkError where a restart is asked for."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._feeder.run())
                tasks.create_task(self._interrogations.run())
                tasks.create_task(self._scans.run())
                tasks.create_task(self._upkeep.restarted())
        finally:
            await self._commands.close()

    # Who speaks

    def started(self, client: Client) -> None:
        """Begin with a controlling station, in the place of the one before, if there is one."""
        self.stopped()
        self._client = client
        self.outgoing.open()

    def stopped(self) -> None:
        """End with it: what it has not acknowledged is for the next one."""
        if self._client is None:
            return
        self.outgoing.lost()
        self._interrogations.lost()
        self._scans.lost()
        self._commands.left()
        self._ctx.release(self._client)
        self._client = None

    async def take(self, asdus: Sequence[bytes]) -> None:
        """Take what the controlling station says; returns when it may say more."""
        for data in asdus:
            try:
                asdu = parse(data[: self._manners.sizes.longest], self._manners.sizes)
            except AsduError as error:
                self._unreadable(data, error)
            else:
                self._dispatch(asdu)
        await self.outgoing.quiet()

    # What it says of itself

    def _beginning(self) -> list[bytes]:
        """Return what each station says before its first event: the end of its initialisation."""
        sizes, end = self._manners.sizes, EndOfInitialisation()
        body = encode_system(end, sizes)
        return [
            Asdu(end.type, Cause.INITIALISED, address, body).encode(sizes)
            for address in self.layout.addresses
        ]

    # What it is told

    def _all_duties(self) -> dict[int, _Duty]:
        duties = {kind: _Duty(_BOTH, False, self._command) for kind in COMMANDS}
        known = TypeId
        return duties | {
            known.C_IC_NA_1: _Duty(_BOTH, True, self._system),
            known.C_CI_NA_1: _Duty(_BOTH, True, self._system),
            known.C_RD_NA_1: _Duty(frozenset((Cause.REQUEST,)), False, self._system),
            known.C_CS_NA_1: _Duty(_ACT, True, self._system),
            known.C_TS_NA_1: _Duty(_ACT, False, self._system),
            known.C_TS_TA_1: _Duty(_ACT, False, self._system),
            known.C_RP_NA_1: _Duty(_ACT, True, self._system),
            known.C_CD_NA_1: _Duty(_ACT | {Cause.SPONTANEOUS}, False, self._system),
        }

    def _dispatch(self, asdu: Asdu) -> None:
        if asdu.negative or asdu.cause >= Cause.UNKNOWN_TYPE:
            # It answers an answer of ours; another answer would have no end.
            self._ctx.count("unexpected")
            return
        duty = self._duties.get(asdu.type)
        everywhere = asdu.address == self._manners.sizes.broadcast
        if duty is None:
            self._refuse(asdu, Cause.UNKNOWN_TYPE)
        elif asdu.cause not in duty.causes:
            self._refuse(asdu, Cause.UNKNOWN_CAUSE)
        elif everywhere and duty.broadcast:
            for address in self.layout.addresses:
                duty.do(replace(asdu, address=address))
        elif asdu.address not in self.layout.addresses:
            self._refuse(asdu, Cause.UNKNOWN_ADDRESS)
        else:
            duty.do(asdu)

    def _command(self, asdu: Asdu) -> None:
        if self._client is not None:
            self._commands.begin(asdu, self._client)

    def _system(self, asdu: Asdu) -> None:
        try:
            said = system(asdu, self._manners.sizes)
        except AsduError:
            self._ctx.count("malformed")
            self._say(asdu.answer(Cause.ACTIVATION_CON, True))
            return
        if said.object and not isinstance(said, ReadRequest):
            self._refuse(asdu, Cause.UNKNOWN_OBJECT)
            return
        match said:
            case Interrogation():
                self._interrogations.station(asdu, said)
            case CounterInterrogation():
                self._interrogations.counters(asdu, said)
            case ReadRequest():
                self._interrogations.read(asdu, said)
            case ClockSynchronisation():
                self._upkeep.synchronise(asdu, said, self._client)
            case Reset():
                self._upkeep.restart(asdu, said, self._client)
            case Test():
                self._say(asdu.answer(Cause.ACTIVATION_CON, said.pattern != PATTERN))
            case _:
                # A test with a time, and the delay of the line, which is of no use to a clock
                # that is not set.
                if asdu.cause == Cause.ACTIVATION:
                    self._say(asdu.answer(Cause.ACTIVATION_CON))

    # What is answered

    def _refuse(self, asdu: Asdu, cause: Cause) -> None:
        self._ctx.count(cause.name.lower())
        if asdu.type in COMMANDS and self._client is not None:
            status = _REFUSALS.get(cause, CommandStatus.FORMAT_ERROR)
            why = f"{cause.name.lower()}: cause {asdu.cause}, station {asdu.address}"
            self._ctx.refused(self._client, status, why, type=str(asdu.type))
        self._say(asdu.answer(cause, True))

    def _unreadable(self, data: bytes, error: AsduError) -> None:
        self._ctx.count("malformed")
        if data and data[0] in COMMANDS and self._client is not None:
            why = str(error)
            self._ctx.refused(self._client, CommandStatus.FORMAT_ERROR, why, asdu=data[:64].hex())

    def _answer(self, asdu: Asdu, client: Client) -> None:
        """Answer whoever asked, if it is still there."""
        if client is self._client:
            self._say(asdu)

    def _say(self, asdu: Asdu) -> None:
        self.outgoing.answer(asdu.encode(self._manners.sizes))


_REFUSALS = {Cause.UNKNOWN_ADDRESS: CommandStatus.UNKNOWN_POINT}
