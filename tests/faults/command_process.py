# mypy: disable-error-code="no-untyped-call,arg-type,method-assign,assignment"
"""A gateway that passes commands on, as a process that can be killed and started in no time.

python command_process.py DATA DEVICE_PORT METER_PORT SCADA_PORT UA_PORT
A line on its standard input starts a gateway, in a process of its own whose number it prints;
when that one has ended it prints how (see waitpid). What all lives have in common, the imports and
the standard nodes of OPC UA, is done once.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvloop
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)
from asyncua.server.internal_server import InternalServer
from asyncua.server.standard_address_space import standard_address_space
from gateway_modbus import gateway_components as modbus_components
from gateway_opcua import gateway_components as opcua_components

from gateway import Sink, Source
from gateway.engine import Engine
from gateway.testing import CommandSettings, configured

POINTS = tuple(f"p{n}" for n in range(4))
REGISTERS = {name: 2 * n for n, name in enumerate(POINTS)}
COUNT = 100
"""Register at which masters read how often the meter was read."""
PR_SET_PDEATHSIG = 1


def links(
    device: int, meter: int, scada: int, ua: int, timeout: str = "300ms"
) -> tuple[list[Source], list[Sink]]:
    """`timeout`: within which the device must answer."""
    polled = {"host": "127.0.0.1", "retries": 0, "phase": "aligned",
              "reconnect": {"min": "20ms", "max": "100ms"}}  # fmt: skip
    made = [
        _link("modbus", name="device", port=device, poll="100ms", timeout=timeout, **polled),
        _link("modbus", name="meter", port=meter, poll="50ms", timeout="5s", **polled),
        _link("modbus.server", name="scada", listen=f"127.0.0.1:{scada}", role="operator"),
        _link("opcua.server", name="ua", listen=f"127.0.0.1:{ua}", role="operator",
              security=["none"], select=["p*"]),
    ]  # fmt: skip
    return (
        [link for link in made if isinstance(link, Source)],
        [link for link in made if isinstance(link, Sink)],
    )


def _link(kind: str, **fields: Any) -> Source | Sink:
    components: list[type[Source] | type[Sink]] = [*modbus_components(), *opcua_components()]
    found = next(one for one in components if one.model_fields["type"].default == kind)
    return found.model_validate({"type": kind} | fields)


def point_list(timeout: str = "600ms") -> str:
    """`timeout`: within which a command must be answered."""
    columns = "command.model,command.timeout,device.register,device.type,scada.register,scada.type"
    rows = [
        f"{name},analog,setpoint,{timeout},{at},uint32,{at},uint32,\n"
        for name, at in REGISTERS.items()
    ]
    return "".join(
        [f"name,kind,{columns},meter.register\n", *rows, f"reads,counter,,,,,{COUNT},uint16,1000\n"]
    )


async def main(data: Path, ports: list[int]) -> None:
    sources, sinks = links(*ports)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = CommandSettings(rate=1000)
    await Engine(configured(sources, sinks, point_list(), data, commands=settings)).run(stop)


def _keep_standard_nodes() -> None:
    """Make the standard address space once: it takes a second of a core each time."""
    made = AddressSpace()
    standard_address_space.fill_address_space(NodeManagementService(made))

    async def load(server: InternalServer, shelf_file: Path | None = None) -> None:
        for nodeid, node in made._nodes.items():
            copy = server.aspace._nodes[nodeid] = NodeData(nodeid)
            copy.references = list(node.references)
            copy.attributes = {
                key: AttributeValue(attribute.value) for key, attribute in node.attributes.items()
            }

    InternalServer.load_standard_address_space = load


def _end_with_the_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _live(data: Path, ports: list[int]) -> None:
    _end_with_the_parent()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(data, ports))


if __name__ == "__main__":
    _end_with_the_parent()
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    folder, numbers = Path(sys.argv[1]), [int(one) for one in sys.argv[2:]]
    import gateway_opcua.serving  # noqa: F401 - every life needs it

    _keep_standard_nodes()
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            _live(folder, numbers)
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
