"""The columns of a point that a stream of ours carries, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from gateway import SinkPoint
from gateway_c37118.item import Group, digital_place, parse_item

SHORT = 16
"""Octets of a name in configurations 1 and 2, which are of ASCII (table 9)."""


class Part(StrEnum):
    """What of a phasor a point is."""

    MAGNITUDE = "magnitude"
    ANGLE = "angle"
    REAL = "real"
    IMAGINARY = "imaginary"


class What(StrEnum):
    """The kinds of what a data frame holds (table 5)."""

    FREQUENCY = "frequency"
    ROCOF = "rocof"
    PHASOR = "phasor"
    ANALOG = "analog"
    DIGITAL = "digital"
    TRIGGER = "stat/trigger"
    REASON = "stat/trigger_reason"


STAT = {"trigger": What.TRIGGER, "trigger_reason": What.REASON}
"""What of STAT a point may give; the rest follows from quality."""
WORDS = 16
"""Most digital words of a PMU."""


@dataclass(frozen=True, slots=True)
class Place:
    """An item of the client's grammar as the server takes it.

    name:      of a phasor or an analog.   part: of a phasor.
    word, bit: of a digital, from 0.
    """

    what: What
    name: str = ""
    part: Part | None = None
    word: int = 0
    bit: int = 0

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read an item; raises ValueError that says what was found and what is allowed."""
        item = parse_item(text)
        match item.group:
            case Group.PHASOR:
                return cls(What.PHASOR, name_of(item.name), Part(item.part))
            case Group.ANALOG:
                return cls(What.ANALOG, name_of(item.name))
            case Group.DIGITAL:
                at = digital_place(item.name)
                if at is None or at[0] >= WORDS:
                    raise ValueError(
                        f"found '{text}', allowed: digital/WORD/BIT, words 1..{WORDS}, bits 0..15"
                    )
                return cls(What.DIGITAL, word=at[0], bit=at[1])
            case Group.FREQUENCY | Group.ROCOF:
                return cls(What(item.group.value))
        if item.group is Group.STAT and item.part in STAT:
            return cls(STAT[item.part])
        allowed = ", ".join(f"stat/{part}" for part in STAT)
        raise ValueError(f"found '{text}', allowed: {allowed}; the rest follows from quality")


def name_of(name: str) -> str:
    """Check a name against configurations 1 and 2; raises ValueError."""
    if not 1 <= len(name) <= SHORT or not name.isascii() or not name.isprintable():
        raise ValueError(f"found '{name}', allowed: names of 1 to {SHORT} letters of ASCII")
    return name


class Quantity(StrEnum):
    """Whether a phasor is a voltage or a current."""

    VOLTAGE = "voltage"
    CURRENT = "current"


class Align(StrEnum):
    """Which sample of a point goes into the frame of an instant."""

    EXACT = "exact"
    HOLD = "hold"


class C37ServerPoint(SinkPoint):
    """The columns of a point at a `c37118.server` sink."""

    item: Annotated[
        str,
        Field(
            description="what of a frame it is: frequency, rocof, phasor/VA/magnitude, "
            "phasor/VA/angle (or real and imaginary), analog/P, digital/1/3, stat/trigger"
        ),
    ]
    pmu: Annotated[
        str | None,
        Field(description="station or idcode of the PMU it belongs to; default the first one"),
    ] = None
    quantity: Annotated[
        Quantity | None,
        Field(description="voltage or current, of a phasor whose unit does not say it"),
    ] = None
    scale: Annotated[
        float | None,
        Field(
            gt=0,
            description="V, A or units per count, of formats with integers; default the PMU's",
        ),
    ] = None
    align: Annotated[
        Align | None,
        Field(
            description="exact: the sample of the frame's instant, or none; hold: the last one "
            "until then; default hold for analogs and digitals, exact for the others"
        ),
    ] = None
    label: Annotated[
        str | None,
        Field(description="name of a digital's bit, 16 letters at most; default of its point"),
    ] = None

    @field_validator("item")
    @classmethod
    def _item(cls, value: str) -> str:
        Place.parse(value)
        return value

    @field_validator("label")
    @classmethod
    def _label(cls, value: str | None) -> str | None:
        return value if value is None else name_of(value)
