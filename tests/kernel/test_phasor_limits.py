"""In short, `make pmu-compliance`: every class and reporting rate, each at one sampling rate."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.pmu import limits, meter, page, step
from benchmarks.pmu.case import CASES
from benchmarks.pmu.judge import judge
from benchmarks.pmu.signal import Column, Signal
from benchmarks.pmu.stream import RATES, REPORTING, Stream
from gateway import kernel
from gateway.kernel import Phasors

GOAL = 80.0  # % of every limit

PAIRS = [(nominal, reporting) for nominal, rates in REPORTING.items() for reporting in rates]
STREAMS = [
    *(Stream(RATES[i % 5], *pair, "P") for i, pair in enumerate(PAIRS)),
    # Their windows are long, so the quick sampling rates are left to the whole run.
    *(Stream(RATES[i % 5 if pair[1] > 20 else i % 2], *pair, "M") for i, pair in enumerate(PAIRS)),
]

# Of NIST's public limit table, as its numbers stand there: class M, by reporting rate.
NIST_MODULATION = {10: (0.12, 2.3), 12: (0.14, 3.3), 30: (0.30, 14), 60: (0.30, 14)}
NIST_HARMONICS = {10: 0.005, 12: 0.005, 15: 0.005, 20: 0.005, 30: 0.025, 60: 0.025}


@pytest.mark.parametrize("stream", STREAMS, ids=str)
def test_every_limit_is_kept(stream: Stream) -> None:
    """No test of the set takes more than 80 % of its limit."""
    rows = judge(stream, few=True).rows
    tests = {row.test for row in rows}
    assert len(tests) == len(CASES) + 4 + 2 - (stream.performance == "P")
    assert all(math.isfinite(row.reached) for row in rows)
    assert [row for row in rows if not row.percent <= GOAL] == []


def test_the_page_has_every_row() -> None:
    """Table, charts and CSV are made of the rows, and what is said about them is said once."""
    streams = [Stream(4800, nominal, nominal, "M") for nominal in (50, 60)]
    verdicts = [judge(stream, few=True) for stream in streams]
    rows = [row for verdict in verdicts for row in verdict.rows]

    lines = page.as_csv(rows).splitlines()
    assert len(lines) == 1 + len(rows)
    assert lines[1].startswith("M,50,50,4800,frequency,TVE,%,1,")

    charts = page.charts(verdicts)
    assert len(charts) == len(CASES) + 2
    for name, picture in charts.items():
        assert name == name.lower()
        found = ElementTree.fromstring(picture).findall("{http://www.w3.org/2000/svg}text")
        words = {text.text for text in found}
        assert {"50 Hz", "60 Hz", "50/s", "60/s", "TVE, %", "FE, Hz", "RFE, Hz/s"} <= words

    text = page.page(rows, charts, "# About\n")
    assert text.startswith("# About\n\n## What was found\n\n2 streams")
    assert all(f"(pmu/{name})" in text for name in charts)
    assert "| M | 50 Hz | 50 | 1 | 52 |" in text


def test_the_documents_are_of_the_run() -> None:
    """The page under docs/ says of itself what the run says, and has its charts beside it."""
    about = Path(page.__file__).with_name("about.md").read_text(encoding="utf-8")
    docs = Path(__file__).resolve().parents[2] / "docs"
    text = (docs / "pmu-compliance.md").read_text(encoding="utf-8")
    assert text.startswith(about)
    assert all((docs / name).is_file() for name in re.findall(r"\((pmu/[^)]+)\)", text))


def test_limits_are_those_of_the_table() -> None:
    """What is computed from the reporting rate has the published values."""
    for reporting, (fe, rfe) in NIST_MODULATION.items():
        limit = limits.modulation(Stream(4800, 60, reporting, "M"))
        assert limit.tve == 3
        assert (round(limit.fe, 2), float(f"{limit.rfe:.2g}")) == (fe, rfe)
    limit = limits.modulation(Stream(4800, 60, 30, "P"))
    assert (limit.tve, round(limit.fe, 3), round(limit.rfe, 1)) == (3, 0.06, 2.3)
    for reporting, fe in NIST_HARMONICS.items():
        assert limits.harmonics(Stream(4800, 60, reporting, "M")).fe == fe
    response = limits.step_response(Stream(4800, 50, 10, "M"))
    assert (response.tve, response.fe, response.rfe) == (0.7, 1.4, 1.4)
    response = limits.step_response(Stream(4800, 60, 60, "M"))
    assert (response.tve, response.fe) == (7 / 60, 14 / 60)


@pytest.mark.parametrize("stream", [Stream(4800, 50, 50, "P"), Stream(4000, 60, 30, "M")], ids=str)
def test_the_meter_sees_errors(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """An estimator that is wrong by 1 % or 0.01 rad, or a signal by 10 mHz, has just that error."""

    def wrong(scale: float, turn: float) -> None:
        def estimator(
            stream: Stream, sets: tuple[tuple[int, ...], ...], scales: list[float]
        ) -> Any:
            rate, nominal, reporting, performance = stream
            return Phasors(
                kernel.Stream(rate, [scale * s for s in scales], nominal),
                reporting=reporting,
                performance=performance,
                sets=sets,
                turn=[turn] * len(scales),
            )

        monkeypatch.setattr(meter, "estimator", estimator)

    class Other(Signal):
        def frequency(self, t: Column) -> Column:
            return np.full(len(t), 0.01)

        def rocof(self, t: Column) -> Column:
            return np.full(len(t), -0.1)

    wrong(1.01, 0.0)
    assert meter.measure(stream, Signal(), 1.0).tve == pytest.approx(1.0, rel=1e-3)
    wrong(1.0, 0.01)
    assert meter.measure(stream, Signal(), 1.0).tve == pytest.approx(1.0, rel=1e-3)
    monkeypatch.undo()
    errors = meter.measure(stream, Other(), 1.0)
    assert errors.tve.max() < 1e-3
    assert errors.fe == pytest.approx(0.01)
    assert errors.rfe == pytest.approx(0.1, rel=1e-3)


def test_the_meter_knows_a_step() -> None:
    """Half a step is where it was crossed; a response lasts from its first to its last error."""
    t = np.linspace(-1, 1, 2001)
    late = np.where(t >= 0.003, 1.0, 0.0)
    assert step._half(t, late) == pytest.approx(0.003, abs=0.001)
    assert step._above(t, np.where((t >= 0) & (t < 0.003), 10.0, 0.0), 1.0) == pytest.approx(
        0.003, abs=1e-9
    )
    assert step._above(t, 0.5 + 0 * t, 1.0) == 0


def test_signals_are_their_derivatives() -> None:
    """Frequency and its rate of change are the slopes of the angle, whatever the signal."""
    t = np.linspace(0, 3, 30001)
    for signal in (
        Signal(away=0.7),
        Signal(pm=0.1, fm=1.7),
        Signal(away=-1.0, ramp=1.0, ramp_from=0.5, ramp_to=2.5),
    ):
        slope = np.gradient(signal.angle(t), t) / (2 * np.pi)
        assert np.allclose(slope[1:-1], signal.frequency(t)[1:-1], atol=1e-4)
        inside = (abs(t - 0.5) > 1e-3) & (abs(t - 2.5) > 1e-3)
        rate = np.gradient(signal.frequency(t), t)[inside]
        assert np.allclose(rate[1:-1], signal.rocof(t)[inside][1:-1], atol=1e-2)
