"""All benchmarks, or those that are named: one table, and the same as JSON.

python -m benchmarks [--quick] [--turns N] [kernel plane common latency memory start …]
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from benchmarks.figure import Figure, table
from benchmarks.rig import results
from benchmarks.sections import SECTIONS, Plan

LIBRARIES = ("numpy", "uvloop", "orjson", "pymodbus", "aiomqtt", "asyncua", "pydantic")


def machine() -> dict[str, Any]:
    """Return what the figures were measured on; no names."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = {line.partition(": ")[2] for line in lines if line.startswith("model name")}
    return {
        "cpu": ", ".join(sorted(models)),
        "cores": os.cpu_count(),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "load": os.getloadavg(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="one short run of each")
    parser.add_argument("--turns", type=int, help="runs of each kind; the median counts")
    parser.add_argument("--quiet", action="store_true", help="print the table only")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    plan = Plan(
        chosen.quick,
        chosen.turns or (1 if chosen.quick else 3),
        4.0 if chosen.quick else 8.0,
        (lambda line: None) if chosen.quiet else (lambda line: print(line, flush=True)),
    )
    # What the benchmark started is ended by its `with` blocks, so it must not die at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    before, began = machine(), time.monotonic()
    figures: list[Figure] = []
    failed: dict[str, str] = {}
    for name in chosen.sections or SECTIONS:
        plan.say(f"--- {name}")
        try:
            figures += SECTIONS[name](plan)
        except (OSError, RuntimeError, TimeoutError) as error:
            failed[name] = str(error)
    print(f"\n{table(figures)}\n")
    for name, why in failed.items():
        print(f"section {name} FAILED: {why}", file=sys.stderr)
    stamp = datetime.datetime.now(datetime.UTC)
    path = results() / f"{stamp:%Y-%m-%d-%H%M%S}.json"
    path.write_bytes(
        orjson.dumps(
            {
                "time": stamp.isoformat(),
                "seconds": time.monotonic() - began,
                "machine": before,
                "load after": os.getloadavg(),
                "quick": chosen.quick,
                "figures": [figure.to_dict() for figure in figures],
                "failed": failed,
            },
            option=orjson.OPT_INDENT_2,
        )
    )
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
