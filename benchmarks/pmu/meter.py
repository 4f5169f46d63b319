"""The estimator under test on a signal: its errors against what is true of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.pmu.signal import AMPERE, CURRENT, THIRD, VOLT, VOLTAGE, Column, Signal, counts
from benchmarks.pmu.stream import Stream
from gateway import kernel
from gateway.kernel import Phasors

EPOCH = 1_700_000_000  # s, when signals begin
BLOCK = 1 << 16  # rows of one push


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Of the valid reports: when, s from the start; total vector error of the worst phase or of
    the positive sequence, %; frequency [Hz] and its rate of change [Hz/s], absolute errors.
    vectors: positive sequence, of nominal, turned back to an angle of 0."""

    time: Column
    tve: Column
    fe: Column
    rfe: Column
    vectors: np.ndarray[tuple[int], np.dtype[np.complex128]]

    def where(self, judged: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Errors:
        columns = (getattr(self, name)[judged] for name in self.__slots__)
        return Errors(*columns)


def estimator(stream: Stream, sets: tuple[tuple[int, ...], ...], scale: list[float]) -> Phasors:
    return Phasors(
        kernel.Stream(stream.rate, scale, stream.nominal),
        reporting=stream.reporting,
        performance=stream.performance,
        sets=sets,
    )


def margin(stream: Stream) -> float:
    """Return the time that windows need at each end of a signal, s."""
    phasors = estimator(stream, ((0,),), [1.0])
    return 2 * phasors.delay / stream.rate


def measure(stream: Stream, signal: Signal, seconds: float, *, single: bool = False) -> Errors:
    """Return the errors over so many seconds of a voltage; single: of phase a, known alone."""
    return _measure(stream, signal, None, seconds, single)


def measure_current(stream: Stream, signal: Signal, seconds: float) -> Errors:
    """Return the errors of a current, beside a voltage that is nominal but for its frequency."""
    return _measure(stream, Signal(away=signal.away), signal, seconds, False)


def _measure(
    stream: Stream, voltage: Signal, current: Signal | None, seconds: float, single: bool
) -> Errors:
    rows = int((seconds + margin(stream)) * stream.rate) + 1
    samples = counts(voltage.phases(stream.rate, stream.nominal, rows), VOLTAGE, VOLT)
    sets: tuple[tuple[int, ...], ...] = ((0,),) if single else ((0, 1, 2),)
    scale, judged = [VOLT] * (1 if single else 3), voltage
    if current is not None:
        amperes = current.phases(stream.rate, stream.nominal, rows)
        samples = np.hstack([samples, counts(amperes, CURRENT, AMPERE)])
        sets, scale, judged = (*sets, (3, 4, 5)), [*scale, *[AMPERE] * 3], current

    phasors = estimator(stream, sets, scale)
    out = phasors.rows(int(rows / stream.rate * stream.reporting) + 2)
    for first in range(0, rows, BLOCK):
        phasors.push(EPOCH * stream.rate + first, samples[first : first + BLOCK], out)
    reports = out.drain()
    assert reports is not None
    good = reports.quality == 0
    time = (reports.time[good] - EPOCH * 10**9) / 1e9

    true = judged.size(time) * np.exp(1j * judged.angle(time))
    n = 1 if single else 3
    found = reports.magnitude[good, -n:] * np.exp(1j * reports.angle[good, -n:])
    found = found * np.exp(1j * THIRD * np.arange(n)) / (VOLTAGE if current is None else CURRENT)
    vectors = found[:, 0]
    if not single:
        sequence = reports.sequence_magnitude[good, -1, 0]
        angle = reports.sequence_angle[good, -1, 0]
        vectors = sequence * np.exp(1j * angle) / (VOLTAGE if current is None else CURRENT)
        found = np.column_stack([found, vectors])
    return Errors(
        time,
        100 * (np.abs(found - true[:, None]) / np.abs(true[:, None])).max(axis=1),
        np.abs(reports.frequency[good] - stream.nominal - voltage.frequency(time)),
        np.abs(reports.rocof[good] - voltage.rocof(time)),
        vectors,
    )


def latency(stream: Stream) -> float:
    """Return the longest time from a report's instant to the sample that completes it, s."""
    phasors = estimator(stream, ((0, 1, 2),), [VOLT] * 3)
    out = phasors.rows(stream.reporting + 2)
    row = np.zeros((1, 3), np.int32)
    late = []
    for n in range(2 * stream.rate):
        for _ in range(phasors.push(EPOCH * stream.rate + n, row, out)):
            reports = out.drain()
            assert reports is not None
            late.append(n / stream.rate - (int(reports.time[0]) - EPOCH * 10**9) / 1e9)
    return max(late)
