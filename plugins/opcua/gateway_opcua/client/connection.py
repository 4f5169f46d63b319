"""One connection to a server, from the session to the last notification."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncua import ua

from gateway import GatewayError, Kind, LinkError, LinkPoint, Quality, SourceContext
from gateway_opcua.client.data_type import DataTypes
from gateway_opcua.client.executor import Executor
from gateway_opcua.client.limits import Limits, limits, read
from gateway_opcua.client.monitored import forget, monitor, subscribe, transfer, unsubscribe
from gateway_opcua.client.outputs import Output, outputs
from gateway_opcua.client.poller import Poller
from gateway_opcua.client.publisher import Publisher
from gateway_opcua.client.resolver import Resolver, Unresolved
from gateway_opcua.client.samples import Samples
from gateway_opcua.client.session import FAILURES, Session, opened, sentence
from gateway_opcua.client.source import address_of
from gateway_opcua.client.ticket import Ticket, load
from gateway_opcua.client.transport import quiet
from gateway_opcua.settings import Policy

if TYPE_CHECKING:
    from gateway_opcua.client.source import OpcUaClient

FILE = "subscription.json"
NOT_THERE = Quality.INVALID | Quality.BAD_REFERENCE
_NAMED = 5
"""Points that a line of the log names at the most."""
_KINDS = list(Kind)


async def run(source: OpcUaClient, ctx: SourceContext) -> None:
    """Serve the points until the connection breaks or we are cancelled; raises LinkError."""
    quiet(ctx.log)
    path = ctx.data / FILE
    ticket = await asyncio.to_thread(load, path, source.endpoint)
    try:
        async with opened(source, ctx, ticket) as session:
            connection = _Connection(source, ctx, session, ticket)
            try:
                await connection.run(path)
            except asyncio.CancelledError:
                await connection.leave()
                raise
            except Exception:
                if not connection.ticket.subscription:
                    await connection.leave()
                raise
            finally:
                ticket = connection.ticket
    finally:
        if ticket is not None:
            _keep(ticket, path)


def _keep(ticket: Ticket, path: Path) -> None:
    if ticket.subscription:
        ticket.save(path)
    else:
        path.unlink(missing_ok=True)


class _Connection:
    """What there is in one session with the server."""

    def __init__(
        self, source: OpcUaClient, ctx: SourceContext, session: Session, ticket: Ticket | None
    ) -> None:
        self._source = source
        self._ctx = ctx
        self._session = session
        read = [point for point in ctx.points if address_of(point).read is not None]
        # Servers mostly answer in the order of the items: kind by kind, types stand together.
        self._monitored = sorted(
            (point for point in read if source.period(point) is None),
            key=lambda point: _KINDS.index(point.kind),
        )
        self._periods: dict[float, list[LinkPoint]] = {}
        for point in read:
            if (period := source.period(point)) is not None:
                self._periods.setdefault(period, []).append(point)
        self._samples = Samples(ctx, self._monitored)
        self._digest = _digest(source, self._monitored)
        self.ticket = ticket or Ticket(source.endpoint, self._digest)
        self._missing: dict[int, str] = {}
        """Why a monitored point has no item, by handle."""
        self._unpolled: dict[int, str] = {}
        """Why a polled point is not read, by its id."""
        self._pollers: dict[float, Poller] = {}
        self._limits = Limits(source.max_items, source.max_items, source.max_items)
        self._resolver = Resolver(session, self._limits)
        self._resumed = False

    async def run(self, path: Path) -> None:
        """Set up all there is, and keep it going; raises LinkError."""
        await self._guard(self._begin(path))
        source, ctx, session = self._source, self._ctx, self._session
        outputs = await self._guard(self._outputs())
        executor = Executor(ctx, session, outputs)
        open_to_all = " without security" if source.security is Policy.NONE else ""
        ctx.up(f"{source.endpoint}{open_to_all}")
        jobs: list[Coroutine[Any, Any, None]] = [session.renew(), self._watch()]
        jobs.append(self._look_again(executor))
        if self.ticket.subscription:
            publisher = Publisher(
                ctx,
                session,
                self.ticket,
                self._samples,
                source.timestamps,
                source.publishes,
                source.timeout,
                self._refresh if self._resumed else None,
            )
            jobs.append(publisher.run())
        jobs += [self._poll(period, poller) for period, poller in self._pollers.items()]
        if any(point.command is not None for point in ctx.points):
            jobs.append(executor.run())
        try:
            async with asyncio.TaskGroup() as tasks:
                for job in jobs:
                    tasks.create_task(self._guard(job))
        except* GatewayError as group:
            failure: BaseException = group
            while isinstance(failure, BaseExceptionGroup):
                failure = failure.exceptions[0]
            raise failure from None

    async def leave(self) -> None:
        """Close the channel, and the session, too, unless the ticket can bring us back to it.

        Most servers let a session be activated anew, but few hand a subscription to another one.
        """
        await self._session.close(keep=bool(self.ticket.subscription))

    async def _guard(self, job: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await job
        except FAILURES as error:
            raise LinkError(sentence(error)) from error
        except ValueError as error:
            raise LinkError(f"the server sent what cannot be read: {error}") from error

    async def _begin(self, path: Path) -> None:
        """Resolve, and subscribe or take the old subscription."""
        source, session = self._source, self._session
        self._limits = await limits(session, source.max_items)
        self._resolver = Resolver(session, self._limits)
        await self._resolver.refresh()
        self._resumed = await self._resume()
        if not self._resumed and self._monitored:
            await subscribe(session, source, self.ticket)
        nodes = await self._resolver.resolve(
            text for point in self._ctx.points if (text := address_of(point).read) is not None
        )
        if self._monitored:
            fresh = [n for n in range(len(self._monitored)) if n not in self.ticket.items]
            await self._monitor(fresh, nodes)
            self.ticket.token, self.ticket.nonce = session.token, session.nonce
            exact, self.ticket.exact = self.ticket.exact, False
            await asyncio.to_thread(self.ticket.save, path)
            self.ticket.exact = exact
        for period, points in self._periods.items():
            self._pollers[period] = Poller(self._ctx, session, source, self._limits.read)
            self._start_polling(period, points, nodes)
        await self._mark(
            {self._monitored[handle].id: why for handle, why in self._missing.items()}
            | self._unpolled
        )

    async def _resume(self) -> bool:
        """Go on with the ticket's subscription, if it is of this configuration still."""
        old = self.ticket
        if not old.subscription:
            return False
        mine = await transfer(self._session, old)
        if mine and old.digest == self._digest:
            self._ctx.count("resumed")
            return True
        if mine:
            await unsubscribe(self._session, old.subscription)
        self.ticket = Ticket(self._source.endpoint, self._digest)
        return False

    async def _monitor(
        self, handles: Iterable[int], nodes: dict[str, ua.NodeId | Unresolved]
    ) -> None:
        """Make items for these handles, and note why there is none."""
        points: dict[int, tuple[LinkPoint, ua.NodeId]] = {}
        for handle in handles:
            point = self._monitored[handle]
            found = nodes[address_of(point).read or ""]
            if isinstance(found, Unresolved):
                self._missing[handle] = str(found)
            else:
                self._missing.pop(handle, None)
                points[handle] = (point, found)
        self._missing |= await monitor(
            self._session, self._source, self.ticket, points, self._limits
        )

    def _start_polling(
        self,
        period: float,
        points: Iterable[LinkPoint],
        nodes: dict[str, ua.NodeId | Unresolved],
    ) -> None:
        ready: list[tuple[LinkPoint, ua.NodeId]] = []
        for point in points:
            found = nodes[address_of(point).read or ""]
            if isinstance(found, Unresolved):
                self._unpolled[point.id] = str(found)
            else:
                self._unpolled.pop(point.id, None)
                ready.append((point, found))
        self._pollers[period].add(ready)

    async def _mark(self, why: dict[int, str]) -> None:
        """Say of points that their nodes are not there."""
        if not why:
            return
        self._ctx.count("unresolved", len(why))
        await self._ctx.stale(list(why), NOT_THERE)
        points = {point.id: point for point in self._ctx.points}
        told = [
            f"{points[number].name} ({address_of(points[number]).read}): {reason}"
            for number, reason in list(why.items())[:_NAMED]
        ]
        more = f"; and {len(why) - _NAMED} more" if len(why) > _NAMED else ""
        self._ctx.log.warning("nodes that are not there: %s%s", "; ".join(told), more)

    async def _outputs(self) -> dict[int, Output | str]:
        types = DataTypes(self._session, self._limits.read)
        found = await outputs(self._resolver, types, self._ctx.points)
        for point in self._ctx.points:
            why = found.get(point.id)
            if isinstance(why, str):
                self._ctx.log.warning("%s cannot be commanded: %s", point.name, why)
        return found

    async def _refresh(self) -> None:
        """Read what is monitored: values that did not change meanwhile are good again."""
        nodes = await self._resolver.resolve(
            address_of(self._monitored[handle]).read or "" for handle in self.ticket.items
        )
        poller = Poller(self._ctx, self._session, self._source, self._limits.read)
        poller.add(
            (point, node)
            for point in self._monitored
            if isinstance(node := nodes.get(address_of(point).read or ""), ua.NodeId)
        )
        await poller.read()

    async def _poll(self, period: float, poller: Poller) -> None:
        await poller.read()
        async for _ in self._ctx.every(period):
            await poller.read()

    async def _watch(self) -> None:
        """Keep the session alive, and notice when the server is not."""
        state = [ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)]
        while True:
            await asyncio.sleep(min(self._source.watch, self._session.timeout / 3))
            await read(self._session, state)

    async def _look_again(self, executor: Executor) -> None:
        """Look for nodes that were not there, or went away: servers grow and are reconfigured."""
        while True:
            await asyncio.sleep(self._source.retry)
            again = sorted({*self._missing, *self._samples.gone})
            stuck = any(isinstance(output, str) for output in executor.outputs.values())
            if not again and not self._unpolled and not stuck:
                continue
            await self._resolver.refresh()
            nodes = await self._resolver.resolve(
                text for point in self._ctx.points if (text := address_of(point).read) is not None
            )
            await forget(self._session, self.ticket, again, self._limits)
            self._samples.gone.clear()
            before = len(self._missing)
            await self._monitor(again, nodes)
            for period, points in self._periods.items():
                self._start_polling(
                    period, [point for point in points if point.id in self._unpolled], nodes
                )
            if stuck:
                types = DataTypes(self._session, self._limits.read)
                executor.outputs = await outputs(self._resolver, types, self._ctx.points)
            if len(self._missing) != before:
                self._ctx.log.warning(
                    "%d nodes are there again, %d are not",
                    len(again) - len(self._missing),
                    len(self._missing),
                )


def _digest(source: OpcUaClient, points: Sequence[LinkPoint]) -> str:
    """Return what tells this configuration's subscription from another's."""
    said = source.model_dump(
        mode="json",
        include={
            "publishing",
            "sampling",
            "queue",
            "keep_alive",
            "lifetime",
            "timestamps",
            "max_items",
        },
    )
    rows = [
        (
            point.name,
            address.read,
            address.index,
            address.sampling,
            address.queue,
            address.deadband,
        )
        for point in points
        for address in [address_of(point)]
    ]
    return hashlib.sha256(json.dumps([said, rows], sort_keys=True).encode()).hexdigest()
