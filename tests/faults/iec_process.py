"""A gateway between a station and its control centres, in lives that are killed.

python iec_process.py DATA SETUP
SETUP is a file of JSON: the fields of the `sources` and `sinks`, and `points`, the point list.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvloop
from gateway_iec60870 import gateway_components
from lives import bear

from gateway import Sink, Source
from gateway.engine import Engine
from gateway.testing import CommandSettings, configured


def link(fields: dict[str, Any]) -> Source | Sink:
    kinds = {one.model_fields["type"].default: one for one in gateway_components()}
    return kinds[fields["type"]].model_validate(fields)


async def main(data: Path, setup: dict[str, Any]) -> None:
    sources = [one for one in map(link, setup["sources"]) if isinstance(one, Source)]
    sinks = [one for one in map(link, setup["sinks"]) if isinstance(one, Sink)]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = CommandSettings(rate=1000)
    await Engine(configured(sources, sinks, setup["points"], data, commands=settings)).run(stop)


if __name__ == "__main__":
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder, given = map(Path, sys.argv[1:])
    said = json.loads(given.read_text())
    for one in (*said["sources"], *said["sinks"]):
        link(one)  # every life needs what this imports

    def live() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(folder, said))

    bear(live)
