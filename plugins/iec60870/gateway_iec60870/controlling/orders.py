"""Commands on their way to stations, and what their answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

from gateway import Command, CommandStatus, Operation, SourceContext
from gateway_iec60870.asdu import Asdu, AsduError, Cause, Sizes
from gateway_iec60870.controlling.course import Course, Outcome, Step
from gateway_iec60870.controlling.exchange import ANSWERS, COMMANDS, Exchange
from gateway_iec60870.controlling.manners import Manners
from gateway_iec60870.controlling.output import Output
from gateway_iec60870.controlling.point import Operate
from gateway_iec60870.controlling.sending import Send, Undelivered

_S = CommandStatus
EARLY = 0.01
"""Seconds by which a command is given up before its time, to say what it waited for."""

Key = tuple[int, int]
"""Common address and object address."""
SELECT = Step(Cause.ACTIVATION, select=True)
DESELECT = Step(Cause.DEACTIVATION, select=True)


class Orders:
    """Carries out the commands of one connection, those to different objects side by side.

    wall:   the wall clock in ms since 1970 UTC.
    silent: whether a station, by its common address, does not answer.
    """

    def __init__(
        self,
        ctx: SourceContext,
        outputs: Mapping[int, Output],
        sizes: Sizes,
        manners: Manners,
        send: Send,
        wall: Callable[[], int],
        silent: Callable[[int], bool],
    ) -> None:
        self._ctx = ctx
        self._outputs = outputs
        self._sizes = sizes
        self._manners = manners
        self._send = send
        self._wall = wall
        self._silent = silent
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[Key, Exchange | None] = {}
        self._before: dict[Key, Exchange] = {}
        # The latest executes whose end has not been told.
        self._endless: dict[Key, Exchange] = {}

    async def run(self) -> None:
        """Hand commands to the stations until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            async for command in self._ctx.commands():
                output = self._outputs.get(command.point)
                refusal = self._hindrance(output)
                if output is None or refusal is not None:
                    self._ctx.answer(command, *(refusal or (_S.NOT_SUPPORTED, "")))
                    continue
                self._under_way[output.address, output.object] = None
                tasks.create_task(self._carry_out(command, output))

    def answered(self, asdu: Asdu) -> bool:
        """Take an answer to a command; False where it is none to one that was given."""
        if asdu.type not in COMMANDS or asdu.cause not in ANSWERS:
            return False
        at = int.from_bytes(asdu.body[: self._sizes.object], "little")
        key = asdu.address, at
        exchange, before = self._under_way.get(key), self._before.get(key)
        ours = exchange is not None and exchange.repeated_by(asdu)
        if asdu.cause == Cause.ACTIVATION_TERM and self._late_end(key, asdu, exchange):
            return True
        if not ours and before is not None and before.repeated_by(asdu):
            # The end of one whose confirmation was enough, or an answer after its time.
            return True
        if exchange is None or exchange.request.type != asdu.type:
            return False
        exchange.put(asdu)
        return True

    def _late_end(self, key: Key, asdu: Asdu, exchange: Exchange | None) -> bool:
        """Return whether an end is that of the command before, which nobody waits for any more."""
        endless = self._endless.get(key)
        if endless is None or not endless.repeated_by(asdu):
            return False
        if exchange is not None and exchange.confirmed and exchange.repeated_by(asdu):
            return False
        del self._endless[key]
        return True

    def _hindrance(self, output: Output | None) -> Outcome | None:
        if output is None:
            return _S.NOT_SUPPORTED, "its row names no object of a command"
        if self._silent(output.address):
            return _S.UNREACHABLE, f"station {output.address} does not answer"
        if (output.address, output.object) in self._under_way:
            where = f"object {output.object} of station {output.address}"
            return _S.ALREADY_ACTIVE, f"a command to {where} is under way"
        return None

    async def _carry_out(self, command: Command, output: Output) -> None:
        outcome: Outcome = (_S.SUCCESS, "")
        try:
            for step in steps(command.operation, output):
                outcome = await self._step(command, output, step)
                if outcome[0] is not _S.SUCCESS:
                    break
        finally:
            self._under_way.pop((output.address, output.object), None)
        self._ctx.answer(command, *outcome)

    async def _step(self, command: Command, output: Output, step: Step) -> Outcome:
        key = output.address, output.object
        where = f"station {output.address}"
        exchange: Exchange | None = None

        def request() -> bytes:
            nonlocal exchange
            asdu = self._asdu(command, output, step)
            octets = asdu.encode(self._sizes)
            exchange = Exchange(asdu, output.repeated(self._sizes))
            self._under_way[key] = exchange
            return octets

        course = Course(step, where)
        try:
            # Before anything is asked of the transport: what cannot be said is not sent.
            self._asdu(command, output, step)
            async with asyncio.timeout_at(command.deadline - EARLY):
                await self._send(output.address, request)
                while exchange is not None:
                    answer = await exchange.answer()
                    outcome = None if answer is None else course.take(answer, exchange)
                    if outcome is not None:
                        return outcome
        except AsduError as error:
            return _S.OUT_OF_RANGE, f"found {error.found}, allowed: {error.allowed}"
        except TimeoutError:
            if exchange is None:
                return _S.UNREACHABLE, f"{where} did not take it in time: not sent"
            return course.silence()
        except Undelivered:
            if exchange is not None:
                return _S.TIMEOUT, f"{where} is out of reach: it may have it"
        finally:
            if exchange is not None:
                self._before[key] = exchange
                self._remember(key, exchange, step)
        return _S.UNREACHABLE, f"{where} is out of reach: not sent"

    def _remember(self, key: Key, exchange: Exchange, step: Step) -> None:
        if exchange.ended:
            self._endless.pop(key, None)
        elif step.cause is Cause.ACTIVATION and not step.select:
            self._endless[key] = exchange

    def _asdu(self, command: Command, output: Output, step: Step) -> Asdu:
        time, clock = self._manners.zone.civil_of(self._wall())
        body = output.body(command, self._sizes, select=step.select, time=time, clock=clock)
        return Asdu(
            output.type_id,
            step.cause,
            output.address,
            body,
            originator=self._manners.originator,
        )


def steps(operation: Operation, output: Output) -> Iterator[Step]:
    """Yield the requests that carry out an operation."""
    execute = Step(Cause.ACTIVATION, select=False, terminated=output.terminated)
    match operation:
        case Operation.SELECT:
            yield SELECT
        case Operation.CANCEL:
            yield DESELECT
        case Operation.EXECUTE if output.forwarded:
            yield execute
        case _:
            if output.operate is Operate.SELECT:
                yield SELECT
            yield execute
