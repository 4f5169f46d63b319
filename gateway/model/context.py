"""The one narrow door between a link and its host: what `run(ctx)` is given."""

from __future__ import annotations

import logging
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.model.access import Permission
from gateway.model.batch import Batch, Mask, QualityColumn, TimeColumn, ValueColumn
from gateway.model.command import Answer, Client, Command, CommandStatus, Request
from gateway.model.field import Field
from gateway.model.override import Override
from gateway.model.point import LinkPoint
from gateway.model.quality import Quality
from gateway.model.tls import Tls
from gateway.model.waveform import Waveform

if TYPE_CHECKING:
    from gateway.model.observation import Observation

STALE = Quality.INVALID | Quality.OLD_DATA


@dataclass(frozen=True, slots=True)
class Image:
    """The last sample of every point, as columns indexed by point id; for reading only."""

    value: ValueColumn
    quality: QualityColumn
    time: TimeColumn


@dataclass(frozen=True, slots=True)
class Delivery:
    """Samples for one sink.

    seq:        its number in this connection, 1, 2, 3 …;
                `delivered(seq)` acknowledges it and all before.
    batch:      the samples.
    historical: true where they come from the journal after an outage, while live ones pass them.
    """

    seq: int
    batch: Batch
    historical: bool = False


class LinkContext(ABC):
    """What sources and sinks have in common."""

    name: str
    """The link's name in the configuration."""
    gateway: str
    """The gateway's name."""
    points: Sequence[LinkPoint]
    """The points of this link, in the order of the point list."""
    image: Image
    log: logging.Logger
    """For what an engineer must read; the host already writes one line down and one line up."""
    tracing: bool
    """Whether frames are kept or logged; ask before building what `trace` would be given."""

    @property
    @abstractmethod
    def data(self) -> Path:
        """A folder that is this link's own and outlives a restart (certificates and the like)."""

    @abstractmethod
    def up(self, detail: str = "") -> None:
        """Say that the link is connected and works; `run` has it down until then."""

    @abstractmethod
    async def tls(self, settings: Tls) -> ssl.SSLContext:
        """Return the context of these settings, for whatever opens this link's sockets.

        It stays good: certificates, keys, authorities and revocation lists that are renewed count
        for the next handshake, of a listener, too, and sessions that stand are left alone.
        Who is not let in is counted (`tls_refused`) and logged.
        Raises LinkError naming the file at fault.
        """

    @abstractmethod
    def every(self, period: float, offset: float = 0.0) -> AsyncIterator[int]:
        """Yield the time in ns at each whole multiple of `period` (plus `offset`), in seconds,
        of the wall clock.

        A tick that the caller was too slow for is left out, and counted; ticks never pile up.
        """

    @abstractmethod
    def now(self) -> int:
        """Return the wall-clock time in ns since the Unix epoch, UTC."""

    @abstractmethod
    def count(self, what: str, n: int = 1) -> None:
        """Add `n` to a counter of this link, shown to the operator: `timeouts`, `exceptions` …"""

    @abstractmethod
    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Show a frame that was sent (`tx`) or came (`rx`): the gateway keeps the last ones.

        frame: hand over the bytes that are there already, plain ones where the wire is encrypted;
               never a secret. What they say is the business of `Link.describe`, later.
        note:  what the octets do not say, if anything.
        peer:  `host:port` of the other side, or what else it is called.

        What a source emits next is noted as what the last frame that came did.
        """


class SourceContext(LinkContext):
    """What a source's `run` is given."""

    @abstractmethod
    def plan(self, fields: Iterable[Field]) -> Any:
        """Compile where points stand in a raw block, once, for `emit_raw`.

        Raises ValueError where a field makes no sense.
        """

    @abstractmethod
    async def emit_raw(self, plan: Any, data: bytes, time: int | None = None) -> int:
        """Decode a block, scale, judge, and take what changed; returns how many samples that was.

        `time` is the time of receipt in ns, default now.
        For polled registers: the device holds no event to release, so this waits only
        while the gateway has no room, not for the disk.
        Raises ValueError where the block is shorter than the plan.
        """

    @abstractmethod
    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        """Scale and judge the columns, take what changed, and return when the gateway has custody:
        what any sink must have is on disk, or with every consumer already.

        every: take each row, changed or not (a device's own events).
        A row without a value (NaN) keeps the last one; its quality must be invalid,
        or questionable and oldData, and becomes invalid otherwise.
        Only after the return may the device be told that its events were received.
        Raises CustodyRefused where the gateway could not take it: do not acknowledge.
        """

    @abstractmethod
    async def emit_waveform(self, waveform: Waveform) -> int:
        """Let the estimators that the link's field `waveform` asks for measure the samples, and
        take the results as samples of its points; returns how many of them were taken.

        For a source that is a `gateway.waveform.WaveformSource`.
        Like `emit_raw` this waits only while the gateway has no room: a stream of samples is not
        acknowledged. Rows that were handed over before are left out, and counted.
        Blocks of 2 to 20 ms are best: what is short is soon reported, what is long costs less.
        Raises LinkError where the stream cannot be measured as the configuration says.
        """

    @abstractmethod
    async def stale(self, points: Sequence[int], quality: Quality = STALE) -> None:
        """Mark points of this source: their last values stay, with this quality, from now on.

        The quality is invalid, or questionable and oldData; a point that never had a value
        is invalid in any case.

        For a part of the link that fails (a register, a unit); the host does it for the whole link.
        """

    @abstractmethod
    def commands(self) -> AsyncIterator[Command]:
        """Yield what the device is to be told, for the length of this connection.

        Everything that may speak against it was checked before; each is yielded once, at most,
        and never again after a reconnect. Until this is called, the host answers for the link:
        `unreachable`. A command that is yielded counts as sent: if the connection breaks
        before `answer`, the client hears `timeout`.
        Commands to different points may be carried out side by side.
        """

    @abstractmethod
    def answer(self, command: Command, status: CommandStatus, detail: str = "") -> None:
        """Say what the device said to a command; the detail is a sentence for people.

        Too late (behind the command's deadline) it is noted in the audit log and changes nothing.
        """


class SinkContext(LinkContext):
    """What a sink's `run` is given."""

    @abstractmethod
    def batches(self) -> AsyncIterator[Delivery]:
        """Yield what this sink must deliver, oldest first, live before historical.

        At the start of every connection it begins after the last acknowledged delivery.
        At most a window of unacknowledged samples is handed out; then it waits for `delivered`.
        """

    @abstractmethod
    def waveforms(self, source: str) -> AsyncIterator[Waveform]:
        """Yield the waveforms that a source hands over from now on, for this connection.

        Waveforms are not in custody: of a sink that is too slow the oldest ones are dropped, and
        counted (`waveforms_dropped`).
        Raises LinkError where no source of that name hands over waveforms.
        """

    @abstractmethod
    def waiting(self) -> int:
        """Return how many samples `batches` has still to hand out.

        At 0 whatever the image shows of this sink's points has been handed out: what is read
        from the image now stands in order behind those deliveries, and before all others.
        """

    @abstractmethod
    def delivered(self, seq: int, *, coalesced: int = 0, shed: int = 0) -> None:
        """Say that the consumer acknowledged delivery `seq` and all before it.

        Some of these samples may never have reached it, which the ledger counts:
        coalesced: replaced by a later one of the same point before the consumer fetched them.
        shed:      dropped at a bound of the link's own.
        """

    @property
    @abstractmethod
    def observe(self) -> Observation:
        """The whole gateway, to be looked at: other links, ledgers, the audit log; see there.

        For a link that people look at the gateway through.
        """

    @property
    @abstractmethod
    def lost(self) -> int:
        """How many samples this sink was to have were dropped at a bound, ever.

        For a protocol that tells its consumer of it: an overflow bit.
        """

    @abstractmethod
    def watch(self, points: Iterable[int] | None) -> None:
        """Narrow `batches` to these points (None: all of the link's) from now on.

        For a server that only hands on what its clients monitor: the rest costs nothing.
        """

    @abstractmethod
    async def command(self, request: Request) -> Answer:
        """Carry out what a client asks for, and return the one answer, whatever happens.

        Checks role, test mode, local/remote switch, interlock, limits and selection, has the
        request on disk in the audit log, hands it to the source that owns the point, and waits
        for the device, and for the indication where the point has a `feedback`.
        It ends within the point's times. Being cancelled (the client left) does not stop what is
        under way: it goes on to its end, and the audit log has it.
        """

    @abstractmethod
    def refused(
        self, client: Client, status: CommandStatus, detail: str, *, point: str = "", **said: str
    ) -> Answer:
        """Put on record what the link itself refuses, because it cannot make a request of it.

        A message that cannot be read, a point that is not there: `point` and `said` are what the
        client named (bounded texts: they come from outside). Returns the answer to give.
        """

    @abstractmethod
    async def override(
        self,
        client: Client,
        point: int,
        action: Override,
        value: float | None = None,
        *,
        reason: str = "",
    ) -> Answer:
        """Block, substitute, test or release a point on an operator's behalf; see `Override`.

        reason: why, in the operator's words, for the audit log (a bounded text).
        """

    @abstractmethod
    def release(self, client: Client) -> None:
        """Say that a client left: what it has selected is free again.

        The host does it for all clients of a connection of the link that ends.
        """

    @abstractmethod
    async def login(self, user: str, password: str, address: str, session: str = "") -> Client:
        """Return who this is, with the user's role.

        Takes the time of a password hash, in a thread; counts failures, locks out, and is audited.
        Raises AccessRefused, whose sentence is not for the client.
        """

    @abstractmethod
    def client(
        self,
        address: str,
        *,
        user: str = "",
        certificate: bytes | None = None,
        session: str = "",
    ) -> Client:
        """Return who a client is that gave no password.

        certificate: DER, verified already; its rule in the configuration gives user and role.
        user:        a name that the transport vouches for (a topic that the broker guards).
        Without either, or where the configuration does not know them, the role is that of the
        link's `role` field, which may be none: then it may read and nothing else.
        """

    @abstractmethod
    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool:
        """Return whether the client may do this to the point; with None, to any point at all."""

    @abstractmethod
    def allowed(self, client: Client, permission: Permission) -> Mask:
        """Return of each point id whether `may` says yes; for reading only.

        Costs the same for ten points and for 250,000.
        """

    @property
    @abstractmethod
    def authenticates(self) -> bool:
        """Whether the configuration has users who can log in."""
