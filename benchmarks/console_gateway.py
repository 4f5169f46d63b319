"""A whole gateway whose event loop is looked at: how late it comes to what is due.

python -m benchmarks.console_gateway FILE DELAYS

SIGUSR1 has it write p50, p99 and the most of the delays since the last such signal, in ms, to the
file DELAYS. Other than that it does what `gateway run` does.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from pathlib import Path

import numpy as np
import uvloop

from gateway.cli.run import _freeze_links
from gateway.config import load
from gateway.engine.engine import Engine

BEAT = 0.005
"""Seconds between two looks at the clock."""


async def main(file: Path, delays: Path) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    late: list[float] = []
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: _tell(late, delays))
    engine = Engine(load(file))
    gc.collect()
    gc.freeze()
    beside = [asyncio.create_task(_freeze_links(engine)), asyncio.create_task(_beat(late))]
    try:
        await engine.run(stop)
    finally:
        for task in beside:
            task.cancel()


async def _beat(late: list[float]) -> None:
    # The loop's own clock counts milliseconds.
    while True:
        due = time.perf_counter() + BEAT
        await asyncio.sleep(BEAT)
        late.append(time.perf_counter() - due)


def _tell(late: list[float], delays: Path) -> None:
    found = [*np.percentile(late or [0.0], [50, 99, 100]).tolist()]
    late.clear()
    new = delays.with_suffix(".new")
    new.write_text(" ".join(f"{1e3 * one:.3f}" for one in found))
    new.rename(delays)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
