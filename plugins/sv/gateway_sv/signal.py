"""What a made-up merging unit measures: three phases that are not perfect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gateway import Duration, Settings
from gateway.waveform import Samples
from gateway_sv.profile import ChannelSettings

Order = Annotated[int, Field(ge=2, le=50)]
Part = Annotated[float, Field(ge=0, le=1)]
_PHASES = "abc"
_MOST = 2**31 - 1


class Swing(Settings):
    """The frequency goes up and down as a sine does."""

    by: Annotated[float, Field(ge=0, le=5, description="Hz up, and down")]
    period: Annotated[Duration, Field(ge=1, description="of one turn")] = 60.0


class Dip(Settings):
    """The voltages are less for a moment, again and again."""

    every: Annotated[Duration, Field(gt=0, description="from one to the next")]
    length: Annotated[Duration, Field(gt=0, alias="for", description="how long it is")] = 0.2
    to: Annotated[float, Field(ge=0, le=1, description="what is left, as a part")] = 0.5


class Signal(Settings):
    """What is sent, primary; channels that are not ia … un are 0."""

    voltage: Annotated[float, Field(ge=0, description="phase to earth [V rms]")] = 63_508.5
    current: Annotated[float, Field(ge=0, description="of each phase [A rms]")] = 400.0
    frequency: Annotated[float | None, Field(gt=0, le=400, description="[Hz]; null: nominal")] = (
        None
    )
    angle: Annotated[
        float, Field(ge=-180, le=180, description="degrees by which currents are behind")
    ] = 25.0
    unbalance: Annotated[Part, Field(description="negative sequence, as a part of the voltage")] = (
        0.0
    )
    harmonics: Annotated[
        Mapping[Order, Part], Field(description="order: part of the fundamental")
    ] = {}
    swing: Annotated[Swing | None, Field(description="how the frequency moves")] = None
    dip: Annotated[Dip | None, Field(description="voltage dips")] = None

    def rows(
        self,
        channels: Sequence[ChannelSettings],
        rate: int,
        nominal: int,
        first: int,
        n: int,
    ) -> Samples:
        """Return n rows in counts, from row `first` after its beginning, at which the phase of ua,
        as a cosine, is 0."""
        seconds = (first + np.arange(n)) / rate
        turns = self._turns(seconds, self.frequency or float(nominal))
        rest = self._rest(seconds)
        made = {"u": self._three(turns, self.voltage, 0.0, self.unbalance) * rest}
        made["i"] = self._three(turns, self.current, self.angle, 0.0)
        columns = [_column(made, one, n) / (one.scale or 1.0) for one in channels]
        counts = np.clip(np.rint(np.stack(columns, axis=1)), -_MOST, _MOST)
        return np.ascontiguousarray(counts.astype(np.int32))

    def _turns(self, seconds: npt.NDArray[np.float64], hertz: float) -> npt.NDArray[np.float64]:
        """The integral of the frequency; whole turns are taken off where they are exact."""
        turns = hertz * seconds
        if self.swing is not None:
            pace = 2 * math.pi / self.swing.period
            turns = turns + self.swing.by / pace * (1 - np.cos(pace * seconds))
        return turns - np.floor(turns)

    def _rest(self, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What dips leave of the voltage: each at the end of its period."""
        if self.dip is None:
            return np.ones(len(seconds))
        begins = self.dip.every - min(self.dip.length, self.dip.every)
        return np.where(seconds % self.dip.every >= begins, self.dip.to, 1.0)

    def _three(
        self, turns: npt.NDArray[np.float64], rms: float, behind: float, unbalance: float
    ) -> npt.NDArray[np.float64]:
        """Rows of phases a, b, c."""
        made = np.zeros((3, len(turns)))
        for phase in range(3):
            for order, part in {1: 1.0, **self.harmonics}.items():
                lag = order * (behind / 360 + phase / 3)
                made[phase] += part * np.cos(2 * math.pi * (order * turns - lag))
            made[phase] += unbalance * np.cos(2 * math.pi * (turns + phase / 3))
        scaled: npt.NDArray[np.float64] = made * (rms * math.sqrt(2))
        return scaled


def _column(
    made: Mapping[str, npt.NDArray[np.float64]], one: ChannelSettings, n: int
) -> npt.NDArray[np.float64]:
    kind, phase = one.name[:1], one.name[1:]
    if kind not in made or phase not in (*_PHASES, "n"):
        return np.zeros(n)
    phases = made[kind]
    column: npt.NDArray[np.float64] = (
        phases.sum(axis=0) if phase == "n" else phases[_PHASES.index(phase)]
    )
    return column
