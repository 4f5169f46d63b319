"""Command and reply as their reader and writer see them: the contracts behind two JSON Schemas."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from gateway import CommandStatus, Operation, Override


class Wish(StrEnum):
    """What a client may ask: the operations of a command, and the actions on a point itself."""

    DIRECT = Operation.DIRECT.value
    SELECT = Operation.SELECT.value
    EXECUTE = Operation.EXECUTE.value
    CANCEL = Operation.CANCEL.value
    BLOCK = Override.BLOCK.value
    SUBSTITUTE = Override.SUBSTITUTE.value
    RELEASE = Override.RELEASE.value
    TEST = Override.TEST.value
    END_TEST = Override.END_TEST.value

    @property
    def operation(self) -> Operation | None:
        """The operation of a command; None for an action on the point."""
        return Operation(self.value) if self in _OPERATIONS else None


_OPERATIONS = frozenset(Wish(operation.value) for operation in Operation)
_WITH_VALUE = frozenset({Wish.DIRECT, Wish.SELECT, Wish.EXECUTE, Wish.SUBSTITUTE})

Moment = Annotated[int, Field(gt=0, lt=2**63)] | AwareDatetime


class PulsePayload(BaseModel):
    """How an output is driven; for points whose model is pulse."""

    model_config = ConfigDict(extra="forbid")

    on: Annotated[float, Field(gt=0, le=3600, description="seconds on")]
    off: Annotated[float, Field(ge=0, le=3600, description="seconds off")] = 0.0
    count: Annotated[int, Field(ge=1, le=255, description="how often")] = 1


class CommandPayload(BaseModel):
    """One request. It is answered by one reply, whatever becomes of it."""

    model_config = ConfigDict(extra="forbid", title="mqtt.json command")

    id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            pattern=r"^[ -~]+$",
            description="the client's own name of the request: one id is carried out once, ever, "
            "for each user and operation",
        ),
    ]
    point: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=256,
            description="full name; needed where the topic does not name the point",
        ),
    ] = None
    operation: Annotated[
        Wish,
        Field(
            description="direct, or select before execute or cancel; block, substitute, release, "
            "test and end_test act on the point itself"
        ),
    ] = Wish.DIRECT
    value: Annotated[
        Annotated[float, Field(allow_inf_nan=False)] | bool | None,
        Field(
            description="in the unit of the point; 0 or 1, false or true of a status; "
            "of direct, select, execute and substitute"
        ),
    ] = None
    time: Annotated[
        Moment | None,
        Field(
            description="when it was sent: nanoseconds since 1970-01-01 UTC, or RFC 3339; "
            "needed unless the gateway takes commands of any age"
        ),
    ] = None
    expires: Annotated[
        Moment | None, Field(description="after which it must not be carried out")
    ] = None
    timeout: Annotated[
        float | None, Field(gt=0, le=3600, description="seconds that the client waits")
    ] = None
    test: Annotated[
        bool, Field(description="carry it out as a test: points in test take it, no device gets it")
    ] = False
    pulse: Annotated[
        PulsePayload | None, Field(description="else the point's own, where its model is pulse")
    ] = None

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.operation in _WITH_VALUE and self.value is None:
            raise ValueError(f"{self.operation} needs a value")
        if self.operation not in _WITH_VALUE | {Wish.CANCEL} and self.value is not None:
            raise ValueError(f"{self.operation} takes no value")
        if self.operation.operation is None:
            for name in ("timeout", "pulse"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{self.operation} takes no {name}")
            if self.test:
                raise ValueError(f"{self.operation} is no command, and no test")
        return self


class ReplyPayload(BaseModel):
    """What became of one request."""

    model_config = ConfigDict(extra="forbid", title="mqtt.json reply")

    id: Annotated[str, Field(description="that of the request; empty where it had none to read")]
    point: Annotated[str, Field(description="full name of the point; empty where it is not known")]
    operation: Annotated[str, Field(description="that of the request; empty where it had none")]
    status: Annotated[
        CommandStatus,
        Field(
            description="success; timeout and no_indication: the device may have acted; "
            "all others: nothing was done"
        ),
    ]
    detail: Annotated[str, Field(description="a sentence for people, or empty")]
    transaction: Annotated[
        str, Field(description="number in the audit log; a select and its execute have the same")
    ]
