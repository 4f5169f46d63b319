"""What the YAML of a `dnp3.master` has besides its connection: what is read, frozen, assigned."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from gateway import Duration, Settings
from gateway_dnp3.app import assign_class, class_objects, name_range
from gateway_dnp3.master.manners import Scan
from gateway_dnp3.master.point import GROUPS, Index, PointType
from gateway_dnp3.objects import header

Address = Annotated[int, Field(ge=0, le=0xFFEF)]
EventClass = Annotated[int, Field(ge=1, le=3)]
_SCANNED = (
    PointType.BINARY_INPUT,
    PointType.DOUBLE_BIT_INPUT,
    PointType.BINARY_OUTPUT_STATUS,
    PointType.COUNTER,
    PointType.FROZEN_COUNTER,
    PointType.ANALOG_INPUT,
    PointType.FROZEN_ANALOG_INPUT,
    PointType.ANALOG_OUTPUT_STATUS,
)


class Range(Settings):
    """Points of a type: all of them, or from `first` to `last`."""

    outstation: Annotated[
        Address | None, Field(description="of which outstation; default every one of the link")
    ] = None
    type: Annotated[PointType | None, Field(description="of which type")] = None
    first: Annotated[Index | None, Field(description="first index; default all")] = None
    last: Annotated[Index | None, Field(description="last index")] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type is not None and self.type not in _SCANNED:
            raise ValueError(f"type {self.type} is none of {', '.join(_SCANNED)}")
        if (self.first is None) != (self.last is None):
            raise ValueError("first and last come together")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"first {self.first} is above last {self.last}")
        if self.first is not None and self.type is None:
            raise ValueError("first and last need a type")
        return self

    @property
    def text(self) -> str:
        some = "" if self.first is None else f" {self.first} to {self.last}"
        return f"{self.type}{some}"


class Poll(Range):
    """Something that is read besides, at a rate of its own: classes, or points of a type."""

    every: Annotated[Duration, Field(gt=0, description="how often")]
    classes: Annotated[
        tuple[Annotated[int, Field(ge=0, le=3)], ...], Field(description="classes, 0 to 3")
    ] = ()

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if bool(self.classes) == (self.type is not None):
            raise ValueError("a poll has classes or a type, one of them")
        return self

    def scan(self) -> Scan:
        """Return what is to be done."""
        if self.classes:
            name = f"class {', '.join(map(str, self.classes))}"
            # All classes have just been read at the start.
            return Scan(name, class_objects(*self.classes), self.every, at_start=False)
        assert self.type is not None  # noqa: S101 - one of them is there
        group = GROUPS[self.type][0]
        if self.first is None or self.last is None:
            return Scan(self.text, header(group, 0), self.every)
        return Scan(self.text, name_range(group, 0, self.first, self.last), self.every)


class Assignment(Range):
    """Points that an outstation is told to put into a class, at the start of each session."""

    model_config = ConfigDict(populate_by_name=True)

    to_class: Annotated[
        int, Field(alias="class", ge=0, le=3, description="1 to 3; 0: they make no events")
    ]

    @model_validator(mode="after")
    def _typed(self) -> Self:
        if self.type is None:
            raise ValueError("an assignment needs a type")
        return self

    def objects(self) -> bytes:
        """Return the objects of ASSIGN_CLASS."""
        assert self.type is not None  # noqa: S101 - checked
        group = GROUPS[self.type][0]
        if self.first is None or self.last is None:
            return class_objects(self.to_class) + header(group, 0)
        return assign_class(self.to_class, [(group, self.first, self.last)])


class FreezeSettings(Settings):
    """Counters that are frozen and then read at whole multiples of a period, wall clock."""

    every: Annotated[Duration, Field(gt=0, description="how often: 15min freezes at :00, :15 …")]
    clear: Annotated[bool, Field(description="counters begin at 0 again")] = False
