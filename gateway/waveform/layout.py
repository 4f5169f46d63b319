"""Which column of a waveform is which lane, and what can be measured of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from gateway.kernel import Phasors, Quantity, Setup, Stream
from gateway.model.waveform import Channel, Samples
from gateway.waveform.result import EventResult, PhasorResult, Result
from gateway.waveform.settings import Correction, Lane, MeterSettings, WaveformSettings

_NONE = Correction()
_LANES: tuple[Lane, ...] = get_args(Lane)


@dataclass(frozen=True, slots=True)
class Layout:
    """The lanes of a stream.

    stream:  its columns are those that have lanes, in their order; all of them where `pick` is
             None.
    columns: of `stream`, by lane.
    turn:    of each column, rad.
    sets:    columns whose sequences are made, by their letter; the first gives the frequency.
    """

    settings: WaveformSettings
    stream: Stream
    columns: dict[str, int]
    turn: tuple[float, ...]
    sets: dict[str, tuple[int, ...]]
    pick: npt.NDArray[np.intp] | None

    @classmethod
    def of(cls, settings: WaveformSettings, rate: int, channels: Sequence[Channel]) -> Layout:
        """Raises ValueError where the stream has no channel that the settings name."""
        names = [channel.name for channel in channels]
        wanted = {lane: settings.channels.get(lane, lane) for lane in _LANES}
        for lane, name in settings.channels.items():
            if name not in names:
                raise ValueError(
                    f"found channels.{lane} '{name}', allowed: {', '.join(names) or 'none'}"
                )
        where: dict[Lane, int] = {
            lane: names.index(name) for lane, name in wanted.items() if name in names
        }
        if not where:
            raise ValueError(
                f"found channels {', '.join(names)}, allowed: at least one of {', '.join(_LANES)}, "
                "or named in `waveform: {channels: …}`"
            )
        used = sorted(set(where.values()))
        columns: dict[str, int] = {lane: used.index(column) for lane, column in where.items()}
        errors: list[Correction] = [_NONE] * len(used)
        for lane in where:
            errors[columns[lane]] = settings.correct.get(lane, _NONE)
        scale = [
            channels[column].scale * error.scale for column, error in zip(used, errors, strict=True)
        ]
        return cls(
            settings,
            Stream(rate, scale, settings.nominal, settings.hold),
            columns,
            tuple(float(np.radians(error.angle)) for error in errors),
            _sets(columns),
            None if used == list(range(len(channels))) else np.array(used),
        )

    def rows(self, samples: Samples) -> Samples:
        """Return the columns that have lanes."""
        return samples if self.pick is None else np.ascontiguousarray(samples[:, self.pick])

    def phasors(self) -> Phasors:
        """Raises ValueError where the rates do not go together."""
        asked = self.settings.phasors
        if asked is None:
            raise ValueError("there is no section `waveform: {phasors: …}`")
        return Phasors(
            self.stream,
            reporting=asked.rate,
            performance=asked.performance,
            sets=list(self.sets.values()),
            turn=self.turn,
            least=asked.least,
        )

    def setup(self) -> Setup:
        """Return what a meter of these lanes measures."""
        asked = self.settings.meter
        if asked is None:
            raise ValueError("there is no section `waveform: {meter: …}`")
        fields = {name: getattr(asked, name) for name in MeterSettings.model_fields}
        fields["swell"] = np.inf if asked.swell is None else asked.swell
        return Setup(self.stream, self.columns, **fields)

    def quantities(self) -> frozenset[Quantity]:
        """Return what the meter can give; nothing without one."""
        return frozenset(() if self.settings.meter is None else self.setup().quantities())

    def fault(self, result: Result, quantities: frozenset[Quantity]) -> str:
        """Return why a result cannot be had of these lanes; nothing where it can.

        quantities: as of `quantities`.
        """
        there = ", ".join(self.columns)
        if isinstance(result, PhasorResult):
            item = result.item
            if not item or item in self.columns or (item[1:] in "120" and item[0] in self._three):
                return ""
            return f"found '{result}' of a stream of {there}, allowed: phasors of its lanes"
        if isinstance(result, EventResult):
            lane = "ua" if result.phase == "all" else f"u{result.phase}"
            if lane in self.columns:
                return ""
            return f"found '{result}' of a stream of {there}, allowed: events of its voltages"
        if result in quantities:
            return ""
        return f"found '{result}' of a stream of {there}" + self._orders(result)

    @property
    def _three(self) -> list[str]:
        return [letter for letter, columns in self.sets.items() if len(columns) == 3]

    def _orders(self, result: Quantity) -> str:
        meter = self.settings.meter
        if meter is not None and (result.order or result.kind in ("thd", "harmonic")):
            return f" with `meter: {{orders: {meter.orders}}}`, which has it not"
        return ", which has it not"


def _sets(columns: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return the three phases of voltages and of currents, or a lane alone where neither is."""
    found: dict[str, tuple[int, ...]] = {}
    for letter, phases in (("u", ("ua", "ub", "uc")), ("i", ("ia", "ib", "ic"))):
        of = tuple(column for lane, column in columns.items() if lane in phases)
        if len(of) == 3:
            found[letter] = of
    first = next(iter(columns))
    if "u" not in found and first[0] == "u":
        found = {"u": (columns[first],), **found}
    return found or {first[0]: (columns[first],)}
