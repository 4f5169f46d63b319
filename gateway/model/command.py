"""Commands: what is asked for, how a point is commanded, what is handed to its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.model.fields import Duration


class Operation(StrEnum):
    """What a client asks for; execute and cancel belong to a select before them."""

    SELECT = "select"
    EXECUTE = "execute"
    CANCEL = "cancel"
    DIRECT = "direct"


class ControlModel(StrEnum):
    """How the device acts on a command.

    latch:      goes to the state and stays there.
    pulse:      is driven for `on_time`, `count` times, and falls back.
    trip_close: two outputs of one switch: 0 trips (opens), 1 closes.
    setpoint:   a number in the point's unit.
    """

    LATCH = "latch"
    PULSE = "pulse"
    TRIP_CLOSE = "trip_close"
    SETPOINT = "setpoint"


class SelectRule(StrEnum):
    """Whether a select must come before an execute, and who holds it.

    none:    direct commands are taken; a select is held by the gateway.
    local:   a select must come first, and the gateway holds it.
    forward: a select must come first, and the device holds it, too.
    """

    NONE = "none"
    LOCAL = "local"
    FORWARD = "forward"

    @property
    def needed(self) -> bool:
        return self is not SelectRule.NONE

    @property
    def forwarded(self) -> bool:
        return self is SelectRule.FORWARD


class CommandStatus(StrEnum):
    """How a request for a command ended; each protocol says it in its own words (`ANSWERS`).

    After `success`, `timeout` and `no_indication` the device has acted, or may have; after
    `device_error` the detail says where it may have. After all others nothing was done.
    """

    SUCCESS = "success"
    """Done, as far as the device and the feedback can say; for a select: reserved."""
    TIMEOUT = "timeout"
    """Sent, and no answer came in time: the device may have acted."""
    NO_INDICATION = "no_indication"
    """The device accepted it, and the indication did not follow in time."""
    SELECT_EXPIRED = "select_expired"
    """The select was too long ago."""
    NO_SELECT = "no_select"
    """Not selected before, or with another value."""
    SELECTED_BY_OTHER = "selected_by_other"
    """Somebody else has the point selected."""
    ALREADY_ACTIVE = "already_active"
    """A command to this point is under way."""
    DUPLICATE = "duplicate"
    """This very request was taken before: it is not carried out again."""
    CANCELLED = "cancelled"
    """Withdrawn by who asked for it."""
    UNKNOWN_POINT = "unknown_point"
    """There is no such point for this client."""
    NOT_SUPPORTED = "not_supported"
    """The point is a measurement, or its device does not take this kind of command."""
    FORMAT_ERROR = "format_error"
    """The request cannot be read: not a number, a wrong type, a missing part."""
    OUT_OF_RANGE = "out_of_range"
    """The value lies outside the limits, or too far from the present one."""
    NOT_AUTHORISED = "not_authorised"
    """The client's role may not do this."""
    LOCAL = "local"
    """The switch of the bay stands on local, or its position is not known."""
    INTERLOCKED = "interlocked"
    """The interlock does not allow it, or one of its points is not good."""
    BLOCKED = "blocked"
    """The point is blocked by an operator, or is in test and the command is not (or reversed)."""
    RATE_LIMITED = "rate_limited"
    """Too many commands in too short a time, or too many waiting."""
    UNREACHABLE = "unreachable"
    """The device is not connected: nothing was sent."""
    REFUSED = "refused"
    """The device said no, and not why."""
    DEVICE_LOCAL = "device_local"
    """The device is under local control."""
    DEVICE_ERROR = "device_error"
    """The device failed at it."""
    FAILED = "failed"
    """The gateway could not carry it out: its audit log cannot be written, or a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the originator of a command, and what two of its requests have in common.

    sink:    name of the sink that it speaks to.
    address: where it speaks from, in the protocol's words: `10.0.0.7:50214`, a topic, master 3.
    user:    name that it proved or that its transport vouches for; empty where nobody knows.
    role:    name of the role that it has here; empty where it has none.
    session: tells clients apart that have all else in common.
    """

    sink: str
    address: str = ""
    user: str = ""
    role: str = ""
    session: str = ""

    def __str__(self) -> str:
        who = self.user or "somebody"
        return f"{who} at {self.address or '?'} through {self.sink}"


@dataclass(frozen=True, slots=True)
class Pulse:
    """How an output is driven: `count` times on for `on_time` and off for `off_time`, seconds."""

    on_time: float
    off_time: float = 0.0
    count: int = 1

    @property
    def length(self) -> float:
        """Seconds that the whole train takes."""
        return self.count * self.on_time + (self.count - 1) * self.off_time


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer to a request.

    id:     of the transaction; an execute has the id of its select.
    detail: a sentence for people; empty where there is nothing to add.
    value:  what was asked for, in the point's unit.
    """

    status: CommandStatus
    detail: str = ""
    id: str = ""
    value: float = float("nan")

    def __bool__(self) -> bool:
        return self.status is CommandStatus.SUCCESS


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """What a source is to tell its device; answered once, with `ctx.answer(command, …)`.

    point:    id of the point.
    value:    in the point's unit; 0 or 1 for status and double points.
    raw:      the same before scale and offset, as the device counts.
    deadline: on the event loop's clock; afterwards the host has answered `timeout` itself.
    pulse:    how long and how often, where the model is pulse.
    """

    id: str
    point: int
    operation: Operation
    value: float
    raw: float
    model: ControlModel
    deadline: float
    client: Client
    pulse: Pulse | None = None


_NEVER_NEGATIVE = Field(ge=0)


class Control(BaseModel):
    """How a point is commanded: the columns `command.<field>` of the point list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[
        ControlModel,
        Field(description="what the device does with it; setpoint for analog and counter points"),
    ]
    select: Annotated[
        SelectRule,
        Field(description="whether a select comes first, and who holds it: gateway or device"),
    ] = SelectRule.NONE
    select_timeout: Annotated[
        Duration, Field(gt=0, le=3600, description="how long a select is held")
    ] = 30.0
    timeout: Annotated[
        Duration, Field(gt=0, le=3600, description="within which the device must answer")
    ] = 10.0
    low: Annotated[float | None, Field(description="lowest setpoint, in the point's unit")] = None
    high: Annotated[float | None, Field(description="highest setpoint, in the point's unit")] = None
    step: Annotated[
        float | None,
        Field(gt=0, description="farthest that a setpoint may be from the present value"),
    ] = None
    interval: Annotated[
        Duration, Field(ge=0, description="least time from one command to the next")
    ] = 0.0
    on_time: Annotated[
        Duration | None, Field(gt=0, le=3600, description="of a pulse; its model needs it")
    ] = None
    off_time: Annotated[
        Duration, Field(ge=0, le=3600, description="between the pulses of a train")
    ] = 0.0
    count: Annotated[int, Field(ge=1, le=255, description="pulses of a train")] = 1
    interlock: Annotated[
        str | None,
        Field(min_length=1, description="what must hold: not feeder1.earthed and bus.voltage < 5"),
    ] = None
    feedback: Annotated[
        str | None,
        Field(min_length=1, description="point that must follow for the command to succeed"),
    ] = None
    feedback_timeout: Annotated[
        Duration, Field(gt=0, le=3600, description="within which it must")
    ] = 10.0
    feedback_band: Annotated[
        float, Field(ge=0, description="how far from a setpoint it may stay, in its unit")
    ] = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.model is ControlModel.PULSE and self.on_time is None:
            raise ValueError("the model pulse needs command.on_time")
        if self.model is not ControlModel.PULSE and self.on_time is not None:
            raise ValueError(f"command.on_time is of the model pulse, not of {self.model}")
        if self.model is not ControlModel.SETPOINT:
            for name in ("low", "high", "step"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"command.{name} is of the model setpoint, not of {self.model}"
                    )
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"command.low {self.low:g} is above command.high {self.high:g}")
        return self

    @property
    def pulse(self) -> Pulse | None:
        """What a pulse is like unless the client says otherwise."""
        if self.on_time is None:
            return None
        return Pulse(self.on_time, self.off_time, self.count)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for.

    point:   id of the point.
    key:     the client's own name of this request; the same key of the same user
             is carried out once, ever (within the time that keys are remembered).
    test:    to be carried out as a test: only points in test take it, and nothing leaves.
    timeout: seconds that the client waits; the shorter of this and the point's own counts.
    reason:  why, in the operator's words; for the audit log.
    """

    point: int
    operation: Operation
    value: float
    client: Client
    key: str = ""
    test: bool = False
    timeout: float | None = None
    pulse: Pulse | None = field(default=None)
    reason: str = ""
