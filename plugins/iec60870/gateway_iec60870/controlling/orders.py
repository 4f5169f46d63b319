"""Commands on their way to stations, and what their answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway import FROM_IEC104, Command, CommandStatus, Operation, SourceContext
from gateway_iec60870.asdu import Asdu, AsduError, Cause, Sizes
from gateway_iec60870.controlling.exchange import (
    ANSWERS,
    COMMANDS,
    REFUSALS,
    Exchange,
    cause_text,
    refuses,
)
from gateway_iec60870.controlling.manners import Manners
from gateway_iec60870.controlling.output import Output
from gateway_iec60870.controlling.point import Operate
from gateway_iec60870.controlling.sending import Send, Undelivered

_S = CommandStatus
EARLY = 0.01
"""Seconds by which a command is given up before its time, to say what it waited for."""

Outcome = tuple[CommandStatus, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a command.

    cause:      ACTIVATION or DEACTIVATION.
    select:     S/E of its qualifier.
    terminated: whether the end is waited for.
    """

    cause: Cause
    select: bool
    terminated: bool = False


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
        self._under_way: dict[tuple[int, int], Exchange | None] = {}
        self._before: dict[tuple[int, int], Exchange] = {}

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
        if not ours and before is not None and before.repeated_by(asdu):
            # The end of one whose confirmation was enough, or an answer after its time.
            return True
        if exchange is None or exchange.request.type != asdu.type:
            return False
        exchange.put(asdu)
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

        confirmed = False
        try:
            # Before anything is asked of the transport: what cannot be said is not sent.
            self._asdu(command, output, step)
            async with asyncio.timeout_at(command.deadline - EARLY):
                await self._send(output.address, request)
                while exchange is not None:
                    answer = await exchange.answer()
                    if answer is None or not (confirmed or _begins(answer, exchange)):
                        continue
                    outcome = self._outcome(answer, exchange, step)
                    if outcome is not None:
                        return outcome
                    confirmed = True
        except AsduError as error:
            return _S.OUT_OF_RANGE, f"{error.found}; {error.allowed}"
        except TimeoutError:
            if exchange is None:
                return _S.UNREACHABLE, f"{where} did not take it in time: not sent"
            if confirmed:
                return _S.TIMEOUT, f"{where} confirmed it and has not said that it ended"
            return _S.TIMEOUT, f"{where} has not answered"
        except Undelivered:
            if exchange is not None:
                return _S.TIMEOUT, f"{where} is out of reach: it may have it"
        finally:
            if exchange is not None:
                self._before[key] = exchange
        return _S.UNREACHABLE, f"{where} is out of reach: not sent"

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

    def _outcome(self, answer: Asdu, exchange: Exchange, step: Step) -> Outcome | None:
        """Return how a command ended by an answer; None where the end is still to come."""
        if not exchange.repeated_by(answer) and answer.cause not in REFUSALS:
            found, sent = answer.body[: exchange.compared], exchange.request.body
            return _S.DEVICE_ERROR, (
                f"the answer {found.hex(' ')} does not repeat the command "
                f"{sent[: exchange.compared].hex(' ')}: it may have acted"
            )
        if refuses(answer):
            status = FROM_IEC104.get((answer.cause, True), _S.REFUSED)
            acted = ": it may have acted" if status is _S.DEVICE_ERROR else ""
            return status, cause_text(answer) + acted
        if step.cause is Cause.DEACTIVATION:
            if answer.cause == Cause.DEACTIVATION_CON:
                return _S.SUCCESS, ""
            return _S.REFUSED, f"the answer to a cancel is {cause_text(answer)}"
        if answer.cause == Cause.ACTIVATION_CON:
            return None if step.terminated else (_S.SUCCESS, "")
        if answer.cause == Cause.ACTIVATION_TERM:
            return _S.SUCCESS, ""
        return None


def _begins(answer: Asdu, exchange: Exchange) -> bool:
    """Return whether this can be the first answer to a request.

    An end before its confirmation is that of the same command the time before, which may come
    late: after a refusal, or after the select has expired.
    """
    return answer.cause != Cause.ACTIVATION_TERM or not exchange.repeated_by(answer)


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
