"""What a link may see of the whole gateway: everything that an operator asks about, read-only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gateway.model.batch import Batch
from gateway.model.context import Image
from gateway.model.explanation import Explanation
from gateway.model.point import Definition


@dataclass(frozen=True, slots=True)
class LinkView:
    """The state of one link.

    state:    starting, up, down or stopped.
    since:    ns since the Unix epoch of the last change of state.
    error:    why it is down, empty while it is up.
    detail:   what the link said when it came up.
    counters: what it counted since the gateway started.
    settings: what the YAML says of it, secrets masked.
    """

    name: str
    type: str
    direction: Literal["source", "sink"]
    state: str
    since: int
    error: str
    detail: str
    counters: Mapping[str, int]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What became of the samples that a sink was to have, in samples.

    `taken` = `delivered` + `coalesced` + the sum of `dropped` + `pending`.
    dropped: by reason.
    oldest:  when the gateway took the oldest sample that is still to be delivered, ns since the
             Unix epoch; of samples of which only the latest is kept the sample's own time.
             None where nothing waits, or nobody knows.
    acknowledgement: seconds from handing a delivery to the sink to its acknowledgement (where the
             sink's protocol has none: to its being sent), smoothed over the last eight or so
             deliveries of this run; None before the first.
    """

    sink: str
    taken: int
    delivered: int
    coalesced: int
    dropped: Mapping[str, int]
    pending: int
    oldest: int | None
    acknowledgement: float | None = None


@dataclass(frozen=True, slots=True)
class HealthView:
    """How the gateway itself does; times in ns since the Unix epoch.

    journal_failing, audit_failing: why the disk takes nothing; empty where it does.
    locked_out: who may not log in at the moment, a sentence each.
    """

    gateway: str
    version: str
    started: int
    now: int
    clock_synchronised: bool
    journal_bytes: int
    journal_failing: str
    audit_failing: str
    locked_out: Sequence[str]


@dataclass(frozen=True, slots=True)
class ConfigurationView:
    """The configuration that runs.

    files: the files as they were read, the YAML first, each with its SHA-256 in hexadecimal, as
           `sha256sum` prints it.
    since: ns since the Unix epoch.
    """

    files: Mapping[Path, str]
    since: int
    sources: int
    sinks: int
    points: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a configuration; line and column count from 1."""

    file: str
    line: int
    column: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of a configuration found; it is good where `flaws` is empty."""

    flaws: Sequence[Flaw]
    sources: int = 0
    sinks: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """Samples of one point, oldest first.

    complete: false where there are more in the time that was asked for.
    """

    batch: Batch
    complete: bool


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which records of the audit log are wanted: those that fit all of it.

    since, until: ns since the Unix epoch, both included.
    after:  the number of the record before the first one.
    texts:  patterns with * and ?, a leading ! leaves out, by what is said of a record:
            step, user, point, sink, status, id, …; an empty tuple takes all.
    most:   how many are returned at most.
    newest: the last of them instead of the first.
    """

    since: int | None = None
    until: int | None = None
    after: int = 0
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most: int = 100
    newest: bool = False


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One step of the audit log: its number, its time in ns, what was said, its chained hash."""

    n: int
    time: int
    step: str
    facts: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Records of the audit log, oldest first; `more`: there are further ones that fit."""

    records: Sequence[AuditRecord]
    more: bool


@dataclass(frozen=True, slots=True)
class AuditProof:
    """Whether the chain of the audit log holds.

    proven: from record `first` to record `last`.
    hash:   of the last one: kept elsewhere, it anchors the log.
    keyed:  whether the chain has a key.
    broken: what is wrong, and where; empty where it is proven.
    """

    proven: bool
    first: int
    last: int
    began: int
    ended: int
    hash: str
    keyed: bool
    broken: str


class Observation(ABC):
    """The whole gateway as an operator may see it. Nothing here changes anything.

    It asks nobody whether a client may see what it returns: who shows it to one asks `ctx.may`
    first, for `audit` and `configure`, too.
    Plain methods return at once; what waits for the disk is a coroutine, works in a thread or a
    process beside the gateway, and is bounded.
    """

    image: Image
    """The last sample of every point, of whatever link."""

    @property
    @abstractmethod
    def definitions(self) -> Sequence[Definition | None]:
        """Every point by its id, with its addresses at all links; None where an id has no point."""

    @abstractmethod
    def health(self) -> HealthView:
        """Return how the gateway itself does."""

    @abstractmethod
    def links(self) -> Sequence[LinkView]:
        """Return the state of every link, in the order of the configuration."""

    @abstractmethod
    async def ledgers(self) -> Sequence[LedgerView]:
        """Return the ledger of every sink; asks the journal for the age of what waits."""

    @abstractmethod
    def explain(self, point: int) -> Explanation:
        """Return where a point comes from, what is done to it, and where it goes.

        Raises KeyError where there is no such point.
        """

    @abstractmethod
    async def history(self, point: int, since: int, until: int, most: int) -> History:
        """Return the samples of a point between two times (ns) that the journal still holds.

        The journal is no archive: it holds what some sink must still have, and gives it up when
        the last one has it. `most` samples are returned at most, the newest ones.
        """

    @abstractmethod
    async def audit(self, query: AuditQuery) -> AuditPage:
        """Return records of the audit log; raises GatewayError where it cannot be read."""

    @abstractmethod
    async def prove_audit(self) -> AuditProof:
        """Prove the audit log from its first record to its last; takes seconds where it is large.

        Raises GatewayError where it cannot be checked.
        """

    @abstractmethod
    def configuration(self) -> ConfigurationView:
        """Return which configuration runs."""

    @abstractmethod
    async def check(self, files: Mapping[str, bytes]) -> Verdict:
        """Check a configuration that somebody hands in, as `gateway check` does, in a process
        of its own with bounds on time and memory; nothing of it is used or kept.

        files: plain file names and their bytes; the first one is the YAML file, and its `points`
               name others of them. Files of the machine are not read: secrets and the file of
               users count as given.
        Raises GatewayError where the check was not finished within its bounds.
        """
