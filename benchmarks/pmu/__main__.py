"""Run the test set of IEC/IEEE 60255-118-1 on every stream, print the table, and write the page.

python -m benchmarks.pmu [--few] [--class P] [--nominal 50] [--reporting 50] [--rate 4800]

A part of the streams, or --few conditions, is printed only.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.pmu import page
from benchmarks.pmu.judge import Verdict, judge
from benchmarks.pmu.stream import PERFORMANCES, REPORTING, Stream, streams

DOCS = Path(__file__).resolve().parents[2] / "docs"


def run(chosen: list[Stream], few: bool, jobs: int) -> list[Verdict]:
    """Judge streams in processes of their own, and say how far it is."""
    verdicts = []
    with ProcessPoolExecutor(jobs) as pool:
        for verdict in pool.map(partial(judge, few=few), chosen):
            verdicts.append(verdict)
            most = page.worst(row for row in verdict.rows if math.isfinite(row.limit))
            print(
                f"{verdict.stream}: {most.percent:.1f} % of {most.test}: {most.quantity}",
                flush=True,
            )
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pmu", description=__doc__)
    parser.add_argument("--few", action="store_true", help="some conditions of each test")
    parser.add_argument("--class", dest="performance", choices=PERFORMANCES)
    parser.add_argument("--nominal", type=int, choices=list(REPORTING))
    parser.add_argument("--reporting", type=int)
    parser.add_argument("--rate", type=int, help="any sampling rate, 1000 to 32768")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    wanted = {
        name: value
        for name in ("performance", "nominal", "reporting", "rate")
        if (value := getattr(asked, name)) is not None
    }
    rate = wanted.pop("rate", None)
    chosen = [s for s in streams() if all(getattr(s, n) == v for n, v in wanted.items())]
    if rate is not None:
        chosen = list(dict.fromkeys(s._replace(rate=rate) for s in chosen))
    if not chosen:
        parser.error("there is no such stream")

    began = time.monotonic()
    verdicts = run(chosen, asked.few, asked.jobs)
    rows = [row for verdict in verdicts for row in verdict.rows]
    for performance in PERFORMANCES:
        for nominal in REPORTING:
            if any(s[1::2] == (nominal, performance) for s in chosen):
                print(f"\nClass {performance}, {nominal} Hz")
                print(page.details(rows, performance, nominal))
    print(f"\n{page.summary(rows)}")
    judged = [row for row in rows if math.isfinite(row.limit)]
    over = [row for row in judged if row.percent > page.GOAL]
    print(
        f"\n{len(chosen)} streams, {len(judged)} limits, {len(over)} above {page.GOAL:.0f} %, "
        f"the most {page.worst(judged).percent:.1f} %, {time.monotonic() - began:.0f} s"
    )
    if not asked.few and len(chosen) == len(list(streams())) and rate is None:
        pictures = page.charts(verdicts)
        (DOCS / "pmu").mkdir(exist_ok=True)
        for name, picture in pictures.items():
            (DOCS / "pmu" / name).write_text(picture, encoding="utf-8")
        (DOCS / "pmu" / "compliance.csv").write_text(page.as_csv(rows), encoding="utf-8")
        about = Path(__file__).with_name("about.md").read_text(encoding="utf-8")
        (DOCS / "pmu-compliance.md").write_text(page.page(rows, pictures, about), encoding="utf-8")
        print(f"written to {DOCS / 'pmu-compliance.md'}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
