"""Items: what of a PMU's report a point is, as the column `item` names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """The first word of an item."""

    FREQUENCY = "frequency"
    ROCOF = "rocof"
    PHASOR = "phasor"
    ANALOG = "analog"
    DIGITAL = "digital"
    STAT = "stat"
    TIME = "time"


PARTS = ("magnitude", "angle", "real", "imaginary")
STAT_FIELDS: Mapping[str, tuple[int, int]] = {
    "word": (0, 0xFFFF),
    "data_error": (14, 3),
    "not_synchronised": (13, 1),
    "sorted_by_arrival": (12, 1),
    "trigger": (11, 1),
    "configuration_change": (10, 1),
    "modified": (9, 1),
    "time_quality": (6, 7),
    "unlocked": (4, 3),
    "trigger_reason": (0, 15),
}
"""Where each field of STAT stands, shift and mask (IEEE C37.118.2-2011 table 7)."""
TIME_FIELDS: Mapping[str, tuple[int, int]] = {
    "quality": (0, 15),
    "leap_second_pending": (4, 1),
    "leap_second_occurred": (5, 1),
    "leap_second_deleted": (6, 1),
}
"""Likewise of the highest octet of FRACSEC (table 3)."""
BITS = 16


@dataclass(frozen=True, slots=True)
class Item:
    """What of a report a point is.

    name: of the channel, as the configuration frame has it, or its number, which counts from 1;
          `2/5` of a digital is bit 5 of word 2, bit 0 the least significant.
    part: of a phasor, or the field of STAT or of the time.
    """

    group: Group
    name: str = ""
    part: str = ""

    @property
    def flag(self) -> bool:
        """Whether it is one bit."""
        if self.group is Group.DIGITAL:
            return True
        fields = {Group.STAT: STAT_FIELDS, Group.TIME: TIME_FIELDS}.get(self.group, {})
        return bool(fields) and fields[self.part][1] == 1

    @property
    def measured(self) -> bool:
        """Whether it is a measurement, and neither a bit nor a code."""
        return self.group in (Group.FREQUENCY, Group.ROCOF, Group.PHASOR, Group.ANALOG)


def parse_item(text: str) -> Item:
    """Return the item of a text; raises ValueError that says what is allowed."""
    word, slash, rest = text.partition("/")
    if word not in list(Group):
        raise ValueError(_sentence(word, "", Group))
    group = Group(word)
    match group:
        case Group.FREQUENCY | Group.ROCOF:
            if slash:
                raise ValueError(f"found '/{rest}' after '{group}', allowed: nothing more")
            return Item(group)
        case Group.STAT | Group.TIME:
            fields = STAT_FIELDS if group is Group.STAT else TIME_FIELDS
            if rest not in fields:
                raise ValueError(_sentence(rest, f"{group}/", fields))
            return Item(group, part=rest)
        case Group.PHASOR:
            # A name may have a slash in it: BUS1/VA.
            name, _, part = rest.rpartition("/")
            if part not in PARTS or not name.strip():
                raise ValueError(
                    f"found '{text}', allowed: phasor/NAME/PART with a name or number, and "
                    f"a part of {', '.join(PARTS)}"
                )
            return Item(group, name.strip(), part)
    name = rest.strip()
    if not name:
        form = "NAME" if group is Group.ANALOG else "NAME or digital/WORD/BIT"
        raise ValueError(f"found '{text}', allowed: {group}/{form}")
    place = _place(name) if group is Group.DIGITAL else None
    if place is not None and not (place[0] >= 1 and place[1] < BITS):
        raise ValueError(f"found '{text}', allowed: digital/WORD/BIT, words from 1, bits 0..15")
    return Item(group, name)


def _place(name: str) -> tuple[int, int] | None:
    """Return word, from 1, and bit of a name that is two numbers."""
    word, slash, bit = name.partition("/")
    return (int(word), int(bit)) if slash and word.isdecimal() and bit.isdecimal() else None


def digital_place(name: str) -> tuple[int, int] | None:
    """Return word, from 0, and bit of `2/5`; None for what is a label."""
    place = _place(name)
    return None if place is None else (place[0] - 1, place[1])


def _sentence(found: str, before: str, allowed: Iterable[str]) -> str:
    after = f" after '{before}'" if before else ""
    return f"found '{found}'{after}, allowed: {', '.join(allowed)}"
