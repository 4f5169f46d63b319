"""What a stream is: samples per second, ASDUs in a frame, currents and voltages in a data set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from gateway import Settings
from gateway.waveform import Channel

_VARIANT = re.compile(r"F(\d{1,5})S(\d{1,2})I(\d{1,2})U(\d{1,2})")
_LIGHT = {"9-2LE-80": 80, "9-2LE-256": 256}
_RATES, _ASDUS, _COLUMNS = range(1000, 32769), range(1, 17), range(1, 33)
_PHASES = ("a", "b", "c", "n")

CURRENT_SCALE, VOLTAGE_SCALE = 0.001, 0.01
"""A and V that a count is worth, primary (IEC 61869-9 clauses 6.903.7 and 6.903.8)."""


class Profile(NamedTuple):
    """rate [samples/s]; asdus of a frame; the data set: so many currents, then so many voltages."""

    rate: int
    asdus: int
    currents: int
    voltages: int

    @property
    def columns(self) -> int:
        return self.currents + self.voltages

    @property
    def frames(self) -> int:
        """Frames per second."""
        return self.rate // self.asdus

    def __str__(self) -> str:
        return f"F{self.rate}S{self.asdus}I{self.currents}U{self.voltages}"


def parse_profile(text: str, nominal: int = 50) -> Profile:
    """Return the profile of a word of 9-2LE, whose rate follows the nominal frequency [Hz], or of a
    variant code of IEC 61869-9 (clause 6.903.2).

    Raises ValueError that says what is allowed.
    """
    if text in _LIGHT:
        return Profile(_LIGHT[text] * nominal, 1, 4, 4)
    match = _VARIANT.fullmatch(text)
    if match is None:
        raise ValueError(
            f"found '{text}', allowed: {', '.join(_LIGHT)}, or a variant code of IEC 61869-9 such "
            "as F4800S2I4U4"
        )
    profile = Profile(*map(int, match.groups()))
    for what, number, allowed in (
        ("samples per second", profile.rate, _RATES),
        ("ASDUs", profile.asdus, _ASDUS),
        ("currents and voltages", profile.columns, _COLUMNS),
    ):
        if number not in allowed:
            raise ValueError(
                f"found {number} {what} in '{text}', allowed: {allowed.start} to {allowed.stop - 1}"
            )
    return profile


def _check(text: str) -> str:
    parse_profile(text)
    return text


ProfileName = Annotated[
    str,
    AfterValidator(_check),
    Field(
        description="9-2LE-80, 9-2LE-256 (samples per nominal cycle), or the variant code of "
        "IEC 61869-9: F4800S2I4U4, F14400S6I4U4 …",
        examples=["F4800S2I4U4"],
    ),
]


class ChannelSettings(Settings):
    """A value of the data set."""

    name: Annotated[
        str, Field(min_length=1, description="its name: ia, ub …, or as `waveform.channels` says")
    ]
    scale: Annotated[
        float | None, Field(gt=0, description="what a count is worth, primary [A, V]")
    ] = None
    unit: Annotated[str | None, Field(description="of the value")] = None
    watched: Annotated[
        bool, Field(description="whether its quality counts for that of the sample")
    ] = True


def channels_of(
    profile: Profile, given: Sequence[str | ChannelSettings] | None
) -> tuple[ChannelSettings, ...]:
    """Return the channels in the order of the data set, each with a scale and a unit.

    Without names there must be 0, 3 or 4 currents, and so many voltages: phases a, b, c, neutral.
    Raises ValueError where they do not fit the profile.
    """
    if given is None:
        names = [*_names("i", profile.currents, profile), *_names("u", profile.voltages, profile)]
        given = names
    if len(given) != profile.columns:
        raise ValueError(
            f"found {len(given)} channels, allowed for {profile}: {profile.columns}, the currents "
            "first"
        )
    made = [_whole(one, is_current=at < profile.currents) for at, one in enumerate(given)]
    names = [one.name for one in made]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"found channel '{double}' twice, allowed: each name once")
    return tuple(made)


def waveform_channels(channels: Sequence[ChannelSettings]) -> tuple[Channel, ...]:
    """Return them as a waveform has them."""
    return tuple(Channel(one.name, one.scale or 1.0, one.unit or "") for one in channels)


def _names(letter: str, count: int, profile: Profile) -> list[str]:
    if count not in (0, 3, 4):
        raise ValueError(
            f"found no `channels`, which {profile} needs: only 0, 3 or 4 of a kind have names"
        )
    return [letter + phase for phase in _PHASES[:count]]


def _whole(one: str | ChannelSettings, *, is_current: bool) -> ChannelSettings:
    scale, unit = (CURRENT_SCALE, "A") if is_current else (VOLTAGE_SCALE, "V")
    if isinstance(one, str):
        return ChannelSettings(name=one, scale=scale, unit=unit)
    more: dict[str, Any] = {}
    if one.scale is None:
        more["scale"] = scale
    if one.unit is None:
        more["unit"] = unit
    return one.model_copy(update=more)
