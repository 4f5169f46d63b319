"""From waveforms to samples of points: phasors, power quality and power, events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.kernel import Event, Events, Meter, PhasorReports, PhasorRows, Phasors, Quantity, Rows
from gateway.model.batch import Batch, PointColumn
from gateway.model.quality import Quality
from gateway.model.waveform import Channel, Waveform
from gateway.waveform.layout import Layout
from gateway.waveform.result import SEQUENCES, EventResult, PhasorResult, Result
from gateway.waveform.settings import WaveformSettings

_DEVICE_TIME = np.uint16(Quality.DEVICE_TIME)
_REST = np.uint16(~Quality.VALIDITY & 0xFFFF)
_INVALID = np.uint16(Quality.INVALID)


class Missing(NamedTuple):
    """Rows of samples that did not come, since the beginning.

    held: filled with the last one; gaps: that were too long for it, and their rows: lost.
    late: rows that had been handed over before, or come after their gap; left out.
    """

    held: int = 0
    gaps: int = 0
    lost: int = 0
    late: int = 0


class Estimator:
    """What measures one stream; one thread at a time.

    Raises ValueError where it cannot be measured as asked.
    """

    def __init__(
        self,
        settings: WaveformSettings,
        rate: int,
        channels: Sequence[Channel],
        points: Mapping[Result, int],
        energy: npt.NDArray[np.float64] | None = None,
    ) -> None:
        self.rate, self.channels = rate, tuple(channels)
        self._layout = layout = Layout.of(settings, rate, channels)
        self._late = 0
        self.next = 0
        """Index of the row that is expected; 0 before the first."""
        phasors = {r: p for r, p in points.items() if isinstance(r, PhasorResult)}
        quantities = {r: p for r, p in points.items() if isinstance(r, Quantity)}
        self._events = {r: p for r, p in points.items() if isinstance(r, EventResult)}
        known = layout.quantities()
        for result in points:
            if fault := layout.fault(result, known):
                raise ValueError(fault)
        self._phasors = _PhasorPoints(layout, phasors) if phasors else None
        self._meter = None
        if quantities or self._events:
            self._meter = Meter(layout.setup(), quantities)
            if energy is not None:
                self._meter.energy = energy
        self._rows, self._room = Rows(1), Events(1)
        self._begun = False

    def take(self, waveform: Waveform) -> Batch | None:
        """Measure a waveform of these channels at this rate, and return what came of it.

        Rows that lie before the one expected are left out, and counted as late.
        """
        index, samples, quality = waveform.index, waveform.samples, waveform.quality
        late = min(max(self.next - index, 0), len(samples))
        if late:
            self._late += late
            index, samples = index + late, samples[late:]
            quality = None if quality is None else quality[late:]
        if not len(samples):
            return None
        samples = self._layout.rows(samples)
        self.next = index + len(samples)
        parts: list[Batch | None] = []
        if self._events and not self._begun:
            self._begun = True
            parts.append(self._calm(waveform.time(late)))
        if self._phasors is not None:
            parts.append(self._phasors.push(index, samples, quality))
        if self._meter is not None:
            needed = self._meter.room(len(samples))
            if needed[0] > self._rows.capacity:
                self._rows = Rows(needed[0])
            if needed[1] > self._room.capacity:
                self._room = Events(needed[1])
            self._meter.push(index, samples, self._rows, self._room, quality)
            parts += [self._rows.drain(), self._told(self._room.drain())]
        made = [part for part in parts if part is not None and len(part)]
        if not made:
            return None
        batch = Batch.concat(made)
        lacking = np.isnan(batch.value)
        quality = batch.quality | _DEVICE_TIME
        if lacking.any():
            quality[lacking] = quality[lacking] & _REST | _INVALID
        return Batch(batch.point, batch.value, quality, batch.time)

    @property
    def missing(self) -> Missing:
        """What did not come so far."""
        if self._phasors is not None:
            at = self._phasors.estimator.state()
            return Missing(at.held, at.gaps, at.lost, self._late)
        if self._meter is not None:
            of = self._meter.state()
            return Missing(of.held, of.gaps, of.lost, self._late)
        return Missing(late=self._late)

    @property
    def energy(self) -> npt.NDArray[np.float64] | None:
        """The registers of energy [Wh, varh], for the next estimator; None without a meter."""
        return None if self._meter is None else self._meter.energy

    def _calm(self, time: int) -> Batch:
        points = [point for result, point in self._events.items() if result.part == "active"]
        return Batch.of(points, 0.0, 0, time)

    def _told(self, events: list[Event]) -> Batch | None:
        told: list[tuple[int, float, int, int]] = []
        for event in events:
            phase = "all" if event.phase is None else "abc"[event.phase]
            for part, value, time in _parts(event):
                point = self._events.get(EventResult(event.kind, part, phase))
                if point is not None:
                    told.append((point, value, event.quality, time))
        return Batch.of(*map(list, zip(*told, strict=True))) if told else None


def faults(
    settings: WaveformSettings, rate: int, channels: Sequence[Channel], results: Sequence[Result]
) -> Iterator[tuple[Result, str]]:
    """Yield each result that cannot be measured, and why; of what concerns all, only the first."""
    if not results:
        return
    try:
        layout = Layout.of(settings, rate, channels)
        known = layout.quantities()
        wrong = {result: layout.fault(result, known) for result in results}
        yield from ((result, fault) for result, fault in wrong.items() if fault)
        sound = {result: i for i, (result, fault) in enumerate(wrong.items()) if not fault}
        Estimator(settings, rate, channels, sound)
    except ValueError as error:
        yield results[0], str(error)


def _parts(event: Event) -> list[tuple[str, float, int]]:
    if event.end is None:
        return [("active", 1.0, event.start)]
    return [
        ("active", 0.0, event.end),
        ("voltage", event.value, event.end),
        ("steady", event.more, event.end),
        ("duration", (event.end - event.start) / 1e9, event.end),
    ]


class _PhasorPoints:
    """An estimator of phasors, and which of its columns are points."""

    def __init__(self, layout: Layout, points: Mapping[PhasorResult, int]) -> None:
        self.estimator: Phasors = layout.phasors()
        self._reports: PhasorRows = self.estimator.rows(1)
        self._point: PointColumn = np.array(list(points.values()), np.int32)
        self._select = np.array([_place(layout, result) for result in points], np.intp)

    def push(
        self, index: int, samples: npt.NDArray[np.int32], quality: npt.NDArray[np.uint16] | None
    ) -> Batch | None:
        needed = self.estimator.reports(index, len(samples))
        if needed > self._reports.capacity:
            self._reports = self.estimator.rows(needed)
        if self.estimator.push(index, samples, self._reports, quality) == 0:
            return None
        reports = self._reports.drain()
        return None if reports is None else self._batch(reports)

    def _batch(self, reports: PhasorReports) -> Batch:
        n, width = len(reports), len(self._point)
        values = np.concatenate(
            (
                reports.frequency[:, None],
                reports.rocof[:, None],
                reports.magnitude,
                np.degrees(reports.angle),
                reports.sequence_magnitude.reshape(n, -1),
                np.degrees(reports.sequence_angle).reshape(n, -1),
            ),
            axis=1,
        )[:, self._select]
        return Batch(
            np.tile(self._point, n),
            np.ascontiguousarray(values).reshape(-1),
            np.repeat(reports.quality, width),
            np.repeat(reports.time, width),
        )


def _place(layout: Layout, result: PhasorResult) -> int:
    """Return the column of a result among those that `_batch` puts side by side."""
    if not result.item:
        return ("frequency", "rocof").index(result.kind)
    columns, sets = layout.stream.columns, list(layout.sets)
    angle = result.kind == "angle"
    if result.item not in SEQUENCES:
        return 2 + angle * columns + layout.columns[result.item]
    of, component = sets.index(result.item[0]), "120".index(result.item[1])
    return 2 + 2 * columns + (angle * len(sets) + of) * 3 + component
