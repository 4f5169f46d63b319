"""A gateway as a process of its own: a tape source, an MQTT sink, the real engine and journal.

python gateway_process.py DATA DEVICE_PORT BROKER_PORT
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop
from gateway_mqtt import gateway_components

from gateway import Endpoint, Reconnect, Sink, Source
from gateway.engine import Engine
from gateway.testing import configured

sys.path.insert(0, str(Path(__file__).parent))

from tape import Tape

POINTS = 10
FAST = Reconnect(min=0.05, max=0.2)


def links(device: int, broker: int) -> tuple[Source, Sink]:
    sink = next(c for c in gateway_components() if c.model_fields["type"].default == "mqtt.json")
    assert issubclass(sink, Sink)
    return (
        Tape(name="field", reconnect=FAST, device=Endpoint("127.0.0.1", device)),
        sink.model_validate(
            {
                "name": "out",
                "type": "mqtt.json",
                "reconnect": FAST,
                "broker": f"127.0.0.1:{broker}",
                "topic": "{gateway}",
                "select": ("p*",),
                "history_rate": 200_000,
                "ack_timeout": "1s",
            }
        ),
    )


def point_list() -> str:
    return "name,kind,field.index\n" + "".join(f"p{n},counter,{n}\n" for n in range(POINTS))


async def main(data: Path, device: int, broker: int) -> None:
    source, sink = links(device, broker)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Engine(configured([source], [sink], point_list(), data)).run(stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder, device_port, broker_port = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Path(folder), int(device_port), int(broker_port)))
