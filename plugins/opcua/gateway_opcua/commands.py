"""Write and Call become commands of the gateway, and their answers StatusCodes."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace

from gateway import (
    ANSWERS,
    Answer,
    Client,
    CommandStatus,
    Operation,
    Override,
    Request,
    SinkContext,
)
from gateway_opcua.methods import MethodNode
from gateway_opcua.nodes import PointNode
from gateway_opcua.session import Session
from gateway_opcua.value import Found, commanded, described, written

_CODES = ua.StatusCodes


class Result(NamedTuple):
    """What became of one element of a request.

    arguments: the StatusCode of each input argument, where one is wrong.
    """

    code: int
    detail: str = ""
    answer: Answer | None = None
    arguments: tuple[int, ...] = ()


Work: TypeAlias = Callable[[], Awaitable[Result]]


class Commands:
    """Carries out what clients ask of points.

    What touches one point is done in the order of the request, different points side by side.
    """

    def __init__(self, ctx: SinkContext, aspace: AddressSpace, most: int) -> None:
        """`most` commands of one session are under way at a time."""
        self._ctx = ctx
        self._aspace = aspace
        self._most = most
        self._points = {point.name: point.id for point in ctx.points}
        self._definitions = {point.id: point.definition for point in ctx.points}

    async def write(
        self, session: Session, client: Client, params: Any, timeout: float | None
    ) -> list[Result]:
        """Carry out a Write, and return when the last of its commands has ended."""
        return await self._all(
            session,
            params.NodesToWrite,
            lambda wanted: self._write(client, wanted, timeout),
        )

    async def call(
        self, session: Session, client: Client, params: Any, timeout: float | None
    ) -> list[Result]:
        """Carry out a Call, likewise."""
        return await self._all(
            session,
            params.MethodsToCall,
            lambda wanted: self._call(client, wanted, timeout),
        )

    async def _all(
        self,
        session: Session,
        wanted: list[Any] | None,
        plan: Callable[[Any], Result | tuple[int, Work]],
    ) -> list[Result]:
        if not wanted:
            raise ServiceError(_CODES.BadNothingToDo)
        if len(wanted) > self._most or session.commands >= self._most:
            raise ServiceError(_CODES.BadTooManyOperations)
        results: dict[int, Result] = {}
        queues: dict[int, list[tuple[int, Work]]] = {}
        for place, one in enumerate(wanted):
            planned = plan(one)
            if isinstance(planned, Result):
                results[place] = planned
            else:
                point, work = planned
                queues.setdefault(point, []).append((place, work))
        count = len(wanted) - len(results)
        if session.commands + count > self._most:
            raise ServiceError(_CODES.BadTooManyOperations)

        async def work_off(queue: Iterable[tuple[int, Work]]) -> None:
            for place, work in queue:
                results[place] = await work()

        session.commands += count
        try:
            async with asyncio.TaskGroup() as tasks:
                for queue in queues.values():
                    tasks.create_task(work_off(queue))
        finally:
            session.commands -= count
        return [results[place] for place in range(len(wanted))]

    def _write(
        self, client: Client, wanted: Any, timeout: float | None
    ) -> Result | tuple[int, Work]:
        node = self._aspace.get(wanted.NodeId)
        if node is None:
            return Result(_CODES.BadNodeIdUnknown)
        if not isinstance(node, PointNode) or wanted.AttributeId != ua.AttributeIds.Value:
            known = wanted.AttributeId in node.attributes
            return Result(_CODES.BadNotWritable if known else _CODES.BadAttributeIdInvalid)
        point, definition = node.point.id, node.point.definition
        found = written(definition, wanted)

        async def work() -> Result:
            result = await self._command(client, point, Operation.DIRECT, found, timeout)
            if definition.command is None:  # whoever asks (OPC 10000-4, 5.11.4)
                return result._replace(code=_CODES.BadNotWritable)
            return result

        return point, work

    def _call(
        self, client: Client, wanted: Any, timeout: float | None
    ) -> Result | tuple[int, Work]:
        node, owner = self._aspace.get(wanted.MethodId), self._aspace.get(wanted.ObjectId)
        if owner is None:
            return Result(_CODES.BadNodeIdUnknown)
        if not isinstance(node, MethodNode) or node.parent is not owner:
            return Result(_CODES.BadMethodInvalid)
        arguments = wanted.InputArguments or []
        if len(arguments) < node.method.required:
            return Result(_CODES.BadArgumentsMissing)
        if len(arguments) > len(node.method.inputs):
            return Result(_CODES.BadTooManyArguments)
        if isinstance(node.method.does, Operation):
            return self._operate(client, node, node.method.does, arguments, timeout)
        return self._override(client, node, node.method.does, arguments)

    def _operate(
        self,
        client: Client,
        node: MethodNode,
        operation: Operation,
        arguments: list[Any],
        timeout: float | None,
    ) -> tuple[int, Work]:
        point = node.point
        assert point is not None  # noqa: S101 - a command's method belongs to a point
        found, test = Found(0.0), False
        wrong: tuple[int, ...] = ()
        if arguments:
            found = commanded(self._definitions[point], arguments[0])
            wrong = (found.code,)
        if len(arguments) > 1:
            mismatch = _mismatch(node, arguments, 1)
            wrong = (found.code, mismatch)
            test = not mismatch and arguments[1].Value
            if mismatch:
                found = Found(math.nan, mismatch, _sentence(node, arguments, 1))

        async def work() -> Result:
            result = await self._command(client, point, operation, found, timeout, test)
            if result.code and result.code == found.code:
                return result._replace(code=_CODES.BadInvalidArgument, arguments=wrong)
            return result

        return point, work

    def _override(
        self, client: Client, node: MethodNode, action: Override, arguments: list[Any]
    ) -> Result | tuple[int, Work]:
        places = range(len(arguments))
        wrong = tuple(_mismatch(node, arguments, place) for place in places)
        if any(wrong):
            sentences = [_sentence(node, arguments, place) for place in places if wrong[place]]
            detail = ", ".join(sentences)
            answer = self._refused(client, CommandStatus.FORMAT_ERROR, action, detail)
            return Result(_CODES.BadInvalidArgument, detail, answer, wrong)
        name, *more = (one.Value for one in arguments)
        point = self._points.get(name)
        if point is None:
            detail = "there is no such point"
            answer = self._refused(client, CommandStatus.UNKNOWN_POINT, action, detail, name)
            unknown = (_CODES.BadNodeIdUnknown, *(0 for _ in more))
            return Result(_CODES.BadInvalidArgument, detail, answer, unknown)
        value = more[0] if action is Override.SUBSTITUTE else None
        if action is Override.TEST and not more[0]:
            action = Override.END_TEST

        async def work() -> Result:
            return _told(await self._ctx.override(client, point, action, value))

        return point, work

    def _refused(
        self,
        client: Client,
        status: CommandStatus,
        action: Override,
        detail: str,
        point: str = "",
    ) -> Answer:
        return self._ctx.refused(client, status, detail, point=point, action=action.value)

    async def _command(
        self,
        client: Client,
        point: int,
        operation: Operation,
        found: Found,
        timeout: float | None,
        test: bool = False,
    ) -> Result:
        """Ask the gateway, also for what is no value: it is refused there, and on record."""
        request = Request(point, operation, found.value, client, test=test, timeout=timeout)
        answer = await self._ctx.command(request)
        if found.code and answer.status is CommandStatus.FORMAT_ERROR:
            return Result(found.code, found.detail, answer)
        return _told(answer)


def _told(answer: Answer) -> Result:
    return Result(ANSWERS[answer.status].opcua, answer.detail, answer)


def _mismatch(node: MethodNode, arguments: list[Any], place: int) -> int:
    given, wanted = arguments[place], node.method.inputs[place]
    fits = given.VariantType == ua.VariantType(wanted.type) and not given.is_array
    return 0 if fits and given.Value is not None else _CODES.BadTypeMismatch


def _sentence(node: MethodNode, arguments: list[Any], place: int) -> str:
    wanted = node.method.inputs[place]
    allowed = ua.VariantType(wanted.type).name
    return f"{wanted.name}: found {described(arguments[place])}, allowed: {allowed}"
