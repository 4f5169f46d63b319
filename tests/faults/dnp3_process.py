"""A gateway between an outstation and one or two masters of DNP3, in lives that are killed.

python dnp3_process.py DATA DEVICE_PORT SCADA_PORT MASTER…
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvloop
from dnp3_wire import POINTS
from gateway_dnp3 import gateway_components
from lives import bear

from gateway import Sink, Source
from gateway.engine import Engine
from gateway.testing import configured

SINKS = ("scada", "second")


def links(device: int, scada: int, masters: list[int]) -> tuple[list[Source], list[Sink]]:
    master, outstation = gateway_components()
    again = {"min": "20ms", "max": "100ms"}
    source: dict[str, Any] = {
        "name": "field", "type": "dnp3.master", "host": "127.0.0.1", "port": device,
        "outstation": 10, "timeout": "1s", "event": "100ms", "unsolicited": True,
        "reconnect": again,
    }  # fmt: skip
    sink: dict[str, Any] = {
        "type": "dnp3.outstation", "listen": f"127.0.0.1:{scada}", "address": 10,
        "unsolicited": True, "confirm_timeout": "2s", "retry": "100ms", "retry_max": "500ms",
        "reconnect": again,
    }  # fmt: skip
    sinks = [
        outstation.model_validate(sink | {"name": name, "master": number})
        for name, number in zip(SINKS, masters, strict=False)
    ]
    made = master.model_validate(source)
    assert isinstance(made, Source)
    return [made], [one for one in sinks if isinstance(one, Sink)]


def point_list(sinks: int) -> str:
    half = POINTS // 2
    columns = ["field.index", *(f"{name}.index" for name in SINKS[:sinks])]
    rows = ["name,kind," + ",".join(columns)]
    for kind in ("counter", "status"):
        rows += [f"{kind}{n},{kind}," + ",".join([str(n)] * len(columns)) for n in range(half)]
    return "\n".join(rows) + "\n"


async def main(data: Path, device: int, scada: int, masters: list[int]) -> None:
    sources, sinks = links(device, scada, masters)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Engine(configured(sources, sinks, point_list(len(sinks)), data)).run(stop)


if __name__ == "__main__":
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder, device_port, scada_port, *numbers = sys.argv[1:]
    links(1, 1, [2])  # every life needs what this imports

    def live() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            ports = int(device_port), int(scada_port)
            runner.run(main(Path(folder), *ports, [int(one) for one in numbers]))

    bear(live)
